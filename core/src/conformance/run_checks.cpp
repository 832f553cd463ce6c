#include "conformance/run_checks.hpp"

#include <fmt/ranges.h>

#include <chrono>

namespace patchioner {
namespace {

constexpr const char* kMadeName = "made";
constexpr const char* kMadeAsserts = "its factory makes an object from the config's options, or its defaults";
constexpr const char* kDestroyedName = "destroyed";
constexpr const char* kDestroyedAsserts = "the object goes away again";

/// The checks of a list, on the subject that `subject` gives when one is run.
template <class Subject, class Give>
void add(std::vector<Check>& checks, std::span<const CheckOf<Subject>> list, Give subject,
         bool gate = false) {
  for (const CheckOf<Subject>& one : list) {
    checks.push_back({one.name, one.asserts, [run = one.run, subject] { return run(subject()); }, gate});
  }
}

std::vector<Check> checks_of_library(Workbench& bench) {
  std::vector<Check> checks;
  const auto subject = [&bench]() -> LibrarySubject& { return bench.library(); };
  add(checks, library_checks(), subject, /*gate=*/true);
  add(checks, declaration_checks(), subject);
  return checks;
}

std::vector<Check> checks_of_object(Workbench& bench) {
  std::vector<Check> checks;
  switch (bench.record().kind) {
    case PluginKind::backbone: {
      const auto subject = [&bench]() -> BackboneSubject& { return bench.backbone(); };
      add(checks, backbone_checks(), subject);
      add(checks, text_side_checks(), subject);
      add(checks, region_side_checks(), subject);
      break;
    }
    case PluginKind::aggregator:
      add(checks, aggregator_checks(), [&bench]() -> AggregatorSubject& { return bench.aggregator(); });
      break;
    case PluginKind::gap:
      add(checks, gap_checks(), [&bench]() -> GapSubject& { return bench.gap(); });
      break;
    case PluginKind::decoder: {
      const auto subject = [&bench]() -> DecoderSubject& { return bench.decoder(); };
      add(checks, decoder_checks(), subject);
      add(checks, training_checks(), subject);
      break;
    }
  }
  return checks;
}

/// Those whose names have one of the parts that were asked for. Throws an Error of kind usage when none has.
std::vector<Check> chosen(std::vector<Check> checks, const std::vector<std::string>& only) {
  if (only.empty()) {
    return checks;
  }
  std::vector<std::string> names;
  std::vector<Check> kept;
  for (Check& check : checks) {
    names.push_back(check.name);
    if (std::any_of(only.begin(), only.end(),
                    [&](const std::string& part) { return check.name.find(part) != std::string::npos; })) {
      kept.push_back(std::move(check));
    }
  }
  if (kept.empty()) {
    throw Error(ErrorKind::usage, "--only {}: no check of this kind of plugin is called so; they are {}",
                fmt::join(only, " --only "), fmt::join(names, ", "));
  }
  return kept;
}

class Runner {
 public:
  Runner(size_t from, CheckListener& listener) : from_(from), listener_(listener) {}

  /// Whether all gates among them have passed.
  bool run(const std::vector<Check>& checks) {
    for (const Check& check : checks) {
      const size_t number = next_++;
      if (number < from_) {
        continue;  // done before; a gate has passed, or nobody would ask for what is behind
      }
      listener_.begins(number, check);
      const auto begin = std::chrono::steady_clock::now();
      const CheckOutcome outcome = outcome_of(check.run);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      listener_.ends(number, outcome, seconds.count());
      if (check.gate && outcome.status != CheckStatus::passed && !is_undecided(check, outcome)) {
        return false;
      }
    }
    return true;
  }

 private:
  /// A step that has nothing to look at leaves the decision to the next one; only the object itself cannot be
  /// done without.
  static bool is_undecided(const Check& check, const CheckOutcome& outcome) {
    return outcome.status == CheckStatus::skipped && check.name != kMadeName;
  }

  size_t from_;
  size_t next_ = 0;
  CheckListener& listener_;
};

}  // namespace

bool run_checks(Workbench& bench, size_t from, CheckListener& listener) {
  Runner runner(from, listener);
  if (!runner.run(checks_of_library(bench))) {
    return false;
  }
  listener.opened(bench.record());
  std::vector<Check> checks = chosen(checks_of_object(bench), bench.request().only);
  bench.read_section();
  const Check made{kMadeName, kMadeAsserts,
                   [&bench] {
                     bench.make();
                     return std::string();
                   },
                   /*gate=*/true};
  if (!runner.run({made})) {
    return false;
  }
  checks.push_back({kDestroyedName, kDestroyedAsserts, [&bench] {
                      bench.make();
                      bench.drop();
                      return std::string();
                    }});
  return runner.run(checks);
}

std::vector<ListedCheck> listed_checks() {
  std::vector<ListedCheck> all;
  const auto list = [&all](const char* of, const auto& checks) {
    for (const auto& check : checks) {
      all.push_back({of, check.name, check.asserts});
    }
  };
  list("library", library_checks());
  list("library", declaration_checks());
  all.push_back({"object", kMadeName, kMadeAsserts});
  list("backbone", backbone_checks());
  list("backbone", text_side_checks());
  list("backbone", region_side_checks());
  list("aggregator", aggregator_checks());
  list("gap", gap_checks());
  list("decoder", decoder_checks());
  list("decoder", training_checks());
  all.push_back({"object", kDestroyedName, kDestroyedAsserts});
  return all;
}

}  // namespace patchioner
