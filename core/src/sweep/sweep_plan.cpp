#include "sweep/sweep_plan.hpp"

#include <fmt/ranges.h>

#include <map>
#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "config/value_key.hpp"
#include "evaluation/evaluation_results.hpp"
#include "runtime/runtime_options.hpp"
#include "scoring/metric_choice.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "sweep/run_folder.hpp"
#include "sweep/stage_digests.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Images = std::shared_ptr<const std::vector<std::string>>;

/// The sorted digests of a data set's images, each once; those that are not there are left out.
Images images_of(const SweepData& data) {
  std::set<std::string> unique(data.images.begin(), data.images.end());
  unique.erase("");
  return std::make_shared<std::vector<std::string>>(unique.begin(), unique.end());
}

/// What one encoder is asked for by all runs.
struct Encoding {
  std::string text;
  std::string plugin;
  bool all_features = false;
  std::vector<Images> sets;  ///< of images, the largest first; none is part of another
};

class Planner {
 public:
  Planner(Sweep sweep, SweepHost& host) : host_(host) { plan_.sweep = std::move(sweep); }

  SweepPlan plan() {
    compose_runs();
    check_columns();
    find_encodings();
    add_stages_by_encoder();
    note_missing();
    return std::move(plan_);
  }

 private:
  struct Draft {
    size_t row = 0;
    size_t on = 0;
    Value written;
  };

  std::string place_of(const SweepRow& row, size_t dataset) const {
    return fmt::format("{}: row '{}' on '{}'", row.origin.to_string(), row.name,
                       plan_.sweep.datasets[dataset].name);
  }

  void compose_runs() {
    const ConfigsReadOnce read_once;
    const Sweep& sweep = plan_.sweep;
    std::vector<Draft> drafts;
    std::vector<fs::path> directories;
    for (size_t i = 0; i < sweep.rows.size(); ++i) {
      const SweepRow& row = sweep.rows[i];
      for (size_t j = 0; j < row.datasets.size(); ++j) {
        const RowDataset& on = row.datasets[j];
        told_at([&] { return place_of_overrides(row, on); },
                [&] {
                  // The page of a run repeats the sweep's; whoever wants it says so.
                  std::vector<std::string> overrides = {"++evaluate.examples=0"};
                  const std::vector<std::string> given = overrides_of(sweep, row, on);
                  overrides.insert(overrides.end(), given.begin(), given.end());
                  Draft draft{i, j, compose(config_of(row), overrides)};
                  for (const fs::path& directory : plugin_directories(draft.written)) {
                    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
                      directories.push_back(directory);
                    }
                  }
                  drafts.push_back(std::move(draft));
                });
      }
    }
    host_.search(std::move(directories));
    StageDigests digests(host_.plugins());
    EvaluationMaker maker(host_.plugins(), whole_content());
    for (const Draft& draft : drafts) {
      add_run(draft, maker, digests);
    }
  }

  /// Results stay for years: of large weights too all of the content counts.
  FileDigest whole_content() {
    return [this](const fs::path& file) {
      return fs::is_directory(file) ? remembered_digest(file) : host_.digests().of(file);
    };
  }

  /// A config beside the sweep file is found as well.
  fs::path config_of(const SweepRow& row) const {
    const fs::path beside = plan_.sweep.file.parent_path() / row.config;
    std::error_code unreadable;
    return fs::is_regular_file(beside, unreadable) ? beside : fs::path(row.config);
  }

  bool composes(const SweepRow& row, const std::vector<std::string>& overrides) const {
    try {
      compose(config_of(row), overrides);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// Where that was written which keeps a run's config from being composed.
  std::string place_of_overrides(const SweepRow& row, const RowDataset& on) const {
    const Sweep& sweep = plan_.sweep;
    const std::vector<std::string> all = overrides_of(sweep, row, on);
    const std::vector<std::string> of_file(
        all.begin(), all.end() - static_cast<std::ptrdiff_t>(sweep.last_overrides.size()));
    if (composes(row, of_file) && !composes(row, all)) {
      return "command line";
    }
    const SweepDataset& dataset = sweep.datasets[on.dataset];
    std::vector<std::string> of_dataset = sweep.overrides;
    const bool is_right_before = composes(row, of_dataset);
    of_dataset.push_back("dataset=" + dataset.choice);
    of_dataset.insert(of_dataset.end(), dataset.overrides.begin(), dataset.overrides.end());
    if (is_right_before && !composes(row, of_dataset)) {
      return fmt::format("{}: data set '{}'", dataset.origin.to_string(), dataset.name);
    }
    return place_of(row, on.dataset);
  }

  template <class Place, class Work>
  static void told_at(const Place& place, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      // Overrides have no place but their row's, and whatever is wrong with them is wrong in this file.
      std::string sentence = error.what();
      constexpr std::string_view kPlace = "command line: ";
      if (sentence.starts_with(kPlace)) {
        sentence.erase(0, kPlace.size());
      }
      throw Error(error.kind() == ErrorKind::plugin ? ErrorKind::config : error.kind(), "{}: {}", place(),
                  sentence);
    }
  }

  void add_run(const Draft& draft, EvaluationMaker& maker, StageDigests& digests) {
    const Sweep& sweep = plan_.sweep;
    const SweepRow& row = sweep.rows[draft.row];
    const size_t dataset = row.datasets[draft.on].dataset;
    told_at([&] { return place_of(row, dataset); },
            [&] {
              PlannedRun run;
              run.row = draft.row;
              run.dataset = dataset;
              const fs::path row_folder = fs::path(sweep.output) / "runs" / folder_name(row.name);
              run.folder = row_folder / folder_name(sweep.datasets[dataset].name);
              auto evaluation = std::make_shared<Evaluation>(maker.make(draft.written));
              evaluation->config.find("evaluate")->set("output", Value(row_folder.string()));
              evaluation->options.output = row_folder.string();
              run.evaluation = std::move(evaluation);
              check_metric_names(run.evaluation->scoring.metrics);
              run.data = host_.datasets().open(*run.evaluation);
              run.source = source_of(*run.evaluation);
              StageTexts texts = digests.of(*run.evaluation, *run.data, run.source, sweep.cache.features);
              note_missing_files(run, digests);
              check_data(run);
              texts_.push_back(std::move(texts));
              plan_.runs.push_back(std::move(run));
            });
  }

  /// Aggregators hold no weights: one is made to ask it.
  FeatureSource source_of(const Evaluation& evaluation) {
    const Value& section = evaluation.config.at("aggregator");
    const auto [known, is_new] = sources_.try_emplace(key_of(section));
    if (is_new) {
      known->second = host_.plugins().aggregator(section, PluginContext())->source();
    }
    return known->second;
  }

  void note_missing_files(PlannedRun& run, StageDigests& digests) {
    std::vector<NamedFile> files = run.evaluation->settings.files;
    std::erase_if(files, [](const NamedFile& file) { return file.digest != "absent"; });
    const std::vector<NamedFile> of_scoring = digests.missing_of_scoring(*run.evaluation);
    files.insert(files.end(), of_scoring.begin(), of_scoring.end());
    for (const NamedFile& file : files) {
      note(run, absent_sentence(file));
    }
  }

  static void note(PlannedRun& run, const std::string& sentence) {
    if (std::find(run.missing.begin(), run.missing.end(), sentence) == run.missing.end()) {
      run.missing.push_back(sentence);
    }
  }

  const std::string& absent_sentence(const NamedFile& file) {
    std::string& sentence = absent_[file.path];
    if (sentence.empty()) {
      sentence = fmt::format("{} ({})", file.path, file.key);
      if (file.path.starts_with("hf:")) {
        try {
          resolve_weights(file.path);
        } catch (const Error& error) {
          sentence = error.what();  // holds the command that fetches it
        }
      }
    }
    return sentence;
  }

  /// What can be known of data set and metrics. What is not there is noted, what is wrong is thrown.
  void check_data(PlannedRun& run) {
    if (run.data->dataset == nullptr) {
      note(run, run.data->problem);
      return;
    }
    const Evaluation& evaluation = *run.evaluation;
    const std::string key = fmt::format(
        "{} {} {} {}", static_cast<const void*>(run.data.get()), key_of(evaluation.config.at("score")),
        evaluation.options.failures, evaluation.options.examples > 0 ? evaluation.options.examples_by : "");
    const auto [known, is_new] = checked_.try_emplace(key);
    if (is_new) {
      try {
        known->second.scoring = check_evaluation(evaluation, *run.data->dataset);
      } catch (const Error& error) {
        if (error.exit_code() == 2) {
          throw;
        }
        known->second.problem = error.what();
      }
    }
    run.scoring = known->second.scoring;
    if (!known->second.problem.empty()) {
      note(run, known->second.problem);
    }
  }

  /// Columns that no run will have are mistakes, unless they are there by default.
  void check_columns() {
    std::map<std::string, std::set<std::string>> scored;  // by data set; absent when nothing could be opened
    for (const PlannedRun& run : plan_.runs) {
      if (run.data->dataset != nullptr) {
        const std::vector<std::string> metrics =
            run.scoring.metrics.empty() ? default_metrics(false, run.scoring) : run.scoring.metrics;
        scored[plan_.sweep.datasets[run.dataset].name].insert(metrics.begin(), metrics.end());
      }
    }
    const auto is_absent = [&](const TableColumn& column) {
      const auto metrics = scored.find(column.dataset);
      return metrics != scored.end() &&
             !metrics->second.contains(column.metric.substr(0, column.metric.find('(')));
    };
    if (plan_.sweep.default_columns) {
      std::erase_if(plan_.sweep.columns, is_absent);
      return;
    }
    for (const TableColumn& column : plan_.sweep.columns) {
      if (is_absent(column)) {
        const std::set<std::string>& metrics = scored[column.dataset];
        throw Error(ErrorKind::config, "{}: table.columns: no run on '{}' is scored by '{}'{}",
                    plan_.sweep.file.string(), column.dataset, column.metric,
                    suggestion(column.metric, {metrics.begin(), metrics.end()}));
      }
    }
  }

  bool is_ready(size_t run) const { return plan_.runs[run].missing.empty(); }

  static bool reads_grid(const PlannedRun& run) {
    return run.source == FeatureSource::patches || run.source == FeatureSource::global;
  }

  /// Which images each encoder is to see: a set that is part of another one needs no pass of its own.
  void find_encodings() {
    for (size_t i = 0; i < plan_.runs.size(); ++i) {
      const PlannedRun& run = plan_.runs[i];
      if (!is_ready(i) || !reads_grid(run)) {
        continue;
      }
      Encoding& encoding = encodings_[texts_[i].encode];
      encoding.text = texts_[i].encode;
      encoding.plugin = texts_[i].backbone;
      encoding.all_features |= run.source == FeatureSource::patches;
      const Images& set = image_set(*run.data);
      if (std::find(encoding.sets.begin(), encoding.sets.end(), set) == encoding.sets.end()) {
        encoding.sets.push_back(set);
      }
    }
    for (auto& [text, encoding] : encodings_) {
      std::vector<Images> largest;
      std::stable_sort(encoding.sets.begin(), encoding.sets.end(),
                       [](const Images& a, const Images& b) { return a->size() > b->size(); });
      for (const Images& set : encoding.sets) {
        if (std::none_of(largest.begin(), largest.end(),
                         [&](const Images& one) { return contains(*one, *set); })) {
          largest.push_back(set);
        }
      }
      encoding.sets = std::move(largest);
    }
  }

  static bool contains(const std::vector<std::string>& larger, const std::vector<std::string>& smaller) {
    return &larger == &smaller || std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end());
  }

  const Images& image_set(const SweepData& data) {
    Images& images = image_sets_[&data];
    if (images == nullptr) {
      images = images_of(data);
      for (const auto& [other, known] : image_sets_) {
        if (other != &data && known != nullptr && *known == *images) {
          images = known;
          break;
        }
      }
    }
    return images;
  }

  /// Runs of one encoder one after the other, so that its features may be forgotten afterwards.
  void add_stages_by_encoder() {
    std::vector<std::string> order;
    std::map<std::string, std::vector<size_t>> runs;
    for (size_t i = 0; i < plan_.runs.size(); ++i) {
      if (!is_ready(i)) {
        continue;
      }
      if (runs[texts_[i].encode].empty()) {
        order.push_back(texts_[i].encode);
      }
      runs[texts_[i].encode].push_back(i);
    }
    for (const std::string& encoder : order) {
      for (const size_t run : runs[encoder]) {
        add_stages(run);
      }
    }
  }

  void add_stages(size_t place) {
    PlannedRun& run = plan_.runs[place];
    const StageTexts& texts = texts_[place];
    const size_t regions = run.data->dataset->region_count();
    size_t vectors = 0;
    if (reads_grid(run)) {
      const size_t encode = add_encoding(place);
      vectors = add({Stage::aggregate, texts.vectors, texts.aggregator, regions, {encode}}, place);
    } else {
      vectors =
          add({Stage::encode, texts.vectors, texts.backbone + "/" + texts.aggregator, regions, {}}, place);
    }
    const size_t bridge = add({Stage::bridge, texts.bridge, texts.gap, regions, {vectors}}, place);
    const size_t decode =
        add({Stage::decode, texts.decode, texts.decoder, regions, {vectors, bridge}}, place);
    add({Stage::score, texts.score, run.evaluation->name(), regions, {decode}}, place);
  }

  size_t add_encoding(size_t place) {
    const Encoding& encoding = encodings_.at(texts_[place].encode);
    const Images& asked = image_set(*plan_.runs[place].data);
    const auto set = std::find_if(encoding.sets.begin(), encoding.sets.end(),
                                  [&](const Images& one) { return contains(*one, *asked); });
    std::string& digest = set_digests_[set->get()];
    if (digest.empty()) {
      digest = sha256(fmt::format("{}", fmt::join(**set, "\n")));
    }
    const std::string text =
        fmt::format("features of images\n{}{} {}\nimages {}\n", encoding.text,
                    encoding.all_features ? "patches, global token, attention" : "global token",
                    plan_.sweep.cache.features, digest);
    const size_t stage = add({Stage::encode, text, encoding.plugin, (*set)->size(), {}}, place);
    plan_.stages[stage].images = *set;
    plan_.stages[stage].all_features = encoding.all_features;
    return stage;
  }

  struct Wanted {
    Stage stage;
    std::string settings;
    std::string plugin;
    size_t amount = 0;
    std::vector<size_t> inputs;
  };

  /// The place of the stage, which is added when no run before has needed it.
  size_t add(Wanted wanted, size_t run) {
    const StageKey key{wanted.stage, sha256(wanted.settings).substr(0, kKeyDigits)};
    const auto [known, is_new] = places_.try_emplace(key, plan_.stages.size());
    if (is_new) {
      PlannedStage stage;
      stage.key = key;
      stage.plugin = std::move(wanted.plugin);
      stage.amount = wanted.amount;
      stage.settings = std::move(wanted.settings);
      stage.run = run;
      stage.inputs = std::move(wanted.inputs);
      plan_.stages.push_back(std::move(stage));
    }
    plan_.runs[run].stages.push_back(known->second);
    return known->second;
  }

  void note_missing() {
    std::map<std::string, size_t> counts;
    for (const PlannedRun& run : plan_.runs) {
      for (const std::string& sentence : run.missing) {
        if (counts[sentence]++ == 0) {
          plan_.missing.push_back(sentence);
        }
      }
    }
    for (std::string& sentence : plan_.missing) {
      const size_t count = counts[sentence];
      sentence += fmt::format(" [{} run{}]", count, count == 1 ? "" : "s");
    }
  }

  static constexpr size_t kKeyDigits = 32;

  struct Checked {
    ScoringOptions scoring;
    std::string problem;
  };

  SweepHost& host_;
  SweepPlan plan_;
  std::vector<StageTexts> texts_;  ///< parallel to the runs
  std::map<std::string, FeatureSource> sources_;
  std::map<std::string, Checked> checked_;
  std::map<std::string, std::string> absent_;  ///< sentences by path
  std::map<std::string, Encoding> encodings_;  ///< by StageTexts::encode
  std::map<const SweepData*, Images> image_sets_;
  std::map<const std::vector<std::string>*, std::string> set_digests_;
  std::map<StageKey, size_t> places_;
};

}  // namespace

SweepHost::SweepHost(const fs::path& cache)
    : plugins_(std::make_unique<PluginHost>()), digests_(cache / "digests.txt"), datasets_(digests_) {}

void SweepHost::search(std::vector<fs::path> directories) {
  plugins_ = std::make_unique<PluginHost>(std::move(directories));
}

std::string SweepPlan::run_name(const PlannedRun& run) const {
  return fmt::format("{} on {}", sweep.rows[run.row].name, sweep.datasets[run.dataset].name);
}

SweepPlan plan_sweep(Sweep sweep, SweepHost& host) {
  return Planner(std::move(sweep), host).plan();
}

std::string stage_counts(const SweepPlan& plan, const std::vector<size_t>& places) {
  std::map<Stage, size_t> counts;
  for (const size_t place : places) {
    ++counts[plan.stages[place].key.stage];
  }
  std::vector<std::string> words;
  for (const Stage stage : kStages) {
    words.push_back(fmt::format("{} {}", to_string(stage), counts[stage]));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<size_t> stages_to_compute(const SweepPlan& plan, const std::vector<size_t>& runs,
                                      const StageCache& cache) {
  std::set<size_t> wanted;
  std::vector<size_t> open;
  for (const size_t run : runs) {
    if (!plan.runs[run].stages.empty() && !is_published(plan, plan.runs[run])) {
      open.push_back(plan.runs[run].stages.back());
    }
  }
  std::set<size_t> seen;
  while (!open.empty()) {
    const size_t place = open.back();
    open.pop_back();
    if (!seen.insert(place).second || cache.contains(plan.stages[place].key)) {
      continue;
    }
    wanted.insert(place);
    open.insert(open.end(), plan.stages[place].inputs.begin(), plan.stages[place].inputs.end());
  }
  return {wanted.begin(), wanted.end()};
}

}  // namespace patchioner
