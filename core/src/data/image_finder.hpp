// Image files by what annotation files call them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// How an id becomes the name of a file, where the annotations give no name (region sets, traces,
/// narratives).
enum class ImageNames {
  automatic,  ///< plain, then COCO's names
  plain,      ///< <id>.jpg (Flickr30k, Visual Genome); also .jpeg, .png and .webp
  coco,       ///< the number in twelve digits: COCO_<split>2014_<number>.jpg, then <number>.jpg of 2017
};
/// "auto", "plain", "coco". Throws an Error of kind usage for any other word.
ImageNames image_names_from(std::string_view word);

/// The names to look for, the likeliest first.
std::vector<std::string> image_names_of(const std::string& id, ImageNames names);

/// Looks in several folders, in the order given, in each of them directly and then in the folders that the
/// data sets' own archives unpack to: val2014, train2014, test2014, val2017, train2017, VG_100K_2, VG_100K,
/// flickr30k-images.
class ImageFinder {
 public:
  /// Throws an Error of kind io for a folder that is not there.
  explicit ImageFinder(const std::vector<std::filesystem::path>& folders);

  /// The first file of one of these names (relative paths are fine), or an empty path.
  std::filesystem::path find(const std::vector<std::string>& names) const;

 private:
  std::vector<std::filesystem::path> places_;
};

}  // namespace patchioner
