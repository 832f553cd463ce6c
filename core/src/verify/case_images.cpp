#include "verify/case_images.hpp"

#include "image/image.hpp"

namespace patchioner {

at::Tensor preprocess_images(const GoldenCase& golden, const std::vector<std::string>& names,
                             const ImageSpec& spec) {
  std::vector<at::Tensor> inputs;
  for (const std::string& name : names) {
    inputs.push_back(preprocess(read_image(golden.file(name), ExifOrientation::ignore), spec));
  }
  return at::stack(inputs);
}

CaseBackbones::CaseBackbones(CaseHost& host, Value::Map options)
    : host_(host), options_(std::move(options)) {}

const Backbone& CaseBackbones::with(const Value::Map& changes) {
  Value options = options_;
  for (const auto& [key, value] : changes) {
    options.set(key, value);
  }
  for (const auto& [known, backbone] : made_) {
    if (known == options) {
      return *backbone;
    }
  }
  made_.emplace_back(options, host_.backbone(options));
  return *made_.back().second;
}

Value::Map preprocessing_options(const nlohmann::json& preprocess) {
  const int64_t resize = preprocess.at("resize_dim").get<int64_t>();
  if (preprocess.at("mode") == "resize_square") {
    return {{"resize_dim", resize}};
  }
  return {{"keep_img_ratio", true},
          {"resize_dim", resize},
          {"crop_dim", preprocess.at("crop_dim").get<int64_t>()}};
}

std::vector<std::string> expected_names(const GoldenCase& golden) {
  std::vector<std::string> names;
  for (const char* section : {"expected", "tensors"}) {
    if (golden.json().contains(section) && golden.json()[section].is_object()) {
      for (const auto& [name, entry] : golden.json()[section].items()) {
        if (golden.has(name)) {
          names.push_back(name);
        }
      }
    }
  }
  return names;
}

}  // namespace patchioner
