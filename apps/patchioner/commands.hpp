// The commands of the program: one file each, all of them listed here and in main.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace patchioner {

/// The command line while it is taken apart. A command's callback throws Error, or sets the exit code when it
/// is not 0.
struct CommandLine {
  CLI::App app{"Captions any region of an image, zero-shot.", "patchioner"};
  int exit_code = 0;
  std::filesystem::path program;  ///< the running executable
};

// Each adds its subcommand with help, an example and a callback.
void add_bench_command(CommandLine& line);
void add_cache_command(CommandLine& line);
void add_caption_command(CommandLine& line);
void add_checkpoint_command(CommandLine& line);
void add_config_command(CommandLine& line);
void add_dataset_command(CommandLine& line);
void add_eval_command(CommandLine& line);
void add_gallery_command(CommandLine& line);
void add_memory_command(CommandLine& line);
void add_plugins_command(CommandLine& line);
void add_score_command(CommandLine& line);
void add_sweep_command(CommandLine& line);
void add_train_command(CommandLine& line);
void add_verify_command(CommandLine& line);

/// Throws an Error of kind usage for a word that should name a command and does not, and when one is missing.
/// `words` are those behind the program's name.
void check_command_words(const CLI::App& app, const std::vector<std::string>& words);

/// The message about options and arguments that the parser refused, with the nearest option.
std::string sentence_of(const CLI::App& app, const CLI::Error& error);

/// The folder of configs that comes with the program: PATCHIONER_CONFIGS, or beside the build or the
/// installation that `program` belongs to. Empty when there is none.
std::filesystem::path find_configs(const std::filesystem::path& program);

}  // namespace patchioner
