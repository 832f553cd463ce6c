// What decoder.hpp promises of every decoder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <patchioner/decoder.hpp>
#include <span>

#include "conformance/check.hpp"
#include "conformance/tensor_checks.hpp"

namespace patchioner {

/// A decoder that is checked.
class DecoderSubject {
 public:
  /// Makes the decoder with the same options but weights from this file.
  using Reload = std::function<std::shared_ptr<const Decoder>(const std::filesystem::path& weights)>;

  /// `texts` is the backbone whose text side belongs to the decoder; a stand-in serves, and takes its place
  /// where it is null or has no text side of the decoder's width. Without `reload` nothing is saved and
  /// loaded. Files are written into `folder`.
  DecoderSubject(std::shared_ptr<const Decoder> decoder, Another<Decoder> another,
                 std::shared_ptr<const Backbone> texts, Reload reload, std::filesystem::path folder,
                 CheckSettings settings)
      : settings(settings),
        another(std::move(another)),
        reload(std::move(reload)),
        folder(std::move(folder)),
        decoder_(std::move(decoder)),
        texts_(std::move(texts)) {}

  const Decoder& plugin() const { return *decoder_; }

  /// D, at least 1; fails the check otherwise.
  int64_t width() const;

  const Backbone& texts();

  /// Features of some captions in the decoder's space, of unit length, on its device: [4,D].
  const at::Tensor& features();

  /// What `decode` says of them, explained. When it throws, the first check that asks for it fails, those
  /// behind are skipped.
  const std::vector<Caption>& captions();

  const CheckSettings settings;
  const Another<Decoder> another;
  const Reload reload;
  const std::filesystem::path folder;

 private:
  std::shared_ptr<const Decoder> decoder_;
  std::shared_ptr<const Backbone> texts_;
  bool texts_seen_ = false;
  at::Tensor features_;
  std::optional<std::vector<Caption>> captions_;
  bool failed_ = false;
};

std::span<const CheckOf<DecoderSubject>> decoder_checks();

/// The checks of decoders that can be trained, behind the others.
std::span<const CheckOf<DecoderSubject>> training_checks();

}  // namespace patchioner
