// Makes models/lexicon/scene_graph_lexicon.json, and measures lexica.
//
//   lexicon build                     from Debian's WordNet and the names of the emoji world
//   lexicon measure pairs.jsonl       how much of what people found in captions the rule parser finds
#include <CLI/CLI.hpp>
#include <cstdio>
#include <patchioner/error.hpp>

#include "lexicon_file.hpp"
#include "measure.hpp"
#include "support/files.hpp"

namespace {

using namespace patchioner;
using namespace patchioner::lexicon;

const std::filesystem::path kProject = PROJECT_FOLDER;

struct Files {
  std::filesystem::path wordnet = "/usr/share/wordnet";
  std::filesystem::path things = kProject / "tools/emojiworld/objects.tsv";
  std::filesystem::path names = kProject / "models/emoji/entities.txt";
  std::filesystem::path corpus = kProject / "models/emoji/corpus.txt";
  std::filesystem::path lexicon = kProject / "models/lexicon/scene_graph_lexicon.json";
  std::filesystem::path pairs;
};

void build(const Files& files) {
  const WordNet net = WordNet::read(files.wordnet);
  const GlossCounts counts(net, phrases_of(net));
  Names entities = choose_entities(net, counts);
  const Names attributes = choose_attributes(net, counts, entities, words_of_text(files.corpus));
  entities.merge(names_of_things(files.things));
  entities.merge(names_of_list(files.names));
  const std::string document = lexicon_document(entities, attributes);
  std::filesystem::create_directories(files.lexicon.parent_path());
  write_file(files.lexicon, document);
  fmt::print("{}: {} entities, {} attributes, {} KB\n", files.lexicon.string(), entities.size(),
             attributes.size(), document.size() / 1000);
}

void measure(const Files& files) {
  const Measure result = measure_parser(SceneGraphLexicon::read(files.lexicon), files.pairs);
  fmt::print(
      "{} captions: entities precision {:.3f}, recall {:.3f}; attributes precision {:.3f}, recall {:.3f}\n",
      result.captions, result.entities.precision(), result.entities.recall(), result.attributes.precision(),
      result.attributes.recall());
}

int run(int argc, char** argv) {
  CLI::App app{"Makes the lexicon of the rule parser from WordNet, and measures lexica.", "lexicon"};
  app.require_subcommand(1);
  Files files;
  CLI::App* build_command = app.add_subcommand("build", "Write the lexicon");
  build_command->add_option("--wordnet", files.wordnet, "folder of WordNet's files")->capture_default_str();
  build_command->add_option("--things", files.things, "table with nouns and plurals that are things too")
      ->capture_default_str();
  build_command->add_option("--names", files.names, "list of names that are things too")
      ->capture_default_str();
  build_command->add_option("--corpus", files.corpus, "text whose adjectives count however rare they are")
      ->capture_default_str();
  build_command->add_option("--output", files.lexicon, "the lexicon")->capture_default_str();
  CLI::App* measure_command =
      app.add_subcommand("measure", "Compare what the rule parser finds with scene graphs that people wrote");
  measure_command->add_option("PAIRS", files.pairs, "JSON lines with \"caption\" and \"scene_graph\"")
      ->required();
  measure_command->add_option("--lexicon", files.lexicon, "the lexicon")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (build_command->parsed()) {
    build(files);
  } else {
    measure(files);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const patchioner::Error& error) {
    std::fprintf(stderr, "lexicon: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lexicon: %s\n", error.what());
    return 1;
  }
}
