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
#include "frozen.hpp"
#include "shipping.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

namespace patchioner::emoji {
namespace {

/// Different texts of the corpus that a bank holds.
constexpr const char* kBankSize = "2500";

struct BankPlan {
  const char* config;  ///< in configs/experiment
  const char* name;    ///< of the file
};
constexpr BankPlan kBanks[] = {{"train_emoji_plain", "memory_talk2dino"},
                               {"train_emoji_clip_plain", "memory_clip"},
                               {"train_emoji_dinotxt_plain", "memory_dinotxt"}};

struct DecoderPlan {
  const char* config;  ///< in configs/experiment
  const char* name;    ///< folder of the training, and file of the decoder
};
constexpr DecoderPlan kDecoders[] = {{"train_emoji_plain", "decoder_talk2dino"},
                                     {"train_emoji_plain_noise", "decoder_talk2dino_noise"},
                                     {"train_emoji_clip_plain", "decoder_clip"},
                                     {"train_emoji_dinotxt_plain", "decoder_dinotxt"},
                                     {"train_emoji_viecap", "decoder_talk2dino_viecap"},
                                     {"train_emoji_clip_viecap", "decoder_clip_viecap"}};

/// The program that lies beside this one.
std::filesystem::path patchioner_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "patchioner";
}

/// The path of an experiment.
std::string config_of(const char* name) {
  const std::filesystem::path project = std::filesystem::path(EMOJIWORLD_SOURCE).parent_path().parent_path();
  return (project / "configs" / "experiment" / (std::string(name) + ".yaml")).string();
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

bool build_bank(const Settings& settings, const BankPlan& plan) {
  const std::filesystem::path bank = settings.output / (std::string(plan.name) + ".safetensors");
  if (!run({"memory", "build", (settings.output / "corpus.txt").string(), "--format", "text", "-c",
            config_of(plan.config), "--size", kBankSize, "--deduplicate", "--force", "-o", bank.string()})) {
    return false;
  }
  ship_bank(bank);
  return true;
}

/// The weights and, under the decoder's own name, the settings that lie beside them.
void pack(const std::filesystem::path& checkpoint, const std::filesystem::path& target) {
  const auto settings_of = [](const std::filesystem::path& weights) {
    return weights.parent_path() / (weights.stem().string() + "_config.json");
  };
  const StateDict state = StateDict::open(checkpoint);
  NamedTensors tensors;
  for (const std::string& name : state.names()) {
    if (!name.ends_with("lm_head.weight")) {  // the same numbers as the token embedding
      tensors.emplace_back(name, state.tensor(name));
    }
  }
  write_file(settings_of(target), read_file(settings_of(checkpoint)));
  ship(target, tensors);
  log(LogLevel::info, "{} packed", checkpoint.string());
}

/// As the trainings say when they ship.
Rounding rounding_of(const std::filesystem::path& model) {
  const std::string name = model.filename().string();
  return name == "clip.pth" || name == "dinotxt_text_encoder.pth" || name == "regionclip.pth"
             ? Rounding::significant_bits
             : Rounding::steps;
}

}  // namespace

bool make_decoders(const Settings& settings) {
  for (const BankPlan& plan : kBanks) {
    if (!build_bank(settings, plan)) {
      return false;
    }
  }
  for (const DecoderPlan& plan : kDecoders) {
    std::optional<std::string> checkpoint =
        run({"train", config_of(plan.config), "train.data=" + (settings.output / "corpus.txt").string(),
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

void pack_models(const Settings& settings) {
  std::vector<std::filesystem::path> files;  // listed first: rewriting adds and removes some
  for (const auto& entry : std::filesystem::directory_iterator(settings.output)) {
    files.push_back(entry.path());
  }
  for (const std::filesystem::path& path : files) {
    if (path.extension() == ".safetensors") {
      ship_bank(path);
    } else if (path.extension() == ".pt") {
      pack(path, path);
    } else if (path.extension() == ".pth" && path != projection_path(settings.output)) {
      ship_again(path, rounding_of(path));
    }
  }
}

}  // namespace patchioner::emoji
