// Where the dynamic linker would find the libraries that a file needs: the search order of ld.so(8), without
// loading anything.
#include <dlfcn.h>
#include <fmt/ranges.h>
#include <link.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <patchioner/error.hpp>

#include "runtime/elf_file.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Name to file, as ldconfig left it in /etc/ld.so.cache (format "glibc-ld.so.cache1.1": a 48-byte header,
/// entries of 24 bytes, texts).
std::multimap<std::string, std::string> read_linker_cache() {
  std::multimap<std::string, std::string> cache;
  std::string bytes;
  try {
    bytes = read_file("/etc/ld.so.cache");
  } catch (const Error&) {
    return cache;  // a system without a cache is a valid one
  }
  constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
  constexpr size_t kHeader = 48;
  constexpr size_t kEntry = 24;
  const size_t begin = bytes.find(kMagic);  // an older table may stand in front
  if (begin == std::string::npos) {
    return cache;
  }
  const std::string_view table = std::string_view(bytes).substr(begin);
  const auto number = [&](size_t offset) {
    uint32_t value = 0;
    if (offset + sizeof(value) <= table.size()) {
      std::memcpy(&value, table.data() + offset, sizeof(value));
    }
    return value;
  };
  const auto text = [&](size_t offset) {
    return offset < table.size()
               ? std::string(table.data() + offset, strnlen(table.data() + offset, table.size() - offset))
               : std::string();
  };
  const uint32_t count = number(kMagic.size());
  for (size_t i = 0; i < count && kHeader + (i + 1) * kEntry <= table.size(); ++i) {
    const size_t entry = kHeader + i * kEntry;
    cache.emplace(text(number(entry + 4)), text(number(entry + 8)));
  }
  return cache;
}

/// The libraries of this process by soname and by file name.
std::map<std::string, std::string> loaded_libraries() {
  std::map<std::string, std::string> loaded;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] != '\0') {
          const std::filesystem::path path = info->dlpi_name;
          static_cast<std::map<std::string, std::string>*>(data)->emplace(path.filename().string(),
                                                                          path.string());
        }
        return 0;
      },
      &loaded);
  return loaded;
}

std::vector<std::string> split(const char* joined) {
  std::vector<std::string> parts;
  std::istringstream stream(joined == nullptr ? "" : joined);
  for (std::string part; std::getline(stream, part, ':');) {
    if (!part.empty()) {
      parts.push_back(part);
    }
  }
  return parts;
}

class Search {
 public:
  Dependency find(const std::string& name, const ElfFile& asker) const {
    Dependency dependency{name, asker.path.filename().string(), {}, {}};
    if (name.find('/') != std::string::npos) {
      if (usable(name)) {
        dependency.path = name;
        dependency.how = "full path";
      } else {
        dependency.how = "it is named with its full path, and no such library is there";
      }
      return dependency;
    }
    if (const auto loaded = loaded_.find(name); loaded != loaded_.end()) {
      dependency.path = loaded->second;
      dependency.how = "already loaded";
      return dependency;
    }
    std::vector<std::string> looked;
    const auto in_folders = [&](const std::vector<std::string>& folders, const std::string& how) {
      for (const std::string& folder : folders) {
        const std::filesystem::path candidate = std::filesystem::path(folder) / name;
        if (usable(candidate)) {
          dependency.path = candidate;
          dependency.how = how;
          return true;
        }
        looked.push_back(fmt::format("{} ({})", folder, how));
      }
      return false;
    };
    if ((asker.runpath.empty() && in_folders(asker.rpath, "RPATH")) ||
        in_folders(split(std::getenv("LD_LIBRARY_PATH")), "LD_LIBRARY_PATH") ||
        in_folders(asker.runpath, "RUNPATH")) {
      return dependency;
    }
    const auto [first, last] = cache_.equal_range(name);
    for (auto entry = first; entry != last; ++entry) {
      if (usable(entry->second)) {
        dependency.path = entry->second;
        dependency.how = "linker cache";
        return dependency;
      }
    }
    looked.emplace_back("/etc/ld.so.cache");
    if (in_folders({"/lib64", "/usr/lib64", "/lib", "/usr/lib"}, "system folder")) {
      return dependency;
    }
    dependency.how = fmt::format("looked in {}", fmt::join(looked, ", "));
    return dependency;
  }

 private:
  static bool usable(const std::filesystem::path& path) {
    try {
      (void)ElfFile::read(path);
      return true;
    } catch (const Error&) {
      return false;  // another architecture, or no library at all: the linker passes over it too
    }
  }

  std::multimap<std::string, std::string> cache_ = read_linker_cache();
  std::map<std::string, std::string> loaded_ = loaded_libraries();
};

}  // namespace

std::vector<Dependency> dependencies_of(const ElfFile& file) {
  const Search search;
  std::vector<Dependency> result;
  std::set<std::string> seen;
  std::deque<ElfFile> waiting{file};
  while (!waiting.empty()) {
    const ElfFile asker = std::move(waiting.front());
    waiting.pop_front();
    for (const std::string& name : asker.needed) {
      if (!seen.insert(name).second) {
        continue;
      }
      result.push_back(search.find(name, asker));
      const Dependency& dependency = result.back();
      if (dependency.found() && dependency.how != "already loaded") {  // what is loaded has all that it needs
        waiting.push_back(ElfFile::read(dependency.path));
      }
    }
  }
  return result;
}

}  // namespace patchioner
