// Which rows of features a decoder is asked of, and where its captions go.
#include "decoding/finite_rows.hpp"

#include <limits>

#include "refusals.hpp"

namespace patchioner {
namespace {

/// The first value of each row, and the place of the row.
std::vector<Caption> values_and_places(const at::Tensor& features, const at::Tensor& rows) {
  std::vector<Caption> captions(static_cast<size_t>(features.size(0)));
  for (int64_t i = 0; i < features.size(0); ++i) {
    captions[static_cast<size_t>(i)].text =
        std::to_string(features[i][0].item<int>()) + " of row " + std::to_string(rows[i].item<int64_t>());
  }
  return captions;
}

TEST_CASE("finite rows are decoded together, and the others get an empty caption") {
  at::Tensor features = at::arange(8, at::kDouble).view({4, 2});
  features[0][1] = std::numeric_limits<double>::quiet_NaN();
  features[2][0] = -std::numeric_limits<double>::infinity();
  int calls = 0;
  const auto captions =
      decode_finite_rows(features, 2, "any", [&](const at::Tensor& finite, const at::Tensor& rows) {
        ++calls;
        CHECK(bool(finite.scalar_type() == at::kFloat));
        return values_and_places(finite, rows);
      });
  CHECK(calls == 1);
  REQUIRE(captions.size() == 4);
  CHECK(captions[0].text.empty());
  CHECK(captions[1].text == "2 of row 1");
  CHECK(captions[2].text.empty());
  CHECK(captions[3].text == "6 of row 3");
}

TEST_CASE("without finite rows nothing is decoded, and other widths are refused with the plugin") {
  const DecodeRows never = [](const at::Tensor&, const at::Tensor&) -> std::vector<Caption> {
    FAIL("nothing is there to decode");
    return {};
  };
  CHECK(decode_finite_rows(at::zeros({0, 2}), 2, "any", never).empty());
  CHECK(decode_finite_rows(at::full({3, 2}, NAN), 2, "any", never).size() == 3);
  const auto refused = [&](const at::Tensor& features) {
    return refusal_of(ErrorKind::data, [&] { (void)decode_finite_rows(features, 2, "any", never); });
  };
  CHECK(refused(at::zeros({1, 3})) == "the decoder any reads features of width 2, but was given [1,3]");
  CHECK(refused(at::zeros({2})) == "the decoder any reads features of width 2, but was given [2]");
  CHECK(refused({}) == "the decoder any reads features of width 2, but was given nothing");
}

}  // namespace
}  // namespace patchioner
