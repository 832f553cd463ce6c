// Any bytes as the JSON of a region, and as the files of the localized tasks.
#include "data/region_json.hpp"
#include "data/task_inputs.hpp"
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
  allow_refusal({ErrorKind::data}, [&] { read_dense_task(file.path()); });
  allow_refusal({ErrorKind::data}, [&] { read_region_set_task(file.path()); });
  allow_refusal({ErrorKind::data}, [&] { read_trace_task(file.path()); });
  return 0;
}
