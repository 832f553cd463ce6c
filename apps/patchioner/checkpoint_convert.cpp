// patchioner checkpoint convert: a checkpoint written anew under one naming, or in the layout of another
// program.
#include <fmt/ranges.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "backbones/convert_checkpoint.hpp"
#include "checkpoint.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

struct ConvertArguments {
  std::string file;
  std::string output;
  std::string target = "safetensors";
  std::string dtype = "keep";
  std::string config;
  int64_t heads = 0;
  bool force = false;
};

const std::vector<std::pair<std::string, ConversionTarget>>& targets() {
  static const std::vector<std::pair<std::string, ConversionTarget>> list = {
      {"safetensors", ConversionTarget::safetensors},
      {"torch", ConversionTarget::torch},
      {"huggingface", ConversionTarget::hugging_face}};
  return list;
}

const std::vector<std::pair<std::string, std::optional<at::ScalarType>>>& dtypes() {
  static const std::vector<std::pair<std::string, std::optional<at::ScalarType>>> list = {
      {"keep", std::nullopt}, {"fp32", at::kFloat}, {"fp16", at::kHalf}, {"bf16", at::kBFloat16}};
  return list;
}

template <class Table>
std::vector<std::string> words_of(const Table& table) {
  std::vector<std::string> words;
  for (const auto& [word, value] : table) {
    words.push_back(word);
  }
  return words;
}

template <class Table>
auto value_of(const Table& table, const std::string& wanted) {
  return std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.first == wanted; })
      ->second;
}

bool same_file(const fs::path& left, const fs::path& right) {
  std::error_code failure;
  return fs::equivalent(left, right, failure);
}

/// Refuses to write over the source, and over what is there unless that was allowed.
void check_output(const StateDict& source, const Conversion& conversion, const ConvertArguments& arguments) {
  for (const fs::path& file : source.source().files()) {
    if (same_file(file, arguments.output)) {
      throw Error(ErrorKind::usage, "{} is what is converted; give the result another name",
                  arguments.output);
    }
  }
  if (!arguments.force && fs::exists(arguments.output)) {
    throw Error(ErrorKind::usage, "{} exists; give another name, or --force to replace it", arguments.output);
  }
  for (const CompanionFile& companion : conversion.companions) {
    const fs::path path = companion_path(companion, arguments.output);
    if (!arguments.force && fs::exists(path) && read_file(path) != companion.content) {
      throw Error(ErrorKind::usage,
                  "{} belongs beside the result, but there is another one; write into another folder, or "
                  "--force to replace it",
                  path.string());
    }
  }
}

void print_left_out(const std::vector<std::string>& names) {
  if (names.empty()) {
    return;
  }
  constexpr size_t kShown = 3;
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    some.push_back(printable(names[i]));
  }
  fmt::print("left out: {} tensor{} for which this layout has no place ({}{})\n", names.size(),
             names.size() == 1 ? "" : "s", fmt::join(some, ", "), names.size() > kShown ? " ..." : "");
}

void run_convert(const ConvertArguments& arguments) {
  const StateDict source = StateDict::open(resolve_weights(arguments.file));
  ConversionOptions options;
  options.target = value_of(targets(), arguments.target);
  options.dtype = value_of(dtypes(), arguments.dtype);
  options.config = arguments.config;
  options.heads = arguments.heads;
  const PoliteInterrupt polite;
  const Conversion conversion = plan_conversion(source, options);
  check_output(source, conversion, arguments);
  make_folder_of(arguments.output);
  write_conversion(conversion, arguments.output);
  fmt::print("{} is {}\n", source.path().string(), conversion.identity.words);
  fmt::print("wrote {}: {} tensors, {}\n", arguments.output, conversion.tensors.size(),
             byte_text(fs::file_size(arguments.output)));
  for (const CompanionFile& companion : conversion.companions) {
    fmt::print("wrote {}\n", companion_path(companion, arguments.output).string());
  }
  print_left_out(conversion.left_out);
  for (const std::string& remark : conversion.remarks) {
    log(LogLevel::warning, "{}", remark);
  }
}

}  // namespace

void add_checkpoint_convert(CLI::App& checkpoint) {
  CLI::App* command = checkpoint.add_subcommand(
      "convert",
      "Write a checkpoint anew: as safetensors under one naming, or in the layout of another program");
  auto arguments = std::make_shared<ConvertArguments>();
  command->add_option("FILE", arguments->file, "Any checkpoint, as for inspect")->required();
  command->add_option("-o,--output", arguments->output, "The file to write")->required();
  command
      ->add_option(
          "--to", arguments->target,
          "safetensors: canonical names (OpenAI's for a CLIP, the official ones for DINO and DINOv2, "
          "its own for every other model); torch: the same as torch.save writes them; huggingface: "
          "names and config.json of transformers")
      ->check(CLI::IsMember(words_of(targets())))
      ->capture_default_str();
  command->add_option("--dtype", arguments->dtype, "Element type of floating-point tensors")
      ->check(CLI::IsMember(words_of(dtypes())))
      ->capture_default_str();
  command->add_option("--config", arguments->config,
                      "The model's configuration file, where it does not lie beside the checkpoint");
  command
      ->add_option("--heads", arguments->heads,
                   "Attention heads of a DINO or DINOv2 whose heads are not 64 wide; 0: found out")
      ->check(CLI::Range(0, 1024));
  command->add_flag("-f,--force", arguments->force, "Replace files that are there");
  command->footer(
      "Examples:\n"
      "  patchioner checkpoint convert ViT-B-16.pt -o vit_b16.safetensors\n"
      "  patchioner checkpoint convert hf:facebook/dinov2-with-registers-base --to torch -o "
      "dinov2_vitb14_reg4.pth\n"
      "  patchioner checkpoint convert ViT-B-16.pt --to huggingface --dtype fp32 -o clip/model.safetensors");
  command->callback([arguments] { run_convert(*arguments); });
}

}  // namespace patchioner
