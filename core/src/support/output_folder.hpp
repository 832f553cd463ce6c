// Folders that results are written into.
#pragma once

#include <filesystem>
#include <string>

namespace patchioner {

/// Makes the folder and those above it. Throws an Error of kind io that names it when it cannot be made or
/// nothing can be written into it.
void make_folder(const std::filesystem::path& folder);

/// Throws an Error of kind usage when the folder is there and holds something, but not `mark`, the path of a
/// file by which `whose` folders are known ("a sweep's results").
void refuse_foreign_folder(const std::filesystem::path& folder, const std::filesystem::path& mark,
                           const std::string& whose);

/// Removes what killed processes left of unfinished files (those of AtomicFile, <name>.<process>.partial)
/// whose names begin with `beginning`. Those of running processes stay. Never throws: what cannot be removed
/// stays as well.
void remove_abandoned_files(const std::filesystem::path& folder, const std::string& beginning);

}  // namespace patchioner
