#include "script.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

namespace e2e {
namespace {

[[noreturn]] void wrong(size_t line, const std::string& what) {
  throw std::runtime_error(fmt::format("line {}: {}", line, what));
}

bool take_prefix(std::string& text, const std::string& prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.erase(0, prefix.size());
  return true;
}

/// The first word, taken off the text.
std::string take_word(std::string& text) {
  const size_t end = text.find(' ');
  std::string word = text.substr(0, end);
  text.erase(0, end == std::string::npos ? text.size() : end + 1);
  return word;
}

/// \t and \n in expectations stand for a tab and a line end.
std::string unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 't' || text[i + 1] == 'n')) {
      result += text[++i] == 't' ? '\t' : '\n';
    } else {
      result += text[i];
    }
  }
  return result;
}

Expectation parse_expectation(std::string line, size_t number) {
  Expectation expectation;
  expectation.line = number;
  expectation.subject = take_word(line);
  if (expectation.subject == "file") {
    expectation.file = take_word(line);
  } else if (expectation.subject != "out" && expectation.subject != "err") {
    wrong(number, "an expectation begins with out, err or file");
  }
  expectation.relation = take_word(line);
  const bool bare =
      expectation.relation == "empty" || expectation.relation == "absent" || expectation.relation == "exists";
  const bool with_text = expectation.relation == "has" || expectation.relation == "lacks" ||
                         expectation.relation == "is" || expectation.relation == "matches" ||
                         expectation.relation == "lines";
  if (!bare && !with_text) {
    wrong(number, fmt::format("'{}' is none of has, lacks, is, matches, lines, empty, absent, exists",
                              expectation.relation));
  }
  if (with_text && line.empty()) {
    wrong(number, fmt::format("nothing stands after '{}'", expectation.relation));
  }
  expectation.text = expectation.relation == "matches" ? line : unescape(line);
  return expectation;
}

void check_has_steps(const std::vector<Case>& cases) {
  if (!cases.empty() && cases.back().steps.empty()) {
    wrong(cases.back().line, fmt::format("the case '{}' has no '$ COMMAND'", cases.back().name));
  }
}

}  // namespace

std::vector<Case> parse_script(const std::string& text) {
  std::vector<Case> cases;
  std::vector<std::string> needs_of_all;
  std::istringstream lines(text);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    if (take_prefix(line, "case: ")) {
      check_has_steps(cases);
      cases.push_back({number, line, needs_of_all, {}});
      continue;
    }
    if (cases.empty() && take_prefix(line, "needs: ")) {
      needs_of_all.push_back(line);
      continue;
    }
    if (cases.empty()) {
      wrong(number, "stands before the first 'case: NAME'");
    }
    std::vector<Step>& steps = cases.back().steps;
    if (take_prefix(line, "needs: ")) {
      cases.back().needs.push_back(line);
    } else if (take_prefix(line, "$ ")) {
      steps.push_back({number, line, 0, {}});
    } else if (steps.empty()) {
      wrong(number, "stands before the first '$ COMMAND' of its case");
    } else if (take_prefix(line, "> ")) {
      steps.back().command += "\n" + line;
    } else if (take_prefix(line, "exit ")) {
      steps.back().exit_code = std::stoi(line);
    } else {
      steps.back().expectations.push_back(parse_expectation(line, number));
    }
  }
  check_has_steps(cases);
  if (cases.empty()) {
    wrong(number, "there is no 'case: NAME'");
  }
  return cases;
}

}  // namespace e2e
