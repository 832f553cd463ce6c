#include "report/event_file.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <patchioner/error.hpp>

namespace patchioner {

namespace {

constexpr uint32_t kCastagnoli = 0x82f63b78;  // the polynomial, bits reversed
constexpr uint32_t kMaskDelta = 0xa282ead8;   // TFRecord: stored checksums are rotated and shifted by it

std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    }
    table[byte] = crc;
  }
  return table;
}

uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + kMaskDelta;
}

template <class Number>
void append_fixed(std::string& out, Number value) {
  static_assert(std::endian::native == std::endian::little, "written for little-endian machines");
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Wire types of protocol buffers.
enum class Wire : uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_tag(std::string& out, uint32_t field, Wire wire) {
  append_varint(out, (field << 3) | static_cast<uint32_t>(wire));
}

void append_bytes(std::string& out, uint32_t field, std::string_view content) {
  append_tag(out, field, Wire::bytes);
  append_varint(out, content.size());
  out += content;
}

/// Event: wall_time = 1, step = 2; the content follows.
std::string event_head(double wall_time, int64_t step) {
  std::string event;
  append_tag(event, 1, Wire::fixed64);
  append_fixed(event, wall_time);
  if (step != 0) {
    append_tag(event, 2, Wire::varint);
    append_varint(event, static_cast<uint64_t>(step));
  }
  return event;
}

double now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = make_crc_table();
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  }
  return ~crc;
}

std::string tfrecord(std::string_view content) {
  std::string length;
  append_fixed(length, static_cast<uint64_t>(content.size()));
  std::string record = length;
  append_fixed(record, masked_crc(length));
  record += content;
  append_fixed(record, masked_crc(content));
  return record;
}

std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [name, number] : scalars) {
    std::string value;  // Summary.Value: tag = 1, simple_value = 2
    append_bytes(value, 1, name);
    append_tag(value, 2, Wire::fixed32);
    append_fixed(value, static_cast<float>(number));
    append_bytes(summary, 1, value);  // Summary: value = 1
  }
  std::string event = event_head(wall_time, step);
  append_bytes(event, 5, summary);  // Event: summary = 5
  return event;
}

EventFile::EventFile(const std::filesystem::path& folder, int64_t first_step) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    std::strcpy(host.data(), "localhost");
  }
  const double time = now();
  path_ = folder /
          fmt::format("events.out.tfevents.{}.{}.{}", static_cast<int64_t>(time), host.data(), ::getpid());
  stream_.open(path_, std::ios::binary | std::ios::trunc);
  std::string version = event_head(time, 0);
  append_bytes(version, 3, "brain.Event:2");  // Event: file_version = 3, must come first
  stream_ << tfrecord(version);
  std::string started;  // SessionLog: status = 1, START = 1
  append_tag(started, 1, Wire::varint);
  append_varint(started, 1);
  std::string session = event_head(time, first_step);
  append_bytes(session, 7, started);  // Event: session_log = 7
  stream_ << tfrecord(session);
  flush();
}

void EventFile::add(int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  stream_ << tfrecord(scalar_event(now(), step, scalars));
}

void EventFile::flush() {
  stream_.flush();
  if (!stream_) {
    throw Error(ErrorKind::io, "{}: cannot be written ({})", path_.string(), std::strerror(errno));
  }
}

}  // namespace patchioner
