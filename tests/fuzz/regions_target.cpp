// Any bytes as the JSON of a region, as annotation files and as files of predictions.
#include "data/dataset.hpp"
#include "data/prediction_files.hpp"
#include "data/region_json.hpp"
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  const nlohmann::json json = nlohmann::json::parse(data, data + size, nullptr, false);
  if (!json.is_discarded()) {
    std::optional<Region> region;
    allow_refusal({ErrorKind::data, ErrorKind::io},
                  [&] { region = region_from_json(json, "/nowhere", "fuzz"); });
    if (region) {
      const nlohmann::json written = region_to_json(*region);
      require(region_to_json(region_from_json(written, "/nowhere", "again")) == written,
              "a region comes back as it was written");
    }
  }
  const InputFile file(data, size);
  for (const DatasetFormat format :
       {DatasetFormat::automatic, DatasetFormat::coco, DatasetFormat::karpathy, DatasetFormat::dense,
        DatasetFormat::region_sets, DatasetFormat::coco_entities, DatasetFormat::traces,
        DatasetFormat::narratives, DatasetFormat::records}) {
    allow_refusal({ErrorKind::data, ErrorKind::io, ErrorKind::usage}, [&] {
      DatasetOptions options;
      options.files = {file.path()};
      options.format = format;
      options.split = "all";
      const Dataset dataset = Dataset::open(options);
      size_t regions = 0;
      for (size_t i = 0; i < dataset.size(); ++i) {
        regions += dataset.image(i).regions.size();
      }
      require(regions == dataset.region_count(), "every region that was counted comes");
    });
  }
  allow_refusal({ErrorKind::data, ErrorKind::io}, [&] {
    const Predictions predictions = read_predictions(file.path());
    require(!predictions.items.empty() || !predictions.failed.empty(), "predictions hold something");
  });
  return 0;
}
