// Golden cases of the memory projection.
#include <patchioner/error.hpp>

#include "memory/memory_bank.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

constexpr double kUsualTemperature = 0.01;

/// What the name of an expected tensor asks for: "proj_unit_T0.05_nonorm".
std::optional<ProjectionOptions> projection_named(const std::string& name) {
  const std::string prefix = "proj_";
  const size_t temperature = name.find("_T");
  const size_t ending = name.rfind('_');
  if (!name.starts_with(prefix) || temperature == std::string::npos || ending <= temperature) {
    return std::nullopt;
  }
  ProjectionOptions options;
  options.normalize_memory = name.substr(prefix.size(), temperature - prefix.size()) == "unit";
  options.temperature = std::stod(name.substr(temperature + 2, ending - temperature - 2));
  options.normalize = name.substr(ending) == "_norm";
  return options;
}

std::shared_ptr<Gap> memory_gap(CaseHost& host, const std::filesystem::path& bank,
                                const ProjectionOptions& options) {
  Value section = Value::Map();
  section.set("plugin", "memory");
  section.set("bank", bank.string());
  section.set("temperature", options.temperature);
  section.set("normalize_memory", options.normalize_memory);
  section.set("normalize", options.normalize);
  return host.gap(section);
}

/// "best5_sims" and what stands beside it: the nearest rows, their texts and similarities.
void compare_nearest(const GoldenCase& golden, CaseReport& report, const Gap& gap,
                     const at::Tensor& queries) {
  for (const auto& entry : golden.json().at("expected")) {
    const auto name = entry.at("name").get<std::string>();
    if (name.starts_with("best") && name.ends_with("_sims")) {
      const at::Tensor expected = golden.tensor(name);  // [R,count]
      at::Tensor found = at::zeros_like(expected);
      const auto matches = gap.nearest(queries, expected.size(1));
      for (size_t query = 0; query < matches.size(); ++query) {
        for (size_t rank = 0; rank < matches[query].size(); ++rank) {
          found[static_cast<int64_t>(query)][static_cast<int64_t>(rank)] = matches[query][rank].similarity;
        }
      }
      report.compare(name, found);
    } else if (name == "argmax_rows") {
      const auto matches = gap.nearest(queries, 1);
      std::vector<int64_t> rows;
      for (const auto& match : matches) {
        rows.push_back(match.at(0).row);
      }
      report.compare(name, at::tensor(rows, at::kLong));
    }
  }
  if (golden.json().contains("argmax_texts")) {
    const auto matches = gap.nearest(queries, 1);
    const auto texts = golden.json().at("argmax_texts").get<std::vector<std::string>>();
    report.require("as many texts as queries", texts.size() == matches.size());
    for (size_t query = 0; query < std::min(texts.size(), matches.size()); ++query) {
      report.compare_text(fmt::format("argmax_texts {}", query), matches[query].at(0).text, texts[query]);
    }
  }
}

}  // namespace

void verify_memory_projection(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  // The bank comes in several formats; each must give the same.
  std::vector<std::filesystem::path> banks;
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if (name != "expected.safetensors" &&
        (name.ends_with(".safetensors") || name.ends_with(".h5") || name.ends_with(".hdf5"))) {
      banks.push_back(golden.file(name));
    }
  }
  report.require("the case names a bank", !banks.empty());
  report.used_as_input("in_queries");
  const at::Tensor queries = golden.tensor("in_queries");  // [R,D]
  const at::Tensor before = queries.clone();
  for (const std::filesystem::path& bank : banks) {
    for (const auto& entry : golden.json().at("expected")) {
      const auto name = entry.at("name").get<std::string>();
      if (const auto options = projection_named(name)) {
        report.compare(name, memory_gap(host, bank, *options)->to_text_space(queries));
      }
    }
    compare_nearest(golden, report, *memory_gap(host, bank, {.temperature = kUsualTemperature}), queries);
  }
  report.require("the queries are left as they were", at::equal(queries, before));
}

}  // namespace patchioner
