// Runs a fuzz target as an ordinary test: every file of the corpus, every truncation of small ones, and
// deterministic mutations of each.
//
//     fuzz_NAME [--mutations N] FOLDER_OR_FILE...
//
// The input at work lies in `fuzz_NAME.input` beside the test while it runs; after a crash it is the one to
// give as FILE.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "fuzz/mutations.hpp"
#include "support/files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace patchioner {
namespace {

constexpr size_t kMostInput = size_t{1} << 20;
constexpr size_t kEveryTruncationBelow = 600;
constexpr size_t kTruncations = 100;  // of larger files

/// More than any of these small inputs may ask for. Sanitizers reserve address space of their own, so there
/// the limit is left out.
constexpr uint64_t kMostMemory = uint64_t{2} << 30;

/// A file that always holds the input at work, so that nothing is lost when the process dies. Mapped: writing
/// costs no system call.
class InputRecord {
 public:
  explicit InputRecord(const std::filesystem::path& path) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0 || ::ftruncate(descriptor_, kMostInput) != 0) {
      throw Error(ErrorKind::io, "{}: cannot be written", path.string());
    }
    data_ =
        static_cast<char*>(::mmap(nullptr, kMostInput, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0));
    if (data_ == MAP_FAILED) {
      throw Error(ErrorKind::io, "{}: cannot be mapped", path.string());
    }
  }
  void set(std::string_view input) {
    std::memcpy(data_, input.data(), input.size());
    size_ = input.size();
  }
  void cut() const { (void)!::ftruncate(descriptor_, static_cast<off_t>(size_)); }
  void remove() const { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_;
  int descriptor_;
  char* data_;
  size_t size_ = 0;
};

struct CorpusFile {
  std::filesystem::path path;
  std::string content;
};

std::vector<CorpusFile> read_corpus(const std::vector<std::string>& sources) {
  std::vector<std::filesystem::path> paths;
  for (const std::string& source : sources) {
    if (std::filesystem::is_directory(source)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(source)) {
        if (entry.is_regular_file()) {
          paths.push_back(entry.path());
        }
      }
    } else {
      paths.emplace_back(source);
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<CorpusFile> corpus;
  for (const auto& path : paths) {
    std::string content = read_file(path);
    if (content.size() < kMostInput / 2) {
      corpus.push_back({path, std::move(content)});
    }
  }
  return corpus;
}

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  std::ifstream statistics("/proc/self/statm");
  uint64_t pages = 0;
  statistics >> pages;
  const rlim_t limit = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) + kMostMemory;
  const rlimit bounds{limit, limit};
  ::setrlimit(RLIMIT_AS, &bounds);
#endif
}

class Runner {
 public:
  explicit Runner(const std::filesystem::path& record) : record_(record) {}

  void run(std::string_view input) {
    if (input.size() > kMostInput) {
      return;
    }
    record_.set(input);
    ++inputs_;
    try {
      // A copy of its own size, so that a sanitizer sees a read past the end.
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[input.size()]);
      std::copy(input.begin(), input.end(), exact.get());
      LLVMFuzzerTestOneInput(exact.get(), input.size());
    } catch (const std::exception& error) {
      record_.cut();
      std::fprintf(stderr, "input %zu: %s\n", inputs_, error.what());
      throw;
    }
  }

  void truncations(const std::string& content) {
    const size_t step = content.size() <= kEveryTruncationBelow ? 1 : content.size() / kTruncations;
    for (size_t size = 0; size < content.size(); size += step) {
      run(std::string_view(content).substr(0, size));
    }
  }

  void mutations(const std::vector<CorpusFile>& corpus, size_t index, size_t count) {
    Randomness randomness(index * 0x1000193 + count);
    for (size_t i = 0; i < count; ++i) {
      const std::string& other = corpus[randomness.below(corpus.size())].content;
      run(mutate(corpus[index].content, other, randomness));
    }
  }

  size_t inputs() const { return inputs_; }
  void finish() const { record_.remove(); }

 private:
  InputRecord record_;
  size_t inputs_ = 0;
};

int fuzz(int count, char** arguments) {
  size_t mutations = 200;
  std::vector<std::string> sources;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) == "--mutations" && i + 1 < count) {
      mutations = std::stoul(arguments[++i]);
    } else {
      sources.emplace_back(arguments[i]);
    }
  }
  const std::vector<CorpusFile> corpus = read_corpus(sources);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus: give folders or files\n");
    return 2;
  }
  // What a target says to the log about damaged input is not of interest here.
  set_log_sink([](LogLevel, const std::string&) {});
  const auto started = std::chrono::steady_clock::now();
  Runner runner(std::filesystem::path(arguments[0]).filename().string() + ".input");
  for (const CorpusFile& file : corpus) {
    runner.run(file.content);
  }
  limit_memory();
  for (size_t i = 0; i < corpus.size(); ++i) {
    runner.truncations(corpus[i].content);
    runner.mutations(corpus, i, mutations);
  }
  runner.finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
  std::printf("%zu inputs from %zu files in %.1f s\n", runner.inputs(), corpus.size(), elapsed.count());
  return 0;
}

}  // namespace
}  // namespace patchioner

int main(int count, char** arguments) {
  try {
    return patchioner::fuzz(count, arguments);
  } catch (const std::exception&) {
    return 1;
  }
}
