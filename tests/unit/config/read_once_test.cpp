#include <doctest/doctest.h>

#include "config/config.hpp"
#include "test_folder.hpp"

using namespace patchioner;

TEST_CASE("while configs are read once, a file stays what it was at first") {
  const TestFolder folder;
  const auto file = folder.write("a.yaml", "runtime: {batch: 1}\n");
  const auto batch = [&] { return compose(file).at("runtime").at("batch").as_integer(); };
  {
    const ConfigsReadOnce outer;
    CHECK(batch() == 1);
    folder.write("a.yaml", "runtime: {batch: 2}\n");
    { const ConfigsReadOnce inner; }
    CHECK(batch() == 1);
  }
  CHECK(batch() == 2);
  folder.write("a.yaml", "runtime: {batch: 3}\n");
  CHECK(batch() == 3);
}
