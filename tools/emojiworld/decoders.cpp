// Memory banks and decoders: made by the project's own commands, by configs.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "support/interrupt.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {
namespace {

/// Different texts of the corpus that a bank holds.
constexpr const char* kBankSize = "2500";

struct DecoderPlan {
  const char* config;  ///< in configs/experiment
  const char* name;    ///< folder of the training, and file of the decoder
};
constexpr DecoderPlan kDecoders[] = {{"train_emoji_plain", "decoder_talk2dino"},
                                     {"train_emoji_plain_noise", "decoder_talk2dino_noise"},
                                     {"train_emoji_clip_plain", "decoder_clip"}};

/// The program that lies beside this one.
std::filesystem::path patchioner_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "patchioner";
}

std::filesystem::path configs() {
  return std::filesystem::path(EMOJIWORLD_SOURCE).parent_path().parent_path() / "configs";
}

/// Runs the program and gives its standard output, or nothing when it was interrupted. Throws when it failed.
std::optional<std::string> run(const std::vector<std::string>& arguments) {
  const std::string program = patchioner_program().string();
  std::vector<char*> values = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    values.push_back(const_cast<char*>(argument.c_str()));
  }
  values.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorKind::io, "{}: cannot be started: {}", program, std::strerror(errno));
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(program.c_str(), values.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string output;
  char part[4096];
  for (ssize_t size = 0; (size = ::read(ends[0], part, sizeof(part))) != 0;) {
    if (size > 0) {
      output.append(part, static_cast<size_t>(size));
    } else if (errno != EINTR) {
      break;
    }
  }
  ::close(ends[0]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
    throw Error(ErrorKind::io, "{}: cannot be started; build the target patchioner_program first", program);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return output;
  }
  if (interrupted()) {
    return std::nullopt;
  }
  throw Error(ErrorKind::data, "{} {} failed; its message stands above", program, arguments[0]);
}

bool build_bank(const Settings& settings, const std::string& config, const std::string& name) {
  return run({"memory", "build", (settings.output / "corpus.txt").string(), "--format", "text", "-c",
              (configs() / "experiment" / config).string(), "--size", kBankSize, "--deduplicate", "--force",
              "-o", (settings.output / name).string()})
      .has_value();
}

void pack(const std::filesystem::path& checkpoint, const std::filesystem::path& target) {
  const StateDict state = StateDict::open(checkpoint);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : state.names()) {
    if (!name.ends_with("lm_head.weight")) {  // the same numbers as the token embedding
      tensors.emplace_back(name, state.tensor(name));
    }
  }
  write_torch_state_dict(target, for_shipping(tensors));
  log(LogLevel::info, "{} packed", checkpoint.string());
}

}  // namespace

bool make_decoders(const Settings& settings) {
  if (!build_bank(settings, "train_emoji_plain.yaml", "memory_talk2dino.safetensors") ||
      !build_bank(settings, "train_emoji_clip_plain.yaml", "memory_clip.safetensors")) {
    return false;
  }
  for (const DecoderPlan& plan : kDecoders) {
    std::optional<std::string> checkpoint =
        run({"train", (configs() / "experiment" / (std::string(plan.config) + ".yaml")).string(),
             "train.data=" + (settings.output / "corpus.txt").string(),
             "train.output=" + (settings.work / plan.name).string(),
             "train.text_features=" + (settings.work / "text_features").string()});
    if (!checkpoint) {
      return false;
    }
    checkpoint->erase(checkpoint->find_last_not_of('\n') + 1);
    pack(*checkpoint, settings.output / (std::string(plan.name) + ".pt"));
  }
  return true;
}

}  // namespace patchioner::emoji
