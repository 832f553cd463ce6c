// Strict YAML on top of yaml-cpp's events: its nodes silently drop duplicate keys, merge keys and later
// documents, so they are never built.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <patchioner/error.hpp>
#include <unordered_set>

#include "config/config.hpp"
#include "config/scalar.hpp"
#include "support/files.hpp"
#include "support/utf8.hpp"

namespace patchioner {
namespace {

constexpr size_t kMostBytes = 16 << 20;
constexpr size_t kMostNodes = 100'000;
constexpr size_t kDeepestNesting = 200;

/// Builds a Value from events; every node knows where it stands. The origin of a map's entry is the place of
/// its key.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& name) : name_(name) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      fail(mark, "a second document begins here; a config is one document");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) {
      fail(mark, "a key is missing in front of ':'");
    }
    add(Value().set_origin(origin(mark)), anchor, 1);
    count(mark, 1);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) {
      fail(mark, "an alias cannot be a key");
    }
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      fail(mark, "this alias stands inside of what it names, which is a cycle");
    }
    count(mark, found->second.nodes);
    Value copy = found->second.value;
    add(std::move(copy), 0, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag == "?" && text == "<<" && wants_key()) {
      fail(mark,
           "merge keys (<<) are not supported; put what is shared in a file and name it under defaults");
    }
    refuse_tag(mark, tag);
    const bool plain = tag == "?" || tag.empty();
    if (wants_key()) {
      Frame& frame = frames_.back();
      if (!frame.keys.insert(text).second) {
        fail(mark, fmt::format("the key '{}' is there twice", text));
      }
      frame.key = text;
      frame.key_origin = origin(mark);
      frame.has_key = true;
      return;
    }
    const Origin place = value_origin(mark);
    add(plain ? parse_plain_scalar(text, place) : Value(text).set_origin(place), anchor, 1);
    count(mark, 1);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Value(Value::List()));
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Value(Value::Map()));
  }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    Value container;
    YAML::anchor_t anchor = 0;
    size_t nodes_before = 0;
    std::unordered_set<std::string> keys;  // of a map
    std::string key;
    Origin key_origin;
    bool has_key = false;
  };
  struct Anchored {
    Value value;
    size_t nodes = 0;
  };

  Origin origin(const YAML::Mark& mark) const { return {name_, mark.line + 1, mark.column + 1}; }

  /// An entry of a map is where its key is.
  Origin value_origin(const YAML::Mark& mark) const {
    return !frames_.empty() && frames_.back().has_key ? frames_.back().key_origin : origin(mark);
  }

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& sentence) const {
    throw Error(ErrorKind::config, "{}: {}", origin(mark).to_string(), sentence);
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(mark, fmt::format("tags are not supported, found {}", tag));
    }
  }

  bool wants_key() const {
    return !frames_.empty() && frames_.back().container.is_map() && !frames_.back().has_key;
  }

  void count(const YAML::Mark& mark, size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMostNodes) {
      fail(mark, fmt::format("the document has more than {} values (aliases count for what they repeat)",
                             kMostNodes));
    }
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value container) {
    refuse_tag(mark, tag);
    if (wants_key()) {
      fail(mark, "a key must be text, not a list or a map");
    }
    if (frames_.size() >= kDeepestNesting) {
      fail(mark, fmt::format("nested deeper than {} levels", kDeepestNesting));
    }
    container.set_origin(value_origin(mark));
    Frame frame;
    frame.container = std::move(container);
    frame.anchor = anchor;
    frame.nodes_before = nodes_;
    frames_.push_back(std::move(frame));
    count(mark, 1);
  }

  void end() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(std::move(frame.container), frame.anchor, nodes_ - frame.nodes_before);
  }

  void add(Value value, YAML::anchor_t anchor, size_t nodes) {
    if (anchor != 0) {
      // What an anchor names is kept a second time, and again for each anchor inside of it.
      anchored_nodes_ += nodes;
      if (anchored_nodes_ > kMostNodes) {
        throw Error(ErrorKind::config,
                    "{}: anchors name more than {} values (those inside one another count again)",
                    value.origin().to_string(), kMostNodes);
      }
      anchors_[anchor] = {value, nodes};
    }
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.container.is_map()) {
      value.set_origin(frame.key_origin);
      frame.container.as_map().emplace_back(std::move(frame.key), std::move(value));
      frame.has_key = false;
    } else {
      frame.container.as_list().push_back(std::move(value));
    }
  }

  const std::string& name_;
  Value root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  size_t anchored_nodes_ = 0;
  int documents_ = 0;
};

/// What yaml-cpp would repair or guess silently: other encodings, control characters, tabs as indentation.
void check_characters(std::string_view text, const std::string& name) {
  Origin origin{name, 1, 1};
  bool indentation = true;
  const size_t ill_formed = first_ill_formed_utf8(text);
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (at == ill_formed) {
      throw Error(ErrorKind::config, "{}: this is no UTF-8 text", origin.to_string());
    }
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F) {
      throw Error(ErrorKind::config, "{}: control character {:#04x}; is this a YAML file?",
                  origin.to_string(), static_cast<unsigned>(c));
    }
    if (indentation && c == '\t') {
      const std::string_view rest = text.substr(at, text.find('\n', at) - at);
      const size_t content = rest.find_first_not_of(" \t\r");
      if (content != std::string_view::npos && rest[content] != '#') {
        throw Error(ErrorKind::config, "{}: a tab in the indentation; YAML wants spaces", origin.to_string());
      }
    }
    indentation = c == '\n' || (indentation && (c == ' ' || c == '\t'));
    if (c == '\n') {
      ++origin.line;
      origin.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // further bytes of a character
      ++origin.column;
    }
  }
}

}  // namespace

Value parse_yaml(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);  // the byte order mark of some editors
  }
  if (text.size() > kMostBytes) {
    throw Error(ErrorKind::config, "{}:1:1: {} bytes are too many for a config (at most {})", name,
                text.size(), kMostBytes);
  }
  check_characters(text, name);
  std::istringstream stream{std::string(text)};
  Builder builder(name);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const Origin origin{name, error.mark.line + 1, error.mark.column + 1};
    throw Error(ErrorKind::config, "{}: {}", origin.to_string(), error.msg);
  }
  Value value = builder.take();
  if (value.origin().file.empty()) {
    value.set_origin({name, 1, 1});  // an empty document
  }
  return value;
}

Value read_yaml(const std::filesystem::path& file) {
  if (std::filesystem::is_regular_file(file) && std::filesystem::file_size(file) == 0) {
    return Value().set_origin({file.string(), 1, 1});
  }
  try {
    return parse_yaml(read_file(file), file.string());
  } catch (const Error& error) {
    throw Error(ErrorKind::config, "{}", error.what());  // a config that cannot be opened is wrong usage too
  }
}

}  // namespace patchioner
