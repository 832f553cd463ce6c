#include "support/files.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

size_t files_in(const std::filesystem::path& folder) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("a committed file has its content and leaves nothing beside it") {
  const TestFolder folder;
  AtomicFile file(folder.path() / "result.txt");
  file.write("hello ");
  file.write("world");
  file.write_at(0, "J", 1);
  file.commit();
  CHECK(read_file(folder.path() / "result.txt") == "Jello world");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file that is not committed leaves the old content and no temporary file") {
  const TestFolder folder;
  write_file(folder.path() / "result.txt", "old");
  {
    AtomicFile file(folder.path() / "result.txt");
    file.write("new");
  }
  CHECK(read_file(folder.path() / "result.txt") == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("large writes arrive in order") {
  const TestFolder folder;
  const std::string large(3'000'000, 'x');
  AtomicFile file(folder.path() / "large");
  file.write("begin");
  file.write(large);
  file.write("end");
  file.commit();
  CHECK(read_file(folder.path() / "large") == "begin" + large + "end");
}

TEST_CASE("a mapping that lets go of its pages keeps what was changed in it, and reads the rest again") {
  const TestFolder folder;
  std::string content(3'000'000, 'x');
  content.back() = 'z';
  write_file(folder.path() / "large", content);
  const auto file = MappedFile::open(folder.path() / "large");
  CHECK(file->text() == content);
  content[1'500'000] = 'y';
  const_cast<char&>(file->text()[1'500'000]) = 'y';
  file->release_pages();
  file->release_pages();
  CHECK(file->text() == content);
  write_file(folder.path() / "empty", "");
  MappedFile::open(folder.path() / "empty")->release_pages();
}

TEST_CASE("a digest of a file is that of its bytes, whatever their number") {
  const TestFolder folder;
  for (const size_t size :
       {size_t{0}, size_t{63}, size_t{64}, (size_t{8} << 20) - 1, (size_t{8} << 20) + 65}) {
    const std::string content(size, 'q');
    write_file(folder.path() / "file", content);
    CHECK(sha256_of_file(folder.path() / "file") == sha256(content));
  }
}

TEST_CASE("writing into a folder that does not exist names the target and the reason") {
  const std::string message = refusal_of([] { write_file("/nowhere/at/all/file.txt", "x"); });
  CHECK(message == "/nowhere/at/all/file.txt: cannot be written: No such file or directory");
}

TEST_CASE("a folder or a device in the place of the target is refused before anything is written") {
  const TestFolder folder;
  const std::filesystem::path taken = folder / "taken";
  std::filesystem::create_directory(taken);
  CHECK(refusal_of([&] { AtomicFile file(taken); }) ==
        taken.string() + ": cannot be written: it is a folder");
  CHECK(refusal_of([] { AtomicFile file("/dev/null"); }) ==
        "/dev/null: cannot be written: it is not a regular file");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a full disk is said at commit and leaves nothing behind") {
  // /dev/full accepts no byte; a link to it stands in for a file on a full disk.
  const TestFolder folder;
  const std::filesystem::path target = folder.path() / "result";
  const std::filesystem::path temporary = target.string() + "." + std::to_string(::getpid()) + ".partial";
  std::filesystem::create_symlink("/dev/full", temporary);
  const std::string message = refusal_of([&] { write_file(target, std::string(2'000'000, 'x')); });
  CHECK(message == target.string() + ": cannot be written: No space left on device; nothing was changed");
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("reading says what is wrong with a path") {
  CHECK(refusal_of([] { read_file("/nowhere/file"); }) ==
        "/nowhere/file: cannot be opened: No such file or directory");
  CHECK(refusal_of([] { read_file("/tmp"); }) == "/tmp: cannot be read: it is a folder");
}

TEST_CASE("an empty file is read as empty") {
  const TestFolder folder;
  write_file(folder.path() / "empty", "");
  CHECK(read_file(folder.path() / "empty").empty());
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
