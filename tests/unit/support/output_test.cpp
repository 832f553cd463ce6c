// What is shown of foreign texts, and locks.
#include <doctest/doctest.h>

#include <filesystem>

#include "refusals.hpp"
#include "support/file_lock.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"
#include "test_folder.hpp"

using namespace patchioner;

TEST_CASE("control characters of foreign texts are not shown, other characters stay") {
  CHECK(printable("caf\xc3\xa9 \xe2\x82\xac") == "caf\xc3\xa9 \xe2\x82\xac");
  CHECK(printable("a\x1b[2J\tb\n\x7f") == "a?[2J?b??");
  CHECK(printable("\xc2\x9b"
                  "2J") == "?2J");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");
  CHECK(printable("\xc2") == "\xc2");
}

TEST_CASE("a lock refuses the second one and leaves no file") {
  const TestFolder folder;
  {
    const FileLock lock(folder / "x.lock", "somebody is at work");
    CHECK(contains(refusal_of(ErrorKind::io, [&] { FileLock(folder / "x.lock", "somebody is at work"); }),
                   "x.lock: somebody is at work"));
    CHECK(std::filesystem::exists(folder / "x.lock"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "x.lock"));
  const FileLock again(folder / "x.lock", "busy");
  CHECK(contains(refusal_of(ErrorKind::io, [&] { FileLock(folder / "no/x.lock", "busy"); }),
                 "cannot be written"));
}

TEST_CASE("a folder is made with those above it, and a file in its place is an error") {
  const TestFolder folder;
  make_folder(folder / "a/b");
  CHECK(std::filesystem::is_directory(folder / "a/b"));
  folder.write("file", "");
  CHECK(contains(refusal_of(ErrorKind::io, [&] { make_folder(folder / "file/b"); }), "cannot be made"));
}
