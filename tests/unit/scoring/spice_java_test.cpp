// SPICE's original program, with a script in Java's place (spec/05 section 7).
#include "scoring/spice_java.hpp"

#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "refusals.hpp"
#include "scoring/spice_metric.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

// A script that answers `-version` and otherwise notes how it was called and gives the prepared results.
constexpr const char* kJava = R"(#!/bin/sh
here=$(dirname "$0")
if [ "$1" = -version ]; then
  echo 'Picked up JAVA_TOOL_OPTIONS: -Dnone' >&2
  cat "$here/version" >&2
  exit 0
fi
pwd > "$here/folder"
for argument in "$@"; do echo "$argument"; done > "$here/arguments"
cp "$4" "$here/in.json"
[ -d "$6" ] && echo yes > "$here/has_cache"
[ -f "$here/out.json" ] && cp "$here/out.json" "$8"
echo 'Parsing reference captions' >&2
cat "$here/message" >&2
exit $(cat "$here/status")
)";

/// The value of a variable of the environment for as long as the object lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
      was_set_ = true;
    }
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { was_set_ ? ::setenv(name_, before_.c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
  bool was_set_ = false;
};

/// The script, a jar, and a temporary folder that the calls use.
class FakeJava {
 public:
  FakeJava()
      : home_("JAVA_HOME", (folder_ / "home").string()), temporary_("TMPDIR", (folder_ / "tmp").string()) {
    std::filesystem::create_directories(folder_ / "tmp");
    const auto java = folder_.write("home/bin/java", kJava);
    ::chmod(java.c_str(), 0700);
    write("version", "openjdk version \"1.8.0_392\"\n");
    write("message", "");
    write("status", "0");
    jar_ = folder_.write("spice tools/spice-1.0.jar", "a jar");
  }

  void write(const std::string& name, std::string_view content) {
    folder_.write("home/bin/" + name, content);
  }
  std::string read(const std::string& name) const { return read_file(folder_ / ("home/bin/" + name)); }
  const std::filesystem::path& jar() const { return jar_; }
  std::filesystem::path root() const { return folder_.path(); }

  SpiceScores score() const {
    const std::vector<ScoredCaption> captions = {{"12", "A dog.", {"The dog!", "Dogs."}},
                                                 {"caf\xc3\xa9", "Red \"hat\"", {"a hat"}}};
    SpiceOptions options;
    options.backend = SpiceBackend::java;
    options.jar = jar_;
    return spice_scores(captions, score_words(captions, {}), options);
  }

 private:
  TestFolder folder_;
  Variable home_;
  Variable temporary_;
  std::filesystem::path jar_;
};

std::string result_of(const char* id, double all, const char* color) {
  std::string scores = R"("All": {"f": )" + std::to_string(all) + R"(, "tp": 1})";
  for (const char* category : {"Object", "Attribute", "Relation", "Cardinality", "Size"}) {
    scores += std::string(", \"") + category + R"(": {"f": 0.5})";
  }
  return std::string(R"({"image_id": )") + id + R"(, "scores": {)" + scores + R"(, "Color": {"f": )" + color +
         "}}}";
}

TEST_CASE("the program gets words, and its values come back by id") {
  FakeJava java;
  java.write("out.json",
             "[" + result_of("\"caf\xc3\xa9\"", 0.25, "null") + "," + result_of("12", 0.75, "1") + "]");
  const SpiceScores scores = java.score();
  CHECK(scores.all.name == "SPICE");
  CHECK(scores.all.note.empty());
  CHECK(scores.all.scores.segments == std::vector<double>{0.75, 0.25});
  CHECK(scores.all.scores.corpus == 0.5);
  const CaptionScores& color = scores.categories[4];
  CHECK(color.name == "Color");
  CHECK(color.scores.segments[0] == 1);
  CHECK(std::isnan(color.scores.segments[1]));
  CHECK(color.scores.corpus == 1);

  const std::string input = java.read("in.json");
  CHECK(contains(input, "\\u00e9"));  // ASCII, whatever the locale
  const auto items = nlohmann::json::parse(input);
  CHECK(items[0] == nlohmann::json{{"image_id", "12"}, {"test", "a dog"}, {"refs", {"the dog", "dogs"}}});
  CHECK(items[1].at("image_id") == "caf\xc3\xa9");
  CHECK(java.read("has_cache") == "yes\n");
  CHECK(java.read("folder") == java.jar().parent_path().string() + "\n");
  const std::string arguments = java.read("arguments");
  CHECK(arguments.starts_with("-jar\n-Xmx8G\n" + java.jar().string() + "\n"));
  CHECK(arguments.ends_with("out.json\n-subset\n-silent\n"));
  CHECK(std::filesystem::is_empty(java.root() / "tmp"));
}

TEST_CASE("PATH decides where JAVA_HOME does not") {
  FakeJava java;
  java.write("out.json",
             "[" + result_of("\"12\"", 1, "1") + "," + result_of("\"caf\xc3\xa9\"", 1, "1") + "]");
  const Variable path("PATH", (java.root() / "home/bin").string() + ":" + std::getenv("PATH"));
  const Variable home("JAVA_HOME", "");
  CHECK(java.score().all.scores.corpus == 1);
}

TEST_CASE("a Java that SPICE cannot run in is told by its version") {
  FakeJava java;
  for (const auto& [version, told] :
       {std::pair{"openjdk version \"17.0.15\" 2025-04-15", "is Java 17; SPICE needs"},
        std::pair{"java version \"15\"", "is Java 15"}, std::pair{"java version \"1.7.0_80\"", "is Java 7"},
        std::pair{"something else", "of no version"}}) {
    java.write("version", version);
    mentions(refusal_of(ErrorKind::config, [&] { java.score(); }), told);
  }
  SpiceOptions options;
  options.backend = SpiceBackend::java;
  options.jar = java.jar();
  mentions(refusal_of(ErrorKind::config, [&] { check_spice(options); }), "of no version");
  java.write("version", "java version \"11.0.2\" 2019");
  CHECK_NOTHROW(check_spice(options));  // knows nothing of scores
  mentions(refusal_of(ErrorKind::data, [&] { java.score(); }), "SPICE wrote no scores");
}

TEST_CASE("without a Java, or a jar, it is said which") {
  FakeJava java;
  const Variable home("JAVA_HOME", (java.root() / "nowhere").string());
  mentions(refusal_of(ErrorKind::config, [&] { java.score(); }),
           "nowhere/bin/java: there is no such program");
  std::filesystem::remove(java.jar());
  mentions(refusal_of(ErrorKind::config, [&] { java.score(); }), "spice-1.0.jar: there is no such file");
  SpiceOptions options;
  options.backend = SpiceBackend::java;
  const std::vector<ScoredCaption> captions = {{"1", "a", {"b"}}};
  mentions(refusal_of(ErrorKind::config, [&] { spice_scores(captions, score_words(captions, {}), options); }),
           "spice: java needs score.spice_jar (--spice-jar)");
  mentions(refusal_of(ErrorKind::config, [&] { check_spice(options); }),
           "spice: java needs score.spice_jar (--spice-jar)");
  options.jar = java.jar();
  mentions(refusal_of(ErrorKind::config, [&] { check_spice(options); }),
           "there is no such file; score.spice_jar (--spice-jar) names spice-1.0.jar");
}

TEST_CASE("a program that fails is told by its status and its last line") {
  FakeJava java;
  java.write("message", "Exception in thread \"main\"\n\tat edu.anu.spice.SpiceParser\n\n");
  java.write("status", "3");
  const std::string refusal = refusal_of(ErrorKind::data, [&] { java.score(); });
  mentions(refusal, "SPICE ended with status 3");
  mentions(refusal, "at edu.anu.spice.SpiceParser");
  CHECK(std::filesystem::is_empty(java.root() / "tmp"));
}

TEST_CASE("results that lack an item, or are broken, are refused") {
  FakeJava java;
  java.write("out.json", "[" + result_of("12", 0.75, "1") + "]");
  mentions(refusal_of(ErrorKind::data, [&] { java.score(); }), "SPICE gave no scores for caf\xc3\xa9");
  java.write("out.json", R"([{"image_id": 12, "scores": {"All": {}}}])");
  mentions(refusal_of(ErrorKind::data, [&] { java.score(); }), "item 0: has no \"f\"");
  java.write("out.json", "[{\"image_id\": 1");
  mentions(refusal_of(ErrorKind::data, [&] { java.score(); }), "out.json");
}

}  // namespace
}  // namespace patchioner
