// Any bytes as a shared library that is looked at before it is loaded.
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"
#include "runtime/elf_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  const InputFile file(data, size);
  allow_refusal({ErrorKind::plugin}, [&] { ElfFile::read(file.path()); });
  return 0;
}
