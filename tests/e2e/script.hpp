// The test scripts: cases, steps and what is expected of them.
#pragma once

#include <string>
#include <vector>

namespace e2e {

/// One line of expectation: of what ("out", "err", "exit", "file NAME"), in which way ("has", "is" ...),
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

/// Throws std::runtime_error with the line of the first mistake.
std::vector<Case> parse_script(const std::string& text);

}  // namespace e2e
