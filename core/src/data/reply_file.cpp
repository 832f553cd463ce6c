#include <patchioner/error.hpp>

#include "data/json_pieces.hpp"
#include "data/narrator_rules.hpp"
#include "data/sentence_rewriter.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

class RuleRewriter : public SentenceRewriter {
 public:
  Replies rewrite(std::span<const std::string> sentences) override {
    Replies replies;
    for (const std::string& sentence : sentences) {
      replies[sentence] = "{" + caption_by_rules(sentence).value_or("<INVALID>") + "}";
    }
    return replies;
  }
};

class ReplyFileRewriter : public SentenceRewriter {
 public:
  explicit ReplyFileRewriter(const std::filesystem::path& path) {
    const auto file = MappedFile::open(path);
    const std::string name = path.string();
    const JsonPiece document = whole_document(file->text(), name);
    const size_t line_end = document.text.find('\n');
    const auto first = nlohmann::json::parse(document.text.substr(0, line_end), nullptr, false);
    if (first.is_object() && first.contains("sentence") && first.contains("reply")) {
      read_lines(document, name);
    } else {
      read_object(document, name);
    }
  }

  Replies rewrite(std::span<const std::string> sentences) override {
    Replies replies;
    for (const std::string& sentence : sentences) {
      if (const auto found = replies_.find(sentence); found != replies_.end()) {
        replies.insert(*found);
      }
    }
    return replies;
  }

 private:
  void read_object(const JsonPiece& document, const std::string& name) {
    if (document.kind() != '{') {
      throw Error(
          ErrorKind::data,
          "{}: replies are an object {{sentence: reply}}, or JSON lines of {{\"sentence\", \"reply\"}}",
          name);
    }
    visit_members(document, name, [&](const JsonPiece& member) {
      const auto reply = parse_piece(member, name);
      if (!reply.is_string()) {
        throw Error(ErrorKind::data, "{}: the reply to \"{}\" (byte {}) is not a text", name, member.key,
                    member.begin);
      }
      replies_[member.key] = reply.get<std::string>();
      return true;
    });
  }

  void read_lines(const JsonPiece& document, const std::string& name) {
    std::string_view rest = document.text;
    for (size_t number = 1; !rest.empty(); ++number) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
        continue;
      }
      const auto json = nlohmann::json::parse(line, nullptr, false);
      const auto is_text = [&](const char* key) {
        return json.is_object() && json.contains(key) && json[key].is_string();
      };
      if (!is_text("sentence") || !is_text("reply")) {
        throw Error(ErrorKind::data, "{}:{}: is no {{\"sentence\": text, \"reply\": text}}", name, number);
      }
      replies_[json["sentence"].get<std::string>()] = json["reply"].get<std::string>();
    }
  }

  Replies replies_;
};

}  // namespace

std::unique_ptr<SentenceRewriter> rule_rewriter() {
  return std::make_unique<RuleRewriter>();
}

std::unique_ptr<SentenceRewriter> reply_file_rewriter(const std::filesystem::path& file) {
  return std::make_unique<ReplyFileRewriter>(file);
}

std::string prompt_for(const std::string& prompt_template, const std::string& sentence) {
  constexpr std::string_view kPlace = "<INPUT CAPTION>";
  const size_t place = prompt_template.rfind(kPlace);
  if (place == std::string::npos) {
    throw Error(ErrorKind::data, "the prompt has no place for the sentence; it says {} where that goes",
                kPlace);
  }
  std::string prompt = prompt_template;
  return prompt.replace(place, kPlace.size(), sentence);
}

}  // namespace patchioner
