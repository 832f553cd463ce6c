// The plain values in a pickled Python object - a config class, a dict of settings - without making the
// object.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace patchioner {

/// The attributes of a pickled object (what its BUILD would set), or the entries of a pickled dict, as a JSON
/// object: booleans, integers, numbers, texts, null, lists, dicts. Integer keys become decimal text; tuples
/// and sets become lists; numbers may be NaN or infinite. What is not plain (classes, tensors, nested
/// objects) is left out. Reads plain pickles, torch.save archives and streams. Throws Error: io, or
/// checkpoint when the file is no pickle, is damaged or hostile, or its object has no plain values.
nlohmann::json read_pickle_plain_values(const std::filesystem::path& path);

}  // namespace patchioner
