#include "scoring/spice_java.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <patchioner/error.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/dataset_reading.hpp"
#include "support/printable.hpp"
#include "support/run_process.hpp"
#include "support/some_names.hpp"
#include "support/temporary_folder.hpp"
#include "text/table_text.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

// SPICE writes its results by Java's engine for JavaScript, which is there from 8 to 14.
constexpr int kOldestJava = 8;
constexpr int kNewestJava = 14;
constexpr const char* kMemory = "-Xmx8G";  // as the reference's wrapper has it

std::string java_program() {
  if (const char* home = std::getenv("JAVA_HOME"); home != nullptr && *home != '\0') {
    return (fs::path(home) / "bin" / "java").string();
  }
  return "java";
}

/// 8 of `version "1.8.0_392"`, 17 of `version "17.0.15"`; 0 when there is none.
int major_version(std::string_view text) {
  constexpr std::string_view kBefore = "version \"";
  const size_t at = text.find(kBefore);
  if (at == std::string_view::npos) {
    return 0;
  }
  text.remove_prefix(at + kBefore.size());
  constexpr std::string_view kOldNumbering = "1.";
  if (text.starts_with(kOldNumbering)) {
    text.remove_prefix(kOldNumbering.size());
  }
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

void check_java(const std::string& java, const fs::path& scratch) {
  const ProcessEnd end = run_process({java, "-version"}, scratch, scratch);
  constexpr const char* kAdvice =
      "SPICE needs Java 8 to 14; install one and set JAVA_HOME to it, or take spice: rules";
  if (end.status != 0) {
    throw Error(ErrorKind::config,
                "{}: there is no such program, or it does not run (`-version` ended with {}); {}", java,
                end.status, kAdvice);
  }
  const std::string text = end.errors + end.output;
  const int version = major_version(text);
  if (version < kOldestJava || version > kNewestJava) {
    throw Error(ErrorKind::config, "{}: is {}; {}", java,
                version > 0 ? fmt::format("Java {}", version) : "of no version that it tells", kAdvice);
  }
}

void write_input(std::span<const ScoredCaption> captions, std::span<const Segment> words,
                 const fs::path& path) {
  OrderedJson items = OrderedJson::array();
  for (size_t i = 0; i < captions.size(); ++i) {
    items.push_back(
        {{"image_id", captions[i].id}, {"test", words[i].candidate}, {"refs", words[i].references}});
  }
  // In ASCII, as the reference's wrapper writes it.
  write_file(path, items.dump(-1, ' ', true, OrderedJson::error_handler_t::replace));
}

std::string last_line(std::string_view text) {
  const std::vector<std::string_view> lines = table_entries(text, "\r\n");
  return lines.empty() ? "it wrote no message" : printable(lines.back());
}

/// "f" of one category; SPICE writes what is not a number as null.
double value_of(const OrderedJson& scores, const char* category) {
  const OrderedJson& value = need_key(need_key(scores, category), "f");
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : need_finite(value, "\"f\"");
}

std::unordered_map<std::string, SpiceValues> read_output(const fs::path& path) {
  std::unordered_map<std::string, SpiceValues> result;
  const auto file = MappedFile::open(path);
  const std::string name = path.filename().string();
  visit_members(whole_document(file->text(), name), name, [&](const JsonPiece& piece) {
    try {
      const OrderedJson entry = parse_piece(piece, name);
      SpiceValues& values = result[id_text(need_key(entry, "image_id"))];
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = value_of(need_key(entry, "scores"), kSpiceCategories[i]);
      }
    } catch (const Error& error) {
      throw error.within(fmt::format("what SPICE wrote, item {}", piece.number));
    }
    return true;
  });
  return result;
}

}  // namespace

void check_spice_java(const fs::path& jar) {
  if (!fs::is_regular_file(jar)) {
    throw Error(
        ErrorKind::config,
        "{}: there is no such file; score.spice_jar (--spice-jar) names spice-1.0.jar, beside which its "
        "folder lib lies",
        jar.string());
  }
  const TemporaryFolder scratch;
  check_java(java_program(), scratch.path());
}

std::vector<SpiceValues> run_spice(std::span<const ScoredCaption> captions, std::span<const Segment> words,
                                   const fs::path& jar) {
  check_spice_java(jar);
  const TemporaryFolder scratch;
  const std::string java = java_program();
  const fs::path input = scratch.path() / "in.json";
  const fs::path output = scratch.path() / "out.json";
  const fs::path cache = scratch.path() / "cache";
  fs::create_directory(cache);
  write_input(captions, words, input);
  const fs::path program = fs::absolute(jar);
  const ProcessEnd end = run_process({java, "-jar", kMemory, program.string(), input.string(), "-cache",
                                      cache.string(), "-out", output.string(), "-subset", "-silent"},
                                     program.parent_path(), scratch.path());
  if (end.status != 0) {
    throw Error(ErrorKind::data, "{}: SPICE ended with status {}: {}", jar.string(), end.status,
                last_line(end.errors));
  }
  if (!fs::exists(output)) {
    throw Error(ErrorKind::data, "{}: SPICE wrote no scores: {}", jar.string(), last_line(end.errors));
  }
  const std::unordered_map<std::string, SpiceValues> found = read_output(output);
  std::vector<SpiceValues> result;
  std::vector<std::string> without;
  for (const ScoredCaption& caption : captions) {
    if (const auto values = found.find(caption.id); values != found.end()) {
      result.push_back(values->second);
    } else {
      without.push_back(caption.id);
    }
  }
  if (!without.empty()) {
    throw Error(ErrorKind::data, "{}: SPICE gave no scores for {}", jar.string(),
                some_names(std::move(without)));
  }
  return result;
}

}  // namespace patchioner
