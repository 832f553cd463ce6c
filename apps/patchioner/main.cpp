#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <patchioner/error.hpp>
#include <sstream>
#include <system_error>

#include "commands.hpp"
#include "config/config.hpp"

namespace {

/// Results go to standard output, so the one message about what went wrong goes to standard error.
int report(const patchioner::Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "error: %s\n", error.what());
  return error.exit_code();
}

/// Throws an Error of kind io unless everything that was printed has arrived, which a full disk shows only
/// when the buffers are written out. `reason` is the errno of an earlier failure, or 0 where it is not known.
void finish_output(int reason = 0) {
  errno = reason;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw patchioner::Error(patchioner::ErrorKind::io,
                            "standard output cannot be written{}{}; what was printed is not complete",
                            errno == 0 ? "" : ": ", errno == 0 ? "" : std::strerror(errno));
  }
}

/// Runs the command that the arguments name, or prints the help they ask for; returns the exit code.
int dispatch(patchioner::CommandLine& line, int argument_count, char** arguments) {
  try {
    patchioner::check_command_words(line.app, {arguments + 1, arguments + argument_count});
    line.app.parse(argument_count, arguments);
    return line.exit_code;
  } catch (const CLI::ParseError& error) {
    std::ostringstream help;
    const int exit_code = line.app.exit(error, help) == 0 ? 0 : 2;
    fmt::print("{}", help.str());
    return exit_code;
  }
}

/// As dispatch; throws an Error of kind io when what was printed has not arrived. Nothing is printed by
/// std::cout, which forgets the reason of a failure: {fmt} throws it where it happens.
int run(patchioner::CommandLine& line, int argument_count, char** arguments) {
  int exit_code = 0;
  try {
    exit_code = dispatch(line, argument_count, arguments);
  } catch (const std::system_error& error) {
    finish_output(error.code().value());  // {fmt} throws such an error, and libraries for other reasons
    throw;
  }
  finish_output();
  return exit_code;
}

}  // namespace

/// What the launcher (apps/launcher) calls; returns the exit code.
extern "C" int patchioner_main(int argument_count, char** arguments) {
  using namespace patchioner;
  CommandLine line;
  line.program = std::filesystem::read_symlink("/proc/self/exe");
  set_config_directory(find_configs(line.program));
  line.app.require_subcommand(1);
  line.app.failure_message(
      [](const CLI::App* app, const CLI::Error& error) { return sentence_of(*app, error); });
  line.app.set_version_flag("--version", "patchioner 0.1.0");
  add_bench_command(line);
  add_cache_command(line);
  add_caption_command(line);
  add_checkpoint_command(line);
  add_config_command(line);
  add_dataset_command(line);
  add_eval_command(line);
  add_gallery_command(line);
  add_memory_command(line);
  add_plugins_command(line);
  add_score_command(line);
  add_sweep_command(line);
  add_train_command(line);
  add_verify_command(line);
  try {
    return run(line, argument_count, arguments);
  } catch (const Error& error) {
    return report(error);
  } catch (const c10::Error& error) {
    return report(
        Error(ErrorKind::internal, "LibTorch refused an operation: {}", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return report(Error(ErrorKind::internal, "{}", error.what()));
  }
}
