#include "memory/bank_builder.hpp"

#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <unordered_set>

#include "checkpoint/safetensors.hpp"
#include "memory/bank_texts.hpp"
#include "memory/sample_selector.hpp"
#include "support/append_file.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "support/utf8.hpp"

namespace patchioner {
namespace {

constexpr const char* kFormat = "patchioner-memory-bank/1";
constexpr uint64_t kRowsBetweenSyncs = 65536;

std::filesystem::path with_ending(std::filesystem::path path, const char* ending) {
  path += ending;
  return path;
}

std::filesystem::path journal_of(const std::filesystem::path& target) {
  return with_ending(target, ".partial.json");
}

/// The journal of an unfinished bank, or null when there is none or it is damaged.
nlohmann::ordered_json parse_journal(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    return nullptr;
  }
  nlohmann::ordered_json journal = nlohmann::ordered_json::parse(read_file(file), nullptr, false);
  const bool usable = journal.is_object() && journal.contains("inputs") && journal.contains("texts_sha256") &&
                      journal["texts_sha256"].is_string() && journal.contains("rows") &&
                      journal["rows"].is_number_unsigned() && journal.contains("truncates") &&
                      journal["truncates"].is_boolean();
  return usable ? journal : nlohmann::ordered_json(nullptr);
}

/// Whether the texts of a build that a journal tells of lie in `file`.
bool holds_texts_of(const nlohmann::ordered_json& journal, const std::filesystem::path& file) {
  return !journal.is_null() && std::filesystem::is_regular_file(file) &&
         sha256_of_file(file) == journal["texts_sha256"].get<std::string>();
}

/// Remembers which texts came before by 128 bits of their SHA-256.
class SeenTexts {
 public:
  /// Whether the text is new.
  bool insert(const std::string& text) {
    const std::string digest = sha256(text);
    return seen_.insert({half(digest, 0), half(digest, 16)}).second;
  }

 private:
  using Key = std::pair<uint64_t, uint64_t>;
  struct Hash {
    size_t operator()(const Key& key) const { return key.first; }
  };
  static uint64_t half(const std::string& hexadecimal, size_t position) {
    return std::stoull(hexadecimal.substr(position, 16), nullptr, 16);
  }
  std::unordered_set<Key, Hash> seen_;
};

/// One attempt to build a bank. The files, from first to last: the texts (`<stem>.texts.json.partial`), the
/// journal that says from what and how they were selected, and the bank (`<target>.partial`), whose header is
/// known once the texts are.
class Builder {
 public:
  Builder(const BankBuildOptions& options, const BankEncoder& encoder)
      : options_(options),
        encoder_(encoder),
        texts_(texts_file_of(options.target)),
        partial_texts_(with_ending(texts_, ".partial")),
        journal_(journal_of(options.target)) {}

  BankBuildResult run() {
    check_bank_build(options_);
    describe_inputs();
    AppendFile bank(with_ending(options_.target, ".partial"));
    if (!read_journal()) {
      bank.truncate(0);
      if (!select_texts()) {
        return result_;
      }
    }
    const std::string header = make_header();
    begin(bank, header);
    if (!encode(bank, header.size())) {
      return result_;
    }
    finish(bank);
    return result_;
  }

 private:
  /// All that decides what is in the bank, as JSON. An attempt goes on from another one when these are equal.
  void describe_inputs() {
    nlohmann::ordered_json sources = nlohmann::ordered_json::array();
    for (const BankSource& source : options_.sources) {
      // A file's name may be any bytes; what is recorded is text.
      sources.push_back({{"name", well_formed_utf8(source.name)}, {"sha256", sha256_of_file(source.path)}});
    }
    inputs_ = {{"format", kFormat},
               {"sources", sources},
               {"texts_as", static_cast<int>(options_.format)},
               {"limit", options_.limit},
               {"size", options_.size},
               {"seed", options_.seed},
               {"deduplicate", options_.deduplicate},
               {"batch", options_.batch},
               {"dim", encoder_.dim},
               {"text_fingerprint", encoder_.fingerprint},
               {"metadata", options_.metadata}};
  }

  /// Whether an earlier attempt selected the texts already. It may have been killed when the texts had their
  /// final name and the bank had not.
  bool read_journal() {
    if (!std::filesystem::exists(journal_)) {
      return false;
    }
    const nlohmann::ordered_json journal = parse_journal(journal_);
    // Rows of an attempt that cut long texts are no rows of one that refuses them; the other way round they
    // are.
    if (journal.is_null()) {
      log(LogLevel::warning, "{}: the journal of an unfinished bank is damaged; starting anew",
          journal_.string());
      return false;
    }
    if (journal["inputs"] != inputs_ || (journal["truncates"].get<bool>() && !encoder_.truncates)) {
      if (!options_.overwrite) {
        throw Error(ErrorKind::usage,
                    "{}: there is an unfinished bank of {} texts that was begun with other texts, settings "
                    "or weights; "
                    "give its command again to go on with it, another name, or --force to begin anew",
                    options_.target.string(), journal["rows"].get<uint64_t>());
      }
      log(LogLevel::info, "{}: an unfinished bank with other texts, settings or weights is begun anew",
          options_.target.string());
      return false;
    }
    const bool named = !std::filesystem::exists(partial_texts_);
    if (!holds_texts_of(journal, named ? texts_ : partial_texts_)) {
      log(LogLevel::info, "{}: the texts of the unfinished bank changed; starting anew",
          options_.target.string());
      return false;
    }
    if (named) {
      std::filesystem::rename(texts_, partial_texts_);
    }
    rows_ = journal["rows"].get<uint64_t>();
    texts_digest_ = journal["texts_sha256"].get<std::string>();
    if (journal["truncates"].get<bool>() != encoder_.truncates) {
      write_journal();
    }
    return true;
  }

  void write_journal() const {
    const nlohmann::ordered_json journal = {{"inputs", inputs_},
                                            {"truncates", encoder_.truncates},
                                            {"texts_sha256", texts_digest_},
                                            {"rows", rows_}};
    write_file(journal_, journal.dump(2) + "\n");
  }

  /// Calls `take` for each text of the sources that is not left out, until it returns false. Returns whether
  /// the end was reached without an interrupt.
  template <class Take>
  bool for_each_candidate(Take take) {
    SeenTexts seen;
    int64_t read = 0;
    int64_t duplicates = 0;
    bool going = true;
    for (const BankSource& source : options_.sources) {
      const auto visit = [&](SourceText found) {
        going = !interrupted() && (options_.limit == 0 || read < options_.limit);
        if (!going) {
          return false;
        }
        ++read;
        if (options_.deduplicate && !seen.insert(found.text)) {
          ++duplicates;
          return true;
        }
        take(std::move(found.text));
        return true;
      };
      if (going) {
        const bool kept_input = source.path == bank_input_file(options_.target);
        visit_texts(source.path, options_.format, visit, kept_input ? source.name : source.path.string());
      }
    }
    result_.texts_read = read;
    result_.duplicates = duplicates;
    return !interrupted();
  }

  /// Writes the texts of the bank and the journal. Returns false after an interrupt. What is not complete is
  /// taken away.
  bool select_texts() {
    std::filesystem::remove(journal_);
    bool complete = false;
    try {
      complete = write_texts();
    } catch (...) {
      std::filesystem::remove(partial_texts_);
      throw;
    }
    if (!complete) {
      std::filesystem::remove(partial_texts_);
      return false;
    }
    texts_digest_ = sha256_of_file(partial_texts_);
    write_journal();
    return true;
  }

  bool write_texts() {
    std::unique_ptr<SampleSelector> selector;
    if (options_.size > 0) {
      uint64_t count = 0;
      if (!for_each_candidate([&](std::string) { ++count; })) {
        return false;
      }
      if (static_cast<uint64_t>(options_.size) < count) {
        selector = std::make_unique<SampleSelector>(count, options_.size, options_.seed);
      }
    }
    AppendFile texts(partial_texts_);
    texts.truncate(0);
    BankTextsEncoder encoder;
    std::string buffer;
    rows_ = 0;
    constexpr size_t kBufferBytes = 1 << 20;
    Progress progress("reading texts", "texts", 0);
    const bool complete = for_each_candidate([&](std::string text) {
      progress.advance();
      if (selector != nullptr && !selector->next()) {
        return;
      }
      buffer += encoder.next(text);
      ++rows_;
      if (buffer.size() >= kBufferBytes) {
        texts.append(buffer);
        buffer.clear();
      }
    });
    progress.finish();
    if (!complete) {
      return false;
    }
    if (rows_ == 0) {
      throw Error(ErrorKind::data, "there are no texts to make a memory bank of");
    }
    texts.append(buffer + encoder.end());
    texts.sync();
    return true;
  }

  std::string make_header() const {
    std::vector<std::string> names;
    std::vector<std::string> digests;
    for (const auto& source : inputs_["sources"]) {
      names.push_back(source["name"].get<std::string>());
      digests.push_back(source["sha256"].get<std::string>());
    }
    std::map<std::string, std::string> metadata = options_.metadata;
    metadata["format"] = kFormat;
    metadata["source"] = fmt::format("{}", fmt::join(names, ", "));
    metadata["source_sha256"] = fmt::format("{}", fmt::join(digests, ", "));
    metadata["texts_sha256"] = texts_digest_;
    metadata["text_fingerprint"] = encoder_.fingerprint;
    metadata["deduplicated"] = options_.deduplicate ? "true" : "false";
    if (options_.size > 0) {
      metadata["sample_size"] = std::to_string(options_.size);
      metadata["seed"] = std::to_string(options_.seed);
    }
    if (options_.limit > 0) {
      metadata["limit"] = std::to_string(options_.limit);
    }
    const uint64_t data_bytes = rows_ * row_bytes();
    const nlohmann::ordered_json header = {
        {"__metadata__", metadata},
        {"embeddings",
         {{"dtype", "F32"}, {"shape", {rows_, encoder_.dim}}, {"data_offsets", {0, data_bytes}}}}};
    return safetensors_header(header.dump());
  }

  uint64_t row_bytes() const { return static_cast<uint64_t>(encoder_.dim) * sizeof(float); }

  /// Leaves the header and the whole batches of an earlier attempt in the file: batches are encoded as they
  /// would have been without a stop, so that the result is the same to the byte.
  void begin(AppendFile& bank, const std::string& header) {
    if (!bank.begins_with(header)) {
      bank.truncate(0);
      bank.append(header);
    }
    const uint64_t written = (bank.size() - header.size()) / row_bytes();
    done_ = written >= rows_ ? rows_ : written / options_.batch * options_.batch;
    bank.truncate(header.size() + done_ * row_bytes());
    result_.resumed_rows = static_cast<int64_t>(done_);
  }

  /// Encodes what is not done. Returns false after an interrupt.
  bool encode(AppendFile& bank, uint64_t header_size) {
    Progress progress("encoding texts", "texts", rows_);
    progress.start_at(done_);
    std::vector<std::string> batch;
    uint64_t position = 0;
    uint64_t synced = done_;
    visit_bank_texts(partial_texts_, [&](std::string text) {
      if (position++ < done_) {
        return true;
      }
      batch.push_back(std::move(text));
      if (batch.size() == static_cast<size_t>(options_.batch) || position == rows_) {
        append(bank, batch);
        done_ += batch.size();
        progress.advance(batch.size());
        batch.clear();
        if (done_ - synced >= kRowsBetweenSyncs) {
          bank.sync();
          synced = done_;
        }
      }
      return !interrupted() || done_ == rows_;
    });
    progress.finish();
    result_.rows = static_cast<int64_t>(done_);
    if (done_ == rows_ && bank.size() != header_size + rows_ * row_bytes()) {
      throw Error(ErrorKind::internal, "{}: the memory bank has {} bytes", bank.path().string(), bank.size());
    }
    return done_ == rows_;
  }

  void append(AppendFile& bank, const std::vector<std::string>& batch) const {
    const at::Tensor rows = encoder_.encode(batch).to(at::kCPU, at::kFloat).contiguous();  // [N,D]
    if (rows.dim() != 2 || rows.size(0) != static_cast<int64_t>(batch.size()) ||
        rows.size(1) != encoder_.dim) {
      throw Error(ErrorKind::plugin, "the backbone gave text embeddings of another shape than [{},{}]",
                  batch.size(), encoder_.dim);
    }
    const at::Tensor norms = rows.norm(2, 1);  // [N]
    const at::Tensor good = norms.isfinite().logical_and(norms > 0);
    if (!good.all().item<bool>()) {
      const int64_t bad = good.logical_not().to(at::kByte).argmax().item<int64_t>();
      throw Error(ErrorKind::data,
                  "the embedding of the text \"{}\" is zero or not finite; the weights may be damaged, or "
                  "the precision too small",
                  batch[static_cast<size_t>(bad)]);
    }
    bank.append({reinterpret_cast<const char*>(rows.const_data_ptr<float>()),
                 static_cast<size_t>(rows.numel()) * sizeof(float)});
  }

  /// Texts first: a bank without its texts cannot be opened. After a kill between the two the journal still
  /// knows both.
  void finish(AppendFile& bank) {
    bank.sync();
    std::error_code failed;
    std::filesystem::rename(partial_texts_, texts_, failed);
    if (failed) {
      throw Error(ErrorKind::io, "{}: cannot be written: {}", texts_.string(), failed.message());
    }
    bank.rename(options_.target);
    std::filesystem::remove(journal_);
    result_.finished = true;
  }

  const BankBuildOptions& options_;
  const BankEncoder& encoder_;
  std::filesystem::path texts_;
  std::filesystem::path partial_texts_;
  std::filesystem::path journal_;
  nlohmann::ordered_json inputs_;
  std::string texts_digest_;
  uint64_t rows_ = 0;
  uint64_t done_ = 0;
  BankBuildResult result_;
};

}  // namespace

void check_bank_build(const BankBuildOptions& options) {
  const std::filesystem::path& target = options.target;
  if (target.extension() != ".safetensors") {
    throw Error(ErrorKind::usage, "{}: the name of a memory bank ends in .safetensors", target.string());
  }
  if (options.batch < 1 || options.size < 0 || options.limit < 0) {
    throw Error(ErrorKind::usage,
                "the batch of a memory bank must be at least 1, its size and limit at least 0");
  }
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorKind::io, "{}: the memory bank cannot be written into this folder: {}", folder.string(),
                std::strerror(errno));
  }
  if (std::filesystem::exists(target) && !options.overwrite) {
    throw Error(ErrorKind::usage,
                "{}: this memory bank exists; choose another name, or allow it to be replaced with --force",
                target.string());
  }
  const std::filesystem::path texts = texts_file_of(target);
  const std::filesystem::path journal = journal_of(target);
  if (std::filesystem::exists(texts) && !std::filesystem::exists(target) && !options.overwrite &&
      !holds_texts_of(parse_journal(journal), texts)) {
    throw Error(
        ErrorKind::usage,
        "{}: the texts of the bank would go into this file, which exists and belongs to no bank; choose "
        "another name, or allow it to be replaced with --force",
        texts.string());
  }
  for (const BankSource& source : options.sources) {
    if (source.path == bank_input_file(target)) {
      continue;
    }
    (void)MappedFile::open(source.path);
    for (const auto& written :
         {target, texts, journal, with_ending(target, ".partial"), with_ending(texts, ".partial")}) {
      std::error_code absent;
      if (std::filesystem::equivalent(source.path, written, absent)) {
        throw Error(ErrorKind::usage,
                    "{}: this source would be written over by the bank {}; choose another name for the bank",
                    source.path.string(), target.string());
      }
    }
  }
}

BankBuildResult build_memory_bank(const BankBuildOptions& options, const BankEncoder& encoder) {
  return Builder(options, encoder).run();
}

std::filesystem::path bank_input_file(const std::filesystem::path& target) {
  return with_ending(target, ".partial.input");
}

}  // namespace patchioner
