// Any bytes as a file of captions in each of its formats, and as the texts of a memory bank.
#include "data/text_source.hpp"
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"
#include "memory/bank_texts.hpp"
#include "support/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  const InputFile file(data, size);
  for (const TextFormat format :
       {TextFormat::automatic, TextFormat::json, TextFormat::json_lines, TextFormat::lines}) {
    const auto visit = [](const SourceText& text) {
      require(first_ill_formed_utf8(text.text) == std::string::npos, "a text is UTF-8");
      return true;
    };
    allow_refusal({ErrorKind::data}, [&] { visit_texts(file.path(), format, visit, "fuzz"); });
  }
  allow_refusal({ErrorKind::data}, [&] {
    const std::vector<std::string> texts = read_bank_texts(file.path());
    BankTextsEncoder encoder;
    std::string written;
    for (const std::string& text : texts) {
      written += encoder.next(text);
    }
    written += encoder.end();
    const InputFile again(reinterpret_cast<const uint8_t*>(written.data()), written.size());
    require(read_bank_texts(again.path()) == texts, "texts come back as they were written");
  });
  return 0;
}
