#include "scaffold/plugin_names.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"

using namespace patchioner;

TEST_CASE("a plugin's name is of lower-case words") {
  for (const char* name : {"a", "my_vit", "vit2", "clip_b_16", "x1_y2"}) {
    CHECK_NOTHROW(check_plugin_name(name));
  }
  for (const char* name :
       {"", "_a", "a_", "a__b", "2d", "caf\xc3\xa9", "a/b", "..", "a b", "my.vit", "{{name}}"}) {
    INFO(name);
    mentions(refusal_of(ErrorKind::usage, [&] { check_plugin_name(name); }), "is no name for a plugin");
  }
  mentions(refusal_of([] { check_plugin_name(std::string(65, 'a')); }), "has 64 of them at most");
}

TEST_CASE("a name in another form is told in the right one") {
  for (const auto& [name, right] : {std::pair{"MyVit", "my_vit"},
                                    {"my-vit", "my_vit"},
                                    {"My Vit", "my_vit"},
                                    {"CLIP", "clip"},
                                    {"ViT-B/16", "vi_t_b_16"},
                                    {"my__vit_", "my_vit"}}) {
    mentions(refusal_of([&] { check_plugin_name(name); }), "did you mean '" + std::string(right) + "'?");
  }
  mentions(refusal_of([] { check_plugin_name("16"); }), "as in my_vit");
}

TEST_CASE("a name that CMake or LibTorch has for itself is refused") {
  mentions(refusal_of(ErrorKind::usage, [] { check_plugin_name("test"); }), "as in my_test");
  mentions(refusal_of(ErrorKind::usage, [] { check_plugin_name("torch"); }), "as in my_torch");
}

TEST_CASE("a class is called as its plugin") {
  CHECK(names_of("gap", "my_vit").class_name == "MyVit");
  CHECK(names_of("gap", "vit2").class_name == "Vit2");
  CHECK(names_of("gap", "clip_b_16").class_name == "ClipB16");
}

TEST_CASE("a template's text has the names filled in") {
  const PluginNames names = names_of("gap", "my_vit");
  CHECK(filled_in("{{name}} {{Name}}Gap {{kind}}", names, "text") == "my_vit MyVitGap gap");
  CHECK(filled_in("{plugin: {{name}}}", names, "text") == "{plugin: my_vit}");
  CHECK(filled_in("at::Tensor{{1, 2}} ${x} {{}} {name}", names, "text") ==
        "at::Tensor{{1, 2}} ${x} {{}} {name}");
  CHECK(filled_in("", names, "text").empty());
  CHECK(filled_in(std::string_view("a\0\xff{{name}}\0", 12), names, "text") ==
        std::string("a\0\xffmy_vit\0", 10));
}

TEST_CASE("a word that templates do not know is refused") {
  const PluginNames names = names_of("gap", "my_vit");
  for (const char* text : {"{{NAME}}", "{{names}}", "{{ki_nd}}", "x {{name}} {{other}}"}) {
    mentions(refusal_of(ErrorKind::internal, [&] { filled_in(text, names, "a.txt"); }),
             "a.txt: a template knows");
  }
}
