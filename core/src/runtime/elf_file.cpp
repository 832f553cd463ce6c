#include "runtime/elf_file.hpp"

#include <cxxabi.h>
#include <elf.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

#if defined(__x86_64__)
constexpr unsigned kThisMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kThisMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kThisMachine = EM_RISCV;
#else
#error "add this machine's ELF number"
#endif

[[noreturn]] void refuse(std::string sentence) {
  throw Error(ErrorKind::plugin, "{}", sentence);
}

[[noreturn]] void damaged(std::string_view part) {
  refuse(fmt::format("it is a damaged or truncated library ({} lies outside the file)", part));
}

/// The bytes of a file, with every access checked.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class Struct>
  Struct at(uint64_t offset, std::string_view part) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Struct)) {
      damaged(part);
    }
    Struct value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(Struct));
    return value;
  }

  /// The zero-terminated text at `table + index`.
  std::string text(uint64_t table, uint64_t index, std::string_view part) const {
    if (table > bytes_.size() || index > bytes_.size() - table) {
      damaged(part);
    }
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + table + index;
    const size_t room = bytes_.size() - table - index;
    const size_t length = strnlen(begin, room);
    if (length == room) {
      damaged(part);
    }
    return {begin, length};
  }

 private:
  std::span<const std::byte> bytes_;
};

bool looks_like_text(std::string_view content) {
  const std::string_view head = content.substr(0, 512);
  return std::none_of(head.begin(), head.end(),
                      [](unsigned char c) { return c < 0x20 && c != '\n' && c != '\r' && c != '\t'; });
}

void check_identity(std::string_view content) {
  if (content.empty()) {
    refuse("it is empty (0 bytes), not a shared library");
  }
  if (content.substr(0, SELFMAG) != std::string_view(ELFMAG, SELFMAG)) {
    if (content.starts_with("version https://git-lfs")) {
      refuse("it is a Git LFS pointer, not the shared library itself; run git lfs pull");
    }
    refuse(looks_like_text(content) ? "it is a text file, not a shared library"
                                    : "it is no shared library (no ELF header)");
  }
  if (content.size() < sizeof(Elf64_Ehdr)) {
    damaged("the ELF header");
  }
  if (content[EI_CLASS] != ELFCLASS64) {
    refuse("it was built for a 32-bit machine and this program for a 64-bit one");
  }
  if (content[EI_DATA] != ELFDATA2LSB) {
    refuse("it was built for a big-endian machine and this program for a little-endian one");
  }
}

std::vector<std::string> split_paths(const std::string& joined, const std::filesystem::path& file) {
  const std::string origin = std::filesystem::absolute(file).lexically_normal().parent_path().string();
  std::vector<std::string> paths;
  std::istringstream stream(joined);
  for (std::string path; std::getline(stream, path, ':');) {
    for (const std::string_view token : {"$ORIGIN", "${ORIGIN}"}) {
      for (size_t at = path.find(token); at != std::string::npos; at = path.find(token, at + origin.size())) {
        path.replace(at, token.size(), origin);
      }
    }
    if (!path.empty()) {
      paths.push_back(path);
    }
  }
  return paths;
}

/// The dynamic section as (tag, value) pairs, and where the bytes of an address lie in the file.
struct Dynamic {
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Dyn> entries;

  uint64_t offset_of(uint64_t address) const {
    for (const Elf64_Phdr& segment : segments) {
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return segment.p_offset + (address - segment.p_vaddr);
      }
    }
    damaged("an address of the dynamic section");
  }

  /// Where the bytes lie that the entry of this tag gives the address of.
  std::optional<uint64_t> offset_at(int64_t tag) const {
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == tag) {
        return offset_of(entry.d_un.d_ptr);
      }
    }
    return std::nullopt;
  }
};

Dynamic read_dynamic(const Bytes& bytes, const Elf64_Ehdr& header) {
  Dynamic dynamic;
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    damaged("the program header table");
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    dynamic.segments.push_back(
        bytes.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr), "the program header table"));
  }
  for (const Elf64_Phdr& segment : dynamic.segments) {
    // The linker maps what it loads without looking at the file's size, and a missing page ends the process.
    if (segment.p_type == PT_LOAD && segment.p_filesz > 0) {
      (void)bytes.at<std::byte>(segment.p_offset + segment.p_filesz - 1, "a loaded segment");
    }
  }
  for (const Elf64_Phdr& segment : dynamic.segments) {
    if (segment.p_type != PT_DYNAMIC) {
      continue;
    }
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz; at += sizeof(Elf64_Dyn)) {
      const auto entry = bytes.at<Elf64_Dyn>(segment.p_offset + at, "the dynamic section");
      if (entry.d_tag == DT_NULL) {
        return dynamic;
      }
      dynamic.entries.push_back(entry);
    }
  }
  return dynamic;
}

void read_dynamic_names(const Bytes& bytes, const Dynamic& dynamic, ElfFile& file) {
  const uint64_t strings = dynamic.offset_at(DT_STRTAB).value_or(0);
  for (const Elf64_Dyn& entry : dynamic.entries) {
    const auto text = [&] { return bytes.text(strings, entry.d_un.d_val, "the string table"); };
    if (entry.d_tag == DT_NEEDED) {
      file.needed.push_back(text());
    } else if (entry.d_tag == DT_SONAME) {
      file.soname = text();
    } else if (entry.d_tag == DT_RPATH) {
      file.rpath = split_paths(text(), file.path);
    } else if (entry.d_tag == DT_RUNPATH) {
      file.runpath = split_paths(text(), file.path);
    }
  }
}

/// Which version a symbol is bound to, by the number that DT_VERSYM has for it.
using VersionNumbers = std::map<unsigned, std::string>;

constexpr unsigned kVersionNumber = 0x7FFF;  // the bit above says that the symbol is hidden

VersionNumbers read_version_needs(const Bytes& bytes, const Dynamic& dynamic) {
  constexpr std::string_view kPart = "the versions that it needs";
  VersionNumbers numbers;
  const uint64_t strings = dynamic.offset_at(DT_STRTAB).value_or(0);
  for (std::optional<uint64_t> at = dynamic.offset_at(DT_VERNEED); at;) {
    const auto library = bytes.at<Elf64_Verneed>(*at, kPart);
    uint64_t version_at = *at + library.vn_aux;
    for (unsigned i = 0; i < library.vn_cnt; ++i) {
      const auto version = bytes.at<Elf64_Vernaux>(version_at, kPart);
      numbers[version.vna_other & kVersionNumber] = bytes.text(strings, version.vna_name, kPart);
      if (version.vna_next == 0) {
        break;
      }
      version_at += version.vna_next;
    }
    at = library.vn_next == 0 ? std::nullopt : std::optional(*at + library.vn_next);
  }
  return numbers;
}

void read_symbols(const Bytes& bytes, const Elf64_Ehdr& header, const Dynamic& dynamic, ElfFile& file) {
  const VersionNumbers versions = read_version_needs(bytes, dynamic);
  for (const auto& [number, version] : versions) {
    file.versions_needed[version];
  }
  const std::optional<uint64_t> symbol_versions = dynamic.offset_at(DT_VERSYM);
  if (header.e_shentsize != sizeof(Elf64_Shdr)) {
    return;
  }
  const auto section = [&](uint64_t index) {
    return bytes.at<Elf64_Shdr>(header.e_shoff + index * sizeof(Elf64_Shdr), "the section table");
  };
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr symbols = section(i);
    if (symbols.sh_type != SHT_DYNSYM) {
      continue;
    }
    const Elf64_Shdr strings = section(symbols.sh_link);
    file.has_symbol_table = true;
    for (uint64_t i = 0; (i + 1) * sizeof(Elf64_Sym) <= symbols.sh_size; ++i) {
      const auto symbol = bytes.at<Elf64_Sym>(symbols.sh_offset + i * sizeof(Elf64_Sym), "the symbol table");
      if (symbol.st_shndx == SHN_UNDEF && symbol_versions) {
        const auto number =
            bytes.at<Elf64_Half>(*symbol_versions + i * sizeof(Elf64_Half), "the symbols' versions");
        if (const auto version = versions.find(number & kVersionNumber); version != versions.end()) {
          file.versions_needed[version->second].push_back(
              bytes.text(strings.sh_offset, symbol.st_name, "the symbol names"));
        }
      }
      if (symbol.st_shndx != SHN_UNDEF && symbol.st_name != 0 && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC) {
        file.functions.push_back(bytes.text(strings.sh_offset, symbol.st_name, "the symbol names"));
      }
    }
  }
}

}  // namespace

std::string demangled(const std::string& text) {
  const size_t begin = text.find("_Z");
  if (begin == std::string::npos) {
    return text;
  }
  const size_t end = text.find_first_of(" \t,;)", begin);
  const std::string symbol = text.substr(begin, end == std::string::npos ? end : end - begin);
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0
             ? text.substr(0, begin) + readable.get() + (end == std::string::npos ? "" : text.substr(end))
             : text;
}

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "x86 (32 bits)";
    case EM_ARM:
      return "arm (32 bits)";
    case EM_RISCV:
      return "risc-v";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return fmt::format("machine {}", machine);
  }
}

ElfFile ElfFile::read(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(path) && std::filesystem::file_size(path) == 0) {
    check_identity({});  // an empty file cannot be mapped
  }
  const auto mapping = MappedFile::open(path);
  check_identity(mapping->text());
  const Bytes bytes(mapping->bytes());
  const auto header = bytes.at<Elf64_Ehdr>(0, "the ELF header");
  if (header.e_machine != kThisMachine) {
    refuse(fmt::format("it was built for {} and this program for {}", machine_name(header.e_machine),
                       machine_name(kThisMachine)));
  }
  if (header.e_type != ET_DYN) {
    refuse(header.e_type == ET_REL ? "it is an object file, not a shared library; link it with -shared"
                                   : "it is a program or core file, not a shared library");
  }
  ElfFile file;
  file.path = path;
  const Dynamic dynamic = read_dynamic(bytes, header);
  if (dynamic.entries.empty()) {
    refuse("it has no dynamic section, so it is no shared library that can be opened");
  }
  read_dynamic_names(bytes, dynamic, file);
  read_symbols(bytes, header, dynamic, file);
  return file;
}

}  // namespace patchioner
