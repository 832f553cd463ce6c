// Pickles put together by hand, opcode by opcode, for tests. Each function gives the bytes that leave one
// object on the stack.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/zip_writer.hpp"

namespace patchioner::pickle {

using Bytes = std::string;

template <class Number>
Bytes raw(Number value) {
  return Bytes(reinterpret_cast<const char*>(&value), sizeof value);
}

inline Bytes text(std::string_view content) {
  return "X" + raw(static_cast<uint32_t>(content.size())) + Bytes(content);
}

inline Bytes bytes(std::string_view content) {
  return "B" + raw(static_cast<uint32_t>(content.size())) + Bytes(content);
}

inline Bytes integer(int64_t value) {
  return "\x8a\x08" + raw(value);
}

inline Bytes joined(const std::vector<Bytes>& items) {
  Bytes all;
  for (const Bytes& item : items) {
    all += item;
  }
  return all;
}

inline Bytes tuple(const std::vector<Bytes>& items) {
  return "(" + joined(items) + "t";
}

inline Bytes integers(const std::vector<int64_t>& values) {
  std::vector<Bytes> items;
  for (const int64_t value : values) {
    items.push_back(integer(value));
  }
  return tuple(items);
}

inline Bytes list(const std::vector<Bytes>& items) {
  return "](" + joined(items) + "e";
}

inline Bytes dict(const std::vector<std::pair<Bytes, Bytes>>& items) {
  Bytes all = "}(";
  for (const auto& [key, value] : items) {
    all += key + value;
  }
  return all + "u";
}

/// A dict with text keys.
inline Bytes dict_of(const std::vector<std::pair<std::string, Bytes>>& items) {
  std::vector<std::pair<Bytes, Bytes>> with_keys;
  for (const auto& [key, value] : items) {
    with_keys.emplace_back(text(key), value);
  }
  return dict(with_keys);
}

inline Bytes global(std::string_view module, std::string_view name) {
  return "c" + Bytes(module) + "\n" + Bytes(name) + "\n";
}

inline Bytes call(const Bytes& callee, const std::vector<Bytes>& arguments) {
  return callee + tuple(arguments) + "R";
}

inline Bytes new_object(std::string_view module, std::string_view name, const Bytes& state) {
  return global(module, name) + ")\x81" + state + "b";
}

inline Bytes storage(std::string_view type, std::string_view key, int64_t elements) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(elements)}) + "Q";
}

inline Bytes tensor_over(const Bytes& storage, int64_t offset, const std::vector<int64_t>& shape,
                         const std::vector<int64_t>& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, integer(offset), integers(shape), integers(strides), "\x89",
               call(global("collections", "OrderedDict"), {})});
}

/// A whole pickle of protocol 2 that holds one object.
inline Bytes whole(const Bytes& object) {
  return "\x80\x02" + object + ".";
}

/// A torch.save archive: the pickle of `object`, and the given storages as "0", "1" ...
inline void write_archive(const std::filesystem::path& path, const Bytes& object,
                          const std::vector<Bytes>& storages = {}) {
  ZipWriter archive(path);
  archive.add("archive/data.pkl", whole(object));
  for (size_t i = 0; i < storages.size(); ++i) {
    archive.add("archive/data/" + std::to_string(i), storages[i]);
  }
  archive.finish();
}

/// The elements of a float storage.
inline Bytes floats(const std::vector<float>& values) {
  return Bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

/// The stream of PyTorch before 1.6.
inline Bytes stream(const Bytes& object,
                    const std::vector<std::pair<std::string, std::vector<float>>>& storages) {
  Bytes all("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  all += whole(integer(1001)) +
         whole(dict({{text("protocol_version"), integer(1001)}, {text("little_endian"), "\x88"}})) +
         whole(object);
  std::vector<Bytes> keys;
  for (const auto& [key, values] : storages) {
    keys.push_back(text(key));
  }
  all += whole(list(keys));
  for (const auto& [key, values] : storages) {
    all += raw(static_cast<int64_t>(values.size())) + floats(values);
  }
  return all;
}

}  // namespace patchioner::pickle
