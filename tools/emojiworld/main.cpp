// Makes the emoji world and trains its models.
//
//   emojiworld render --count 12 --folder /some/folder     a look at the scenes
//   emojiworld all                                          everything that models/emoji/ holds
#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <opencv2/core/utility.hpp>
#include <patchioner/error.hpp>

#include "commands.hpp"
#include "support/interrupt.hpp"

namespace {

using namespace patchioner;
using namespace patchioner::emoji;

struct RenderOptions {
  std::string folder = "scenes";
  uint64_t first = 0;
  int count = 12;
  bool test = false;
  bool sheet = false;
};

int run(int argc, char** argv) {
  CLI::App app{"Makes the emoji world and trains its models.", "emojiworld"};
  Settings settings{EMOJIWORLD_SOURCE "/objects.tsv",
                    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
                    "build/emojiworld",
                    EMOJIWORLD_SOURCE "/../../models/emoji",
                    {}};
  std::string recipe = EMOJIWORLD_SOURCE "/recipe.json";
  int threads = 2;
  app.add_option("--objects", settings.objects, "the list of things")->capture_default_str();
  app.add_option("--font", settings.font, "a font with colour bitmaps")->capture_default_str();
  app.add_option("--work", settings.work, "folder for the states and loss curves of trainings")
      ->capture_default_str();
  app.add_option("--output", settings.output, "folder for what ships")->capture_default_str();
  app.add_option("--recipe", recipe, "how the models are trained")->capture_default_str();
  app.add_option("--threads", threads, "processor cores to use")->capture_default_str();
  app.require_subcommand(1);

  RenderOptions render;
  CLI::App* render_command = app.add_subcommand("render", "Draw some scenes");
  render_command->add_option("--folder", render.folder, "where to")->capture_default_str();
  render_command->add_option("--first", render.first, "number of the first scene")->capture_default_str();
  render_command->add_option("--count", render.count, "how many")->capture_default_str();
  render_command->add_flag("--test", render.test, "of the test split");
  render_command->add_flag("--sheet", render.sheet, "also things.png, with all things and paints");
  CLI::App* trunk_command =
      app.add_subcommand("train-trunk", "Train the image trunk (DINOv2 with registers)");
  CLI::App* refine_command = app.add_subcommand("refine-trunk", "Train the image trunk further");
  CLI::App* dataset_command =
      app.add_subcommand("dataset", "Draw the test images and write their annotation files");
  CLI::App* corpus_command = app.add_subcommand("corpus", "Write the text corpus");
  CLI::App* tokenizer_command = app.add_subcommand("tokenizer", "Learn the tokenizers from the corpus");
  CLI::App* entities_command = app.add_subcommand("entities", "Write the entity vocabulary");
  CLI::App* clip_command = app.add_subcommand("train-clip", "Train CLIP (after train-trunk and tokenizer)");
  CLI::App* talk2dino_command =
      app.add_subcommand("train-talk2dino", "Train the Talk2DINO projection (after train-clip)");
  CLI::App* dino_command =
      app.add_subcommand("train-dino", "Train the DINO that ProxyCLIP looks through (after refine-trunk)");
  CLI::App* denseclip_command = app.add_subcommand("train-denseclip", "Train DenseCLIP (after train-clip)");
  CLI::App* alphaclip_command = app.add_subcommand("train-alphaclip", "Train AlphaCLIP (after train-clip)");
  CLI::App* dinotxt_command =
      app.add_subcommand("train-dinotxt", "Train DINO.txt's head and text encoder (after refine-trunk)");
  CLI::App* regionclip_command =
      app.add_subcommand("train-regionclip", "Train RegionCLIP (after train-clip)");
  CLI::App* decoders_command = app.add_subcommand(
      "decoders", "Build the memory banks, train and pack the decoders (after train-talk2dino)");
  CLI::App* pack_command =
      app.add_subcommand("pack", "Rewrite the model files in the output folder as they ship");
  CLI::App* boxes_command =
      app.add_subcommand("report-boxes", "Measure how often the text nearest to a box is right");
  CLI::App* all_command = app.add_subcommand("all", "Everything, in order; goes on where it was stopped");
  CLI11_PARSE(app, argc, argv);

  at::set_num_threads(threads);
  cv::setNumThreads(1);
  const PoliteInterrupt polite;
  std::filesystem::create_directories(settings.output);
  std::filesystem::create_directories(settings.work);
  settings.recipe = read_recipe(recipe);
  const World world(settings.objects, settings.font);
  bool finished = true;
  if (render_command->parsed()) {
    render_scenes(world, render.folder, render.first, render.count, render.test ? Split::test : Split::train,
                  render.sheet);
  } else if (trunk_command->parsed()) {
    finished = train_trunk(world, settings);
  } else if (refine_command->parsed()) {
    finished = refine_trunk(world, settings);
  } else if (dataset_command->parsed()) {
    make_dataset(world, settings);
  } else if (corpus_command->parsed()) {
    make_corpus(world, settings);
  } else if (tokenizer_command->parsed()) {
    make_tokenizers(world, settings);
  } else if (entities_command->parsed()) {
    make_entities(world, settings);
  } else if (clip_command->parsed()) {
    finished = train_clip(world, settings);
  } else if (talk2dino_command->parsed()) {
    finished = train_talk2dino(world, settings);
  } else if (dino_command->parsed()) {
    finished = train_dino(world, settings);
  } else if (denseclip_command->parsed()) {
    finished = train_denseclip(world, settings);
  } else if (alphaclip_command->parsed()) {
    finished = train_alphaclip(world, settings);
  } else if (dinotxt_command->parsed()) {
    finished = train_dinotxt(world, settings);
  } else if (regionclip_command->parsed()) {
    finished = train_regionclip(world, settings);
  } else if (decoders_command->parsed()) {
    finished = make_decoders(settings);
  } else if (pack_command->parsed()) {
    pack_models(settings);
  } else if (boxes_command->parsed()) {
    report_boxes(world, settings);
  } else if (all_command->parsed()) {
    make_dataset(world, settings);
    make_corpus(world, settings);
    make_tokenizers(world, settings);
    make_entities(world, settings);
    finished = train_trunk(world, settings) && train_clip(world, settings) && refine_trunk(world, settings) &&
               train_talk2dino(world, settings) && train_dino(world, settings) &&
               train_denseclip(world, settings) && train_alphaclip(world, settings) &&
               train_dinotxt(world, settings) && train_regionclip(world, settings) && make_decoders(settings);
  }
  return finished ? 0 : 1;
}

/// OpenMP's threads wait by spinning unless told otherwise before the library is loaded, which makes a
/// training several times slower as soon as anything else runs on the machine. Starts the program once more
/// with the setting.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) {
    ::setenv("OMP_WAIT_POLICY", "passive", 1);
    ::setenv("GOMP_SPINCOUNT", "0", 0);
    ::execv("/proc/self/exe", argv);
  }
}

}  // namespace

int main(int argc, char** argv) {
  wait_passively(argv);
  try {
    return run(argc, argv);
  } catch (const patchioner::Error& error) {
    std::fprintf(stderr, "emojiworld: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "emojiworld: %s\n", error.what());
    return 1;
  }
}
