#include "scaffold/plugin_scaffold.hpp"

#include <unistd.h>

#include <algorithm>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "support/program_layout.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

/// A folder that goes away with the object, unless it was renamed.
class UnfinishedFolder {
 public:
  explicit UnfinishedFolder(fs::path path) : path_(std::move(path)) {}
  ~UnfinishedFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  UnfinishedFolder(const UnfinishedFolder&) = delete;
  UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Absolute, and without a slash behind.
fs::path normal(const fs::path& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

void expect_nothing_there(const fs::path& folder) {
  std::error_code unreadable;
  if (!fs::exists(fs::symlink_status(folder, unreadable))) {
    return;
  }
  if (!fs::is_directory(folder, unreadable)) {
    throw Error(ErrorKind::usage, "{}: is there and is no folder; name one that is not there yet",
                folder.string());
  }
  const bool empty = fs::is_empty(folder, unreadable);
  if (unreadable) {
    throw Error(ErrorKind::io, "{}: the folder cannot be read: {}", folder.string(), unreadable.message());
  }
  if (!empty) {
    throw Error(ErrorKind::usage, "{}: the folder is not empty; name one that is empty or not there yet",
                folder.string());
  }
}

std::vector<fs::path> write_filled_in(const fs::path& templates, const PluginNames& names,
                                      const fs::path& folder) {
  std::vector<fs::path> written;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(templates)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    const std::string place = entry.path().string();
    const fs::path relative = filled_in(entry.path().lexically_relative(templates).string(), names, place);
    make_folder_of(folder / relative);
    write_file(folder / relative, filled_in(read_file(entry.path()), names, place));
    written.push_back(relative);
  }
  return written;
}

/// Puts what `from` holds into `folder`. A folder that is there already stays the same one, since it may be
/// the current folder of a shell.
void move_into_place(const fs::path& from, const fs::path& folder) {
  std::error_code failure;
  if (!fs::exists(folder, failure)) {
    fs::rename(from, folder, failure);
  } else {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
      names.push_back(entry.path().filename());
    }
    for (const fs::path& name : names) {
      if (!failure) {
        fs::rename(from / name, folder / name, failure);
      }
    }
    if (failure) {
      for (const fs::path& name : names) {
        std::error_code ignored;
        fs::remove_all(folder / name, ignored);
      }
    }
  }
  if (failure) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", folder.string(), failure.message());
  }
}

}  // namespace

fs::path plugin_templates(const fs::path& program) {
  const fs::path templates = program_layout(program).files / "templates" / "plugins";
  if (!fs::is_directory(templates / "common")) {
    throw Error(ErrorKind::io,
                "the templates that come with the program are missing (looked for {}); install it again",
                templates.string());
  }
  return templates;
}

std::vector<fs::path> write_plugin_scaffold(const fs::path& templates, const PluginNames& names,
                                            const fs::path& folder) {
  const fs::path target = normal(folder);
  expect_nothing_there(target);
  make_folder(target.parent_path());
  const UnfinishedFolder unfinished(target.string() + fmt::format(".{}.partial", ::getpid()));
  std::vector<fs::path> written;
  for (const std::string& part : {std::string("common"), names.kind}) {
    for (fs::path& file : write_filled_in(templates / part, names, unfinished.path())) {
      written.push_back(std::move(file));
    }
  }
  move_into_place(unfinished.path(), target);
  std::sort(written.begin(), written.end());
  return written;
}

}  // namespace patchioner
