// The test scripts: cases, steps and what is expected of them.
#pragma once

#include <string>
#include <vector>

namespace e2e {

/// One line of expectation: of what ("out", "err", "file" with its name), in which way ("has", "is" ...),
/// which text.
struct Expectation {
  size_t line = 0;
  std::string subject;
  std::string file;
  std::string relation;
  std::string text;
};

struct Step {
  size_t line = 0;
  std::string command;
  int exit_code = 0;
  std::vector<Expectation> expectations;
};

struct Case {
  size_t line = 0;
  std::string name;
  std::vector<std::string> needs;
  std::vector<Step> steps;
};

/// Throws std::runtime_error with the line of the first mistake; a script without a case and a case without a
/// step are mistakes, since they would test nothing.
std::vector<Case> parse_script(const std::string& text);

}  // namespace e2e
