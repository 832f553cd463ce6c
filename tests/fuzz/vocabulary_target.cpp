// Any bytes as the vocabulary of a tokenizer: gzip, lines of merges, or JSON.
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"
#include "text/clip_tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  const InputFile file(data, size);
  allow_refusal({ErrorKind::data, ErrorKind::io}, [&] {
    const auto tokenizer = ClipTokenizer::open(file.path());
    tokenizer->decode(tokenizer->encode("A cat, do\xc3\xa9 <|endoftext|> 42"));
  });
  return 0;
}
