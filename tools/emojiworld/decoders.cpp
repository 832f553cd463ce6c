// Memory banks and decoders: made by the project's own commands, by configs.
#include <sys/wait.h>
#include <unistd.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {
namespace {

/// Texts that are drawn from the corpus for a bank; repeated ones are left out afterwards.
constexpr const char* kBankSample = "5000";

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

/// Runs the program and waits for it; false when it was interrupted or failed with exit code 1 after an
/// interrupt.
bool run(const std::vector<std::string>& arguments) {
  const std::string program = patchioner_program().string();
  std::vector<char*> values = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    values.push_back(const_cast<char*>(argument.c_str()));
  }
  values.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(program.c_str(), values.data());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
    throw Error(ErrorKind::io, "{}: cannot be started; build the target patchioner_program first", program);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool build_bank(const Settings& settings, const std::string& config, const std::string& name) {
  return run({"memory", "build", (settings.output / "corpus.txt").string(), "--format", "text", "-c",
              (configs() / "experiment" / config).string(), "--size", kBankSample, "--deduplicate", "--force",
              "-o", (settings.output / name).string()});
}

}  // namespace

void pack_decoders(const Settings& settings) {
  for (const DecoderPlan& plan : kDecoders) {
    // The last epoch has the last name.
    std::filesystem::path last;
    const std::filesystem::path folder = settings.work / plan.name;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".pt" && entry.path() > last) {
        last = entry.path();
      }
    }
    if (last.empty()) {
      throw Error(ErrorKind::data, "{}: holds no finished decoder", folder.string());
    }
    const StateDict state = StateDict::open(last);
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const std::string& name : state.names()) {
      if (!name.ends_with("lm_head.weight")) {  // the same numbers as the token embedding
        tensors.emplace_back(name, state.tensor(name));
      }
    }
    write_torch_state_dict(settings.output / (std::string(plan.name) + ".pt"), for_shipping(tensors));
    log(LogLevel::info, "{} packed", last.string());
  }
}

bool make_decoders(const Settings& settings) {
  if (!build_bank(settings, "train_emoji_plain.yaml", "memory_talk2dino.safetensors") ||
      !build_bank(settings, "train_emoji_clip_plain.yaml", "memory_clip.safetensors")) {
    return false;
  }
  for (const DecoderPlan& plan : kDecoders) {
    if (!run({"train", (configs() / "experiment" / (std::string(plan.config) + ".yaml")).string(),
              "train.data=" + (settings.output / "corpus.txt").string(),
              "train.output=" + (settings.work / plan.name).string(),
              "train.text_features=" + (settings.work / "text_features").string()})) {
      return false;
    }
  }
  pack_decoders(settings);
  return true;
}

}  // namespace patchioner::emoji
