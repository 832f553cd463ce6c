#include "sweep/sweep_export.hpp"

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "support/shell_word.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListFile = "configs.txt";

std::string run_file(const SweepPlan& plan, const PlannedRun& run) {
  return folder_name(plan.sweep.rows[run.row].name) + "--" +
         folder_name(plan.sweep.datasets[run.dataset].name);
}

/// What the run's evaluate.output is, seen from the folder of the export: of its own, since data sets of a
/// sweep may be one choice under two names.
fs::path results_of(const SweepPlan& plan, const PlannedRun& run) {
  return fs::path("results") / folder_name(plan.sweep.rows[run.row].name) /
         folder_name(plan.sweep.datasets[run.dataset].name);
}

void write_script(const fs::path& file, const std::string& text) {
  write_file(file, text);
  std::error_code ignored;
  fs::permissions(file, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                  fs::perm_options::add, ignored);
}

std::string head(const SweepPlan& plan, const fs::path& program) {
  return fmt::format(
      "# {} runs of the sweep {}; written by patchioner sweep export.\nPATCHIONER=${{PATCHIONER:-{}}}\n",
      plan.runs.size(), plan.sweep.name, shell_quoted(program.string()));
}

std::string shell_script(const SweepPlan& plan, const fs::path& program) {
  return "#!/bin/sh\n" + head(plan, program) +
         R"sh(# One run after the other; what is captioned already is not captioned again. Exit code 1 when any has failed.
set -u
cd "$(dirname "$0")" || exit 1
failed=0
while read -r config results; do
  "$PATCHIONER" eval "$config" --quiet || { echo "failed: $config" >&2; failed=1; }
done <configs.txt
exit $failed
)sh";
}

std::string slurm_script(const SweepPlan& plan, const fs::path& program) {
  return fmt::format(
             "#!/bin/sh\n#SBATCH --job-name={}\n#SBATCH --array=0-{}\n#SBATCH --output=slurm-%A_%a.log\n",
             folder_name(plan.sweep.name), plan.runs.size() - 1) +
         head(plan, program) + R"sh(# A task a run: sbatch slurm.sh, from this folder.
set -eu
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")}"
line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" configs.txt)
exec "$PATCHIONER" eval "${line%% *}" --quiet
)sh";
}

std::string makefile(const SweepPlan& plan, const fs::path& program) {
  std::string program_name;  // '$' doubles in a makefile
  for (const char letter : program.string()) {
    program_name += letter == '$' ? std::string("$$") : std::string(1, letter);
  }
  std::string all;
  std::string rules;
  for (const PlannedRun& run : plan.runs) {
    const std::string target = exported_results(plan, run, "").string() + "/metrics.json";
    all += " \\\n  " + target;
    rules +=
        fmt::format("\n{}: configs/{}.yaml\n\t$(PATCHIONER) eval $< --quiet\n", target, run_file(plan, run));
  }
  return fmt::format(
      "# {} runs of the sweep {}; written by patchioner sweep export. make -k -j2 runs two at once and goes "
      "on after "
      "failures.\nPATCHIONER ?= {}\n\nall:{}\n.PHONY: all\n{}",
      plan.runs.size(), plan.sweep.name, program_name, all, rules);
}

}  // namespace

fs::path exported_results(const SweepPlan& plan, const PlannedRun& run, const fs::path& folder) {
  return folder / results_of(plan, run) / run.evaluation->name();
}

SweepExport export_sweep(const SweepPlan& plan, const fs::path& program, const fs::path& folder) {
  refuse_foreign_folder(folder, folder / kListFile, "an export of a sweep");
  make_folder(folder / "configs");
  SweepExport written;
  std::string list;
  for (const PlannedRun& run : plan.runs) {
    Value config = run.evaluation->config;
    const std::string name = run_file(plan, run);
    // Relative to the file that says it, so that the folder may be moved.
    config.find("evaluate")->set("output", Value((".." / results_of(plan, run)).string()));
    written.configs.push_back(folder / "configs" / (name + ".yaml"));
    write_file(written.configs.back(), write_yaml(config));
    list += fmt::format("configs/{}.yaml {}\n", name, exported_results(plan, run, "").string());
  }
  write_file(folder / kListFile, list);
  written.shell = folder / "run.sh";
  written.slurm = folder / "slurm.sh";
  written.makefile = folder / "Makefile";
  write_script(written.shell, shell_script(plan, program));
  write_script(written.slurm, slurm_script(plan, program));
  write_file(written.makefile, makefile(plan, program));
  return written;
}

}  // namespace patchioner
