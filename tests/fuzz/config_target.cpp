// Any bytes as a config: read and written again, and composed with the groups of the unit tests.
#include "config/config.hpp"
#include "fuzz/refusals.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  set_config_directory(PATCHIONER_SOURCE_DIR "/tests/unit/config/cases/configs");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::optional<Value> value;
  allow_refusal({ErrorKind::config}, [&] { value = parse_yaml(text, "fuzz"); });
  if (value) {
    // As texts, since NaN is not equal to itself.
    const std::string written = write_yaml(*value);
    require(write_yaml(parse_yaml(written, "again")) == written, "a config comes back as it was written");
  }
  // Where a config lies decides what it finds, so that it has to lie somewhere.
  const std::filesystem::path file = "fuzz_config.yaml";
  std::ofstream(file, std::ios::binary) << text;
  allow_refusal({ErrorKind::config}, [&] { write_json(compose(file, {"gap.std=0.5"})); });
  std::filesystem::remove(file);
  return 0;
}
