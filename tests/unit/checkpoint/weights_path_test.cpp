// Weights named by a Hugging Face repository: found in the local cache, or the command to type.
#include <cstdlib>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// A cache folder in which org/model has one snapshot, and the environment that points to it.
class Cache {
 public:
  Cache() {
    ::setenv("HF_HUB_CACHE", (folder_ / "hub").c_str(), 1);
    std::filesystem::create_directories(snapshot());
    std::filesystem::create_directories(model() / "refs");
    write_file(model() / "refs" / "main", kCommit);
    write_file(snapshot() / "model.safetensors", "x");
  }
  ~Cache() { ::unsetenv("HF_HUB_CACHE"); }

  std::filesystem::path model() const { return folder_ / "hub" / "models--org--model"; }
  std::filesystem::path snapshot() const { return model() / "snapshots" / kCommit; }

  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

 private:
  struct Path {
    TestFolder folder;
    std::filesystem::path operator/(const std::string& name) const { return folder / name; }
  } folder_;
};

}  // namespace

TEST_CASE("an ordinary path is returned as it is") {
  CHECK(resolve_weights("weights/vitb.pth") == "weights/vitb.pth");
}

TEST_CASE("a repository resolves to the first default file of the revision's snapshot") {
  const Cache cache;
  CHECK(resolve_weights("hf:org/model") == cache.snapshot() / "model.safetensors");
  CHECK(resolve_weights("hf:org/model@main:model.safetensors") == cache.snapshot() / "model.safetensors");
  CHECK(resolve_weights("hf:org/model", {"absent.bin", "model.safetensors"}) ==
        cache.snapshot() / "model.safetensors");
}

TEST_CASE("a commit may be given whole or shortened") {
  const Cache cache;
  CHECK(resolve_weights(fmt::format("hf:org/model@{}", Cache::kCommit)) ==
        cache.snapshot() / "model.safetensors");
  CHECK(resolve_weights("hf:org/model@0123456") == cache.snapshot() / "model.safetensors");
}

TEST_CASE("what is not in the cache comes with the command to type") {
  const Cache cache;
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/other"); }),
                 "hf download org/other"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model:vit.bin"); }),
                 "hf download org/model 'vit.bin'"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model@v2"); }),
                 "hf download org/model --revision v2"));
  std::filesystem::create_symlink(cache.model() / "blobs" / "gone", cache.snapshot() / "vit.bin");
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model:vit.bin"); }),
                 "interrupted"));
}

TEST_CASE("paths that would leave the cache are refused") {
  const Cache cache;
  CHECK(
      contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model:../../../refs/main"); }),
               "no file name"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model:/etc/passwd"); }),
                 "no file name"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:org/model@../x"); }),
                 "no revision"));
  CHECK(
      contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:../model"); }), "is written hf:"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:a/b/c"); }), "is written hf:"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [] { resolve_weights("hf:"); }), "is written hf:"));
}
