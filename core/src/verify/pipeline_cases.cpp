// Golden cases of the whole chain: image files and task files in, features, prefixes, captions and scores
// out, by the same captioner and plugins as the command line's.
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/import_reference.hpp"
#include "data/dataset.hpp"
#include "data/predictions.hpp"
#include "geometry/box_patches.hpp"
#include "geometry/grid_area.hpp"
#include "runtime/captioner.hpp"
#include "support/files.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// Values of a nested list, in order.
std::vector<nlohmann::json> flat(const nlohmann::json& value) {
  if (!value.is_array()) {
    return {value};
  }
  std::vector<nlohmann::json> all;
  for (const auto& part : value) {
    const std::vector<nlohmann::json> inner = flat(part);
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

Value plugin(const std::string& name, Value::Map options = {}) {
  Value section(std::move(options));
  section.set("plugin", name);
  return section;
}

/// The regions of one image.
using ImageRegions = std::vector<RegionShape>;

class PipelineCase {
 public:
  PipelineCase(const GoldenCase& golden, CaseReport& report, CaseHost& host)
      : golden_(golden),
        report_(report),
        host_(host),
        config_(import_reference_config(read_yaml(golden.file("config.yaml"))).document),
        decoder_weights_(read_yaml(golden.file("config.yaml")).at("decap_weights").as_text()),
        captions_(nlohmann::json::parse(read_file(golden.file("expected_captions.json")))) {
    for (const auto& [name, meaning] : golden.json().at("files").items()) {
      if (name.ends_with(".h5")) {
        reference_bank_ = golden.file(name).string();
      } else if (name.ends_with(".pth")) {
        backbone_weights_ = golden.file(name).string();
      }
    }
    for (const DatasetImage& image : task("dense_input.json")) {
      images_.push_back(read_image(golden.file(image.file_name), ExifOrientation::ignore));
    }
  }

  void run() {
    compare_inputs();
    compare_tokens();
    whole_images();
    single_tokens();
    dense();
    region_sets();
    traces();
    for (const auto& [name, entry] : captions_.items()) {
      report_.require("captions of " + name + " were computed", seen_.contains(name));
    }
  }

 private:
  /// The images of a task file, whatever images it names: the case's own stand for them, in this order.
  std::vector<DatasetImage> task(const std::string& name) const {
    DatasetOptions options;
    options.files = {golden_.file(name)};
    const Dataset dataset = Dataset::open(options);
    std::vector<DatasetImage> images;
    for (size_t i = 0; i < dataset.size(); ++i) {
      images.push_back(dataset.image(i));
    }
    return images;
  }

  /// The regions of a task file, image after image.
  std::vector<ImageRegions> regions_of(const std::vector<DatasetImage>& task) const {
    std::vector<ImageRegions> regions(images_.size());
    for (size_t i = 0; i < task.size(); ++i) {
      for (const DatasetRegion& region : task[i].regions) {
        regions.at(i).push_back(region.shape);
      }
    }
    return regions;
  }

  /// The imported projection, on the case's own bank.
  Value memory() const {
    Value gap = config_.at("gap");
    if (gap.at("plugin").as_text() == "memory") {
      gap.set("bank", reference_bank_);
    }
    return gap;
  }

  /// Features as they are, as the reference hands them on without a memory.
  static Value raw() { return plugin("none", {{"normalize_input", false}}); }

  /// The imported config with the case's files and what a run changes.
  Captioner captioner(Value aggregator, Value gap, bool crop = false) const {
    Value config = config_;
    Value& backbone = *config.find("backbone");
    backbone.set("weights", backbone_weights_);
    backbone.set("heads", golden_.json().at("dims").at("backbone").at("heads").get<int64_t>());
    backbone.set("keep_img_ratio", crop);
    for (const char* text_side : {"projection_weights", "clip_text_weights", "vocabulary"}) {
      backbone.erase(text_side);  // the case has none
    }
    Value& decoder = *config.find("decoder");
    decoder.set("weights", golden_.file(decoder_weights_).string());
    decoder.set("config", golden_.file("decoder_config.json").string());
    decoder.set("vocabulary", golden_.file(golden_.json().at("vocabulary").get<std::string>()).string());
    config.set("aggregator", std::move(aggregator));
    config.set("gap", std::move(gap));
    config.set("runtime", host_.runtime());
    return Captioner(config, host_.plugins());
  }

  /// All results of a run, image after image.
  std::vector<RegionResult> results_of(const Captioner& captioner,
                                       const std::vector<ImageRegions>& regions) const {
    std::vector<CaptionTask> tasks(images_.size());
    for (size_t i = 0; i < images_.size(); ++i) {
      tasks[i].image = images_[i];
      for (const RegionShape& shape : regions.at(i)) {
        tasks[i].regions.push_back({shape, ""});
      }
    }
    std::vector<RegionResult> all;
    for (std::vector<RegionResult>& results : captioner.caption(tasks)) {
      std::move(results.begin(), results.end(), std::back_inserter(all));
    }
    return all;
  }

  void compare(const std::string& name, const std::vector<RegionResult>& results) {
    if (!captions_.contains(name)) {
      return;  // not every case has every run
    }
    seen_.insert(name);
    std::vector<at::Tensor> features;
    std::vector<at::Tensor> prefixes;
    for (const RegionResult& result : results) {
      if (!result.error.empty()) {
        report_.require(name + ": " + result.error, false);
        return;
      }
      features.push_back(result.feature);
      prefixes.push_back(result.prefix);
    }
    if (golden_.has(name + ".feature")) {
      report_.compare(name + ".feature", at::stack(features));  // [R,D]
    }
    report_.compare(name + ".prefix", at::stack(prefixes));  // [R,D]
    compare_captions(name, results);
  }

  /// Captions are exact where the reference's choice of every token was clear.
  void compare_captions(const std::string& name, const std::vector<RegionResult>& results) {
    const nlohmann::json& expected = captions_.at(name);
    const std::vector<nlohmann::json> raw = flat(expected.at("captions"));
    const std::vector<nlohmann::json> margins = flat(expected.at("margins"));
    const std::vector<nlohmann::json> clean = flat(expected.value("postprocessed", nlohmann::json::array()));
    const nlohmann::json scores_entry = expected.value("scores", nlohmann::json());
    const std::vector<nlohmann::json> scores =
        scores_entry.is_null() ? std::vector<nlohmann::json>() : flat(scores_entry);
    report_.require(fmt::format("{}: {} captions", name, raw.size()),
                    raw.size() == results.size() && margins.size() == raw.size());
    const nlohmann::json tolerance = golden_.json().at("tolerance");
    const double clear = tolerance.contains("captions") && tolerance["captions"].is_object()
                             ? tolerance["captions"].value("exact_from_margin", 0.0)
                             : 0.0;
    for (size_t i = 0; i < std::min(results.size(), raw.size()); ++i) {
      if (margins[i].get<double>() < clear) {
        continue;
      }
      const std::string place = fmt::format("{}[{}]", name, i);
      report_.compare_text(place, results[i].caption.raw_text, raw[i].get<std::string>());
      if (i < clean.size()) {
        report_.compare_text(place + ".postprocessed", results[i].caption.text, clean[i].get<std::string>());
      }
      if (i < scores.size()) {
        report_.compare_number(place + ".score", results[i].caption.score, scores[i].get<double>());
      }
    }
  }

  std::vector<ImageRegions> whole() const {
    return std::vector<ImageRegions>(images_.size(), {WholeImage{}});
  }

  at::Tensor inputs_u8(const ImageSpec& spec) const {
    std::vector<at::Tensor> inputs;
    for (const Image& image : images_) {
      inputs.push_back(resize_for(image.pixels, spec).permute({2, 0, 1}));
    }
    return at::stack(inputs);  // [n,3,S,S]
  }

  void compare_inputs() {
    report_.compare("input_squash_u8",
                    inputs_u8(captioner(plugin("uniform"), memory()).backbone().image_spec()));
    report_.compare("input_crop_u8",
                    inputs_u8(captioner(plugin("uniform"), memory(), true).backbone().image_spec()));
  }

  void compare_tokens() {
    const Captioner chain = captioner(plugin("uniform"), memory());
    std::vector<at::Tensor> inputs;
    for (const Image& image : images_) {
      inputs.push_back(preprocess(image, chain.backbone().image_spec()));
    }
    const std::vector<std::string> names = {"x_norm_regtokens", "qkv_last", "disentangled_self_attn"};
    features_ = chain.backbone().encode(at::stack(inputs), names);
    report_.compare("cls_token", features_.global);  // [n,D]
    if (golden_.has("register_tokens")) {
      report_.compare("register_tokens", features_.intermediates.at("x_norm_regtokens"));  // [n,4,D]
    }
    report_.compare("patch_tokens", features_.patches.flatten(1, 2));     // [n,G,D]
    report_.compare("last_qkv", features_.intermediates.at("qkv_last"));  // [n,T,3D]
    report_.compare("self_attn", features_.attention.flatten(1));         // [n,G]
  }

  void whole_images() {
    compare("image.cls", results_of(captioner(plugin("cls"), memory()), whole()));
    compare("image.attention", results_of(captioner(plugin("attention"), memory()), whole()));
    compare("image.uniform", results_of(captioner(plugin("uniform"), memory()), whole()));
    compare("image.gaussian",
            results_of(captioner(plugin("gaussian", {{"variance", 1.0}}), memory()), whole()));
    compare("image.central",
            results_of(captioner(plugin("gaussian", {{"variance", 0.0}}), memory()), whole()));
    compare("noproj.cls", results_of(captioner(plugin("cls"), raw()), whole()));
    // The native bank holds the same rows.
    if (golden_.json().at("files").contains("bank.safetensors")) {
      Value gap = memory();
      gap.set("bank", golden_.file("bank.safetensors").string());
      compare("image.cls", results_of(captioner(plugin("cls"), gap), whole()));
    }
  }

  void single_tokens() {
    const Captioner chain = captioner(plugin("uniform"), memory());
    const ImageGeometry geometry = geometry_of(chain.backbone().image_spec(), 1, 1);
    ImageRegions patches;
    for (int64_t row = 0; row < geometry.rows; ++row) {
      for (int64_t column = 0; column < geometry.columns; ++column) {
        patches.push_back(Patch{row, column});
      }
    }
    compare("patches", results_of(chain, std::vector<ImageRegions>(images_.size(), patches)));
    // The reference gives register captions of one image only.
    compare("registers", chain.caption_vectors(features_.intermediates.at("x_norm_regtokens")[0]));
    compare("heads",
            chain.caption_vectors(features_.intermediates.at("disentangled_self_attn").flatten(0, 1)));
  }

  /// The reference pads the boxes of a batch to the same number with 0,0,1,1 in pixels of the network input
  /// (of the image for crops), and computes those too.
  std::vector<ImageRegions> padded_boxes(const std::vector<DatasetImage>& task,
                                         const Captioner& chain) const {
    std::vector<ImageRegions> regions = regions_of(task);
    size_t most = 0;
    for (const ImageRegions& of_image : regions) {
      most = std::max(most, of_image.size());
    }
    for (size_t i = 0; i < task.size(); ++i) {
      // Any box within the first cell selects what the padding box does, without rounding at its border.
      const Box cell = cell_area(
          geometry_of(chain.backbone().image_spec(), images_[i].width(), images_[i].height()), 0, 0);
      const Box first_cell{cell.x + cell.width / 4, cell.y + cell.height / 4, cell.width / 4,
                           cell.height / 4};
      regions[i].resize(most, chain.needs_pixels() ? Box{0, 0, 1, 1} : first_cell);
    }
    return regions;
  }

  void compare_boxes(const std::string& name, const std::vector<DatasetImage>& task, const Captioner& chain) {
    at::Tensor boxes = at::tensor({0.0F, 0.0F, 1.0F, 1.0F})
                           .repeat(golden_.tensor(name).sizes().slice(0, 2))
                           .reshape(golden_.tensor(name).sizes());
    for (size_t i = 0; i < task.size(); ++i) {
      const ImageGeometry geometry =
          geometry_of(chain.backbone().image_spec(), images_[i].width(), images_[i].height());
      for (size_t j = 0; j < task[i].regions.size(); ++j) {
        set_row(boxes, i, j, to_input_box(std::get<Box>(task[i].regions[j].shape), geometry));
      }
    }
    report_.compare(name, boxes);
  }

  static void set_row(at::Tensor& boxes, size_t i, size_t j, const InputBox& box) {
    boxes[static_cast<int64_t>(i)][static_cast<int64_t>(j)] =
        at::tensor({box.x, box.y, box.width, box.height});
  }

  void dense() {
    const std::vector<DatasetImage> task = this->task("dense_input.json");
    for (const bool crop : {false, true}) {
      const std::string geometry = crop ? "crop" : "squash";
      const Captioner uniform = captioner(plugin("uniform"), memory(), crop);
      compare_boxes("dense_boxes_" + geometry, task, uniform);
      const std::vector<RegionResult> results = results_of(uniform, padded_boxes(task, uniform));
      compare("dense." + geometry + ".uniform", results);
      if (!crop) {
        compare_dense_output(task, results);
      }
      const Captioner gaussian = captioner(plugin("gaussian", {{"variance", 1.0}}), memory(), crop);
      compare("dense." + geometry + ".gaussian", results_of(gaussian, padded_boxes(task, gaussian)));
      const Captioner attention =
          captioner(plugin("attention", {{"attention_writeback", true}}), memory(), crop);
      compare("dense." + geometry + ".attention", results_of(attention, padded_boxes(task, attention)));
    }
    const Captioner crops = captioner(plugin("crop"), memory());
    compare("dense.crop_baseline", results_of(crops, padded_boxes(task, crops)));
  }

  /// The file that the task writes: all of it but the scores is exact.
  void compare_dense_output(const std::vector<DatasetImage>& task, const std::vector<RegionResult>& results) {
    std::vector<TaskImage> images;
    std::vector<CocoPrediction> predictions;
    const size_t per_image = results.size() / std::max<size_t>(task.size(), 1);
    for (size_t i = 0; i < task.size(); ++i) {
      images.push_back({task[i].id, task[i].file_name});
      for (size_t j = 0; j < task[i].regions.size(); ++j) {
        const Caption& caption = results[i * per_image + j].caption;
        predictions.push_back({task[i].id, caption.text, caption.score, task[i].regions[j].corners});
      }
    }
    nlohmann::json ours = coco_predictions(images, predictions);
    nlohmann::json expected = nlohmann::json::parse(read_file(golden_.file("dense_output.json")));
    for (size_t i = 0; i < std::min(ours["annotations"].size(), expected["annotations"].size()); ++i) {
      report_.compare_number(fmt::format("dense_output[{}].score", i),
                             ours["annotations"][i]["score"].get<double>(),
                             expected["annotations"][i]["score"].get<double>());
      ours["annotations"][i].erase("score");
      expected["annotations"][i].erase("score");
    }
    report_.compare_text("dense_output.json", ours.dump(), expected.dump());
  }

  void region_sets() {
    const std::vector<DatasetImage> task = this->task("region_set_input.json");
    const std::vector<ImageRegions> regions = regions_of(task);
    const Captioner uniform = captioner(plugin("uniform"), memory());
    at::Tensor boxes = at::full(golden_.tensor("region_boxes").sizes(), -1.0F);
    size_t sample = 0;
    for (size_t i = 0; i < task.size(); ++i) {
      const ImageGeometry geometry =
          geometry_of(uniform.backbone().image_spec(), images_.at(i).width(), images_.at(i).height());
      for (const DatasetRegion& region : task[i].regions) {
        const std::vector<Box>& set = std::get<BoxSet>(region.shape).boxes;
        for (size_t j = 0; j < set.size(); ++j) {
          set_row(boxes, sample, j, to_input_box(set[j], geometry));
        }
        ++sample;
      }
    }
    report_.compare("region_boxes", boxes);
    compare("region_set.uniform", results_of(uniform, regions));
    compare("region_set.gaussian",
            results_of(captioner(plugin("gaussian", {{"variance", 1.0}}), memory()), regions));
    compare("region_set.attention",
            results_of(captioner(plugin("attention", {{"attention_writeback", true}}), memory()), regions));
  }

  void traces() {
    const std::vector<ImageRegions> regions = regions_of(task("traces_input.json"));
    compare("trace.uniform", results_of(captioner(plugin("uniform"), memory()), regions));
    compare("trace.attention", results_of(captioner(plugin("attention"), memory()), regions));
    compare("noproj.trace", results_of(captioner(plugin("uniform"), raw()), regions));
  }

  const GoldenCase& golden_;
  CaseReport& report_;
  CaseHost& host_;
  Value config_;  ///< the reference's config.yaml, imported
  std::string decoder_weights_;
  std::string backbone_weights_;
  nlohmann::json captions_;
  std::vector<Image> images_;
  std::string reference_bank_;
  ImageFeatures features_;
  std::set<std::string> seen_;
};

}  // namespace

void verify_pipeline(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  PipelineCase(golden, report, host).run();
}

}  // namespace patchioner
