// What can be checked of a plugin's file before any of its objects is made: what holds for all four kinds.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "conformance/check.hpp"
#include "runtime/plugin_library.hpp"

namespace patchioner {

/// A file that should be a plugin.
class LibrarySubject {
 public:
  /// `directories` are searched for plugins before PATCHIONER_PLUGIN_PATH, as the config says it.
  LibrarySubject(std::filesystem::path file, std::vector<std::filesystem::path> directories)
      : file_(std::move(file)), directories_(std::move(directories)) {}

  const std::filesystem::path& file() const { return file_; }  ///< as it was given
  const std::vector<std::filesystem::path>& directories() const { return directories_; }

  /// The opened library; opens it when it is first asked for, which runs its static constructors.
  const PluginLibrary& opened() const;

 private:
  std::filesystem::path file_;
  std::vector<std::filesystem::path> directories_;
  mutable std::shared_ptr<const PluginLibrary> library_;
};

/// In order: those in front decide whether those behind can be run. The first four open nothing.
std::span<const CheckOf<LibrarySubject>> library_checks();

/// The checks on what is remarkable about a plugin that can be used.
std::span<const CheckOf<LibrarySubject>> declaration_checks();

}  // namespace patchioner
