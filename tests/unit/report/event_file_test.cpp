#include "report/event_file.hpp"

#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using namespace std::string_literals;

TEST_CASE("CRC-32C gives the values of RFC 3720, appendix B.4") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("a record is framed by its length and two masked checksums") {
  // The version event that TensorFlow itself writes first: its length 24 is followed by a3 7f 4b 22 in every
  // event file.
  const std::string record = tfrecord(std::string(24, 'x'));
  CHECK(record.size() == 8 + 4 + 24 + 4);
  CHECK(record.substr(0, 12) == "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22"s);
  CHECK(record.substr(12, 24) == std::string(24, 'x'));
}

TEST_CASE("a scalar event is the protocol buffer message that readers expect") {
  // wall_time 1.5 (field 1, fixed64), step 3 (field 2), summary (field 5) { value (1) { tag (1) "loss",
  // simple_value (2) 2.0 } }
  const std::string expected = "\x09\0\0\0\0\0\0\xf8\x3f\x10\x03\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x40"s;
  CHECK(scalar_event(1.5, 3, {{"loss", 2.0}}) == expected);
}

TEST_CASE("an event file begins with its version and the step that it goes on from") {
  const TestFolder folder;
  EventFile events(folder.path(), 300);
  events.add(300, {{"loss", 0.5}});
  events.flush();
  const std::string text = read_file(events.path());
  CHECK(events.path().filename().string().starts_with("events.out.tfevents."));
  CHECK(text.substr(0, 12) == "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22"s);
  CHECK(contains(text,
                 "\x1a\x0d"
                 "brain.Event:2"));
  CHECK(contains(text, "\x10\xac\x02\x3a\x02\x08\x01"s));  // step 300, session log START
  CHECK(contains(text, "\x0a\x04loss\x15\0\0\0\x3f"s));
}

TEST_CASE("an event file in a folder that is not there is an error with its path") {
  const std::string message = refusal_of(ErrorKind::io, [] { EventFile("/no/such/folder", 0); });
  CHECK(contains(message, "/no/such/folder/events.out.tfevents."));
}

}  // namespace
}  // namespace patchioner
