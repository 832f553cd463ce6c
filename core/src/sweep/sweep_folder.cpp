#include "sweep/sweep_folder.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <patchioner/error.hpp>
#include <thread>

#include "data/json_text.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The same for processes that mean the same rows, data sets and settings.
std::string digest_of(const SweepPlan& plan) {
  std::string text;
  for (const PlannedRun& run : plan.runs) {
    text += plan.run_name(run) + " " + (run.stages.empty() ? "" : plan.stages[run.stages.back()].key.digest) +
            "\n";
  }
  constexpr size_t kDigits = 12;
  return sha256(text).substr(0, kDigits);
}

/// "cpu", or several with commas between, in the order of runs.
std::string devices_of(const SweepPlan& plan) {
  std::vector<std::string> devices;
  for (const PlannedRun& run : plan.runs) {
    std::string device = device_of(run.evaluation->runtime).str();
    if (std::find(devices.begin(), devices.end(), device) == devices.end()) {
      devices.push_back(std::move(device));
    }
  }
  return fmt::format("{}", fmt::join(devices, ", "));
}

}  // namespace

SweepFiles::SweepFiles(const fs::path& in)
    : folder(in),
      mark(in / ".sweep"),
      text(in / "table.txt"),
      csv(in / "table.csv"),
      markdown(in / "table.md"),
      latex(in / "table.tex"),
      page(in / "index.html"),
      logs(in / "logs") {}

SweepFolder::SweepFolder(const SweepPlan& plan) {
  const SweepFiles files(plan.sweep.output);
  refuse_foreign_folder(files.folder, files.mark, "a sweep's results");
  make_folder(files.folder);
  descriptor_ = ::open(files.mark.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", files.mark.string(), std::strerror(errno));
  }
  const Json own = {{"sweep", plan.sweep.name}, {"digest", digest_of(plan)}, {"devices", devices_of(plan)}};
  constexpr int kTries = 50;  // until the first process has written what the second one reads
  for (int i = 0; i < kTries; ++i) {
    const bool alone = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!alone && ::flock(descriptor_, LOCK_SH | LOCK_NB) != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    const Json found = Json::parse(read_file(files.mark), nullptr, /*allow_exceptions=*/false);
    if (found.is_object() && found.value("sweep", "") != plan.sweep.name) {
      throw Error(ErrorKind::usage,
                  "{}: holds the results of the sweep '{}'; give the sweep '{}' another output",
                  files.folder.string(), found.value("sweep", ""), plan.sweep.name);
    }
    if (alone) {
      const std::string text = json_text(own) + "\n";
      if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0) {
        throw Error(ErrorKind::io, "{}: cannot be written: {}", files.mark.string(), std::strerror(errno));
      }
      ::flock(descriptor_, LOCK_SH);
      return;
    }
    if (found != own && found.value("devices", Json()) != own["devices"]) {
      throw Error(
          ErrorKind::usage,
          "{}: another process computes the sweep '{}' here on {}, and this one would on {}; give both "
          "the same runtime.device",
          files.folder.string(), plan.sweep.name, found.value("devices", ""), devices_of(plan));
    }
    if (found != own) {
      throw Error(
          ErrorKind::usage,
          "{}: another process is at work here on another version of the sweep '{}'; wait for it, or give "
          "another output",
          files.folder.string(), plan.sweep.name);
    }
    joined_ = true;
    return;
  }
  throw Error(ErrorKind::io, "{}: is locked by another process", files.mark.string());
}

SweepFolder::~SweepFolder() {
  ::close(descriptor_);
}

}  // namespace patchioner
