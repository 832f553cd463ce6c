// Any bytes as a checkpoint file: opened, and everything in it read. Only an Error of kind checkpoint may
// come out.
#include "checkpoint/state_dict.hpp"
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  const InputFile file(data, size);
  for (const auto& root : {std::optional<std::string>(), std::optional<std::string>("")}) {
    allow_refusal({ErrorKind::checkpoint, ErrorKind::io}, [&] {
      const StateDict dict = StateDict::open(file.path(), root);
      for (const std::string& name : dict.names()) {
        allow_refusal({ErrorKind::checkpoint, ErrorKind::io},
                      [&] { dict.tensor(name).to(at::kFloat).sum(); });
      }
      for (const auto& [name, reason] : dict.source().unreadable()) {
        allow_refusal({ErrorKind::checkpoint, ErrorKind::io}, [&] { dict.tensor(name); });
      }
      dict.description();
    });
  }
  return 0;
}
