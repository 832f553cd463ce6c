// What the command writes must be a place of its own: no output replaces an input, another output, or a file
// that this command did not write.
#include <patchioner/error.hpp>

#include "caption.hpp"

namespace patchioner::caption {
namespace {

namespace fs = std::filesystem;

struct Named {
  std::string option;
  std::string path;
};

/// One name for a file, whatever way it is written; what cannot be followed (a pipe in /proc) keeps its own.
fs::path canonical_of(const fs::path& path) {
  std::error_code failed;
  fs::path canonical = fs::weakly_canonical(path, failed);
  return failed ? path : canonical;
}

}  // namespace

fs::path entry_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return canonical_of(folder.empty() ? "." : folder) / path.filename();
}

std::string config_beside(const std::string& output) {
  return output + ".config.yaml";
}

void check_targets(const Arguments& arguments, const std::deque<Item>& known) {
  std::vector<Named> targets;
  if (!arguments.output.empty()) {
    targets.push_back({"--output", arguments.output});
    targets.push_back({"the config that --output writes beside it", config_beside(arguments.output)});
  }
  if (!arguments.page.empty()) {
    targets.push_back({"--page", arguments.page});
  }
  if (!arguments.coco.empty()) {
    targets.push_back({"--coco", arguments.coco});
  }
  std::map<fs::path, std::string> taken;  // what each file is for
  for (const Item& item : known) {
    if (!item.path.empty()) {
      taken.emplace(canonical_of(item.path), "an image to be captioned");
    }
  }
  if (!arguments.config.empty()) {
    taken.emplace(canonical_of(arguments.config), "the config of this run");
  }
  if (!arguments.regions_file.empty()) {
    taken.emplace(canonical_of(arguments.regions_file), "the file of --regions");
  }
  for (const auto& [option, text] : arguments.regions) {
    if (option == "mask") {
      taken.emplace(canonical_of(text), "the file of --mask");
    }
  }
  for (const Named& target : targets) {
    if (target.path == "-") {
      throw Error(ErrorKind::usage,
                  "{}: '-' is no file; leave the option out and use --json for records on standard output",
                  target.option);
    }
    const auto [place, is_new] = taken.emplace(canonical_of(target.path), target.option);
    if (!is_new) {
      throw Error(ErrorKind::usage, "{}: {} would be written over {}; give another name", target.path,
                  target.option, place->second);
    }
  }
  std::error_code ignored;
  if (!arguments.page.empty() && fs::is_regular_file(arguments.page, ignored) &&
      fs::file_size(arguments.page) > 0 && !is_caption_page(arguments.page)) {
    throw Error(ErrorKind::usage,
                "{}: --page would replace a file that is no page of this command; give another name",
                arguments.page);
  }
  if (!arguments.coco.empty() && fs::is_regular_file(arguments.coco, ignored) &&
      fs::file_size(arguments.coco) > 0 && !CocoFile::is_ours(arguments.coco)) {
    throw Error(ErrorKind::usage,
                "{}: --coco would replace a file that is no result of this command; give another name",
                arguments.coco);
  }
}

}  // namespace patchioner::caption
