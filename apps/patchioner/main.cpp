#include <cstdio>
#include <iostream>
#include <patchioner/error.hpp>

#include "commands.hpp"
#include "config/config.hpp"

namespace {

/// Results go to standard output, so the one message about what went wrong goes to standard error.
int report(const patchioner::Error& error) {
  std::cout.flush();
  std::fprintf(stderr, "error: %s\n", error.what());
  return error.exit_code();
}

}  // namespace

int main(int argument_count, char** arguments) {
  using namespace patchioner;
  CommandLine line;
  line.program = std::filesystem::read_symlink("/proc/self/exe");
  set_config_directory(find_configs(line.program));
  line.app.require_subcommand(1);
  line.app.set_version_flag("--version", "patchioner 0.1.0");
  add_bench_command(line);
  add_caption_command(line);
  add_checkpoint_command(line);
  add_config_command(line);
  add_memory_command(line);
  add_plugins_command(line);
  add_train_command(line);
  add_verify_command(line);
  try {
    line.app.parse(argument_count, arguments);
    std::cout.flush();
    return line.exit_code;
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error) == 0 ? 0 : 2;
  } catch (const Error& error) {
    return report(error);
  } catch (const c10::Error& error) {
    return report(
        Error(ErrorKind::internal, "LibTorch refused an operation: {}", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return report(Error(ErrorKind::internal, "{}", error.what()));
  }
}
