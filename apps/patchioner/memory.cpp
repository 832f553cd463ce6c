// patchioner memory build | inspect: text memory banks.
#include <c10/core/InferenceMode.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "config/config.hpp"
#include "memory/bank_builder.hpp"
#include "memory/bank_texts.hpp"
#include "memory/memory_bank.hpp"
#include "runtime/plugin_host.hpp"
#include "runtime/runtime_options.hpp"
#include "support/append_file.hpp"
#include "support/files.hpp"
#include "support/fingerprint_difference.hpp"
#include "support/interrupt.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

constexpr const char* kTruncate = "truncate";  // the parameter of backbones that can cut long texts

/// The text side of a config.
struct TextSide {
  std::shared_ptr<Backbone> backbone;
  std::string plugin;
  std::string precision;
  bool truncates = false;  ///< texts that are too long are cut
};

/// What a command changes of the section `backbone` before it is made.
using ChangeBackbone = std::function<void(PluginHost& host, Value& section)>;

TextSide open_text_side(const std::string& config_file, const std::vector<std::string>& overrides,
                        const ChangeBackbone& change = {}) {
  const Value config = compose(config_file, overrides);
  const RuntimeOptions runtime = read_runtime_options(config);
  apply_threads(runtime);
  PluginHost host(plugin_directories(config));
  Value section = config.at("backbone");
  if (change) {
    change(host, section);
  }
  const Value* truncate = section.find(kTruncate);
  TextSide side{host.backbone(section, plugin_context(runtime)), section.at("plugin").as_text(),
                runtime.precision, truncate != nullptr && truncate->as_boolean()};
  if (!side.backbone->capabilities().text) {
    throw Error(ErrorKind::config, "the backbone '{}' cannot encode texts; choose another one", side.plugin);
  }
  return side;
}

at::Tensor encode_texts(const Backbone& backbone, std::span<const std::string> texts) {
  const c10::InferenceMode guard;
  return backbone.encode_text(texts);
}

// --- build

struct BuildArguments {
  std::vector<std::string> texts;
  std::string config;
  std::vector<std::string> overrides;
  std::string output;
  std::string format = "auto";
  int64_t size = 0;
  int64_t limit = 0;
  uint64_t seed = 42;
  int64_t batch = 256;
  bool deduplicate = false;
  bool truncate = false;
  bool force = false;
  bool quiet = false;
};

/// A text that is too long is an error in a bank (spec/01 section 5.2), unless the config or the command line
/// says that it is cut.
void decide_truncation(PluginHost& host, Value& section, bool truncate) {
  const PluginRecord record = host.describe(PluginKind::backbone, section.at("plugin").as_text());
  const bool can =
      std::any_of(record.parameters.begin(), record.parameters.end(), [](const Parameter& parameter) {
        return parameter.name == kTruncate && parameter.type == ParameterType::boolean;
      });
  if (can && (truncate || section.find(kTruncate) == nullptr)) {
    section.set(kTruncate, Value(truncate));
  }
}

/// Waits until there is something to read on standard input, or its end. False after an interrupt: a read
/// alone would go on waiting.
bool wait_for_standard_input() {
  constexpr int kMilliseconds = 200;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (!interrupted()) {
    const int ready = ::poll(&input, 1, kMilliseconds);
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      throw Error(ErrorKind::io, "standard input cannot be read: {}", std::strerror(errno));
    }
  }
  return false;
}

/// Standard input can be read only once, so that it is kept in a file while the bank is built. Returns false
/// after an interrupt.
bool keep_standard_input(const std::filesystem::path& file) {
  AppendFile kept(file);
  kept.truncate(0);
  std::string buffer(size_t{1} << 20, '\0');
  while (wait_for_standard_input()) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count == 0) {
      return true;
    }
    if (count < 0 && errno != EINTR) {
      throw Error(ErrorKind::io, "standard input cannot be read: {}", std::strerror(errno));
    }
    kept.append(std::string_view(buffer).substr(0, static_cast<size_t>(std::max<ssize_t>(count, 0))));
  }
  kept.truncate(0);  // an empty file goes away
  return false;
}

/// The files of texts; "-" is where standard input is going to be kept.
std::vector<BankSource> sources_of(const std::vector<std::string>& texts,
                                   const std::filesystem::path& input) {
  if (std::count(texts.begin(), texts.end(), "-") > 1) {
    throw Error(ErrorKind::usage, "standard input can be read only once; give - only once");
  }
  std::vector<BankSource> sources;
  for (const std::string& text : texts) {
    if (text == "-") {
      sources.push_back({input, "standard input"});
    } else {
      sources.push_back({text, std::filesystem::path(text).filename().string()});
    }
  }
  return sources;
}

void run_build(const BuildArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  BankBuildOptions options;
  options.target = arguments.output;
  options.format = text_format_from(arguments.format);
  options.size = arguments.size;
  options.limit = arguments.limit;
  options.seed = arguments.seed;
  options.batch = arguments.batch;
  options.deduplicate = arguments.deduplicate;
  options.overwrite = arguments.force;
  const std::filesystem::path input = bank_input_file(options.target);
  options.sources = sources_of(arguments.texts, input);
  make_folder_of(options.target);
  check_bank_build(options);

  const TextSide side = open_text_side(
      arguments.config, arguments.overrides,
      [&](PluginHost& host, Value& section) { decide_truncation(host, section, arguments.truncate); });
  options.metadata = {{"backbone", side.plugin}, {"precision", side.precision}};
  const PoliteInterrupt polite;
  const bool reads_input = std::count(arguments.texts.begin(), arguments.texts.end(), "-") > 0;
  if (reads_input && !keep_standard_input(input)) {
    log(LogLevel::warning, "stopped while standard input was read; nothing was written");
    line.exit_code = 1;
    return;
  }
  const BankEncoder encoder{
      [&](std::span<const std::string> texts) { return encode_texts(*side.backbone, texts); },
      side.backbone->dim(), side.backbone->text_fingerprint(), side.truncates};
  const BankBuildResult result = build_memory_bank(options, encoder);
  if (!result.finished) {
    log(LogLevel::warning, "stopped with {} texts encoded; the same command goes on from there", result.rows);
    line.exit_code = 1;
    return;
  }
  if (reads_input) {
    std::filesystem::remove(input);
  }
  if (result.resumed_rows > 0) {
    log(LogLevel::info, "{} rows were there from an earlier attempt", result.resumed_rows);
  }
  if (result.duplicates > 0) {
    log(LogLevel::info, "{} texts that came before were left out", result.duplicates);
  }
  fmt::print("{}: {} texts, width {}\n", options.target.string(), result.rows, encoder.dim);
}

void add_build(CLI::App& memory, CommandLine& line) {
  CLI::App* command = memory.add_subcommand("build", "Encode texts and write a memory bank");
  auto arguments = std::make_shared<BuildArguments>();
  command
      ->add_option(
          "TEXTS", arguments->texts,
          "Files of texts: COCO captions, a JSON array, JSON lines, one text a line; - reads standard input")
      ->required();
  command->add_option("-c,--config", arguments->config, "Config whose backbone encodes the texts")
      ->required();
  command
      ->add_option("--set", arguments->overrides,
                   "Setting that wins over the file's, such as runtime.precision=bf16; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("-o,--output", arguments->output,
                   "The bank, NAME.safetensors; its texts go into NAME.texts.json")
      ->required();
  command
      ->add_option("--format", arguments->format,
                   "auto, json, jsonl, tsv (the text is the second column) or text")
      ->capture_default_str();
  command
      ->add_option("--size", arguments->size,
                   "Take a random sample of so many texts, in the order of the files; 0 takes all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--limit", arguments->limit, "Look at the first so many texts only; 0 looks at all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Seed of the sample")->capture_default_str();
  command->add_option("--batch", arguments->batch, "Texts encoded at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--deduplicate", arguments->deduplicate, "Leave out texts that came before");
  command->add_flag("--truncate", arguments->truncate,
                    "Cut texts that are too long for the model; otherwise they are an error");
  command->add_flag("-f,--force", arguments->force, "Replace a bank of that name, or its texts file");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Example:\n  patchioner memory build captions_train.json -c configs/experiment/talk2dino_memory.yaml "
      "--size 500000 -o "
      "banks/coco.safetensors\n\n"
      "Ctrl-C stops after the batch in flight; the same command goes on where it stopped, also after a kill, "
      "and ends "
      "in the same bytes.");
  command->callback([arguments, &line] { run_build(*arguments, line); });
}

// --- inspect

struct InspectArguments {
  std::string file;
  int64_t texts = 5;
  std::string nearest;
  std::string config;
  std::vector<std::string> overrides;
  bool json = false;
};

/// Whether the texts are those that the bank was built with, in a word or two.
std::string texts_state(const MemoryBank& bank, const std::filesystem::path& file) {
  const auto recorded = bank.metadata().find("texts_sha256");
  if (recorded == bank.metadata().end()) {
    return "no digest recorded";
  }
  return sha256_of_file(texts_file_of(file)) == recorded->second ? "as recorded"
                                                                 : "CHANGED since the bank was built";
}

nlohmann::ordered_json describe_bank(const InspectArguments& arguments) {
  const std::shared_ptr<const MemoryBank> bank = MemoryBank::open(arguments.file);
  const at::Tensor norms = bank->row_norms();  // [M]
  const auto shown = std::clamp<int64_t>(arguments.texts, 0, bank->rows());
  nlohmann::ordered_json description = {
      {"file", arguments.file},
      {"rows", bank->rows()},
      {"width", bank->dim()},
      {"zero_rows_left_out", bank->dropped_rows()},
      {"row_lengths",
       {{"min", norms.min().item<double>()},
        {"mean", norms.to(at::kDouble).mean().item<double>()},
        {"max", norms.max().item<double>()}}},
      {"texts", texts_state(*bank, arguments.file)},
      {"metadata", bank->metadata()},
      {"first_texts", std::vector<std::string>(bank->texts().begin(), bank->texts().begin() + shown)}};
  if (!arguments.nearest.empty()) {
    if (arguments.config.empty()) {
      throw Error(ErrorKind::usage, "--nearest needs --config: its backbone encodes the text");
    }
    const TextSide side = open_text_side(arguments.config, arguments.overrides);
    const std::string fingerprint = side.backbone->text_fingerprint();
    const auto recorded = bank->metadata().find("text_fingerprint");
    if (recorded != bank->metadata().end() && !recorded->second.empty() && recorded->second != fingerprint) {
      warn_once(fmt::format("{}: the bank was made by another text encoder than the config's ({})",
                            arguments.file, fingerprint_difference(recorded->second, fingerprint)));
    }
    constexpr double kTemperature = 0.01;  // the gap's default
    const auto matches = bank->nearest(encode_texts(*side.backbone, std::span(&arguments.nearest, 1)),
                                       std::max<int64_t>(shown, 1), kTemperature);
    for (const MemoryMatch& match : matches.front()) {
      description["nearest"].push_back(
          {{"row", match.row}, {"similarity", match.similarity}, {"text", match.text}});
    }
  }
  return description;
}

void print_bank(const nlohmann::ordered_json& bank) {
  fmt::print("{}\n", bank["file"].get<std::string>());
  fmt::print("  rows         {}", bank["rows"].get<int64_t>());
  if (const auto dropped = bank["zero_rows_left_out"].get<int64_t>(); dropped > 0) {
    fmt::print(" ({} zero rows left out)", dropped);
  }
  const auto& lengths = bank["row_lengths"];
  fmt::print("\n  width        {}\n  row lengths  min {:.4g}, mean {:.4g}, max {:.4g}\n  texts        {}\n",
             bank["width"].get<int64_t>(), lengths["min"].get<double>(), lengths["mean"].get<double>(),
             lengths["max"].get<double>(), bank["texts"].get<std::string>());
  for (const auto& [key, value] : bank["metadata"].items()) {
    fmt::print("  {:<16} {}\n", printable(key), printable(value.get<std::string>()));
  }
  for (const auto& text : bank["first_texts"]) {
    fmt::print("    {}\n", printable(text.get<std::string>()));
  }
  if (bank.contains("nearest")) {
    fmt::print("  nearest\n");
    for (const auto& match : bank["nearest"]) {
      fmt::print("    {:.4f}  {}\n", match["similarity"].get<double>(),
                 printable(match["text"].get<std::string>()));
    }
  }
}

void run_inspect(const InspectArguments& arguments) {
  const nlohmann::ordered_json bank = describe_bank(arguments);
  if (arguments.json) {
    fmt::print("{}\n", bank.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_bank(bank);
  }
}

void add_inspect(CLI::App& memory) {
  CLI::App* command = memory.add_subcommand("inspect", "Show what is in a memory bank");
  auto arguments = std::make_shared<InspectArguments>();
  command->add_option("BANK", arguments->file, "A bank of `memory build`, or an HDF5 bank of the reference")
      ->required();
  command->add_option("-n,--texts", arguments->texts, "How many texts are shown")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--nearest", arguments->nearest, "Show the texts closest to this one");
  command->add_option("-c,--config", arguments->config,
                      "Config whose backbone encodes the text of --nearest");
  command->add_option("--set", arguments->overrides, "Setting that wins over the file's; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->footer("Example:\n  patchioner memory inspect banks/coco.safetensors -n 10");
  command->callback([arguments] { run_inspect(*arguments); });
}

}  // namespace

void add_memory_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("memory", "Build and inspect text memory banks");
  command->require_subcommand(1);
  add_build(*command, line);
  add_inspect(*command);
}

}  // namespace patchioner
