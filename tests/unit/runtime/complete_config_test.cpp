#include "runtime/complete_config.hpp"

#include <doctest/doctest.h>

#include <patchioner/log.hpp>

#include "config/config.hpp"
#include "refusals.hpp"
#include "runtime/runtime_options.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

Value config(const std::string& yaml) {
  return parse_yaml(yaml, "/data/exp.yaml");
}

}  // namespace

TEST_CASE(
    "a completed config has every option of its plugins and of the runtime, a list of gaps entry by entry") {
  PluginHost host;
  const Value complete = complete_config(
      config("gap:\n- {plugin: none}\n- {plugin: memory, bank: b.safetensors}\nruntime: {batch: 2}\n"), host);
  CHECK(*complete.find_path("gap.0.normalize_input") == Value(true));
  CHECK(*complete.find_path("gap.1.bank") == Value("/data/b.safetensors"));
  CHECK(*complete.find_path("gap.1.temperature") == Value(0.01));
  CHECK(*complete.find_path("runtime.batch") == Value(2));
  CHECK(*complete.find_path("runtime.device") == Value("auto"));
}

TEST_CASE("a value of the runtime from the command line stands over the file's, with its origin") {
  Value with_section = config("runtime: {batch: 2, threads: 3}\n");
  set_runtime(with_section, "batch", 5);
  CHECK(read_runtime_options(with_section).batch == 5);
  CHECK(read_runtime_options(with_section).threads == 3);
  CHECK(with_section.find_path("runtime.batch")->origin().to_string() == "command line");
  for (const char* text : {"gap: {plugin: none}\n", "runtime:\n"}) {
    Value without = config(text);
    set_runtime(without, "precision", "bf16");
    CHECK(read_runtime_options(without).precision == "bf16");
  }
}

TEST_CASE("a completed config completes to itself") {
  PluginHost host;
  const Value once = complete_config(config("gap: {plugin: none}\n"), host);
  CHECK(complete_config(once, host) == once);
}

TEST_CASE("paths in sections inside a plugin's are absolute in a completed config, and words stay words") {
  PluginHost host;
  const TestFolder folder;
  folder.write("merges.txt", "");
  folder.write("greedy", "");
  folder.write("bank/embeddings.json", "");
  const std::string yaml =
      "decoder: {plugin: meacap, weights: x.pt, tokenizer: {merges: merges.txt, vocabulary: none.json},\n"
      "  search: {type: greedy, stop: [.]},\n"
      "  meacap: {memory: ./bank, parser: {lexicon: ./merges.txt}}}\n";
  const Value complete = complete_config(parse_yaml(yaml, (folder / "exp.yaml").string()), host);
  const std::string merges = (folder / "merges.txt").string();
  CHECK(*complete.find_path("decoder.tokenizer.merges") == Value(merges));
  CHECK(*complete.find_path("decoder.tokenizer.vocabulary") == Value("none.json"));
  CHECK(*complete.find_path("decoder.meacap.memory") == Value((folder / "bank").string()));
  CHECK(*complete.find_path("decoder.meacap.parser.lexicon") == Value(merges));
  CHECK(*complete.find_path("decoder.search.type") == Value("greedy"));
  CHECK(complete.find_path("decoder.search.stop")->as_list()[0] == Value("."));
}

TEST_CASE("only what was written is what was written, with its paths made absolute") {
  PluginHost host;
  const Value written = config("gap: {plugin: memory, bank: b.safetensors}\nvariables: {x: [1, {y: 2}]}\n");
  CHECK(only_written(complete_config(written, host), written) ==
        config("gap: {plugin: memory, bank: /data/b.safetensors}\nvariables: {x: [1, {y: 2}]}\n"));
}

TEST_CASE("a missing plugin is refused, or left as it is written; wrong options are refused either way") {
  PluginHost host;
  const Value missing = config("gap: {plugin: nope, x: 1}\n");
  CHECK(refusal_of([&] {
          complete_config(missing, host);
        }).find("/data/exp.yaml:1:7: no gap plugin is called 'nope'") == 0);
  const auto previous = set_log_sink([](LogLevel, const std::string&) {});
  CHECK(*complete_config(missing, host, MissingPlugin::keep).find("gap") == *missing.find("gap"));
  set_log_sink(previous);
  const Value wrong = config("gap: {plugin: none, x: 1}\n");
  CHECK(refusal_of([&] { complete_config(wrong, host, MissingPlugin::keep); }).find("unknown key 'gap.x'") !=
        std::string::npos);
}

TEST_CASE("the runtime's options are checked and become what the plugins are told") {
  CHECK(read_runtime_options(config("gap: {plugin: none}\n")).batch == 8);
  CHECK((plugin_context({.device = "cpu", .precision = "bf16"}).precision == at::kBFloat16));
  CHECK(plugin_context({.device = "cpu"}).device.is_cpu());
  CHECK(refusal_of([] {
          read_runtime_options(config("runtime: {precision: fp16}\n"));
        }).find("/data/exp.yaml:1:11: 'runtime.precision' must be one of fp32, bf16; found 'fp16'") == 0);
  CHECK(refusal_of([] {
          read_runtime_options(config("runtime: {batch: 0}\n"));
        }).find("must be between 1 and 65536, found 0") != std::string::npos);
  CHECK(refusal_of([] {
          read_runtime_options(config("runtime: {thread: 1}\n"));
        }).find("did you mean 'threads'?") != std::string::npos);
}

TEST_CASE("asking for a GPU that is not there is refused, and planning for one is not") {
  CHECK(device_of({.device = "cuda"}).is_cuda());
  CHECK(device_of({.device = "cpu"}).is_cpu());
  CHECK(device_of({.device = "auto"}).is_cuda() == at::hasCUDA());
  if (!at::hasCUDA()) {
    CHECK(refusal_of([] { plugin_context({.device = "cuda"}); }).find("finds no CUDA device") !=
          std::string::npos);
  }
}

TEST_CASE("folders for plugins start at the file that names them and must exist") {
  CHECK(plugin_directories(config("gap: {plugin: none}\n")).empty());
  CHECK(plugin_directories(config("plugins: {path: [/usr]}\n")) ==
        std::vector<std::filesystem::path>{"/usr"});
  CHECK(refusal_of([] { plugin_directories(config("plugins: {path: [nowhere]}\n")); }) ==
        "/data/exp.yaml:1:18: 'plugins.path' names /data/nowhere, which does not exist");
  CHECK(refusal_of([] {
          plugin_directories(config("plugins: {path: /usr}\n"));
        }).find("must be a list of texts") != std::string::npos);
}
