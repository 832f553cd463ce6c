// The plugin host against tests/broken_plugins and against files that are no plugins at all.
#include "runtime/plugin_host.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <patchioner/log.hpp>

#include "config/config.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;
namespace fs = std::filesystem;

namespace {

const fs::path kBroken = fs::path(PATCHIONER_BINARY_DIR) / "tests/broken_plugins";

/// Collects what is logged while it lives.
class LogLines {
 public:
  LogLines() : previous_(set_log_sink([this](LogLevel, const std::string& line) { text += line + "\n"; })) {}
  ~LogLines() { set_log_sink(previous_); }
  std::string text;

 private:
  std::function<void(LogLevel, const std::string&)> previous_;
};

std::string refusal_in(const std::string& name) {
  return inspect_plugin(kBroken / (name + ".so")).refusal;
}

Value section(const std::string& yaml) {
  return parse_yaml(yaml, "exp.yaml");
}

#define CHECK_CONTAINS(text, part) CHECK_MESSAGE(std::string(text).find(part) != std::string::npos, (text))

}  // namespace

TEST_CASE("a working plugin is described by its own declaration") {
  const PluginRecord record = inspect_plugin(kBroken / "works.so");
  CHECK(record.refusal == "");
  CHECK(record.kind == PluginKind::gap);
  CHECK(record.name == "works");
  CHECK(record.version == "0.3");
  REQUIRE(record.parameters.size() == 2);
  CHECK(record.parameters[0].name == "factor");
  CHECK(record.parameters[0].default_value == Value(2.0));
  CHECK(record.parameters[0].minimum == 0.5);
  CHECK(record.parameters[1].type == ParameterType::path);
}

TEST_CASE("a refusal names both sides") {
  SUBCASE("magic") {
    CHECK_CONTAINS(refusal_in("wrong_magic"),
                   "0x1122334455667788 where a Patchioner plugin has 0x6e6f696863746150");
  }
  SUBCASE("SDK") {
    CHECK_CONTAINS(refusal_in("other_sdk"),
                   fmt::format("built with SDK 999 and this program has SDK {}", PATCHIONER_SDK_VERSION));
  }
  SUBCASE("LibTorch") {
    CHECK_CONTAINS(refusal_in("other_libtorch"),
                   "libtorch-1.4.0 and this program for " PATCHIONER_BUILD_FINGERPRINT);
  }
  SUBCASE("kind") {
    CHECK_CONTAINS(refusal_in("unknown_kind"), "of kind 9, and this program knows 1 (backbone)");
  }
  SUBCASE("symbol") {
    CHECK_CONTAINS(refusal_in("no_symbol"), "does not export the function patchioner_plugin_descriptor");
  }
  SUBCASE("a number of the symbol's name") {
    CHECK_CONTAINS(refusal_in("data_symbol"), "does not export the function patchioner_plugin_descriptor");
  }
  SUBCASE("dependency") {
    CHECK_CONTAINS(refusal_in("missing_dependency"),
                   "needs libnot_installed_anywhere.so.7, which was not found");
  }
  SUBCASE("function") {
    CHECK_CONTAINS(refusal_in("missing_function"),
                   "undefined symbol: patchioner::removed::function_of_an_older_version(");
  }
  SUBCASE("an addition to this SDK") {
    CHECK_CONTAINS(
        refusal_in("later_addition"),
        fmt::format(
            "it uses an addition to SDK {0} that this program does not have yet: undefined symbol: "
            "patchioner::function_of_a_later_program(), version PATCHIONER_SDK_{0}; update the program",
            PATCHIONER_SDK_VERSION));
  }
  SUBCASE("schema") {
    CHECK_CONTAINS(refusal_in("bad_schema"), "no valid JSON description of parameters");
  }
  SUBCASE("descriptor") {
    CHECK_CONTAINS(refusal_in("no_descriptor"), "returned no descriptor");
  }
}

TEST_CASE("what is no library is refused before it is opened") {
  const TestFolder folder;
  const std::string library = read_file(kBroken / "works.so");
  SUBCASE("text") {
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", "plugin: none\n")).refusal, "it is a text file");
  }
  SUBCASE("empty") {
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", "")).refusal, "it is empty (0 bytes)");
  }
  SUBCASE("noise") {
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", std::string("\x89PNG\0\0", 6))).refusal,
                   "no ELF header");
  }
  SUBCASE("pointer") {
    CHECK_CONTAINS(
        inspect_plugin(folder.write("a.so", "version https://git-lfs.github.com/spec/v1\n")).refusal,
        "Git LFS pointer");
  }
  SUBCASE("absent") {
    CHECK_CONTAINS(inspect_plugin(folder.path() / "a.so").refusal, "No such file");
  }
  SUBCASE("a folder") {
    fs::create_directory(folder.path() / "a.so");
    CHECK_FALSE(inspect_plugin(folder.path() / "a.so").usable());
  }
  SUBCASE("another machine") {
    std::string other = library;
    other[18] = static_cast<char>(0xF3);  // e_machine: RISC-V
    other[19] = 0;
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", other)).refusal,
                   "it was built for risc-v and this program for");
  }
  SUBCASE("32 bits") {
    std::string other = library;
    other[4] = 1;  // EI_CLASS
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", other)).refusal, "32-bit machine");
  }
  SUBCASE("an object file") {
    std::string other = library;
    other[16] = 1;  // e_type: ET_REL
    CHECK_CONTAINS(inspect_plugin(folder.write("a.so", other)).refusal, "object file");
  }
}

TEST_CASE("a library that was cut off anywhere is refused, never opened") {
  const TestFolder folder;
  const std::string library = read_file(kBroken / "works.so");
  for (const double share : {0.00001, 0.001, 0.1, 0.3, 0.6, 0.9, 0.999}) {
    const auto size = static_cast<size_t>(share * static_cast<double>(library.size()));
    const PluginRecord record = inspect_plugin(folder.write("cut.so", library.substr(0, size)));
    CHECK_MESSAGE(!record.usable(), share);
  }
}

TEST_CASE("a library without a section table that was cut off is refused too") {
  const TestFolder folder;
  std::string library = read_file(kBroken / "works.so");
  for (size_t i = 0; i < 8; ++i) {
    library[40 + i] = 0;  // e_shoff
  }
  library[60] = 0;  // e_shnum
  library[61] = 0;
  const PluginRecord record = inspect_plugin(folder.write("cut.so", library.substr(0, library.size() / 2)));
  CHECK_CONTAINS(record.refusal, "lies outside the file");
}

TEST_CASE("a section makes the plugin that it names, with its options") {
  PluginHost host({kBroken});
  const auto gap = host.gap(section("{plugin: works, factor: 3}"), {});
  const at::Tensor features = at::tensor({1.0F, -2.0F}).reshape({1, 2});  // [R,D]
  CHECK(at::equal(gap->to_text_space(features), at::tensor({3.0F, -6.0F}).reshape({1, 2})));
}

TEST_CASE("an object outlives the host that made it") {
  std::shared_ptr<Gap> gap;
  {
    PluginHost host({kBroken});
    gap = host.gap(section("plugin: works"), {});
  }
  CHECK(at::equal(gap->to_text_space(at::ones({1, 1})), at::full({1, 1}, 2.0F)));
  gap.reset();
}

TEST_CASE("gap none divides by the length, zeros stay finite, and the input stays as it was") {
  PluginHost host;
  const at::Tensor features = at::tensor({3.0F, 4.0F, 0.0F, 0.0F}).reshape({2, 2});  // [R,D]
  const at::Tensor unit = host.gap(section("plugin: none"), {})->to_text_space(features);
  CHECK(at::allclose(unit, at::tensor({0.6F, 0.8F, 0.0F, 0.0F}).reshape({2, 2})));
  CHECK(at::equal(host.gap(section("{plugin: none, normalize_input: false}"), {})->to_text_space(features),
                  features));
  CHECK(features[0][0].item<float>() == 3.0F);
}

TEST_CASE("wrong options are told with the place in the file") {
  PluginHost host({kBroken});
  const auto message = [&](const std::string& yaml) {
    return refusal_of([&] { host.gap(section(yaml), {}); });
  };
  CHECK(message("plugin: works\nfactr: 3\n") ==
        "exp.yaml:2:1: unknown key 'gap.factr'; did you mean 'factor'?");
  CHECK(message("plugin: works\nfactor: 0.25\n") ==
        "exp.yaml:2:1: 'gap.factor' must be between 0.5 and 100, found 0.25");
  CHECK(message("plugin: works\nfactor: hot\n") ==
        "exp.yaml:2:1: 'gap.factor' must be a number, found the text 'hot'");
  CHECK_CONTAINS(message("factor: 3"), "'gap' does not say which plugin");
  CHECK_CONTAINS(message("works"), "write gap: {plugin: works}");
  CHECK_CONTAINS(message("plugin: [works]"), "'gap.plugin' must be text, found list");
}

TEST_CASE("a plugin that is not there is told with the nearest name and where was looked") {
  PluginHost host({kBroken});
  const std::string message = refusal_of([&] { host.gap(section("plugin: wrks"), {}); });
  CHECK_CONTAINS(message, "exp.yaml:1:1: no gap plugin is called 'wrks'; did you mean 'works'?");
  CHECK_CONTAINS(message, kBroken.string());
  CHECK_CONTAINS(refusal_of([&] { host.decoder(section("plugin: works"), {}); }),
                 "there is a gap of this name");
  CHECK_CONTAINS(refusal_of([&] { host.gap(section("plugin: other_sdk"), {}); }),
                 "other_sdk.so was refused: it was built with SDK 999");
}

TEST_CASE("whatever a constructor throws arrives as one error that names the plugin") {
  PluginHost host({kBroken});
  const auto message = [&](const std::string& what) {
    return refusal_of([&] { host.gap(section("{plugin: throwing_constructor, what: " + what + "}"), {}); });
  };
  CHECK(message("error") == "exp.yaml:1:2: gap 'throwing_constructor': weights.pth: truncated");
  CHECK_CONTAINS(message("own"), "could not be made: the tape is full");
  CHECK_CONTAINS(message("torch"), "LibTorch refused an operation: ");
  CHECK_CONTAINS(message("number"), "threw something that is no exception");
  CHECK_CONTAINS(refusal_of([&] { host.gap(section("plugin: makes_nothing"), {}); }), "made nothing");
}

TEST_CASE("of two plugins of one name the first found wins, and a line says so") {
  const TestFolder first;
  const TestFolder second;
  first.write("a/works.so", read_file(kBroken / "works.so"));
  second.write("works.so", read_file(kBroken / "works_again.so"));
  LogLines log;
  PluginHost host({first.path(), second.path()});
  CHECK(host.describe(PluginKind::gap, "works").file == first.path() / "a/works.so");
  CHECK_CONTAINS(log.text, "gap 'works' is in " + (first.path() / "a/works.so").string() + " and in ");
  const auto records = host.list();
  const auto later = std::find_if(records.begin(), records.end(), [&](const PluginRecord& record) {
    return record.file == second.path() / "works.so";
  });
  REQUIRE(later != records.end());
  CHECK_CONTAINS(later->refusal, "gap 'works' was found before, in ");
}

TEST_CASE("a file that two places lead to is listed once, by the first") {
  const TestFolder folder;
  const fs::path file = folder.write("a/works.so", read_file(kBroken / "works.so"));
  fs::create_directory_symlink(folder / "a", folder / "linked");
  std::vector<fs::path> listed;
  for (const PluginRecord& record : PluginHost({folder / "a", folder / "linked", file}).list()) {
    if (record.file.filename() == "works.so") {
      CHECK(record.refusal == "");
      listed.push_back(record.file);
    }
  }
  CHECK(listed == std::vector{file});
}

TEST_CASE("a usable plugin behind a refused one of its name is found, and the refusal is told") {
  const TestFolder first;
  first.write("works.so", "oops");
  LogLines log;
  PluginHost host({first.path(), kBroken});
  CHECK(host.describe(PluginKind::gap, "works").file == kBroken / "works.so");
  CHECK_CONTAINS(log.text, "was refused: it is a text file");
}

TEST_CASE("a library of another file name is opened only when the config names it") {
  const TestFolder folder;
  const fs::path file = folder.write("decoders/renamed.so", read_file(kBroken / "works.so"));
  CHECK(PluginHost({file}).describe(PluginKind::gap, "works").file == file);
  PluginHost host({folder.path()});
  folder.write("opened.so", "would be refused, and warned about, if anybody looked at it");
  const auto message = [&](const std::string& section_text) {
    LogLines log;
    const std::string text = refusal_of([&] { host.gap(section(section_text), {}); });
    CHECK(log.text.empty());
    return text;
  };
  CHECK_CONTAINS(message("plugin: works"), "no gap plugin is called 'works'");
  CHECK_CONTAINS(message("plugin: opende"), "did you mean 'opened'?");
  CHECK(message("plugin: renamde").find("renamed'") == std::string::npos);  // it lies among the decoders
}

TEST_CASE("weights in the cache of another tool are told with the section and the key that name them") {
  const TestFolder folder;
  setenv("HF_HUB_CACHE", folder.path().c_str(), 1);
  PluginHost host({kBroken});
  const std::string message =
      refusal_of([&] { host.gap(section("plugin: works\nweights: hf:nobody/nothing\n"), {}); });
  CHECK_CONTAINS(message, "exp.yaml:2:1: 'gap.weights': hf:nobody/nothing: the model is not in");
  folder.write("models--nobody--nothing/refs/main", "0123456789");
  const fs::path weights = folder.write("models--nobody--nothing/snapshots/0123456789/decoder.pt", "x");
  const auto gap = host.gap(section("plugin: works\nweights: hf:nobody/nothing\n"), {});
  CHECK(gap->text_fingerprint() == weights.string());
  unsetenv("HF_HUB_CACHE");
}

TEST_CASE("PATCHIONER_PLUGIN_PATH is searched after the config's folders") {
  setenv("PATCHIONER_PLUGIN_PATH", ("/nowhere:" + kBroken.string()).c_str(), 1);
  LogLines log;
  CHECK(PluginHost().describe(PluginKind::gap, "works").file == kBroken / "works.so");
  unsetenv("PATCHIONER_PLUGIN_PATH");
}

TEST_CASE("a section is completed with the plugin's defaults, and paths start at the file that says them") {
  PluginHost host({kBroken});
  const Value resolved = host.resolve(
      PluginKind::gap, parse_yaml("plugin: works\nweights: ../w/a.pth\n", "/data/configs/gap/x.yaml"));
  CHECK(resolved.as_map().front().first == "plugin");
  CHECK(resolved.at("factor") == Value(2.0));
  CHECK(resolved.at("weights") == Value("/data/configs/w/a.pth"));
  const auto gap = host.gap(parse_yaml("plugin: works\nweights: b.pth\n", "/data/x.yaml"), {});
  CHECK(gap->text_fingerprint() == "/data/b.pth");
}

TEST_CASE("a word that a path may be instead of a file reaches the plugin as it is") {
  PluginHost host({kBroken});
  const Value section = parse_yaml("plugin: works\nweights: none\n", "/data/x.yaml");
  CHECK(host.resolve(PluginKind::gap, section).at("weights") == Value("none"));
  CHECK(host.gap(section, {})->text_fingerprint() == "none");
  const auto other = host.gap(parse_yaml("plugin: works\nweights: nona\n", "/data/x.yaml"), {});
  CHECK(other->text_fingerprint() == "/data/nona");
}
