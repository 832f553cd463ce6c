// Scene graphs as parsers write them, read and united over captions (spec/04 section 11.3).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// A thing in one or several captions, with what is said of it.
struct SceneNode {
  std::string name;
  int64_t captions = 1;  ///< that it occurs in
  std::vector<std::pair<std::string, int64_t>>
      attributes;                      ///< by first appearance, with the captions of each
  std::vector<std::string> relations;  ///< other things, by first appearance, each once
};
using SceneGraph = std::vector<SceneNode>;

/// The text with single spaces around every bracket and comma, without the prompt that a parser may echo.
std::string spaced_scene_graph(std::string_view text);

/// The pieces between ") , (" of a spaced text, without brackets.
std::vector<std::string> scene_graph_segments(const std::string& spaced);

/// The graph of one caption, things by first appearance. "( thing )" counts when it stands alone, "( thing ,
/// attribute )" and "( thing , is , attribute )" say what a thing is like, more fields relate the first to
/// the last; 2 to 9 are read as words. Never fails: what has no name is left out.
SceneGraph read_scene_graph(std::string_view text);

/// Adds what is said of `part` to `whole`: attributes counted together, relations each once.
void unite_into(SceneNode& whole, const SceneNode& part);

/// The graphs of several captions as one: captions and attributes counted, the most frequent thing first and
/// of equally frequent ones the one that came first.
SceneGraph unite_scene_graphs(std::span<const SceneGraph> graphs);

}  // namespace patchioner
