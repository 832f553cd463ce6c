#include "scaffold/plugin_scaffold.hpp"

#include <sys/stat.h>

#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

namespace fs = std::filesystem;

const fs::path kTemplates = fs::path(PATCHIONER_SOURCE_DIR) / "templates/plugins";

/// Templates of one file a part.
struct SmallTemplates {
  TestFolder folder;
  SmallTemplates() {
    folder.write("common/README.md", "the {{kind}} {{name}}");
    folder.write("gap/src/{{name}}.cpp", "class {{Name}};");
    folder.write("decoder/other.txt", "{{other}}");
  }
};

uint64_t inode(const fs::path& path) {
  struct stat information {};
  REQUIRE(::stat(path.c_str(), &information) == 0);
  return information.st_ino;
}

}  // namespace

TEST_CASE("the parts of a kind are written with the names filled in, in paths too") {
  const SmallTemplates templates;
  const TestFolder folder;
  const std::vector<fs::path> files =
      write_plugin_scaffold(templates.folder.path(), names_of("gap", "my_gap"), folder / "deep/new/");
  CHECK(files == std::vector<fs::path>{"README.md", "src/my_gap.cpp"});
  CHECK(read_file(folder / "deep/new/README.md") == "the gap my_gap");
  CHECK(read_file(folder / "deep/new/src/my_gap.cpp") == "class MyGap;");
  CHECK(std::distance(fs::directory_iterator(folder / "deep"), fs::directory_iterator()) == 1);
}

TEST_CASE("an empty folder is filled and stays the one that it is") {
  const SmallTemplates templates;
  const TestFolder folder;
  const uint64_t before = inode(folder.path());
  write_plugin_scaffold(templates.folder.path(), names_of("gap", "my_gap"), folder.path() / ".");
  CHECK(inode(folder.path()) == before);
  CHECK(fs::exists(folder / "src/my_gap.cpp"));
}

TEST_CASE("a folder that holds something, and a file, are left alone") {
  const SmallTemplates templates;
  const TestFolder folder;
  folder.write("full/mine.txt", "mine");
  folder.write("file", "mine");
  fs::create_symlink("nowhere", folder / "link");
  const PluginNames names = names_of("gap", "my_gap");
  const auto refused = [&](const char* name) {
    return refusal_of(ErrorKind::usage,
                      [&] { write_plugin_scaffold(templates.folder.path(), names, folder / name); });
  };
  mentions(refused("full"), "full: the folder is not empty; name one that is empty or not there yet");
  mentions(refused("file"), "file: is there and is no folder");
  mentions(refused("link"), "link: is there and is no folder");
  CHECK(std::distance(fs::directory_iterator(folder / "full"), fs::directory_iterator()) == 1);
  mentions(refusal_of(ErrorKind::io,
                      [&] { write_plugin_scaffold(templates.folder.path(), names, folder / "file/new"); }),
           "file");
}

TEST_CASE("nothing is left of a scaffold that fails half-way") {
  const SmallTemplates templates;
  const TestFolder folder;
  fs::create_directory(folder / "empty");
  for (const char* name : {"new", "empty"}) {
    mentions(refusal_of([&] {
               write_plugin_scaffold(templates.folder.path(), names_of("decoder", "my_decoder"),
                                     folder / name);
             }),
             "{{other}}");
  }
  CHECK(fs::is_empty(folder / "empty"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("the templates of every kind are complete and have no unknown word") {
  const TestFolder folder;
  for (const char* kind : {"backbone", "aggregator", "gap", "decoder"}) {
    INFO(kind);
    const fs::path made = folder / kind;
    CHECK_NOTHROW(write_plugin_scaffold(kTemplates, names_of(kind, "my_vit"), made));
    for (const char* file :
         {"my_vit.cpp", "my_vit.yaml", "CMakeLists.txt", "README.md", "test/CMakeLists.txt"}) {
      INFO(file);
      CHECK(fs::is_regular_file(made / file));
    }
    mentions(read_file(made / "my_vit.cpp"), "YOURS");
    mentions(read_file(made / "my_vit.cpp"), "PATCHIONER_PLUGIN(" + std::string(kind) + ", my_vit,");
    mentions(read_file(made / "CMakeLists.txt"), "patchioner_add_plugin(my_vit KIND " + std::string(kind));
    mentions(read_file(made / "my_vit.yaml"), "{plugin: my_vit");
    CHECK(read_file(made / "test/scene.jpg") == read_file(kTemplates / "common/test/scene.jpg"));
  }
}

TEST_CASE("templates are found beside the build and beside the installation") {
  const TestFolder folder;
  folder.write("tree/templates/plugins/common/a", "");
  folder.write("prefix/share/patchioner/templates/plugins/common/a", "");
  folder.write("prefix/lib/patchioner/libpatchioner_commands.so", "");
  folder.write("templates/plugins/common/a", "");  // of somebody else
  CHECK(plugin_templates(folder / "tree/build/bin/patchioner") == folder / "tree/templates/plugins");
  CHECK(plugin_templates(folder / "prefix/bin/patchioner") ==
        folder / "prefix/share/patchioner/templates/plugins");
  mentions(refusal_of(ErrorKind::io, [&] { plugin_templates(folder / "elsewhere/build/bin/patchioner"); }),
           "elsewhere/templates/plugins");
}
