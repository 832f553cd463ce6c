#include "entities/scene_graph_lexicon.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

class LexiconReader {
 public:
  explicit LexiconReader(const std::filesystem::path& path) : place_(path.string()) {
    try {
      json_ = nlohmann::json::parse(read_file(path));
    } catch (const nlohmann::json::exception& error) {
      throw Error(ErrorKind::data, "{}: the lexicon is no valid JSON ({})", place_, error.what());
    }
  }

  WordSet words(const char* field) const {
    WordSet result;
    for (const nlohmann::json& word : value(field, nlohmann::json::value_t::array)) {
      result.insert(text(word, field));
    }
    return result;
  }

  WordMap pairs(const char* field) const {
    WordMap result;
    for (const auto& [word, meaning] : value(field, nlohmann::json::value_t::object).items()) {
      result[word] = text(meaning, field);
    }
    return result;
  }

 private:
  const nlohmann::json& value(const char* field, nlohmann::json::value_t type) const {
    const auto found = json_.find(field);
    if (found == json_.end() || found->type() != type) {
      throw Error(ErrorKind::data, "{}: the lexicon must have {} '{}'{}", place_,
                  type == nlohmann::json::value_t::array ? "a list" : "an object", field,
                  found == json_.end() ? "" : fmt::format(", but that is {}", found->type_name()));
    }
    return *found;
  }

  std::string text(const nlohmann::json& word, const char* field) const {
    if (!word.is_string()) {
      throw Error(ErrorKind::data, "{}: '{}' must hold texts only, but holds {}", place_, field, word.dump());
    }
    return word.get<std::string>();
  }

  std::string place_;
  nlohmann::json json_;
};

}  // namespace

SceneGraphLexicon SceneGraphLexicon::read(const std::filesystem::path& path) {
  const LexiconReader reader(path);
  SceneGraphLexicon lexicon;
  lexicon.entities = reader.words("entities");
  lexicon.attributes = reader.words("attributes");
  lexicon.aliases = reader.pairs("aliases");
  lexicon.numbers = reader.pairs("numbers");
  lexicon.copulas = reader.words("copulas");
  lexicon.skip_after_copula = reader.words("skip_after_copula");
  lexicon.dropped_relation_words = reader.words("dropped_relation_words");
  if (lexicon.entities.empty()) {
    throw Error(ErrorKind::data, "{}: the lexicon has no entities", path.string());
  }
  return lexicon;
}

}  // namespace patchioner
