// Checkpoint files that must be read bit for bit, and files that must be refused with a sentence (spec/02
// section 13).
#include <cstring>
#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// What a hostile file of these cases would leave behind if it were ever executed.
constexpr std::string_view kTraceOfExecution = "PWNED_BY_CHECKPOINT";

/// Same type, shape and bytes; NaN payloads and signed zeros count.
bool identical(const at::Tensor& ours, const at::Tensor& expected) {
  if (ours.scalar_type() != expected.scalar_type() || ours.sizes() != expected.sizes()) {
    return false;
  }
  const size_t size = static_cast<size_t>(expected.numel()) * expected.element_size();
  return size == 0 || std::memcmp(ours.contiguous().data_ptr(), expected.contiguous().data_ptr(), size) == 0;
}

/// Everything that a file gives, so that nothing stays unread.
void read_all(const StateDict& dict) {
  for (const std::string& name : dict.names()) {
    dict.tensor(name);
  }
  for (const auto& [name, reason] : dict.source().unreadable()) {
    dict.tensor(name);
  }
}

void verify_readable(const GoldenCase& golden, const nlohmann::json& entry, CaseReport& report) {
  const std::string file = entry.at("file").get<std::string>();
  const std::string root = entry.value("root", "");
  std::optional<StateDict> dict;
  std::optional<StateDict> by_convention;
  try {
    dict = StateDict::open(golden.file(file), root);
    by_convention = StateDict::open(golden.file(file));
  } catch (const Error& error) {
    report.require(fmt::format("{} is read ({})", file, error.what()), entry.value("may_refuse", false));
    for (const auto& [name, description] : entry.at("tensors").items()) {
      report.used_as_input(description.at("expected").get<std::string>());  // said above, once for the file
    }
    return;
  }
  for (const auto& [name, description] : entry.at("tensors").items()) {
    const std::string label = file + "::" + name;
    const std::string key = description.at("expected").get<std::string>();
    if (!dict->contains(name)) {
      report.require(label + " is there", false);
      continue;
    }
    const at::Tensor ours = dict->tensor(name);
    const at::Tensor expected = golden.tensor(key);
    report.compare(key, ours, expected);
    report.require(fmt::format("{} is {}", label, description.at("dtype").get<std::string>()),
                   dtype_name(ours.scalar_type()) == description.at("dtype").get<std::string>());
    report.require(label + " is equal bit for bit", identical(ours, expected));
    if (root.empty() || root == "state_dict" || root == "model") {
      report.require(label + " is found without saying where",
                     by_convention->contains(name) && identical(by_convention->tensor(name), expected));
    }
  }
}

void verify_refused(const GoldenCase& golden, const nlohmann::json& entry, CaseReport& report) {
  const std::string file = entry.at("file").get<std::string>();
  bool refused = false;
  bool named = false;
  try {
    read_all(StateDict::open(golden.file(file)));
  } catch (const Error& error) {
    refused = error.kind() == ErrorKind::checkpoint;
    named = std::string_view(error.what()).find(file) != std::string_view::npos;
  }
  report.require(fmt::format("{} is refused ({})", file, entry.value("what", "")), refused);
  report.require(fmt::format("{} is named by the refusal", file), named);
}

}  // namespace

void verify_checkpoint_reader(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  for (const auto& entry : golden.json().at("good")) {
    verify_readable(golden, entry, report);
  }
  for (const auto& entry : golden.json().at("bad")) {
    verify_refused(golden, entry, report);
  }
  report.require("nothing in any file was executed", !std::filesystem::exists(kTraceOfExecution));
}

}  // namespace patchioner
