// Ids of the pieces that texts were split into: words come again and again.
#pragma once

#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace patchioner {

/// Remembers the ids of so many pieces, and of none longer than 64 bytes. [any-thread]
class PieceCache {
 public:
  /// Appends the ids of a piece that is known.
  bool append(const std::string& piece, std::vector<int64_t>& ids) const {
    const std::shared_lock lock(mutex_);
    const auto found = pieces_.find(piece);
    if (found == pieces_.end()) {
      return false;
    }
    ids.insert(ids.end(), found->second.begin(), found->second.end());
    return true;
  }

  void remember(const std::string& piece, std::vector<int32_t> ids) const {
    if (piece.size() > kLongestPiece) {
      return;
    }
    const std::unique_lock lock(mutex_);
    if (pieces_.size() < kMostPieces) {
      pieces_.emplace(piece, std::move(ids));
    }
  }

 private:
  static constexpr size_t kMostPieces = 1u << 17;
  static constexpr size_t kLongestPiece = 64;  // bytes
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<std::string, std::vector<int32_t>> pieces_;
};

}  // namespace patchioner
