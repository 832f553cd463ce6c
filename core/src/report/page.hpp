// One self-contained HTML page of captioned images: no other file, no network. The photographs are embedded,
// the regions drawn over them as SVG, heat maps laid over on demand; it follows the reader's light or dark
// setting and works without scripts.
#pragma once

#include <filesystem>

#include "report/shown.hpp"
#include "support/files.hpp"

namespace patchioner {

/// Whether a file was written by PageWriter; false for what cannot be read.
bool is_caption_page(const std::filesystem::path& path);

struct PageHeader {
  std::string title = "Captions";
  std::vector<std::string> chain;           ///< the plugins, in the order in which a feature meets them
  std::vector<ShownMeasure> measures = {};  ///< of all captions together; may be empty
  std::string summary = {};                 ///< below the title; empty: how many images and regions
};

/// Writes image by image, so that a page of any length takes little memory. Nothing is left behind without
/// commit(). [one-thread]
class PageWriter {
 public:
  /// Throws an Error of kind io when the file cannot be written; so do the others.
  PageWriter(const std::filesystem::path& path, const PageHeader& header);

  /// A heading, and a sentence on what follows, which may be empty; both plain text.
  void section(const std::string& title, const std::string& note);
  /// HTML as it is: tables and plots. Texts of others in it must be escaped (escape_html).
  void block(const std::string& html);
  void add(const ShownImage& image);
  void commit();

 private:
  std::string photo(const ShownImage& image);
  void write_counts();
  AtomicFile file_;
  uint64_t summary_offset_ = 0;
  bool counts_ = true;  ///< the line below the title is known last
  size_t images_ = 0;
  size_t regions_ = 0;
  size_t errors_ = 0;
};

}  // namespace patchioner
