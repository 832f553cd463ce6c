// Every file of cases/ says in its head what must come of it; see cases/README.md.
#include <doctest/doctest.h>

#include <cstdlib>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/interpolation.hpp"
#include "config/paths.hpp"
#include "support/files.hpp"

using namespace patchioner;
namespace fs = std::filesystem;

namespace {

const fs::path kCases = fs::path(PATCHIONER_SOURCE_DIR) / "tests/unit/config/cases";

/// The content of the line "# name: content", or nothing.
std::string header(const std::string& text, const std::string& name) {
  std::istringstream stream(text);
  const std::string prefix = "# " + name + ": ";
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(prefix)) {
      return line.substr(prefix.size());
    }
  }
  return "";
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

void check_message(const std::string& message, std::string expected, const fs::path& file) {
  expected = replaced(replaced(expected, "FILE", file.string()), "DIR", file.parent_path().string());
  if (expected.ends_with("...")) {
    expected.resize(expected.size() - 3);
    CHECK_MESSAGE(message.starts_with(expected), message, "\n  expected to begin: ", expected);
  } else {
    CHECK(message == expected);
  }
}

void run_case(const fs::path& file) {
  const std::string text = read_file(file);
  const std::string expected = header(text, "expect");
  const std::string result = header(text, "result");
  REQUIRE_MESSAGE(expected.empty() != result.empty(), "a case needs one of expect and result");
  const std::string environment = header(text, "environment");
  const size_t equals = environment.find('=');
  if (!environment.empty()) {
    setenv(environment.substr(0, equals).c_str(), environment.substr(equals + 1).c_str(), 1);
  }
  try {
    const Value document = compose(file, words(header(text, "overrides")));
    CHECK_MESSAGE(expected.empty(), "composed to ", write_yaml(document));
    if (!result.empty()) {
      CHECK_MESSAGE(document == parse_yaml(result, "result"), "composed to\n", write_yaml(document));
      const Value again = interpolate(parse_yaml(write_yaml(escape_interpolation(document)), "again"));
      CHECK_MESSAGE(again == document, "written as\n", write_yaml(escape_interpolation(document)));
    }
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    CHECK_MESSAGE(!expected.empty(), error.what());
    if (!expected.empty()) {
      check_message(error.what(), expected, file);
    }
  }
  if (!environment.empty()) {
    unsetenv(environment.substr(0, equals).c_str());
  }
}

}  // namespace

TEST_CASE("a path from a set environment variable starts at the current folder, a default at its file") {
  const auto path_of = [](const std::string& yaml) {
    const Value document = interpolate(parse_yaml(yaml, "/configs/a.yaml"));
    return resolve_path(document.at("w"));
  };
  unsetenv("PATCHIONER_TEST_WEIGHTS");
  const std::string direct = "w: \"${env:PATCHIONER_TEST_WEIGHTS,weights}/x.pt\"\n";
  const std::string by_name = "v: \"${env:PATCHIONER_TEST_WEIGHTS,weights}\"\nw: \"${v}/x.pt\"\n";
  CHECK(path_of(direct) == "/configs/weights/x.pt");
  CHECK(path_of(by_name) == "/configs/weights/x.pt");
  setenv("PATCHIONER_TEST_WEIGHTS", "mine", 1);
  const std::string here = (fs::current_path() / "mine/x.pt").string();
  CHECK(path_of(direct) == here);
  CHECK(path_of(by_name) == here);
  CHECK(path_of("w: \"../${env:PATCHIONER_TEST_WEIGHTS}/x.pt\"\n") == "/mine/x.pt");  // the file says "../"
  setenv("PATCHIONER_TEST_WEIGHTS", "/data", 1);
  CHECK(path_of(direct) == "/data/x.pt");
  unsetenv("PATCHIONER_TEST_WEIGHTS");
}

TEST_CASE("every case file composes to what it says, or is refused with the sentence that it says") {
  size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    if (entry.path().extension() == ".yaml") {
      ++cases;
      CAPTURE(entry.path().filename().string());
      run_case(entry.path());
    }
  }
  CHECK(cases > 50);
}
