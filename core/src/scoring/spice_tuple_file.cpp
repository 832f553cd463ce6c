#include "scoring/spice_tuple_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <patchioner/error.hpp>
#include <string>
#include <unordered_map>

#include "data/dataset_reading.hpp"
#include "data/json_text.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

constexpr size_t kLongestQuote = 60;

std::string quoted(const OrderedJson& value) {
  return json_text(value).substr(0, kLongestQuote);
}

/// The value of the first of two names that is there.
const OrderedJson& either(const OrderedJson& entry, const char* name, const char* other) {
  if (const auto found = entry.find(name); found != entry.end()) {
    return *found;
  }
  if (const auto found = entry.find(other); found != entry.end()) {
    return *found;
  }
  throw Error(ErrorKind::data, "has no \"{}\"", name);
}

SpiceTuple tuple_of(const OrderedJson& json, const std::string& where) {
  const bool is_tuple =
      json.is_array() && !json.empty() && json.size() <= 3 &&
      std::all_of(json.begin(), json.end(), [](const OrderedJson& part) { return part.is_string(); });
  if (!is_tuple) {
    throw Error(
        ErrorKind::data,
        "{} is {}; a tuple is [object], [object, attribute] or [subject, object, relation], all texts", where,
        quoted(json));
  }
  return json.get<SpiceTuple>();
}

void add_tuples(const OrderedJson& list, const std::string& where, std::vector<SpiceTuple>& tuples) {
  if (!list.is_array()) {
    throw Error(ErrorKind::data, "{} is {}; expected is a list of tuples", where, quoted(list));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    tuples.push_back(tuple_of(list[i], fmt::format("{}[{}]", where, i)));
  }
}

/// Whether the list has a list a reference: its entries hold lists, or nothing.
bool is_by_reference(const OrderedJson& list) {
  return list.is_array() && !list.empty() &&
         std::all_of(list.begin(), list.end(), [](const OrderedJson& entry) {
           return entry.is_array() && (entry.empty() || entry.front().is_array());
         });
}

SpiceItem item_of(const OrderedJson& entry) {
  if (!entry.is_object()) {
    throw Error(ErrorKind::data, "an item is an object with \"image_id\", \"test\" and \"refs\"; found {}",
                quoted(entry));
  }
  SpiceItem item{.id = id_text(either(entry, "image_id", "id")), .candidate = {}, .references = {}};
  try {
    add_tuples(need_key(entry, "test"), "\"test\"", item.candidate);
    const OrderedJson& references = either(entry, "refs", "ref");
    if (is_by_reference(references)) {
      for (size_t i = 0; i < references.size(); ++i) {
        add_tuples(references[i], fmt::format("\"refs\"[{}]", i), item.references);
      }
    } else {
      add_tuples(references, "\"refs\"", item.references);
    }
  } catch (const Error& error) {
    throw error.within(item.id);
  }
  return item;
}

}  // namespace

std::vector<SpiceItem> read_spice_tuples(const std::filesystem::path& path,
                                         std::span<const ScoredCaption> captions) {
  const auto file = MappedFile::open(path);
  const std::string name = path.string();
  std::unordered_map<std::string, SpiceItem> items;
  const JsonPiece document = whole_document(file->text(), name);
  if (document.kind() != '[') {
    throw Error(
        ErrorKind::data,
        "{}: these are no tuples of SPICE; expected is a list of {{\"image_id\", \"test\", \"refs\"}}", name);
  }
  visit_members(document, name, [&](const JsonPiece& piece) {
    const OrderedJson entry = parse_piece(piece, name);
    try {
      SpiceItem item = item_of(entry);
      std::string id = item.id;
      if (!items.emplace(id, std::move(item)).second) {
        throw Error(ErrorKind::data, "{} is there twice", id);
      }
    } catch (const Error& error) {
      throw error.within(fmt::format("{}: item {}", name, piece.number));
    }
    return true;
  });
  std::vector<SpiceItem> result;
  std::vector<std::string> without;
  for (const ScoredCaption& caption : captions) {
    if (const auto found = items.find(caption.id); found != items.end()) {
      result.push_back(found->second);
    } else {
      without.push_back(caption.id);
    }
  }
  if (!without.empty()) {
    throw Error(ErrorKind::data, "{}: no tuples of {}; every caption that is scored must have its item", name,
                some_names(without));
  }
  return result;
}

}  // namespace patchioner
