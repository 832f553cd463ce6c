// References as CLIPScore and PAC-S take them (spec/05 section 11).
#include "dataset_folder.hpp"
#include "refusals.hpp"

namespace patchioner {
namespace {

TEST_CASE("references of CLIPScore are told by content: captions of whole images by name") {
  const DatasetFolder folder(R"({"one": ["a dog", "the dog"], "2": ["a car"]})");
  const Dataset dataset = folder.open();
  CHECK((dataset.format() == DatasetFormat::clipscore));
  CHECK((dataset.task() == DatasetTask::image));
  REQUIRE(dataset.size() == 2);
  const DatasetImage first = dataset.image(0);
  CHECK(first.id == "one");
  CHECK(first.file_name == "one.jpg");
  REQUIRE(first.regions.size() == 1);
  CHECK(std::holds_alternative<WholeImage>(first.regions[0].shape));
  CHECK(first.regions[0].references == std::vector<std::string>{"a dog", "the dog"});
  CHECK(dataset.image(1).id == "2");
}

TEST_CASE("what is no list of captions is a problem with its place, not left out in silence") {
  const Dataset dataset = DatasetFolder(R"({"one": ["a dog"], "two": ["a car", 3]})").open();
  CHECK(dataset.size() == 1);
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 1);
  DatasetFolder strict(R"({"one": ["a dog"], "two": "a car"})");
  strict.options.strict = true;
  mentions(refusal_of(ErrorKind::data, [&] { strict.open(); }), "image two (byte ");
}

}  // namespace
}  // namespace patchioner
