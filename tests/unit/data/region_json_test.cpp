// The JSON form of regions and COCO's run lengths. Packed texts were made with pycocotools 2.0.
#include "data/region_json.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <patchioner/error.hpp>

#include "data/rle.hpp"

using namespace patchioner;
using nlohmann::json;

namespace {

template <class Shape>
Shape parse(const std::string& text) {
  const Region region = region_from_json(json::parse(text), ".", "test");
  REQUIRE(std::holds_alternative<Shape>(region.shape));
  return std::get<Shape>(region.shape);
}

std::string refusal(const std::string& text) {
  try {
    region_from_json(json::parse(text), ".", "regions.json: region 2");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "";
}

void check_refused(const std::string& text, const std::string& part) {
  CAPTURE(text);
  const std::string sentence = refusal(text);
  CAPTURE(sentence);
  CHECK(sentence.find("regions.json: region 2") == 0);
  CHECK(sentence.find(part) != std::string::npos);
}

at::Tensor mask_of(std::initializer_list<int> values, int64_t height, int64_t width) {
  return at::tensor(std::vector<int64_t>(values.begin(), values.end())).to(at::kBool).view({height, width});
}

}  // namespace

TEST_CASE("every kind of region is read") {
  parse<WholeImage>(R"({"image": true})");
  const Box box = parse<Box>(R"({"box": [1, 2.5, 3, 0]})");
  CHECK(box.x == 1);
  CHECK(box.y == 2.5);
  CHECK(box.width == 3);
  CHECK(box.height == 0);
  CHECK(parse<BoxSet>(R"({"boxes": [[0, 0, 1, 1], [2, 2, 1, 1]]})").boxes.size() == 2);
  CHECK(parse<BoxSet>(R"({"boxes": []})").boxes.empty());
  const Trace trace = parse<Trace>(R"({"trace": [[0.1, 0.2], {"x": 1.5, "y": -0.5, "t": 3}]})");
  REQUIRE(trace.points.size() == 2);
  CHECK(trace.points[0].y == 0.2);
  CHECK(trace.points[1].x == 1.5);
  CHECK(parse<Trace>(R"({"trace": []})").points.empty());
  CHECK(parse<Patch>(R"({"patch": [3, 4]})").column == 4);
  CHECK(parse<ImagePoint>(R"({"point": [7, 8]})").y == 8);
  CHECK(parse<Mask>(R"({"mask": {"size": [2, 2], "counts": [1, 2, 1]}})").pixels.sum().item<int64_t>() == 2);
}

TEST_CASE("an id comes along") {
  CHECK(region_from_json(json::parse(R"({"box": [0,0,1,1], "id": "left eye"})"), ".", "test").id ==
        "left eye");
}

TEST_CASE("a region is written as it was read") {
  for (const char* text :
       {R"({"image":true})", R"({"box":[1.0,2.0,3.5,4.0],"id":"a"})",
        R"({"boxes":[[0.0,0.0,1.0,1.0],[2.0,2.0,1.0,1.0]]})", R"({"boxes":[]})", R"({"trace":[[0.25,0.5]]})",
        R"({"patch":[0,3]})", R"({"point":[7.0,8.0]})", R"({"mask":{"counts":"0160K","size":[3,3]}})"}) {
    CAPTURE(text);
    CHECK(region_to_json(region_from_json(json::parse(text), ".", "test")).dump() == text);
  }
}

TEST_CASE("wrong regions are refused with their place and what was expected") {
  check_refused("[0, 0, 1, 1]", "a region is an object");
  check_refused("{}", "has no shape; give one of image, box, boxes");
  check_refused(R"({"id": "x"})", "has no shape");
  check_refused(R"({"box": [0,0,1,1], "patch": [0,0]})", "has both \"box\" and \"patch\"");
  check_refused(R"({"bbox": [0,0,1,1]})", "no key \"bbox\"; did you mean 'box'?");
  check_refused(R"({"image": "cat.png"})", "true in a region");
  check_refused(R"({"image": false})", "true in a region");
  check_refused(R"({"box": [0,0,1]})", "[x,y,width,height]");
  check_refused(R"({"box": [0,0,1,"1"]})", "[x,y,width,height]");
  check_refused(R"({"box": [0,0,null,1]})", "found null");
  check_refused(R"({"box": [40,40,20,-20]})", "inverted");
  check_refused(R"({"boxes": [[0,0,1,1],[0,0,-1,1]]})", "region 2, box 2: the box 0,0,-1,1 is inverted");
  check_refused(R"({"boxes": [0,0,1,1]})", "[x,y,width,height]");
  check_refused(R"({"trace": [[0.1,0.2],[0.3]]})", "region 2, point 2");
  check_refused(R"({"trace": [{"x": 1}]})", "from 0,0 top left to 1,1");
  check_refused(R"({"trace": {"x": 1, "y": 1}})", "\"trace\" is a list");
  check_refused(R"({"patch": [1.5, 2]})", "two whole numbers");
  check_refused(R"({"patch": 7})", "[row,column]");
  check_refused(R"({"point": [1,2,3]})", "[x,y] in pixels");
  check_refused(R"({"mask": 7})", "\"size\": [height,width]");
  check_refused(R"({"mask": ""})", "path of a picture");
  check_refused(R"({"box": [0,0,1,1], "id": 7})", "\"id\" is a text");
}

TEST_CASE("a mask file that is not there is named with its region") {
  CHECK_THROWS_WITH_AS(
      region_from_json(json::parse(R"({"mask": "no-such-mask.png"})"), "/nowhere", "region 2"),
      doctest::Contains("region 2: mask: /nowhere/no-such-mask.png"), Error);
}

TEST_CASE("a number that is not finite is refused") {
  json region = {{"box", {0, 0, 1, std::numeric_limits<double>::infinity()}}};
  CHECK_THROWS_WITH_AS(region_from_json(region, ".", "here"),
                       doctest::Contains("here: \"box\" holds a number that is not finite"), Error);
  region = {{"trace", {{std::nan(""), 0.5}}}};
  CHECK_THROWS_WITH_AS(region_from_json(region, ".", "here"), doctest::Contains("not finite"), Error);
}

TEST_CASE("a mask file is found beside the file that names it") {
  const std::filesystem::path samples =
      std::filesystem::path(PATCHIONER_SOURCE_DIR) / "tests/unit/image/samples";
  const Region region =
      region_from_json(json::parse(R"({"mask": "palette_transparent.png"})"), samples, "test");
  // Alpha counts: of the 24 pixels the eight green ones are transparent.
  CHECK(std::get<Mask>(region.shape).pixels.sum().item<int64_t>() == 16);
}

TEST_CASE("run lengths go down the columns and begin with zeros") {
  const at::Tensor mask = decode_rle(json::parse(R"({"size": [2, 3], "counts": [1, 2, 3]})"), "test");
  CHECK(at::equal(mask, mask_of({0, 1, 0, 1, 0, 0}, 2, 3)));
  CHECK(at::equal(decode_rle(json::parse(R"({"size": [2, 2], "counts": [0, 4]})"), "test"),
                  at::ones({2, 2}, at::kBool)));
}

TEST_CASE("COCO's packed text is read") {
  const auto packed = [](int64_t height, int64_t width, const std::string& text) {
    return decode_rle({{"size", {height, width}}, {"counts", text}}, "test");
  };
  CHECK(at::equal(packed(3, 3, "0160K"), mask_of({1, 0, 0, 0, 0, 1, 0, 0, 0}, 3, 3)));
  CHECK(at::equal(packed(2, 2, "4"), at::zeros({2, 2}, at::kBool)));
  CHECK(at::equal(packed(2, 2, "04"), at::ones({2, 2}, at::kBool)));
  const std::string ellipse =
      "W>7P12N2O0O2N2O000O2O000O2O00000000000000000000000000000001N10001N10001N2N101N2NR<";
  const at::Tensor mask = packed(40, 60, ellipse);  // (x-30)^2/400 + (y-18)^2/100 < 1
  const at::Tensor x = at::arange(60).view({1, 60}) - 30;
  const at::Tensor y = at::arange(40).view({40, 1}) - 18;
  CHECK(at::equal(mask, (x * x + y * y * 4).lt(400)));
  CHECK(pack_run_lengths(run_lengths_of(mask)) == ellipse);
}

TEST_CASE("packing and unpacking are inverse") {
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{0, 1},
                                              {5},
                                              {100000, 3, 99000, 4, 98000, 1, 1, 1},
                                              {16, 15, 31, 32, 33, 1023, 1024, 0, 7}}) {
    CHECK(unpack_run_lengths(pack_run_lengths(lengths), "test") == lengths);
  }
}

TEST_CASE("wrong run lengths are refused") {
  const auto wrong = [](const std::string& text) {
    try {
      decode_rle(json::parse(text), "m");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(wrong(R"({"size": [2, 2], "counts": [1, 2]})"), "add up to 3 pixels and the mask has 2x2"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": [1, 7]})"), "leave the mask"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": [1, -2, 5]})"), "leave the mask"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": [1, 1.5]})"), "no run length"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": 4})"), "packed text"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": "1 3"})"), "character 2"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": "1P"})"), "end within a number"));
  CHECK(has(wrong(R"({"size": [2, 2], "counts": "oooooooooooooooo"})"), "not of COCO's format"));
  CHECK(has(wrong(R"({"size": [2], "counts": []})"), "\"size\": [height,width]"));
  CHECK(has(wrong(R"({"size": [-2, 2], "counts": []})"), "cannot have 2x-2 pixels"));
  CHECK(has(wrong(R"({"size": [0, 5], "counts": []})"), "cannot have 5x0 pixels"));
  CHECK(has(wrong(R"({"size": [100000, 100000], "counts": []})"), "cannot have"));
}
