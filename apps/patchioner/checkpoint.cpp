// patchioner checkpoint inspect: what is in a checkpoint file. The other subcommand is in
// checkpoint_convert.cpp.
#include "checkpoint.hpp"

#include <fmt/ranges.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "commands.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

struct InspectArguments {
  std::string file;
  std::string prefix;
  std::string root;
  bool root_given = false;
  bool json = false;
};

/// Sums over the tensors that are shown.
struct Totals {
  uint64_t tensors = 0;
  uint64_t values = 0;
  uint64_t bytes = 0;
  std::map<std::string, uint64_t> by_dtype;
};

uint64_t values_of(const TensorInfo& info) {
  return static_cast<uint64_t>(checked_element_count(info.shape).value_or(0));
}

Totals totals_of(const std::vector<const TensorInfo*>& infos) {
  Totals totals;
  for (const TensorInfo* info : infos) {
    ++totals.tensors;
    totals.values += values_of(*info);
    totals.bytes += values_of(*info) * at::elementSize(info->dtype);
    ++totals.by_dtype[std::string(dtype_name(info->dtype))];
  }
  return totals;
}

void print_json(const StateDict& dict, const std::vector<const TensorInfo*>& shown) {
  nlohmann::ordered_json json;
  json["file"] = dict.path().string();
  json["format"] = to_string(dict.format());
  const CheckpointIdentity identity = identify(dict);
  json["family"] = to_string(identity.family);
  json["is"] = identity.words;
  json["sha256"] = dict.digest();
  json["bytes"] = size_on_disk(dict);
  json["metadata"] = dict.metadata();
  json["layout"] = nlohmann::ordered_json::array();
  for (const LayoutItem& item : dict.source().layout()) {
    json["layout"].push_back({{"path", item.path}, {"is", item.what}});
  }
  json["tensors"] = nlohmann::ordered_json::array();
  for (const TensorInfo* info : shown) {
    json["tensors"].push_back(
        {{"name", info->name}, {"shape", info->shape}, {"dtype", dtype_name(info->dtype)}});
  }
  json["unreadable"] = dict.source().unreadable();
  const Totals totals = totals_of(shown);
  json["totals"] = {{"tensors", totals.tensors},
                    {"values", totals.values},
                    {"bytes", totals.bytes},
                    {"by_dtype", totals.by_dtype}};
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_pairs(const char* title, const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) {
    return;
  }
  size_t width = 0;
  for (const auto& [name, value] : pairs) {
    width = std::max(width, name.size());
  }
  fmt::print("\n{}\n", title);
  for (const auto& [name, value] : pairs) {
    fmt::print("  {:<{}}  {}\n", printable(name), width, printable(value));
  }
}

void print_text(const StateDict& dict, const std::vector<const TensorInfo*>& shown,
                const std::string& prefix) {
  const CheckpointIdentity identity = identify(dict);
  fmt::print("{}\n", dict.path().string());
  fmt::print("  format   {}\n", to_string(dict.format()));
  fmt::print("  family   {}\n", identity.words.empty() ? "not known here"
                                                       : fmt::format("looks like {}; {}", identity.words,
                                                                     advice(identity.family)));
  fmt::print("  sha256   {}\n", dict.digest());
  const auto files = dict.source().files();
  fmt::print("  size     {}{}\n", byte_text(size_on_disk(dict)),
             files.size() > 1 ? fmt::format(" in {} files", files.size()) : std::string());

  const auto& metadata = dict.metadata();
  print_pairs("metadata", {metadata.begin(), metadata.end()});
  std::vector<std::pair<std::string, std::string>> layout;
  for (const LayoutItem& item : dict.source().layout()) {
    layout.emplace_back(item.path.empty() ? "(top)" : item.path, item.what);
  }
  print_pairs("layout", layout);
  std::vector<std::pair<std::string, std::string>> table;
  for (const TensorInfo* info : shown) {
    table.emplace_back(info->name, fmt::format("{:<9} {}", dtype_name(info->dtype), shape_text(info->shape)));
  }
  print_pairs("tensors", table);
  const auto& unreadable = dict.source().unreadable();
  print_pairs("not readable as tensors", {unreadable.begin(), unreadable.end()});

  const Totals totals = totals_of(shown);
  std::vector<std::string> types;
  for (const auto& [dtype, count] : totals.by_dtype) {
    types.push_back(fmt::format("{} {}", count, dtype));
  }
  fmt::print("\n{} tensors{}, {} values, {}{}\n", totals.tensors,
             prefix.empty() ? "" : " under '" + prefix + "'", short_number(totals.values),
             byte_text(totals.bytes), types.empty() ? "" : fmt::format(" ({})", fmt::join(types, ", ")));
}

void run_inspect(const InspectArguments& arguments) {
  const auto root = arguments.root_given ? std::optional<std::string>(arguments.root) : std::nullopt;
  const StateDict dict = StateDict::open(resolve_weights(arguments.file), root);
  std::vector<const TensorInfo*> shown;
  for (const std::string& name : dict.names()) {
    if (name.starts_with(arguments.prefix)) {
      shown.push_back(dict.info(name));
    }
  }
  arguments.json ? print_json(dict, shown) : print_text(dict, shown, arguments.prefix);
}

}  // namespace

std::string short_number(uint64_t number) {
  constexpr std::array<std::pair<double, char>, 3> kScales = {{{1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}}};
  for (const auto& [scale, letter] : kScales) {
    if (static_cast<double>(number) >= scale) {
      return fmt::format("{:.1f} {}", static_cast<double>(number) / scale, letter);
    }
  }
  return std::to_string(number);
}

std::string byte_text(uint64_t bytes) {
  return bytes < 1000 ? fmt::format("{} bytes", bytes) : short_number(bytes) + "B";
}

uint64_t size_on_disk(const StateDict& dict) {
  uint64_t size = 0;
  for (const auto& file : dict.source().files()) {
    size += std::filesystem::file_size(file);
  }
  return size;
}

void add_checkpoint_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("checkpoint", "Look into checkpoint files, and convert them");
  command->require_subcommand(1);
  CLI::App* inspect = command->add_subcommand(
      "inspect", "Show format, digest, metadata, layout and all tensors of a checkpoint");
  auto arguments = std::make_shared<InspectArguments>();
  inspect
      ->add_option("FILE", arguments->file,
                   "safetensors (or its index), .pt, .pth, .bin, TorchScript, pickle, or "
                   "hf:organisation/name[@revision][:file]")
      ->required();
  inspect->add_option("--prefix", arguments->prefix, "Show only tensors whose names begin so");
  const CLI::Option* root =
      inspect->add_option("--root", arguments->root,
                          "The map to look into, dotted; names stay as they are. Default: a single "
                          "state_dict or model map, without wrappers' prefixes");
  inspect->add_flag("--json", arguments->json, "One JSON object on standard output");
  inspect->footer("Example:\n  patchioner checkpoint inspect weights/ViT-B-16.pt --prefix visual.");
  inspect->callback([arguments, root] {
    arguments->root_given = root->count() > 0;
    run_inspect(*arguments);
  });
  add_checkpoint_convert(*command);
}

}  // namespace patchioner
