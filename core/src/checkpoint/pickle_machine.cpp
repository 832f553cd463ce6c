// The opcodes of pickle protocols 0 to 5, as CPython's Lib/pickletools.py documents them, less those that
// torch files never need and that reach outside of the file (extension registry, out-of-band buffers, textual
// persistent ids).
#include <cstring>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/pickle_text.hpp"

namespace patchioner {
namespace {

/// Containers within containers. Real files stay below 20; deeper ones serve to break readers.
constexpr uint32_t kMostDepth = 10'000;

/// A training set of 600,000 captions with embeddings has some 4 million nodes.
constexpr size_t kMostNodes = 8'000'000;

/// Places in containers. Remembered containers can be copied again and again, so this is counted apart from
/// the nodes.
constexpr size_t kMostItems = 4 * kMostNodes;

/// Bytes of names and texts that had to be put together.
constexpr size_t kMostOwnedBytes = size_t{1} << 28;

constexpr int kHighestProtocol = 5;

}  // namespace

class PickleMachine {
 public:
  PickleMachine(const ByteRange& bytes, const std::string& name)
      : text_(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size()), name_(name) {
    graph_.source_ = bytes;
    none_ = add(NodeKind::none);
    false_ = add(NodeKind::boolean);
    true_ = add(NodeKind::boolean);
    graph_.nodes_[true_].integer = 1;
    empty_tuple_ = add(NodeKind::tuple);
  }

  PickleGraph run() {
    while (!stopped_) {
      if (position_ >= text_.size()) {
        refuse("it ends without a stop, so it is cut short");
      }
      opcode_at_ = position_;
      step(static_cast<unsigned char>(text_[position_++]));
    }
    graph_.consumed_ = position_;
    return std::move(graph_);
  }

 private:
  template <class... Arguments>
  [[noreturn]] void refuse(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw Error(ErrorKind::checkpoint, "{}: the pickle is damaged or hostile: {} (at its byte {})", name_,
                fmt::format(format, std::forward<Arguments>(arguments)...), opcode_at_);
  }

  // --- bytes
  // ----------------------------------------------------------------------------------------------------------

  std::string_view take(uint64_t size) {
    if (size > text_.size() - position_) {
      refuse("a length of {} reaches past the end", size);
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
      refuse("a line does not end");
    }
    const std::string_view line = text_.substr(position_, end - position_);
    position_ = end + 1;
    return line;
  }

  /// A length that is stored as a signed number.
  uint64_t take_length() {
    const auto length = take_number<int32_t>();
    if (length < 0) {
      refuse("a length is negative");
    }
    return static_cast<uint64_t>(length);
  }

  // --- nodes and stack
  // ------------------------------------------------------------------------------------------------

  NodeId add(NodeKind kind) {
    if (graph_.nodes_.size() >= kMostNodes) {
      refuse("it describes more than {} objects", kMostNodes);
    }
    graph_.nodes_.emplace_back().kind = kind;
    return static_cast<NodeId>(graph_.nodes_.size() - 1);
  }

  NodeId add_text(NodeKind kind, std::string_view text) {
    const NodeId id = add(kind);
    graph_.nodes_[id].text = text;
    return id;
  }

  NodeId add_owned(NodeKind kind, std::string text) {
    owned_bytes_ += text.size();
    if (owned_bytes_ > kMostOwnedBytes) {
      refuse("its names take more than {} bytes", kMostOwnedBytes);
    }
    return add_text(kind, graph_.owned_.emplace_back(std::move(text)));
  }

  void count_items(size_t count) {
    items_ += count;
    if (items_ > kMostItems) {
      refuse("its containers hold more than {} items", kMostItems);
    }
  }

  NodeId add_container(NodeKind kind, std::vector<NodeId> items) {
    count_items(items.size());
    const NodeId id = add(kind);
    for (const NodeId item : items) {
      deepen(id, item);
    }
    graph_.nodes_[id].items = std::move(items);
    return id;
  }

  /// Notes that `child` lies in `parent`. With cycles this is a lower bound; nothing that walks graphs relies
  /// on it.
  void deepen(NodeId parent, NodeId child) {
    uint32_t& depth = graph_.nodes_[parent].depth;
    depth = std::max(depth, graph_.nodes_[child].depth + 1);
    if (depth > kMostDepth) {
      refuse("it nests containers more than {} levels deep", kMostDepth);
    }
  }

  void append(NodeId container, NodeId item) {
    count_items(1);
    deepen(container, item);
    graph_.nodes_[container].items.push_back(item);
  }

  Node& node(NodeId id) { return graph_.nodes_[id]; }

  void push(NodeId id) { stack_.push_back(id); }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  NodeId top() const {
    if (stack_.size() <= floor()) {
      refuse("it takes from an empty stack");
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
      refuse("it looks for a mark that was never set");
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
    push(add_container(NodeKind::tuple, std::move(items)));
  }

  void push_integer(int64_t value) {
    const NodeId id = add(NodeKind::integer);
    node(id).integer = value;
    push(id);
  }

  void push_number(double value) {
    const NodeId id = add(NodeKind::number);
    node(id).number = value;
    push(id);
  }

  /// Little-endian two's complement of any length.
  void push_long(std::string_view bytes) {
    if (bytes.size() > sizeof(int64_t)) {
      push(add_text(NodeKind::big_integer, bytes));
      return;
    }
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    push_integer(static_cast<int64_t>(value));
  }

  void push_decimal(std::string_view digits) {
    int64_t value = 0;
    if (parse_decimal(digits, value)) {
      push_integer(value);
    } else if (is_decimal(digits)) {
      push(add_text(NodeKind::big_integer, digits));
    } else {
      refuse("'{}' is no integer", digits.substr(0, 40));
    }
  }

  void push_float(std::string_view digits) {
    double value = 0;
    if (!parse_float(digits, value)) {
      refuse("'{}' is no number", digits.substr(0, 40));
    }
    push_number(value);
  }

  // --- memo
  // -----------------------------------------------------------------------------------------------------------

  void remember(uint64_t slot) {
    if (memo_.size() >= kMostNodes) {
      refuse("it remembers more than {} objects", kMostNodes);
    }
    memo_[slot] = top();
  }

  void recall(uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) {
      refuse("it recalls object {}, which was never remembered", slot);
    }
    push(found->second);
  }

  uint64_t take_slot() {
    int64_t slot = 0;
    if (!parse_decimal(take_line(), slot) || slot < 0) {
      refuse("a memo slot is no number");
    }
    return static_cast<uint64_t>(slot);
  }

  // --- objects
  // --------------------------------------------------------------------------------------------------------

  /// The node of a call. Maps and sets become containers, so that what follows can fill them; everything else
  /// stays opaque.
  NodeId call(NodeId callee, NodeId arguments, NodeId keywords = kNoNode) {
    if (node(arguments).kind != NodeKind::tuple) {
      refuse("a call has no tuple of arguments");
    }
    const std::string name =
        node(callee).kind == NodeKind::global ? graph_.qualified_name(callee) : std::string();
    const std::vector<NodeId> items = node(arguments).items;
    if (name == "collections.OrderedDict" || name == "builtins.dict" || name == "__builtin__.dict") {
      return add_container(NodeKind::dict, items.empty() ? std::vector<NodeId>{} : pairs_of(items[0]));
    }
    if (name == "builtins.set" || name == "__builtin__.set" || name == "builtins.frozenset" ||
        name == "__builtin__.frozenset") {
      return add_container(NodeKind::set, items.empty() ? std::vector<NodeId>{} : node(items[0]).items);
    }
    const NodeId object = add_container(NodeKind::object, items);
    node(object).callee = callee;
    deepen(object, callee);
    if (keywords != kNoNode) {
      deepen(object, keywords);
    }
    return object;
  }

  /// Keys and values of a list of pairs, or of a map.
  std::vector<NodeId> pairs_of(NodeId list) {
    if (node(list).kind == NodeKind::dict) {
      return node(list).items;
    }
    std::vector<NodeId> flat;
    for (const NodeId pair : node(list).items) {
      if (node(pair).items.size() != 2) {
        refuse("a map is made of something that is no list of pairs");
      }
      flat.push_back(node(pair).items[0]);
      flat.push_back(node(pair).items[1]);
    }
    return flat;
  }

  void set_items(NodeId target, const std::vector<NodeId>& pairs) {
    if (pairs.size() % 2 != 0) {
      refuse("a map gets a key without a value");
    }
    if (node(target).kind == NodeKind::dict) {
      for (const NodeId item : pairs) {
        append(target, item);
      }
    } else if (node(target).kind != NodeKind::object) {
      refuse("keys and values are put into something that is no map");
    }
  }

  void add_items(NodeId target, const std::vector<NodeId>& items, NodeKind wanted) {
    if (node(target).kind == wanted) {
      for (const NodeId item : items) {
        append(target, item);
      }
    } else if (node(target).kind != NodeKind::object) {
      refuse("items are added to something that does not take them");
    }
  }

  void build() {
    const NodeId state = pop();
    const NodeId target = top();
    if (node(target).kind == NodeKind::object) {
      node(target).state = state;
      deepen(target, state);
    }  // on a map it is the metadata of a state dict, which nobody reads
  }

  void push_global(std::string_view module, std::string_view name) {
    push(add_owned(NodeKind::global, fmt::format("{}\n{}", module, name)));
  }

  void stack_global() {
    const NodeId name = pop();
    const NodeId module = pop();
    if (node(name).kind != NodeKind::text || node(module).kind != NodeKind::text) {
      refuse("the name of a class is no text");
    }
    push_global(node(module).text, node(name).text);
  }

  void persistent() {
    const NodeId id = pop();
    const Node& tuple = node(id);
    const bool named =
        tuple.kind == NodeKind::tuple && !tuple.items.empty() && node(tuple.items[0]).kind == NodeKind::text;
    const std::string_view what = named ? node(tuple.items[0]).text : std::string_view();
    if (what == "module") {
      throw Error(
          ErrorKind::checkpoint,
          "{}: this is a whole pickled Python module; load it in Python and save its state_dict() instead",
          name_);
    }
    if (what != "storage" || tuple.items.size() < 5 || tuple.items.size() > 6) {
      refuse("a persistent id is no ('storage', type, key, location, count)");
    }
    push(add_container(NodeKind::persistent, {id}));
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (const auto protocol = take_number<uint8_t>(); protocol > kHighestProtocol) {
          refuse("protocol {} is not known", protocol);
        }
        break;
      case 0x95:  // FRAME
        if (take_number<uint64_t>() > text_.size() - position_) {
          refuse("a frame reaches past the end");
        }
        break;
      case '.':  // STOP
        graph_.root_ = pop();
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
        push(none_);
        break;
      case 0x88:  // NEWTRUE
        push(true_);
        break;
      case 0x89:  // NEWFALSE
        push(false_);
        break;
      case 'J':  // BININT
        push_integer(take_number<int32_t>());
        break;
      case 'K':  // BININT1
        push_integer(take_number<uint8_t>());
        break;
      case 'M':  // BININT2
        push_integer(take_number<uint16_t>());
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
          push(line == "01" ? true_ : false_);
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
        push_number(big_endian_double(take(sizeof(double))));
        break;

      case 'X':  // BINUNICODE
        push(add_text(NodeKind::text, take(take_number<uint32_t>())));
        break;
      case 0x8c:  // SHORT_BINUNICODE
        push(add_text(NodeKind::text, take(take_number<uint8_t>())));
        break;
      case 0x8d:  // BINUNICODE8
        push(add_text(NodeKind::text, take(take_number<uint64_t>())));
        break;
      case 'V':  // UNICODE
        push(add_owned(NodeKind::text, unescape_unicode(take_line())));
        break;
      case 'S': {  // STRING
        std::string content;
        if (!unquote_string(take_line(), content)) {
          refuse("a text is not quoted");
        }
        push(add_owned(NodeKind::text, std::move(content)));
        break;
      }
      case 'T':  // BINSTRING
        push(add_text(NodeKind::text, take(take_length())));
        break;
      case 'U':  // SHORT_BINSTRING
        push(add_text(NodeKind::text, take(take_number<uint8_t>())));
        break;
      case 'B':  // BINBYTES
        push(add_text(NodeKind::bytes, take(take_number<uint32_t>())));
        break;
      case 'C':  // SHORT_BINBYTES
        push(add_text(NodeKind::bytes, take(take_number<uint8_t>())));
        break;
      case 0x8e:  // BINBYTES8
      case 0x96:  // BYTEARRAY8
        push(add_text(NodeKind::bytes, take(take_number<uint64_t>())));
        break;

      case ')':  // EMPTY_TUPLE
        push(empty_tuple_);
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
        push(add_container(NodeKind::tuple, pop_to_mark()));
        break;
      case ']':  // EMPTY_LIST
        push(add(NodeKind::list));
        break;
      case 'l':  // LIST
        push(add_container(NodeKind::list, pop_to_mark()));
        break;
      case 'a': {  // APPEND
        const NodeId item = pop();
        add_items(top(), {item}, NodeKind::list);
        break;
      }
      case 'e': {  // APPENDS
        const std::vector<NodeId> items = pop_to_mark();
        add_items(top(), items, NodeKind::list);
        break;
      }
      case '}':  // EMPTY_DICT
        push(add(NodeKind::dict));
        break;
      case 'd': {  // DICT
        const std::vector<NodeId> items = pop_to_mark();
        push(add(NodeKind::dict));
        set_items(top(), items);
        break;
      }
      case 's': {  // SETITEM
        const NodeId value = pop();
        const NodeId key = pop();
        set_items(top(), {key, value});
        break;
      }
      case 'u': {  // SETITEMS
        const std::vector<NodeId> items = pop_to_mark();
        set_items(top(), items);
        break;
      }
      case 0x8f:  // EMPTY_SET
        push(add(NodeKind::set));
        break;
      case 0x90: {  // ADDITEMS
        const std::vector<NodeId> items = pop_to_mark();
        add_items(top(), items, NodeKind::set);
        break;
      }
      case 0x91:  // FROZENSET
        push(add_container(NodeKind::set, pop_to_mark()));
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
        push_global(module, take_line());
        break;
      }
      case 0x93:  // STACK_GLOBAL
        stack_global();
        break;
      case 'R':     // REDUCE
      case 0x81: {  // NEWOBJ
        const NodeId arguments = pop();
        const NodeId callee = pop();
        push(call(callee, arguments));
        break;
      }
      case 0x92: {  // NEWOBJ_EX
        const NodeId keywords = pop();
        const NodeId arguments = pop();
        const NodeId callee = pop();
        push(call(callee, arguments, keywords));
        break;
      }
      case 'o': {  // OBJ
        std::vector<NodeId> items = pop_to_mark();
        if (items.empty()) {
          refuse("an object has no class");
        }
        const NodeId callee = items.front();
        items.erase(items.begin());
        push(call(callee, add_container(NodeKind::tuple, std::move(items))));
        break;
      }
      case 'i': {  // INST
        const std::string_view module = take_line();
        const std::string_view name = take_line();
        const NodeId arguments = add_container(NodeKind::tuple, pop_to_mark());
        push_global(module, name);
        const NodeId callee = pop();
        push(call(callee, arguments));
        break;
      }
      case 'b':  // BUILD
        build();
        break;
      case 'Q':  // BINPERSID
        persistent();
        break;

      default:
        refuse("opcode 0x{:02x} is not known or not allowed", opcode);
    }
  }

  std::string_view text_;
  const std::string& name_;
  size_t position_ = 0;
  size_t opcode_at_ = 0;
  bool stopped_ = false;
  size_t items_ = 0;
  size_t owned_bytes_ = 0;
  PickleGraph graph_;
  NodeId none_;
  NodeId false_;
  NodeId true_;
  NodeId empty_tuple_;
  std::vector<NodeId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, NodeId> memo_;
};

bool PickleGraph::in_source(std::string_view text) const {
  const auto* start = reinterpret_cast<const char*>(source_.bytes.data());
  return std::less_equal<>()(start, text.data()) &&
         std::less_equal<>()(text.data() + text.size(), start + source_.bytes.size());
}

std::string PickleGraph::qualified_name(NodeId id) const {
  if (is(id, NodeKind::object)) {
    id = nodes_[id].callee;
  }
  if (!is(id, NodeKind::global)) {
    return {};
  }
  std::string name(nodes_[id].text);
  std::replace(name.begin(), name.end(), '\n', '.');
  return name;
}

NodeId PickleGraph::find(NodeId dict, std::string_view key) const {
  if (!is(dict, NodeKind::dict)) {
    return kNoNode;
  }
  NodeId found = kNoNode;
  const std::vector<NodeId>& items = nodes_[dict].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (nodes_[items[i]].kind == NodeKind::text && nodes_[items[i]].text == key) {
      found = items[i + 1];
    }
  }
  return found;
}

PickleGraph read_pickle(const ByteRange& bytes, const std::string& name) {
  return PickleMachine(bytes, name).run();
}

}  // namespace patchioner
