// What is said of files that are no plugins, or none of this program.
#include <cstdlib>

#include "checked.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// The check at which the file is refused is the last one; what it says.
std::string refusal_at(const std::string& check, const std::filesystem::path& file) {
  const Outcomes outcomes = checked(file);
  CHECK_FALSE(outcomes.complete);
  CHECK(outcomes.numbers.back() == check);
  CHECK(to_string(outcomes.of(check).status) == "failed");
  return outcomes.of(check).sentence;
}

TEST_CASE("each way in which a library is broken is found by one check") {
  mentions(refusal_at("symbol", broken_plugin("no_symbol")),
           "does not export the function patchioner_plugin_descriptor");
  mentions(refusal_at("symbol", broken_plugin("data_symbol")), "does not export the function");
  mentions(
      refusal_at("dependencies", broken_plugin("missing_dependency")),
      "a library was not found: libnot_installed_anywhere.so.7 (needed by missing_dependency.so; looked in ");
  mentions(refusal_at("opening", broken_plugin("missing_function")),
           "undefined symbol: patchioner::removed::function_of_an_older_version(");
  mentions(refusal_at("opening", broken_plugin("no_descriptor")), "returned no descriptor");
  mentions(refusal_at("sdk", broken_plugin("wrong_magic")), "it is a plugin of another program");
  mentions(refusal_at("sdk", broken_plugin("other_sdk")),
           fmt::format("it was built with SDK 999 and this program has SDK {}", PATCHIONER_SDK_VERSION));
  mentions(refusal_at("build", broken_plugin("other_libtorch")),
           "libtorch-1.4.0 and this program for " PATCHIONER_BUILD_FINGERPRINT);
  mentions(refusal_at("name", broken_plugin("unknown_kind")), "it is of kind 9, and this program knows");
  mentions(refusal_at("parameters", broken_plugin("bad_schema")), "no valid JSON description of parameters");
  mentions(refusal_at("made", broken_plugin("makes_nothing")), "made nothing");
}

TEST_CASE("a plugin that uses what is the program's own is checked to its end, and fails") {
  const Outcomes outcomes = checked(broken_plugin("uses_core"));
  CHECK(outcomes.complete);
  CHECK(to_string(outcomes.of("sdk alone").status) == "failed");
  mentions(outcomes.of("sdk alone").sentence,
           "no part of the SDK (PATCHIONER_PRIVATE): patchioner::format_bytes");
  CHECK(to_string(outcomes.of("destroyed").status) == "passed");
  CHECK(to_string(checked(broken_plugin("works")).of("sdk alone").status) == "passed");
  // The program's own plugins are of its version.
  CHECK(to_string(checked(std::filesystem::path(PATCHIONER_BINARY_DIR) / "bin/plugins/gap/noise.so")
                      .of("sdk alone")
                      .status) == "passed");
}

TEST_CASE("what is no library of this machine is refused before it is opened") {
  const TestFolder folder;
  CHECK(refusal_at("file", folder / "absent.so") == "there is no file " + (folder / "absent.so").string());
  mentions(refusal_at("file", folder.path()), "is a folder, not a library");
  mentions(refusal_at("library", folder.write("text.so", "plugin: none\n")), "it is a text file");
  mentions(refusal_at("library", folder.write("empty.so", "")), "it is empty (0 bytes)");
  std::string other = read_file(broken_plugin("works"));
  other[18] = static_cast<char>(0xF3);  // e_machine: RISC-V
  other[19] = 0;
  mentions(refusal_at("library", folder.write("other.so", other)),
           "it was built for risc-v and this program for");
}

TEST_CASE("parameters that contradict themselves are found") {
  const auto sentence = [](const std::string& fault) {
    ::setenv("ODD_PARAMETERS", fault.c_str(), 1);  // what the plugin declares then
    return refusal_at("parameters", broken_plugin("odd_parameters"));
  };
  mentions(sentence("twice"), "two parameters are called 'factor'");
  mentions(sentence("default"), "the parameter 'factor' does not allow its own default: ");
  mentions(sentence("help"), "the parameter 'factor' has no line of help");
  mentions(sentence("range"), "the range of the parameter 'factor' is empty: 3 to 2");
  mentions(sentence("plugin"), "a parameter is called 'plugin', the key that names the plugin itself");
}

TEST_CASE("which file a config gets is said") {
  const TestFolder folder;
  const std::filesystem::path first = folder.write("a/works.so", read_file(broken_plugin("works")));
  const std::filesystem::path second = folder.write("b/works.so", read_file(broken_plugin("works_again")));
  const std::filesystem::path renamed = folder.write("b/other.so", read_file(broken_plugin("works_again")));
  const std::string in_both =
      fmt::format("plugins.path=[{},{}]", first.parent_path().string(), second.parent_path().string());
  CHECK(checked(first, {in_both}).of("search").sentence == "a config finds it as gap: {plugin: works}");
  mentions(
      checked(second, {in_both}).of("search").sentence,
      fmt::format("of two plugins of one name the first found is used: gap: {{plugin: works}} is {}, and "
                  "this file only where a config names it by plugins.path=[{}]",
                  first.string(), second.string()));
  mentions(checked(first).of("search").sentence,
           "a config finds it by plugins.path=[" + first.string() + "]");
  mentions(checked(renamed).of("search").sentence, "it is looked for as works.so, and this file is other.so");
}

}  // namespace
}  // namespace patchioner
