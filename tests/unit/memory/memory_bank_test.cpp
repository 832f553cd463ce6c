// Opening banks, good and bad (docs/formats/memory_bank.md; spec/01 section 5.2).
#include "memory/memory_bank.hpp"

#include <hdf5.h>

#include <limits>

#include "test_banks.hpp"

namespace patchioner {
namespace {

/// An HDF5 file with the datasets whose names are not empty: embeddings [rows,2] of ones and fixed-length
/// texts.
void write_hdf5(const std::filesystem::path& path, const std::string& embeddings, hsize_t rows,
                const std::string& text, hsize_t texts) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (!embeddings.empty()) {
    const hsize_t sizes[2] = {rows, 2};
    const hid_t space = H5Screate_simple(2, sizes, nullptr);
    const hid_t set =
        H5Dcreate2(file, embeddings.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const std::vector<float> ones(rows * 2, 1.0F);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones.data());
    H5Dclose(set);
    H5Sclose(space);
  }
  if (!text.empty()) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 4);
    const hid_t space = H5Screate_simple(1, &texts, nullptr);
    const hid_t set = H5Dcreate2(file, text.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    std::string content;
    for (hsize_t index = 0; index < texts; ++index) {
      content += std::string("t") + static_cast<char>('0' + index) + std::string(2, '\0');
    }
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, content.data());
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
  }
  H5Fclose(file);
}

TEST_CASE("a native bank has its rows, its texts and their lengths") {
  const test::BankFolder folder;
  const at::Tensor rows = at::tensor({3.0F, 4.0F, 0.0F, 2.0F}).reshape({2, 2});
  const auto bank = MemoryBank::open(folder.write_bank("bank", rows, {"a cat", "a dog"}));
  CHECK(bank->rows() == 2);
  CHECK(bank->dim() == 2);
  CHECK(at::equal(bank->embeddings(), rows));
  CHECK(at::equal(bank->row_norms(), at::tensor({5.0F, 2.0F})));
  CHECK(bank->texts() == std::vector<std::string>{"a cat", "a dog"});
  CHECK(bank->dropped_rows() == 0);
}

TEST_CASE("half precision rows are read as float") {
  const test::BankFolder folder;
  const auto bank = MemoryBank::open(
      folder.write_bank("bank", at::tensor({1.5F, -2.0F}).reshape({1, 2}).to(at::kHalf), {"a"}));
  CHECK(at::equal(bank->embeddings(), at::tensor({1.5F, -2.0F}).reshape({1, 2})));
}

TEST_CASE("zero rows are left out, whether or not they have texts") {
  const test::BankFolder folder;
  const at::Tensor rows = at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 2.0F, 0.0F, 0.0F}).reshape({4, 2});
  const at::Tensor kept = at::tensor({1.0F, 0.0F, 0.0F, 2.0F}).reshape({2, 2});
  for (const auto& texts :
       {std::vector<std::string>{"one", "empty", "two", "empty"}, std::vector<std::string>{"one", "two"}}) {
    const auto bank = MemoryBank::open(folder.write_bank("bank", rows, texts));
    CHECK(at::equal(bank->embeddings(), kept));
    CHECK(bank->texts() == std::vector<std::string>{"one", "two"});
    CHECK(bank->dropped_rows() == 2);
  }
}

TEST_CASE("the reference's HDF5 bank and its native copy are the same bank") {
  const auto hdf5 =
      MemoryBank::open(test::golden_banks() / "coco_captions_text_embeddings-B16-ViT-B.16-1010.h5");
  const auto native = MemoryBank::open(test::golden_banks() / "bank.safetensors");
  CHECK(hdf5->rows() == 1000);
  CHECK(hdf5->dropped_rows() == 10);
  CHECK(at::equal(hdf5->embeddings(), native->embeddings()));
  CHECK(hdf5->texts() == native->texts());
  CHECK(hdf5->metadata().at("dataset") == "coco_captions");
}

TEST_CASE("texts of fixed length are read from HDF5 too") {
  const test::BankFolder folder;
  write_hdf5(folder / "bank.h5", "vg_captions-embeddings", 2, "vg_captions-text", 3);
  const auto bank = MemoryBank::open(folder / "bank.h5");
  CHECK(bank->texts() == std::vector<std::string>{"t0", "t1"});
}

TEST_CASE("an HDF5 file without the two datasets is refused by name") {
  const test::BankFolder folder;
  write_hdf5(folder / "none.h5", "", 0, "", 0);
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(folder / "none.h5"); }),
                 "has 0 of the former"));
  write_hdf5(folder / "half.h5", "coco-embeddings", 1, "other-text", 1);
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(folder / "half.h5"); }),
                 "'coco-text' is missing"));
  write_hdf5(folder / "few.h5", "coco-embeddings", 3, "coco-text", 2);
  CHECK(contains(refusal_of(ErrorKind::data, [&] { MemoryBank::open(folder / "few.h5"); }),
                 "2 texts for 3 rows"));
}

TEST_CASE("an HDF5 file that was cut is refused") {
  const test::BankFolder folder;
  const std::string whole =
      read_file(test::golden_banks() / "coco_captions_text_embeddings-B16-ViT-B.16-1010.h5");
  for (const size_t size : {size_t{20}, size_t{700}, whole.size() / 2, whole.size() - 8}) {
    const auto path = folder.write("cut.h5", whole.substr(0, size));
    CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(path); }), "cut.h5"));
  }
}

TEST_CASE("rows and texts that do not belong together are refused") {
  const test::BankFolder folder;
  const auto path = folder.write_bank("bank", at::ones({3, 2}), {"a", "b"});
  CHECK(contains(refusal_of(ErrorKind::data, [&] { MemoryBank::open(path); }), "2 texts for 3 rows"));
}

TEST_CASE("a bank without its texts says which file is missing") {
  const test::BankFolder folder;
  const auto path = folder.write_bank("bank", at::ones({1, 2}), {"a"});
  std::filesystem::remove(folder / "bank.texts.json");
  CHECK(contains(refusal_of(ErrorKind::io, [&] { MemoryBank::open(path); }), "bank.texts.json"));
}

TEST_CASE("texts that are no array of strings are refused") {
  const test::BankFolder folder;
  const auto path = folder.write_bank("bank", at::ones({2, 2}), {"a", "b"});
  for (const char* texts : {R"({"a": "b"})", R"(["a", 1])", R"(["a", ["b"]])", R"("a")", R"(["a", "b")", "",
                            "[\"a\", \"\xff\"]"}) {
    folder.write("bank.texts.json", texts);
    CHECK(contains(refusal_of(ErrorKind::data, [&] { MemoryBank::open(path); }), "bank.texts.json"));
  }
}

TEST_CASE("a file that was cut, or is another checkpoint, is refused") {
  const test::BankFolder folder;
  const auto path = folder.write_bank("bank", at::ones({3, 2}), {"a", "b", "c"});
  const std::string whole = read_file(path);
  for (const size_t size : {size_t{0}, size_t{4}, size_t{30}, whole.size() - 1}) {
    folder.write("bank.safetensors", whole.substr(0, size));
    (void)refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(path); });
  }
  write_safetensors(path, {{"weight", at::ones({3, 2})}});
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(path); }), "embeddings"));
  CHECK(contains(refusal_of(ErrorKind::io, [&] { MemoryBank::open(folder / "absent.safetensors"); }),
                 "absent.safetensors"));
}

TEST_CASE("embeddings of another shape or type are refused") {
  const test::BankFolder folder;
  (void)refusal_of(ErrorKind::checkpoint, [&] {
    MemoryBank::open(folder.write_bank("bank", at::ones({3}), {"a", "b", "c"}));
  });
  (void)refusal_of(ErrorKind::checkpoint, [&] {
    MemoryBank::open(folder.write_bank("bank", at::ones({1, 2}, at::kLong), {"a"}));
  });
}

TEST_CASE("a row that is not finite is named") {
  const test::BankFolder folder;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const auto path =
        folder.write_bank("bank", at::tensor({1.0F, 2.0F, bad, 4.0F}).reshape({2, 2}), {"good", "bad"});
    CHECK(contains(refusal_of(ErrorKind::data, [&] { MemoryBank::open(path); }), "row 1 (\"bad\")"));
  }
}

TEST_CASE("a row whose squares are zero in float32 is named") {
  at::Tensor embeddings = at::ones({3, 2});
  embeddings[1].fill_(1e-30F);
  CHECK(contains(refusal_of(ErrorKind::data,
                            [&] {
                              MemoryBank::from_memory(embeddings, {"a", "b", "c"});
                            }),
                 "row 1 (\"b\")"));
}

TEST_CASE("an HDF5 file that claims enormous rows or texts is refused before memory is taken") {
  const test::BankFolder folder;
  const auto write = [&](const char* name, hsize_t width, size_t text_bytes) {
    const hid_t file = H5Fcreate((folder / name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t sizes[2] = {1, width};
    const hsize_t chunk[2] = {1, std::min<hsize_t>(width, 1024)};
    const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);  // nothing is stored of chunks that are not written
    H5Pset_chunk(chunked, 2, chunk);
    const hid_t table = H5Screate_simple(2, sizes, nullptr);
    H5Dclose(H5Dcreate2(file, "coco-embeddings", H5T_IEEE_F32LE, table, H5P_DEFAULT, chunked, H5P_DEFAULT));
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, text_bytes);
    const hid_t list = H5Screate_simple(1, sizes, nullptr);
    H5Dclose(H5Dcreate2(file, "coco-text", text, list, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(list);
    H5Tclose(text);
    H5Sclose(table);
    H5Pclose(chunked);
    H5Fclose(file);
    return folder / name;
  };
  CHECK(contains(
      refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(write("wide.h5", hsize_t{1} << 35, 4)); }),
      "too large"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { MemoryBank::open(write("long.h5", 4, 1 << 21)); }),
                 "too large"));
}

TEST_CASE("a bank of zero rows alone is refused as empty") {
  const test::BankFolder folder;
  CHECK(contains(refusal_of(ErrorKind::data,
                            [&] {
                              MemoryBank::open(folder.write_bank("bank", at::zeros({2, 2}), {}));
                            }),
                 "empty"));
}

}  // namespace
}  // namespace patchioner
