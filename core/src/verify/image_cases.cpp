// Golden cases of image decoding, resizing, cropping and normalisation (spec/01 sections 3 and 3.1, spec/02
// section 11).
#include <charconv>

#include "image/image.hpp"
#include "image/pixel_norm.hpp"
#include "image/resize.hpp"
#include "support/split.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// The input that a case describes. These cases have no weights to make a backbone of, whose own spec the
/// cases of backbones look at.
ImageSpec make_spec(int64_t resize, int64_t crop, bool keep_ratio, const PixelNorm& norm) {
  ImageSpec spec;
  spec.resize_dim = resize;
  spec.crop_dim = crop;
  spec.keep_img_ratio = keep_ratio;
  spec.patch_size = 1;
  spec.mean = norm.mean;
  spec.std = norm.std;
  return spec;
}

bool is_jpeg(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  return extension == ".jpg" || extension == ".jpeg";
}

bool is_image(const std::string& file) {
  return is_jpeg(file) || std::filesystem::path(file).extension() == ".png";
}

Image read(const GoldenCase& golden, const std::string& file) {
  return read_image(golden.file(file), ExifOrientation::ignore);
}

/// "crop56" or "squash518".
struct Variant {
  bool keep_ratio = false;
  int64_t resize = 0;
};

std::optional<Variant> variant_named(std::string_view name) {
  for (const auto& [word, keep_ratio] :
       {std::pair<std::string_view, bool>{"crop", true}, {"squash", false}}) {
    Variant variant{keep_ratio, 0};
    if (name.starts_with(word)) {
      const char* end = name.data() + name.size();
      const auto [last, error] = std::from_chars(name.data() + word.size(), end, variant.resize);
      if (error == std::errc() && last == end) {
        return variant;
      }
    }
  }
  return std::nullopt;
}

/// The images of the case by the first part of their name.
std::map<std::string, std::string> images_by_stem(const GoldenCase& golden) {
  std::map<std::string, std::string> images;
  for (const auto& [file, meaning] : golden.json().at("files").items()) {
    if (is_image(file)) {
      images[std::filesystem::path(file).stem().string()] = file;
    }
  }
  return images;
}

/// "<image>.rgb", "<image>.decoded", "<image>.<variant>.u8" and "<image>.<variant>.<imagenet|clip>".
void compare_tensor(const GoldenCase& golden, CaseReport& report,
                    const std::map<std::string, std::string>& images, const std::string& name) {
  const std::vector<std::string> parts = split(name, '.');
  const auto file = images.find(parts.front());
  if (file == images.end() || parts.size() < 2) {
    return;  // named as never looked at by the report
  }
  const bool jpeg = is_jpeg(file->second);
  const Image image = read(golden, file->second);
  if (parts[1] == "rgb" || parts[1] == "decoded") {
    report.compare(name, image.pixels, jpeg ? "jpeg" : "");
    return;
  }
  const std::optional<Variant> variant = variant_named(parts[1]);
  if (!variant.has_value() || parts.size() != 3) {
    return;
  }
  // JPEG decoders may differ by two levels; what follows is compared on the pixels that the case's decoder
  // gave.
  const std::string given = parts[0] + ".decoded";
  const at::Tensor pixels = jpeg && golden.has(given) ? golden.tensor(given) : image.pixels;
  const ImageSpec spec = make_spec(variant->resize, golden.tensor(name).size(-1), variant->keep_ratio,
                                   parts[2] == "clip" ? kClipNorm : kImageNetNorm);
  const at::Tensor input = resize_for(pixels, spec);  // [S,S,3]
  report.compare(name, parts[2] == "u8" ? input.permute({2, 0, 1}) : normalise(input, spec));
}

}  // namespace

void verify_preprocess(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const std::map<std::string, std::string> images = images_by_stem(golden);
  for (const auto& entry : golden.json().at("expected")) {
    compare_tensor(golden, report, images, entry.at("name").get<std::string>());
  }
  // Larger results lie beside as images: "<image>.<variant>.png".
  for (const auto& [stem, file] : images) {
    const std::vector<std::string> parts = split(stem, '.');
    const auto source = images.find(parts.front());
    const std::optional<Variant> variant = parts.size() == 2 ? variant_named(parts[1]) : std::nullopt;
    if (source != images.end() && variant.has_value()) {
      const at::Tensor expected = read(golden, file).pixels;
      const ImageSpec spec = make_spec(variant->resize, expected.size(0), variant->keep_ratio, kImageNetNorm);
      report.compare(file, resize_for(read(golden, source->second).pixels, spec), expected, "u8");
    }
  }
}

void verify_crop_baseline(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const auto& json = golden.json();
  const std::map<std::string, std::string> images = images_by_stem(golden);
  report.require("one image", images.size() == 1);
  const Image image = read(golden, images.begin()->second);
  const auto resize = json.at("dims").at("resize_dim").get<int64_t>();
  const auto crop = json.at("dims").at("crop_dim").get<int64_t>();

  std::vector<Image> crops;
  for (const auto& box : json.at("boxes_xywh")) {
    crops.push_back(crop_box(
        image, {box[0].get<double>(), box[1].get<double>(), box[2].get<double>(), box[3].get<double>()}));
  }
  const auto& corners = json.at("integer_corners_x0y0x1y1");
  report.require("as many corners as boxes", corners.size() == crops.size());
  for (size_t i = 0; i < std::min<size_t>(corners.size(), crops.size()); ++i) {
    const auto width = corners[i][2].get<int64_t>() - corners[i][0].get<int64_t>();
    const auto height = corners[i][3].get<int64_t>() - corners[i][1].get<int64_t>();
    report.require(fmt::format("the crop of box {} has {}x{} pixels", i, width, height),
                   crops[i].width() == width && crops[i].height() == height);
  }
  for (const auto& entry : json.at("expected")) {
    const auto name = entry.at("name").get<std::string>();
    const bool clip = entry.value("meaning", "").find("CLIP") != std::string::npos;
    const PixelNorm& norm = clip ? kClipNorm : kImageNetNorm;
    std::vector<at::Tensor> inputs;
    for (const Image& one : crops) {
      inputs.push_back(preprocess(one, make_spec(resize, crop, name != "crops_squash", norm)));
    }
    report.compare(name, at::stack(inputs));  // [n,3,S,S]
  }
}

void verify_clip_preprocess(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const auto& json = golden.json();
  const auto resize = json.at("resize").get<int64_t>();
  const auto crop = json.at("crop").get<int64_t>();
  const ImageSpec squash_spec = make_spec(resize, resize, false, kClipNorm);
  const ImageSpec crop_spec = make_spec(resize, crop, true, kClipNorm);
  for (size_t i = 0; i < json.at("images").size(); ++i) {
    const auto& entry = json["images"][i];
    const auto file = entry.at("file").get<std::string>();
    const Image image = read(golden, file);
    report.require(file + " has the size that the case names",
                   image.width() == entry.value("width", image.width()) &&
                       image.height() == entry.value("height", image.height()));
    const ImageSize size = size_with_shorter_side(image.width(), image.height(), resize);
    const at::Tensor square = resize_for(image.pixels, squash_spec);
    const at::Tensor cut = resize_for(image.pixels, crop_spec);
    const std::map<std::string, at::Tensor> ours = {
        {"square_u8", square},
        {"short_u8", resize_bicubic(image.pixels, size.width, size.height)},
        {"crop_u8", cut},
        {"square_norm", normalise(square, squash_spec)},
        {"crop_norm", normalise(cut, crop_spec)},
    };
    for (const auto& [what, value] : ours) {
      const std::string name = fmt::format("{}_{}", what, i);
      if (golden.has(name)) {
        report.compare(name, value, is_jpeg(file) ? "jpeg" : "");
      }
    }
  }
}

}  // namespace patchioner
