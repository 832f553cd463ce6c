// Gzip files, unpacked in memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace patchioner {

/// Whether the content begins as gzip does.
bool is_gzip(std::string_view content);

/// The unpacked content. `place` names the file in messages. Throws an Error of kind data when the content is
/// damaged or cut, or unpacks to more than `most_bytes`.
std::string gunzip(std::string_view content, const std::string& place, size_t most_bytes = size_t{1} << 28);

/// The same, part by part as it is unpacked, for content that need not be in memory at once.
void gunzip_in_parts(std::string_view content, const std::string& place,
                     const std::function<void(std::string_view part)>& use);

}  // namespace patchioner
