#include "data/rle.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

// A character carries five bits of a number, lowest first, and whether more follow. From the fourth number
// on, the text holds the difference to the number two before, so that the columns of a shape pack well.
constexpr int kFirstCharacter = 48;
constexpr int kBits = 5;
constexpr int64_t kBitsMask = 0x1F;
constexpr int64_t kMore = 0x20;
constexpr int64_t kSign = 0x10;
constexpr size_t kFirstDifference = 3;
constexpr int kMostBits = 35;  // of shift: more than any image needs, and nothing overflows
constexpr int64_t kLongest = int64_t{1} << 40;

}  // namespace

std::vector<int64_t> unpack_run_lengths(std::string_view text, const std::string& where) {
  std::vector<int64_t> lengths;
  size_t position = 0;
  while (position < text.size()) {
    int64_t value = 0;
    int shift = 0;
    int64_t piece = kMore;
    while ((piece & kMore) != 0) {
      if (position == text.size()) {
        throw Error(ErrorKind::data, "{}: the packed run lengths end within a number, at character {}", where,
                    position);
      }
      piece = static_cast<unsigned char>(text[position]) - kFirstCharacter;
      if (piece < 0 || piece > (kBitsMask | kMore) || shift > kMostBits) {
        throw Error(ErrorKind::data, "{}: character {} of the packed run lengths is not of COCO's format",
                    where, position + 1);
      }
      ++position;
      value |= (piece & kBitsMask) << shift;
      shift += kBits;
    }
    if ((piece & kSign) != 0) {
      value |= -(int64_t{1} << shift);
    }
    if (lengths.size() >= kFirstDifference) {
      value += lengths[lengths.size() - 2];
    }
    if (value < 0 || value > kLongest) {
      throw Error(ErrorKind::data, "{}: run {} has the impossible length {}", where, lengths.size() + 1,
                  value);
    }
    lengths.push_back(value);
  }
  return lengths;
}

std::string pack_run_lengths(const std::vector<int64_t>& lengths) {
  std::string text;
  for (size_t i = 0; i < lengths.size(); ++i) {
    int64_t value = lengths[i] - (i >= kFirstDifference ? lengths[i - 2] : 0);
    bool more = true;
    while (more) {
      int64_t piece = value & kBitsMask;
      value >>= kBits;
      // The last piece's sign bit has to agree with what is left, which is then all of that sign.
      more = (piece & kSign) != 0 ? value != -1 : value != 0;
      piece |= more ? kMore : 0;
      text.push_back(static_cast<char>(piece + kFirstCharacter));
    }
  }
  return text;
}

std::vector<int64_t> run_lengths_of(const at::Tensor& mask) {
  const at::Tensor columns = mask.to(at::kBool).transpose(0, 1).contiguous();  // [W,H]
  const bool* pixel = columns.const_data_ptr<bool>();
  std::vector<int64_t> lengths;
  bool current = false;
  int64_t length = 0;
  for (const bool* end = pixel + columns.numel(); pixel != end; ++pixel) {
    if (*pixel != current) {
      lengths.push_back(length);
      length = 0;
      current = *pixel;
    }
    ++length;
  }
  lengths.push_back(length);
  return lengths;
}

at::Tensor mask_of_run_lengths(const std::vector<int64_t>& lengths, int64_t height, int64_t width,
                               const std::string& where) {
  const int64_t pixels = height * width;
  at::Tensor columns = at::zeros({width, height}, at::kBool);  // [W,H]
  bool* target = columns.mutable_data_ptr<bool>();
  int64_t position = 0;
  bool marked = false;
  for (const int64_t length : lengths) {
    if (length < 0 || length > pixels - position) {
      throw Error(ErrorKind::data, "{}: the run lengths leave the mask of {}x{} pixels", where, width,
                  height);
    }
    std::fill(target + position, target + position + length, marked);
    position += length;
    marked = !marked;
  }
  if (position != pixels) {
    throw Error(ErrorKind::data,
                "{}: the run lengths add up to {} pixels and the mask has {}x{}; \"size\" is [height,width]",
                where, position, width, height);
  }
  return columns.transpose(0, 1).contiguous();  // [H,W]
}

}  // namespace patchioner
