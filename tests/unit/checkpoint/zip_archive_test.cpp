// Archives: what PyTorch writes is read in place, damage is refused entry by entry.
#include "checkpoint/zip_archive.hpp"

#include <zlib.h>

#include "checkpoint/zip_writer.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

std::string text_of(const ByteRange& range) {
  return std::string(reinterpret_cast<const char*>(range.bytes.data()), range.bytes.size());
}

/// An archive of "a/one" (stored, "hello hello") and "a/two" ("").
std::string small_archive(const TestFolder& folder) {
  ZipWriter writer(folder / "small.zip");
  writer.add("a/one", "hello hello");
  writer.add("a/two", "");
  writer.finish();
  return read_file(folder / "small.zip");
}

std::string refusal(const TestFolder& folder, const std::string& bytes) {
  const auto path = folder.write("bad.zip", bytes);
  const std::string message = refusal_of(ErrorKind::checkpoint, [&] {
    const auto archive = ZipArchive::open(MappedFile::open(path));
    for (const ZipEntry& entry : archive->entries()) {
      archive->read(entry);
    }
  });
  CHECK(contains(message, "bad.zip"));
  return message;
}

/// The bytes with a 16-bit number set at each place where `record` begins, `offset` bytes in.
std::string with_field(std::string bytes, std::string_view record, size_t offset, uint16_t value) {
  const size_t place = bytes.find(record);
  REQUIRE(place != std::string::npos);
  std::memcpy(bytes.data() + place + offset, &value, sizeof value);
  return bytes;
}

constexpr std::string_view kLocal("PK\x03\x04", 4);
constexpr std::string_view kDirectory("PK\x01\x02", 4);
constexpr std::string_view kEnd("PK\x05\x06", 4);

}  // namespace

TEST_CASE("stored entries are read in place, at multiples of 64 bytes") {
  const TestFolder folder;
  small_archive(folder);
  const auto file = MappedFile::open(folder / "small.zip");
  const auto archive = ZipArchive::open(file);
  REQUIRE(archive->entries().size() == 2);
  const ByteRange one = archive->read(*archive->find("a/one"));
  CHECK(text_of(one) == "hello hello");
  CHECK((one.bytes.data() - file->bytes().data()) % 64 == 0);
  CHECK(archive->read(*archive->find("a/two")).bytes.empty());
  CHECK(archive->find("a/three") == nullptr);
}

TEST_CASE("an archive with a comment behind it is found") {
  const TestFolder folder;
  std::string bytes = small_archive(folder);
  bytes = with_field(bytes, kEnd, 20, 7);
  bytes += "comment";
  const auto archive = ZipArchive::open(MappedFile::open(folder.write("c.zip", bytes)));
  CHECK(text_of(archive->read(*archive->find("a/one"))) == "hello hello");
}

TEST_CASE("a truncated archive is refused wherever it was cut") {
  const TestFolder folder;
  const std::string whole = small_archive(folder);
  for (size_t size = 0; size < whole.size(); ++size) {
    refusal(folder, whole.substr(0, size));
  }
}

TEST_CASE("damage is refused and named") {
  const TestFolder folder;
  const std::string whole = small_archive(folder);
  std::string flipped = whole;
  flipped[flipped.find("hello")] = 'j';
  CHECK(contains(refusal(folder, flipped), "'a/one' fails its checksum"));
  CHECK(contains(refusal(folder, with_field(whole, kDirectory, 8, 1)), "encrypted"));
  CHECK(contains(refusal(folder, with_field(whole, kDirectory, 10, 12)), "method 12"));
  CHECK(contains(refusal(folder, with_field(whole, kDirectory, 24, 5)), "two different sizes"));
  CHECK(contains(refusal(folder, with_field(whole, kDirectory, 42, 9)), "not where the directory says"));
  CHECK(contains(refusal(folder, with_field(whole, kDirectory, 44, 99)), "not where the directory says"));
  CHECK(contains(refusal(folder, with_field(whole, kLocal, 8, 8)), "otherwise"));
  CHECK(contains(refusal(folder, with_field(whole, kLocal, 22, 5)), "two different sizes"));
  CHECK(contains(refusal(folder, with_field(whole, kEnd, 10, 500)), "directory"));
  CHECK(contains(refusal(folder, with_field(whole, kEnd, 4, 1)), "several parts"));
  std::string renamed = whole;
  renamed.replace(renamed.find("a/one"), 5, "a/two");
  CHECK(contains(refusal(folder, renamed), "otherwise"));
  std::string twice = whole;
  twice.replace(twice.rfind("a/one"), 5, "a/two");
  CHECK(contains(refusal(folder, twice), "two entries are called 'a/two'"));
}

TEST_CASE("the checksum of an entry that is not read does not matter") {
  const TestFolder folder;
  std::string bytes = small_archive(folder);
  bytes[bytes.find("hello")] = 'j';
  const auto archive = ZipArchive::open(MappedFile::open(folder.write("f.zip", bytes)));
  CHECK(archive->read(*archive->find("a/two")).bytes.empty());
}

TEST_CASE("an entry that claims more than deflate can give is refused before anything is allocated") {
  const TestFolder folder;
  std::string bytes = small_archive(folder);
  bytes = with_field(with_field(bytes, kLocal, 8, Z_DEFLATED), kDirectory, 10, Z_DEFLATED);
  bytes = with_field(with_field(bytes, kLocal, 24, 0x7fff), kDirectory, 26,
                     0x7fff);  // the upper half of the size
  CHECK(contains(refusal(folder, bytes), "which deflate cannot do"));
}

TEST_CASE("a deflated entry whose data is no deflate stream is refused") {
  const TestFolder folder;
  std::string bytes = small_archive(folder);
  bytes = with_field(with_field(bytes, kLocal, 8, Z_DEFLATED), kDirectory, 10, Z_DEFLATED);
  CHECK(contains(refusal(folder, bytes), "does not inflate"));
}
