// The plugin that is checked: opened, made and asked only when a check needs it, so that a child process that
// goes on behind a crash does what it must and no more.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "conformance/aggregator_checks.hpp"
#include "conformance/backbone_checks.hpp"
#include "conformance/decoder_checks.hpp"
#include "conformance/gap_checks.hpp"
#include "conformance/library_checks.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

/// What is to be checked, and how the plugin is made for it.
struct CheckRequest {
  std::filesystem::path file;
  std::string config;                       ///< whose section makes the plugin; empty: its defaults
  std::vector<std::string> overrides;       ///< "gap.temperature=0.02"
  std::vector<std::filesystem::path> path;  ///< folders or libraries to search before the others
  std::vector<std::string> only;  ///< parts of names: of the checks of objects only these are run; empty: all
};

class Workbench {
 public:
  /// Files that checks write go into `scratch`. Throws an Error of kind config or usage for a config or an
  /// override that cannot be read.
  Workbench(CheckRequest request, std::filesystem::path scratch);

  const CheckRequest& request() const { return request_; }
  LibrarySubject& library() { return library_; }

  /// The record of a usable plugin; opens it.
  const PluginRecord& record() { return library_.opened().record; }

  /// Reads the section that makes the plugin, and how it is to compute. Throws an Error of kind config when
  /// the config has no section of this plugin, or a wrong option.
  void read_section();

  /// Makes the plugin's object, once. Throws CheckSkipped when its defaults are not enough, with what to
  /// give, and CheckFailed when it cannot be made.
  void make();

  BackboneSubject& backbone();
  AggregatorSubject& aggregator();
  GapSubject& gap();
  DecoderSubject& decoder();

  /// Lets go of the object and of everything that was computed with it.
  void drop();

 private:
  Value document() const;
  template <class Interface>
  std::shared_ptr<Interface> made(const Value& section);
  std::shared_ptr<const Backbone> text_side();
  template <class Interface>
  Another<Interface> another();
  std::vector<std::string> missing_options() const;  ///< those that are required
  std::vector<std::string> unset_files() const;      ///< options of type path that say nothing
  bool nan_where_empty() const;                      ///< whether rows of NaN are asked for
  DecoderSubject::Reload reloading();

  CheckRequest request_;
  std::filesystem::path scratch_;
  Value config_;  // composed; without a config what the overrides say
  LibrarySubject library_;
  Value section_;  // that makes the plugin; null: not read yet
  CheckSettings settings_;
  std::unique_ptr<PluginHost> host_;
  std::optional<BackboneSubject> backbone_;
  std::optional<AggregatorSubject> aggregator_;
  std::optional<GapSubject> gap_;
  std::optional<DecoderSubject> decoder_;
};

}  // namespace patchioner
