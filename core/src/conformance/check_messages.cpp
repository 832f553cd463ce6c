#include "conformance/check_messages.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace patchioner {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 6> kTypes = {"begins", "ends", "opened", "log", "refuses", "done"};

}  // namespace

std::string to_line(const CheckMessage& message) {
  const json line = {{"type", kTypes[static_cast<size_t>(message.type)]},
                     {"number", message.number},
                     {"name", message.name},
                     {"asserts", message.asserts},
                     {"gate", message.gate},
                     {"status", static_cast<int>(message.outcome.status)},
                     {"sentence", message.outcome.sentence},
                     {"seconds", message.seconds},
                     {"kind", message.kind},
                     {"version", message.version},
                     {"summary", message.summary},
                     {"text", message.text},
                     {"usage", message.usage},
                     {"complete", message.complete}};
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<CheckMessage> from_line(std::string_view text) {
  const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) {
    return std::nullopt;
  }
  try {
    const auto type = std::find(kTypes.begin(), kTypes.end(), line.at("type").get<std::string>());
    if (type == kTypes.end()) {
      return std::nullopt;
    }
    CheckMessage message;
    message.type = static_cast<CheckMessage::Type>(type - kTypes.begin());
    message.number = line.at("number").get<size_t>();
    message.name = line.at("name").get<std::string>();
    message.asserts = line.at("asserts").get<std::string>();
    message.gate = line.at("gate").get<bool>();
    const int status = line.at("status").get<int>();
    message.outcome.status = status == 0   ? CheckStatus::passed
                             : status == 2 ? CheckStatus::skipped
                                           : CheckStatus::failed;
    message.outcome.sentence = line.at("sentence").get<std::string>();
    message.seconds = line.at("seconds").get<double>();
    message.kind = line.at("kind").get<std::string>();
    message.version = line.at("version").get<std::string>();
    message.summary = line.at("summary").get<std::string>();
    message.text = line.at("text").get<std::string>();
    message.usage = line.at("usage").get<bool>();
    message.complete = line.at("complete").get<bool>();
    return message;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace patchioner
