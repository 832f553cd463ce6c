// The opcodes of pickle protocols 0 to 5, as CPython's Lib/pickletools.py documents them, less those that
// torch files never need and that reach outside of the file (extension registry, out-of-band buffers, textual
// persistent ids).
#include <cstring>
#include <unordered_map>

#include "checkpoint/pickle_builder.hpp"
#include "checkpoint/pickle_text.hpp"

namespace patchioner {
namespace {

constexpr int kHighestProtocol = 5;

/// Objects that a pickle may remember.
constexpr size_t kMostRemembered = 8'000'000;

class PickleMachine {
 public:
  PickleMachine(const ByteRange& bytes, const std::string& name)
      : text_(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size()), builder_(bytes, name) {}

  PickleGraph run() {
    while (!stopped_) {
      if (position_ >= text_.size()) {
        builder_.refuse("it ends without a stop, so it is cut short");
      }
      builder_.set_place(position_);
      step(static_cast<unsigned char>(text_[position_++]));
    }
    return builder_.finish(pop(), position_);
  }

 private:
  std::string_view take(uint64_t size) {
    if (size > text_.size() - position_) {
      builder_.refuse("a length of {} reaches past the end", size);
    }
    const std::string_view taken = text_.substr(position_, size);
    position_ += size;
    return taken;
  }

  template <class Number>
  Number take_number() {
    Number number;
    std::memcpy(&number, take(sizeof number).data(), sizeof number);
    return number;
  }

  std::string_view take_line() {
    const size_t end = text_.find('\n', position_);
    if (end == std::string_view::npos) {
      builder_.refuse("a line does not end");
    }
    const std::string_view line = text_.substr(position_, end - position_);
    position_ = end + 1;
    return line;
  }

  /// A length that is stored as a signed number.
  uint64_t take_length() {
    const auto length = take_number<int32_t>();
    if (length < 0) {
      builder_.refuse("a length is negative");
    }
    return static_cast<uint64_t>(length);
  }

  void push(NodeId id) { stack_.push_back(id); }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  NodeId top() const {
    if (stack_.size() <= floor()) {
      builder_.refuse("it takes from an empty stack");
    }
    return stack_.back();
  }

  NodeId pop() {
    const NodeId id = top();
    stack_.pop_back();
    return id;
  }

  /// Everything above the topmost mark; the mark goes too.
  std::vector<NodeId> pop_to_mark() {
    if (marks_.empty()) {
      builder_.refuse("it looks for a mark that was never set");
    }
    std::vector<NodeId> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  void push_tuple(size_t count) {
    std::vector<NodeId> items(count);
    for (size_t i = count; i-- > 0;) {
      items[i] = pop();
    }
    push(builder_.add_container(NodeKind::tuple, std::move(items)));
  }

  /// Little-endian two's complement of any length.
  void push_long(std::string_view bytes) {
    if (bytes.size() > sizeof(int64_t)) {
      push(builder_.add_text(NodeKind::big_integer, bytes));
      return;
    }
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    push(builder_.add_integer(static_cast<int64_t>(value)));
  }

  void push_decimal(std::string_view digits) {
    int64_t value = 0;
    if (parse_decimal(digits, value)) {
      push(builder_.add_integer(value));
    } else if (is_decimal(digits)) {
      push(builder_.add_text(NodeKind::big_integer, digits));
    } else {
      builder_.refuse("'{}' is no integer", digits.substr(0, 40));
    }
  }

  void push_float(std::string_view digits) {
    double value = 0;
    if (!parse_float(digits, value)) {
      builder_.refuse("'{}' is no number", digits.substr(0, 40));
    }
    push(builder_.add_number(value));
  }

  void remember(uint64_t slot) {
    if (memo_.size() >= kMostRemembered) {
      builder_.refuse("it remembers more than {} objects", kMostRemembered);
    }
    memo_[slot] = top();
  }

  void recall(uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) {
      builder_.refuse("it recalls object {}, which was never remembered", slot);
    }
    push(found->second);
  }

  uint64_t take_slot() {
    int64_t slot = 0;
    if (!parse_decimal(take_line(), slot) || slot < 0) {
      builder_.refuse("a memo slot is no number");
    }
    return static_cast<uint64_t>(slot);
  }

  void stack_global() {
    const NodeId name = pop();
    const NodeId module = pop();
    if (builder_[name].kind != NodeKind::text || builder_[module].kind != NodeKind::text) {
      builder_.refuse("the name of a class is no text");
    }
    push(builder_.add_global(builder_[module].text, builder_[name].text));
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (const auto protocol = take_number<uint8_t>(); protocol > kHighestProtocol) {
          builder_.refuse("protocol {} is not known", protocol);
        }
        break;
      case 0x95:  // FRAME
        if (take_number<uint64_t>() > text_.size() - position_) {
          builder_.refuse("a frame reaches past the end");
        }
        break;
      case '.':  // STOP
        stopped_ = true;
        break;

      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case '0':  // POP
        if (!marks_.empty() && stack_.size() == marks_.back()) {
          marks_.pop_back();
        } else {
          pop();
        }
        break;
      case '1':  // POP_MARK
        pop_to_mark();
        break;
      case '2':  // DUP
        push(top());
        break;

      case 'N':  // NONE
        push(builder_.none());
        break;
      case 0x88:  // NEWTRUE
        push(builder_.boolean(true));
        break;
      case 0x89:  // NEWFALSE
        push(builder_.boolean(false));
        break;
      case 'J':  // BININT
        push(builder_.add_integer(take_number<int32_t>()));
        break;
      case 'K':  // BININT1
        push(builder_.add_integer(take_number<uint8_t>()));
        break;
      case 'M':  // BININT2
        push(builder_.add_integer(take_number<uint16_t>()));
        break;
      case 0x8a:  // LONG1
        push_long(take(take_number<uint8_t>()));
        break;
      case 0x8b:  // LONG4
        push_long(take(take_length()));
        break;
      case 'I': {  // INT, and the booleans of protocol 1
        const std::string_view line = take_line();
        if (line == "00" || line == "01") {
          push(builder_.boolean(line == "01"));
        } else {
          push_decimal(line);
        }
        break;
      }
      case 'L': {  // LONG
        std::string_view line = take_line();
        if (line.ends_with('L')) {
          line.remove_suffix(1);
        }
        push_decimal(line);
        break;
      }
      case 'F':  // FLOAT
        push_float(take_line());
        break;
      case 'G':  // BINFLOAT, the one big-endian number
        push(builder_.add_number(big_endian_double(take(sizeof(double)))));
        break;

      case 'X':  // BINUNICODE
        push(builder_.add_unicode(take(take_number<uint32_t>())));
        break;
      case 0x8c:  // SHORT_BINUNICODE
        push(builder_.add_unicode(take(take_number<uint8_t>())));
        break;
      case 0x8d:  // BINUNICODE8
        push(builder_.add_unicode(take(take_number<uint64_t>())));
        break;
      case 'V':  // UNICODE
        push(builder_.add_owned(NodeKind::text, unescape_unicode(take_line())));
        break;
      case 'S': {  // STRING
        std::string content;
        if (!unquote_string(take_line(), content)) {
          builder_.refuse("a text is not quoted");
        }
        push(builder_.add_owned(NodeKind::text, std::move(content)));
        break;
      }
      case 'T':  // BINSTRING
        push(builder_.add_text(NodeKind::text, take(take_length())));
        break;
      case 'U':  // SHORT_BINSTRING
        push(builder_.add_text(NodeKind::text, take(take_number<uint8_t>())));
        break;
      case 'B':  // BINBYTES
        push(builder_.add_text(NodeKind::bytes, take(take_number<uint32_t>())));
        break;
      case 'C':  // SHORT_BINBYTES
        push(builder_.add_text(NodeKind::bytes, take(take_number<uint8_t>())));
        break;
      case 0x8e:  // BINBYTES8
      case 0x96:  // BYTEARRAY8
        push(builder_.add_text(NodeKind::bytes, take(take_number<uint64_t>())));
        break;

      case ')':  // EMPTY_TUPLE
        push(builder_.empty_tuple());
        break;
      case 0x85:  // TUPLE1
        push_tuple(1);
        break;
      case 0x86:  // TUPLE2
        push_tuple(2);
        break;
      case 0x87:  // TUPLE3
        push_tuple(3);
        break;
      case 't':  // TUPLE
        push(builder_.add_container(NodeKind::tuple, pop_to_mark()));
        break;
      case ']':  // EMPTY_LIST
        push(builder_.add(NodeKind::list));
        break;
      case 'l':  // LIST
        push(builder_.add_container(NodeKind::list, pop_to_mark()));
        break;
      case 'a': {  // APPEND
        const NodeId item = pop();
        builder_.add_items(top(), std::array{item}, NodeKind::list);
        break;
      }
      case 'e': {  // APPENDS
        const std::vector<NodeId> items = pop_to_mark();
        builder_.add_items(top(), items, NodeKind::list);
        break;
      }
      case '}':  // EMPTY_DICT
        push(builder_.add(NodeKind::dict));
        break;
      case 'd': {  // DICT
        const std::vector<NodeId> items = pop_to_mark();
        push(builder_.add(NodeKind::dict));
        builder_.set_items(top(), items);
        break;
      }
      case 's': {  // SETITEM
        const NodeId value = pop();
        const NodeId key = pop();
        builder_.set_items(top(), std::array{key, value});
        break;
      }
      case 'u': {  // SETITEMS
        const std::vector<NodeId> items = pop_to_mark();
        builder_.set_items(top(), items);
        break;
      }
      case 0x8f:  // EMPTY_SET
        push(builder_.add(NodeKind::set));
        break;
      case 0x90: {  // ADDITEMS
        const std::vector<NodeId> items = pop_to_mark();
        builder_.add_items(top(), items, NodeKind::set);
        break;
      }
      case 0x91:  // FROZENSET
        push(builder_.add_container(NodeKind::set, pop_to_mark()));
        break;

      case 'q':  // BINPUT
        remember(take_number<uint8_t>());
        break;
      case 'r':  // LONG_BINPUT
        remember(take_number<uint32_t>());
        break;
      case 'p':  // PUT
        remember(take_slot());
        break;
      case 0x94:  // MEMOIZE
        remember(memo_.size());
        break;
      case 'h':  // BINGET
        recall(take_number<uint8_t>());
        break;
      case 'j':  // LONG_BINGET
        recall(take_number<uint32_t>());
        break;
      case 'g':  // GET
        recall(take_slot());
        break;

      case 'c': {  // GLOBAL
        const std::string_view module = take_line();
        push(builder_.add_global(module, take_line()));
        break;
      }
      case 0x93:  // STACK_GLOBAL
        stack_global();
        break;
      case 'R':     // REDUCE
      case 0x81: {  // NEWOBJ
        const NodeId arguments = pop();
        const NodeId callee = pop();
        push(builder_.add_call(callee, arguments));
        break;
      }
      case 0x92: {  // NEWOBJ_EX
        const NodeId keywords = pop();
        const NodeId arguments = pop();
        const NodeId callee = pop();
        push(builder_.add_call(callee, arguments, keywords));
        break;
      }
      case 'o': {  // OBJ
        std::vector<NodeId> items = pop_to_mark();
        if (items.empty()) {
          builder_.refuse("an object has no class");
        }
        const NodeId callee = items.front();
        items.erase(items.begin());
        push(builder_.add_call(callee, builder_.add_container(NodeKind::tuple, std::move(items))));
        break;
      }
      case 'i': {  // INST
        const std::string_view module = take_line();
        const std::string_view name = take_line();
        const NodeId arguments = builder_.add_container(NodeKind::tuple, pop_to_mark());
        push(builder_.add_global(module, name));
        const NodeId callee = pop();
        push(builder_.add_call(callee, arguments));
        break;
      }
      case 'b': {  // BUILD
        const NodeId state = pop();
        builder_.set_state(top(), state);
        break;
      }
      case 'Q':  // BINPERSID
        push(builder_.add_persistent(pop()));
        break;

      default:
        builder_.refuse("opcode 0x{:02x} is not known or not allowed", opcode);
    }
  }

  std::string_view text_;
  PickleBuilder builder_;
  size_t position_ = 0;
  bool stopped_ = false;
  std::vector<NodeId> stack_;
  std::vector<size_t> marks_;  ///< heights of the stack
  std::unordered_map<uint64_t, NodeId> memo_;
};

}  // namespace

PickleGraph read_pickle(const ByteRange& bytes, const std::string& name) {
  return PickleMachine(bytes, name).run();
}

}  // namespace patchioner
