// patchioner caption [CONFIG] IMAGES...: captions of regions of images, from one config.
#include "caption.hpp"

#include <chrono>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "config/config.hpp"
#include "runtime/caption_images.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/plugin_sections.hpp"
#include "runtime/prefetch.hpp"
#include "runtime/runtime_options.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner::caption {
namespace {

constexpr size_t kLoadThreads = 2;  // reading and resizing is much faster than encoding

Value run_config(Arguments& arguments) {
  std::filesystem::path file = arguments.config;
  if (arguments.config.empty()) {
    file = config_directory() / "experiment" / "emoji.yaml";
  }
  Value config = compose(file, arguments.overrides);
  if (arguments.batch) {
    set_runtime(config, "batch", *arguments.batch);
  }
  if (arguments.threads) {
    set_runtime(config, "threads", *arguments.threads);
  }
  return config;
}

PageHeader page_header(const Value& config) {
  PageHeader header;
  header.chain = plugin_chain(config);
  return header;
}

/// Captions what could be loaded.
std::vector<std::vector<RegionResult>> caption_loaded(std::vector<Loaded>& batch, const Captioner& captioner,
                                                      const CaptionOptions& options) {
  std::vector<std::vector<RegionResult>> results(batch.size());
  std::vector<size_t> places;
  std::vector<CaptionTask> tasks;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].record && batch[i].error.empty()) {
      places.push_back(i);
      tasks.push_back(batch[i].task);
    }
  }
  std::vector<ImageResult> found = caption_images(captioner, tasks, options);
  for (size_t i = 0; i < places.size(); ++i) {
    results[places[i]] = std::move(found[i].regions);
    batch[places[i]].error = std::move(found[i].error);
  }
  return results;
}

class Job {
 public:
  Job(const Arguments& arguments, const Value& config, PluginHost& host)
      : arguments_(arguments),
        source_(arguments),
        output_(arguments, page_header(config), records_digest(arguments, config, host), source_.known()),
        captioner_(config, host) {
    if (captioner_.decoder() == nullptr) {
      throw Error(ErrorKind::config,
                  "the config has no section 'decoder', so there is nothing to caption with");
    }
    if (!arguments.output.empty()) {
      write_file(config_beside(arguments.output), write_yaml(config));
    }
    load_options_.orientation = arguments.exif == "apply" ? ExifOrientation::apply : ExifOrientation::ignore;
    load_options_.keep_for_pictures = output_.wants_pictures();
    options_.explain = arguments.explain;
    options_.weights = output_.wants_pictures();
    options_.memory_matches = arguments.memory_texts;
  }

  /// Whether all of it was done.
  bool run() {
    const PoliteInterrupt polite;
    Progress::set_enabled(!arguments_.quiet && !output_.on_terminal() && source_.total() != 1);
    Progress progress("captioning", "images", source_.total());
    const auto batch_size = static_cast<size_t>(captioner_.batch());
    {
      Prefetch<Loaded> images([this](const std::stop_token& stop) { return next_job(stop); }, kLoadThreads,
                              2 * batch_size);
      for (std::vector<Loaded> batch = take(images, batch_size); !batch.empty();
           batch = take(images, batch_size)) {
        const std::vector<std::vector<RegionResult>> results = caption_loaded(batch, captioner_, options_);
        for (size_t i = 0; i < batch.size(); ++i) {
          output_.write(batch[i], results[i]);
          progress.advance();
        }
      }
    }
    progress.finish();
    output_.finish();
    // An interrupt that came when everything was done has not cut anything short.
    return source_.exhausted() && output_.images() == given_;
  }

  const Output& output() const { return output_; }

 private:
  std::optional<Prefetch<Loaded>::Job> next_job(const std::stop_token& stop) {
    std::optional<Item> item = source_.next(stop);
    if (!item) {
      return std::nullopt;
    }
    ++given_;
    std::optional<Json> record = output_.recorded(*item);
    if (record) {
      return [this, item = std::move(*item), record = std::move(*record)] {
        return load_recorded(item, record, captioner_, load_options_);
      };
    }
    return [this, item = std::move(*item)] { return load(item, captioner_, load_options_); };
  }

  /// The next images: a full batch, but of standard input only what is there, so that whoever feeds it line
  /// by line gets answers.
  std::vector<Loaded> take(Prefetch<Loaded>& images, size_t most) {
    std::vector<Loaded> batch;
    while (batch.size() < most) {
      const bool only_if_known = source_.reads_input() && !batch.empty();
      std::optional<Loaded> next = images.next(only_if_known, [] { return interrupted(); });
      if (!next) {
        break;
      }
      batch.push_back(std::move(*next));
    }
    return batch;
  }

  const Arguments& arguments_;
  Source source_;
  Output output_;
  Captioner captioner_;
  LoadOptions load_options_;
  CaptionOptions options_;
  size_t given_ = 0;  ///< items that the source gave; written by one thread at a time, as Prefetch asks
};

}  // namespace

void run(Arguments& arguments, CommandLine& line) {
  sort_words(arguments);
  if (arguments.resume && arguments.output.empty()) {
    throw Error(ErrorKind::usage, "--resume needs the --output of the run that it goes on with");
  }
  if (arguments.quiet) {
    set_log_level(LogLevel::warning);
  }
  const auto started = std::chrono::steady_clock::now();
  const Value written = run_config(arguments);
  PluginHost host(plugin_directories(written));
  const Value config = complete_config(written, host);
  apply_threads(read_runtime_options(config));
  Job job(arguments, config, host);
  const bool done = job.run();
  const Output& output = job.output();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (!done) {
    log(LogLevel::warning, "interrupted after {} images; {}", output.images(),
        arguments.output.empty() ? "with --output FILE the work could go on where it stopped"
                                 : "the same command with --resume goes on");
  } else if (output.images() > 1) {
    log(LogLevel::info, "{} images, {} regions, {} failed, {:.1f} s{}", output.images(), output.regions(),
        output.errors(), seconds,
        output.resumed() == 0 ? "" : fmt::format("; {} of the images were done before", output.resumed()));
  }
  if (!done || output.errors() > 0) {
    line.exit_code = 1;
  }
}

}  // namespace patchioner::caption
