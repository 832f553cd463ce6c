#include <doctest/doctest.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "support/nearest_name.hpp"
#include "support/progress.hpp"

using namespace patchioner;

TEST_CASE("edit distance counts insertions, deletions, replacements and swaps") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("wieght", "weight") == 1);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("the nearest name is suggested, a far one is not") {
  const std::vector<std::string> names = {"temperature", "normalize", "bank"};
  CHECK(suggestion("temprature", names) == "; did you mean 'temperature'?");
  CHECK(suggestion("xyz", names) == "; known are: temperature, normalize, bank");
  CHECK(suggestion("anything", {}).empty());
}

TEST_CASE("usage and config errors exit with 2, all others with 1") {
  CHECK(Error(ErrorKind::usage, "x").exit_code() == 2);
  CHECK(Error(ErrorKind::config, "x").exit_code() == 2);
  CHECK(Error(ErrorKind::data, "x").exit_code() == 1);
  CHECK(Error(ErrorKind::internal, "x").exit_code() == 1);
}

TEST_CASE("an error keeps its kind when context is added") {
  const Error error =
      Error(ErrorKind::checkpoint, "{} is short", "a.pth").within("while loading backbone 'clip'");
  CHECK(error.kind() == ErrorKind::checkpoint);
  CHECK(std::string(error.what()) == "while loading backbone 'clip': a.pth is short");
}

TEST_CASE("a warning about a setting comes once") {
  std::vector<std::string> lines;
  auto before = set_log_sink([&](LogLevel, const std::string& line) { lines.push_back(line); });
  warn_once("a setting is odd");
  warn_once("a setting is odd");
  warn_once("another is odd");
  set_log_sink(before);
  CHECK(lines == std::vector<std::string>{"a setting is odd", "another is odd"});
}

TEST_CASE("progress shows share, rate and time left, and leaves resumed units out of the rate") {
  Progress::set_enabled(false);
  Progress progress("encode", "images", 100);
  progress.start_at(20);
  progress.advance(30);
  progress.note("loss 2.31");
  CHECK(progress.line(10.0) == "encode: 50/100 images (50 %), 3.00 images/s, 0:17 left, loss 2.31");
  CHECK(Progress("read", "texts", 0).line(0.0) == "read: 0 texts");
  Progress::set_enabled(true);
}
