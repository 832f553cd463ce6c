#include "metrics/meteor_data.hpp"

#include <fmt/ranges.h>

#include <array>
#include <patchioner/error.hpp>

#include "checkpoint/zip_archive.hpp"
#include "support/files.hpp"
#include "support/split.hpp"
#include "text/table_text.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJar = "meteor-1.5.jar";
constexpr const char* kParaphrases = "paraphrase-en.gz";

struct DataFile {
  const char* name;   ///< in a folder
  const char* entry;  ///< in the jar
};
constexpr DataFile kFunctionWords = {"english.words", "function/english.words"};
constexpr DataFile kPrefixes = {"english.prefixes", "nonbreaking/english.prefixes"};
constexpr DataFile kSynsets = {"english.synsets", "synonym/english.synsets"};
constexpr DataFile kExceptions = {"english.exceptions", "synonym/english.exceptions"};

// The words that count as function words in METEOR 1.5's English.
constexpr const char* kEnglishFunctionWords =
    "the , . to of and a in that for \" is on 's it with was as said at he by be from have has are his but "
    "an "
    "this not i will \u2019 they ) -rrb- ( -lrb- who their had we which were been more or s its would about "
    "new one after you : also up when there than $ all out her people she year two - can if last first over "
    "\u201c other \u201d into some what so -- no time years could ? 't \u2014 '";

/// A folder with METEOR's files, or its jar.
class Source {
 public:
  explicit Source(const fs::path& path) : path_(path) {
    const fs::path jar = fs::is_directory(path) ? path / kJar : path;
    if (fs::is_regular_file(jar)) {
      try {
        jar_ = ZipArchive::open(MappedFile::open(jar));
      } catch (const Error& error) {
        throw Error(ErrorKind::data, "{}; expected METEOR's data: a folder with its files, or {}",
                    error.what(), kJar);
      }
      path_ = jar.parent_path();
    }
  }

  std::optional<std::string> read(const DataFile& file) const {
    if (fs::exists(path_ / file.name)) {
      return read_file(path_ / file.name);
    }
    if (jar_ == nullptr) {
      return std::nullopt;
    }
    const ZipEntry* entry = jar_->find(file.entry);
    if (entry == nullptr) {
      return std::nullopt;
    }
    const ByteRange content = jar_->read(*entry);
    return std::string(reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size());
  }

  fs::path paraphrases() const {
    for (const fs::path& place : {path_ / kParaphrases, path_ / "data" / kParaphrases}) {
      if (fs::exists(place)) {
        return place;
      }
    }
    return {};
  }

 private:
  fs::path path_;
  std::shared_ptr<const ZipArchive> jar_;
};

std::set<std::string, std::less<>> words_in(std::string_view content) {
  std::set<std::string, std::less<>> words;
  for (const std::string_view word : table_entries(content, " \r\n")) {
    words.emplace(word);
  }
  return words;
}

}  // namespace

MeteorData MeteorData::open(const MeteorDataOptions& options) {
  MeteorData result;
  result.function_words_ = words_in(kEnglishFunctionWords);
  result.prefixes_ = NonbreakingPrefixes::english();
  std::vector<std::string> missing;
  if (!options.data.empty()) {
    std::error_code error;
    if (!fs::exists(options.data, error)) {
      throw Error(ErrorKind::io,
                  "{}: no such file or folder; meteor_data (--meteor-data) names METEOR's data: a folder "
                  "with its files, or {}",
                  options.data.string(), kJar);
    }
    const Source source(options.data);
    if (const auto words = source.read(kFunctionWords)) {
      result.function_words_ = words_in(*words);
    }
    if (const auto prefixes = source.read(kPrefixes)) {
      result.prefixes_ = NonbreakingPrefixes::parse(*prefixes);
    }
    auto synsets = source.read(kSynsets);
    auto exceptions = source.read(kExceptions);
    if (synsets && exceptions) {
      result.synonyms_ = std::make_shared<const SynonymTable>(
          SynonymTable::from_meteor(std::move(*synsets), std::move(*exceptions), options.data.string()));
    } else {
      missing.push_back(fmt::format(
          "synonyms ({})", !synsets && !exceptions ? fmt::format("{}, {}", kSynsets.name, kExceptions.name)
                           : !synsets              ? kSynsets.name
                                                   : kExceptions.name));
    }
    result.paraphrases_ = source.paraphrases();
    if (result.paraphrases_.empty()) {
      missing.push_back(fmt::format("paraphrases ({})", kParaphrases));
    }
    if (result.synonyms_ == nullptr && result.paraphrases_.empty()) {
      throw Error(ErrorKind::data,
                  "{}: none of METEOR's data is in it; expected a folder with english.synsets, "
                  "english.exceptions and {}, or {}",
                  options.data.string(), kParaphrases, kJar);
    }
  } else if (options.fallback == MeteorFallback::none) {
    throw Error(ErrorKind::config,
                "METEOR needs its data: set meteor_data (--meteor-data) to a folder with METEOR 1.5's files "
                "or to {} (the pip package pycocoevalcap has it), or meteor_fallback (--meteor-fallback) to "
                "wordnet",
                kJar);
  } else {
    missing.push_back("paraphrases (no data of METEOR is named)");
    if (fs::exists(options.wordnet / "index.noun")) {
      result.synonyms_ = std::make_shared<const SynonymTable>(SynonymTable::from_wordnet(options.wordnet));
    } else {
      missing.push_back(fmt::format("synonyms (no WordNet in {}; Debian's package is wordnet-base)",
                                    options.wordnet.string()));
    }
  }
  if (!missing.empty()) {
    result.missing_ = fmt::format("METEOR is computed without {}", fmt::join(missing, " and without "));
  }
  return result;
}

std::string MeteorData::metric_name() const {
  if (synonyms_ == nullptr) {
    return paraphrases_.empty() ? "METEOR(exact-stem)" : "METEOR(no-synonym)";
  }
  return paraphrases_.empty() ? "METEOR(no-paraphrase)" : "METEOR";
}

}  // namespace patchioner
