#include "evaluation/evaluation_files.hpp"

#include "data/json_text.hpp"
#include "data/predictions.hpp"
#include "data/region_json.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

/// The image of a place, kept while neighbours are asked for: traces are read from their file each time.
class ImageCursor {
 public:
  explicit ImageCursor(const Dataset& dataset) : dataset_(dataset) {}

  const DatasetImage& at(size_t index) {
    if (index_ != index) {
      image_ = dataset_.image(index);
      index_ = index;
    }
    return image_;
  }

 private:
  const Dataset& dataset_;
  std::optional<size_t> index_;
  DatasetImage image_;
};

Json coco_result(const DatasetImage& image, const Prediction& prediction) {
  Json result = {{"image_id", image.id}, {"file_name", image.file_name}, {"caption", prediction.caption}};
  if (const auto* box = std::get_if<Box>(&prediction.shape)) {
    result["bbox"] = {box->x, box->y, box->width, box->height};
  } else if (!std::holds_alternative<WholeImage>(prediction.shape)) {
    result.update(Json(region_to_json({prediction.shape, {}})));
  }
  if (prediction.score) {
    result["score"] = *prediction.score;
  }
  return result;
}

Json coco_style(const Dataset& dataset, const DatasetPredictions& predictions) {
  std::vector<TaskImage> images;
  std::optional<size_t> last;
  for (const RegionPlace& place : predictions.places) {
    last = std::max(last.value_or(0), place.image);
  }
  for (size_t i = 0; last && i <= *last; ++i) {
    const DatasetImage image = dataset.image(i);
    images.push_back({image.id, image.file_name});
  }
  std::vector<CocoPrediction> annotations;
  ImageCursor cursor(dataset);
  for (size_t i = 0; i < predictions.places.size(); ++i) {
    const Prediction& prediction = predictions.predictions.items[i];
    const DatasetImage& image = cursor.at(predictions.places[i].image);
    CocoPrediction annotation = {image.id, prediction.caption, prediction.score.value_or(1.0), {}};
    if (std::holds_alternative<Box>(prediction.shape)) {
      const DatasetRegion& region = image.regions[predictions.places[i].region];
      annotation.corners = region.corners.is_null() ? Json(prediction.corners) : region.corners;
    }
    annotations.push_back(std::move(annotation));
  }
  return coco_predictions(images, annotations);
}

Json sample_lists(const Dataset& dataset, const DatasetPredictions& predictions) {
  std::vector<SamplePrediction> samples;
  ImageCursor cursor(dataset);
  for (size_t i = 0; i < predictions.places.size(); ++i) {
    const DatasetImage& image = cursor.at(predictions.places[i].image);
    const DatasetRegion& region = image.regions[predictions.places[i].region];
    SamplePrediction sample = {
        predictions.predictions.items[i].caption, region.reference_key, image.path.string(), {}};
    if (const auto* set = std::get_if<BoxSet>(&region.shape)) {
      sample.boxes = set->boxes;
    }
    samples.push_back(std::move(sample));
  }
  return dataset.task() == DatasetTask::trace ? trace_predictions(samples) : region_set_predictions(samples);
}

}  // namespace

EvaluationFiles::EvaluationFiles(const std::filesystem::path& folder)
    : config(folder / "config.yaml"),
      records(folder / "records.jsonl"),
      predictions(folder / "predictions.json"),
      task_predictions(folder / "predictions_task.json"),
      items(folder / "items.jsonl"),
      metrics(folder / "metrics.json"),
      table(folder / "metrics.csv"),
      page(folder / "index.html") {}

void write_coco_results(const Dataset& dataset, const DatasetPredictions& predictions,
                        const std::filesystem::path& file) {
  AtomicFile output(file);
  ImageCursor cursor(dataset);
  output.write("[");
  for (size_t i = 0; i < predictions.places.size(); ++i) {
    const DatasetImage& image = cursor.at(predictions.places[i].image);
    output.write(i == 0 ? "\n " : ",\n ");
    output.write(json_text(coco_result(image, predictions.predictions.items[i])));
  }
  output.write("\n]\n");
  output.commit();
}

void write_task_predictions(const Dataset& dataset, const DatasetPredictions& predictions,
                            const std::filesystem::path& file) {
  switch (dataset.task()) {
    case DatasetTask::image:
    case DatasetTask::dense:
      write_file(file, json_text(coco_style(dataset, predictions)) + "\n");
      break;
    case DatasetTask::region_set:
    case DatasetTask::trace:
      write_file(file, json_text(sample_lists(dataset, predictions)) + "\n");
      break;
    default:
      break;
  }
}

}  // namespace patchioner
