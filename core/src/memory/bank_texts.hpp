// The texts of a memory bank: a JSON array of strings, read and written one by one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace patchioner {

/// `<stem>.texts.json` beside a bank.
std::filesystem::path texts_file_of(const std::filesystem::path& bank);

/// Gives the strings of a JSON array in order; `visit` returns false to stop. Throws an Error of kind data
/// when the file is no array of strings.
void visit_bank_texts(const std::filesystem::path& path, const std::function<bool(std::string text)>& visit);

std::vector<std::string> read_bank_texts(const std::filesystem::path& path);

/// The bytes of a texts file, piece by piece: one text a line. Text must be well-formed UTF-8.
class BankTextsEncoder {
 public:
  /// What to write for the next text.
  std::string next(const std::string& text);
  /// What to write behind the last one.
  std::string end();

 private:
  bool first_ = true;
};

}  // namespace patchioner
