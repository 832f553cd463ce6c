#include "data/record_file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

std::filesystem::path fresh(const std::string& name) {
  static const TestFolder folder;
  std::filesystem::remove(folder / name);
  return folder / name;
}

std::vector<std::string> lines_of(const RecordFile& file) {
  std::vector<std::string> lines;
  file.read([&](std::string_view line, size_t) { lines.emplace_back(line); });
  return lines;
}

}  // namespace

TEST_CASE("records are there when the file is opened again") {
  const auto path = fresh("again.jsonl");
  {
    RecordFile file(path, RecordFileMode::create);
    file.append("{\"a\":1}");
    file.append("{\"a\":2}");
  }
  RecordFile file(path, RecordFileMode::resume);
  CHECK(lines_of(file) == std::vector<std::string>{"{\"a\":1}", "{\"a\":2}"});
  file.append("{\"a\":3}");
  CHECK(lines_of(file).size() == 2);
  CHECK(read_file(path) == "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

TEST_CASE("a torn last line is dropped") {
  const auto path = fresh("torn.jsonl");
  write_file(path, "{\"a\":1}\n{\"a\":2}\n{\"a\":");
  RecordFile file(path, RecordFileMode::resume);
  file.append("{\"a\":3}");
  CHECK(read_file(path) == "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

TEST_CASE("a file that is one torn line becomes empty, however long it is") {
  const auto path = fresh("only_torn.jsonl");
  write_file(path, std::string(200'000, 'x'));
  RecordFile file(path, RecordFileMode::resume);
  CHECK(std::filesystem::file_size(path) == 0);
}

TEST_CASE("a file with records is not overwritten") {
  const auto path = fresh("kept.jsonl");
  write_file(path, "{\"a\":1}\n");
  CHECK_THROWS_WITH_AS(RecordFile(path, RecordFileMode::create), doctest::Contains("--resume"), Error);
  CHECK(read_file(path) == "{\"a\":1}\n");
}

TEST_CASE("two writers of one file are refused") {
  const auto path = fresh("locked.jsonl");
  const RecordFile first(path, RecordFileMode::create);
  CHECK_THROWS_WITH_AS(RecordFile(path, RecordFileMode::resume), doctest::Contains("another process"), Error);
}

TEST_CASE("folders, devices and absent folders are refused") {
  CHECK_THROWS_AS(RecordFile("/no/such/folder/a.jsonl", RecordFileMode::create), Error);
  CHECK_THROWS_AS(RecordFile(std::filesystem::temp_directory_path(), RecordFileMode::create), Error);
  CHECK_THROWS_WITH_AS(RecordFile("/dev/full", RecordFileMode::create),
                       doctest::Contains("not a regular file"), Error);
}

TEST_CASE("when there is no room for a record the ones before it stay whole") {
  const auto path = fresh("full.jsonl");
  RecordFile file(path, RecordFileMode::create);
  file.append("{\"a\":1}");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 20;
  setrlimit(RLIMIT_FSIZE, &small);
  CHECK_THROWS_WITH_AS(file.append("{\"a\":\"too long for what is left\"}"),
                       doctest::Contains("are whole: make room, and go on from there"), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(read_file(path) == "{\"a\":1}\n");
  file.append("{\"a\":2}");
  CHECK(read_file(path) == "{\"a\":1}\n{\"a\":2}\n");
}
