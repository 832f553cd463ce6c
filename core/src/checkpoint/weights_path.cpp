// `hf:` paths: the layout of the Hugging Face cache (huggingface_hub documentation, "Understand caching"):
// models--ORG--NAME holds refs/<revision> with a commit, and snapshots/<commit>/<file> as links into blobs/.
#include <fmt/ranges.h>

#include <cstdlib>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kScheme = "hf:";

struct HubPath {
  std::string repository;
  std::string revision;
  std::string file;
};

std::optional<std::filesystem::path> folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::filesystem::path>(value);
}

/// Where the cache lies, by the rules of huggingface_hub.
std::filesystem::path cache_folder() {
  if (const auto folder = folder_from("HF_HUB_CACHE")) {
    return *folder;
  }
  if (const auto folder = folder_from("HUGGINGFACE_HUB_CACHE")) {
    return *folder;
  }
  if (const auto folder = folder_from("HF_HOME")) {
    return *folder / "hub";
  }
  if (const auto folder = folder_from("XDG_CACHE_HOME")) {
    return *folder / "huggingface" / "hub";
  }
  return folder_from("HOME").value_or("/") / ".cache" / "huggingface" / "hub";
}

/// Letters, digits and `extra`, and no part that would leave the folder.
bool is_plain(std::string_view text, std::string_view extra) {
  const bool plain = std::all_of(text.begin(), text.end(), [extra](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || extra.find(c) != std::string_view::npos;
  });
  return plain && !text.empty() && text.find("..") == std::string_view::npos && text.front() != '/' &&
         text.back() != '/';
}

HubPath parse(const std::string& path) {
  std::string_view rest = std::string_view(path).substr(kScheme.size());
  HubPath hub;
  hub.revision = "main";
  if (const size_t colon = rest.find(':'); colon != std::string_view::npos) {
    hub.file = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_plain(hub.file, "._-+/ ")) {
      throw Error(ErrorKind::checkpoint, "{}: '{}' is no file name within a repository", path, hub.file);
    }
  }
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    hub.revision = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_plain(hub.revision, "._-+/")) {
      throw Error(ErrorKind::checkpoint, "{}: '{}' is no revision: give a branch, a tag or a commit", path,
                  hub.revision);
    }
  }
  hub.repository = rest;
  if (!is_plain(hub.repository, "._-/") || std::count(rest.begin(), rest.end(), '/') > 1) {
    throw Error(ErrorKind::checkpoint,
                "{}: a Hugging Face path is written hf:organisation/name[@revision][:file]", path);
  }
  return hub;
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.pop_back();
  }
  return text;
}

/// The snapshot of a revision, or nothing: through refs/, or a commit by its full or shortened name.
std::optional<std::filesystem::path> find_snapshot(const std::filesystem::path& folder,
                                                   const std::string& revision) {
  if (const auto reference = folder / "refs" / revision; std::filesystem::is_regular_file(reference)) {
    const std::string commit = trimmed(read_file(reference));
    if (const auto snapshot = folder / "snapshots" / commit;
        is_plain(commit, "") && std::filesystem::is_directory(snapshot)) {
      return snapshot;
    }
  }
  std::optional<std::filesystem::path> found;
  constexpr size_t kShortestCommit = 7;
  if (std::filesystem::is_directory(folder / "snapshots") && revision.size() >= kShortestCommit) {
    for (const auto& entry : std::filesystem::directory_iterator(folder / "snapshots")) {
      if (entry.path().filename().string().starts_with(revision)) {
        if (found) {
          return std::nullopt;
        }
        found = entry.path();
      }
    }
  }
  return found;
}

}  // namespace

std::filesystem::path resolve_weights(const std::string& path,
                                      const std::vector<std::string>& default_files) {
  if (!path.starts_with(kScheme)) {
    return path;
  }
  const HubPath hub = parse(path);
  const std::vector<std::string> wanted =
      hub.file.empty() ? default_files : std::vector<std::string>{hub.file};
  std::string folder_name = "models--" + hub.repository;
  if (const size_t slash = folder_name.find('/'); slash != std::string::npos) {
    folder_name.replace(slash, 1, "--");
  }
  const std::filesystem::path folder = cache_folder() / folder_name;
  const std::string download =
      fmt::format("hf download {}{}{}", hub.repository, hub.file.empty() ? "" : " '" + hub.file + "'",
                  hub.revision == "main" ? "" : " --revision " + hub.revision);
  const auto snapshot = find_snapshot(folder, hub.revision);
  if (!snapshot) {
    throw Error(ErrorKind::checkpoint, "{}: {} is not in the Hugging Face cache ({}); type: {}", path,
                std::filesystem::exists(folder) ? "the revision '" + hub.revision + "'" : "the model",
                folder.parent_path().string(), download);
  }
  for (const std::string& file : wanted) {
    const std::filesystem::path candidate = *snapshot / file;
    if (std::filesystem::exists(candidate)) {  // a link whose blob is missing does not exist
      return candidate;
    }
    if (std::filesystem::is_symlink(candidate)) {
      throw Error(ErrorKind::checkpoint,
                  "{}: the cached file '{}' is a link to nothing, so a download was interrupted; type: {}",
                  path, file, download);
    }
  }
  throw Error(ErrorKind::checkpoint, "{}: none of {} is in {}; type: {}", path, fmt::join(wanted, ", "),
              snapshot->string(), download);
}

}  // namespace patchioner
