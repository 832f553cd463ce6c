// Torch files of every container, and what is refused (spec/02 sections 12 and 13). The golden files of the
// same subject are run by `verify`; here the files are made by hand.
#include "checkpoint/state_dict.hpp"
#include "checkpoint/torch_writer.hpp"
#include "pickle_bytes.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::pickle;

namespace {

/// A float tensor over the whole of storage "0" of 4 elements.
Bytes four() {
  return tensor_over(storage("FloatStorage", "0", 4), 0, {2, 2}, {2, 1});
}

const Bytes kFour = floats({1, 2, 3, 4});

StateDict open_archive(const TestFolder& folder, const Bytes& object,
                       const std::vector<Bytes>& storages = {kFour},
                       std::optional<std::string> root = std::nullopt) {
  write_archive(folder / "w.pth", object, storages);
  return StateDict::open(folder / "w.pth", std::move(root));
}

std::string refusal(const Bytes& object, const std::vector<Bytes>& storages = {kFour}) {
  const TestFolder folder;
  const std::string message =
      refusal_of(ErrorKind::checkpoint, [&] { open_archive(folder, object, storages); });
  CHECK(contains(message, "w.pth"));
  return message;
}

std::vector<float> values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous().view({-1});
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

}  // namespace

TEST_CASE("what is written as a torch state dict is read back bit for bit, in order") {
  const TestFolder folder;
  const at::Tensor transposed = at::arange(6, at::kFloat).reshape({2, 3}).t();
  write_torch_state_dict(folder / "a.pt", {{"z.weight", transposed},
                                           {"half", at::tensor({1.5, -2.25}).to(at::kHalf)},
                                           {"count", at::scalar_tensor(int64_t{1} << 40, at::kLong)},
                                           {"none", at::empty({0, 3})},
                                           {"flags", at::tensor({1, 0, 1}).to(at::kBool)}});
  const StateDict dict = StateDict::open(folder / "a.pt");
  CHECK((dict.format() == CheckpointFormat::torch_zip));
  CHECK(dict.names() == std::vector<std::string>{"z.weight", "half", "count", "none", "flags"});
  CHECK(at::equal(dict.tensor("z.weight"), transposed));
  CHECK(values(dict.tensor("half")) == std::vector<float>{1.5f, -2.25f});
  CHECK(dict.tensor("count").item<int64_t>() == int64_t{1} << 40);
  CHECK(dict.tensor("none").sizes() == at::IntArrayRef{0, 3});
  CHECK(values(dict.tensor("flags")) == std::vector<float>{1, 0, 1});
}

TEST_CASE("equal tensors make equal files") {
  const TestFolder folder;
  write_torch_state_dict(folder / "a.pt", {{"w", at::ones({3})}});
  write_torch_state_dict(folder / "b.pt", {{"w", at::ones({3})}});
  CHECK(read_file(folder / "a.pt") == read_file(folder / "b.pt"));
}

TEST_CASE("deflated archives hold the same tensors in fewer bytes") {
  const TestFolder folder;
  const at::Tensor regular = at::arange(4096, at::kFloat).remainder(7).reshape({64, 64});
  const at::Tensor noise = at::randn({32, 32});  // does not shrink, and is stored as it is
  write_deflated_state_dict(folder / "small.pt",
                            {{"regular", regular}, {"none", at::zeros({0})}, {"noise", noise}});
  write_torch_state_dict(folder / "large.pt",
                         {{"regular", regular}, {"none", at::zeros({0})}, {"noise", noise}});
  CHECK(std::filesystem::file_size(folder / "small.pt") + 15000 <
        std::filesystem::file_size(folder / "large.pt"));
  const StateDict dict = StateDict::open(folder / "small.pt");
  CHECK(at::equal(dict.tensor("regular"), regular));
  CHECK(at::equal(dict.tensor("noise"), noise));
  CHECK(dict.tensor("none").numel() == 0);
}

TEST_CASE("strides and offsets are honoured, and storages are shared") {
  const TestFolder folder;
  const Bytes six = storage("FloatStorage", "0", 6);
  const StateDict dict = open_archive(folder,
                                      dict_of({{"transposed", tensor_over(six, 0, {3, 2}, {1, 3})},
                                               {"column", tensor_over(six, 1, {2}, {3})},
                                               {"expanded", tensor_over(six, 2, {2, 3}, {0, 0})},
                                               {"scalar", tensor_over(six, 5, {}, {})}}),
                                      {floats({0, 1, 2, 3, 4, 5})});
  CHECK(values(dict.tensor("transposed")) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(values(dict.tensor("column")) == std::vector<float>{1, 4});
  CHECK(values(dict.tensor("expanded")) == std::vector<float>{2, 2, 2, 2, 2, 2});
  CHECK(dict.tensor("scalar").dim() == 0);
  CHECK(dict.tensor("scalar").item<float>() == 5.0f);
}

TEST_CASE("a single state_dict or model map is entered") {
  for (const char* wrapper : {"state_dict", "model"}) {
    const TestFolder folder;
    const StateDict dict = open_archive(
        folder,
        dict_of({{"epoch", integer(7)}, {wrapper, dict_of({{"module.w", four()}})}, {"name", text("tiny")}}));
    CHECK(dict.names() == std::vector<std::string>{"w"});
    CHECK(dict.metadata().at("epoch") == "7");
    CHECK(dict.metadata().at("name") == "tiny");
  }
}

TEST_CASE("without one, nested maps and lists become dotted names") {
  const TestFolder folder;
  const StateDict dict = open_archive(folder, dict_of({{"a", dict_of({{"b", dict_of({{"c", four()}})}})},
                                                       {"list", list({four(), integer(3), four()})}}));
  CHECK(dict.names() == std::vector<std::string>{"a.b.c", "list.0", "list.2"});
}

TEST_CASE("two wrapper maps beside one another are both kept") {
  const TestFolder folder;
  const StateDict dict = open_archive(
      folder, dict_of({{"state_dict", dict_of({{"w", four()}})}, {"model", dict_of({{"v", four()}})}}));
  CHECK(dict.names() == std::vector<std::string>{"state_dict.w", "model.v"});
}

TEST_CASE("a root says which map is meant, and its names stay as they are") {
  const TestFolder folder;
  const Bytes object = dict_of({{"state_dict", dict_of({{"module.w", four()}})},
                                {"ema", dict_of({{"net.x", dict_of({{"module.v", four()}})}})}});
  CHECK(open_archive(folder, object, {kFour}, "state_dict").names() == std::vector<std::string>{"module.w"});
  CHECK(open_archive(folder, object, {kFour}, "ema.net.x").names() == std::vector<std::string>{"module.v"});
  CHECK(open_archive(folder, object, {kFour}, "").names() ==
        std::vector<std::string>{"state_dict.module.w", "ema.net.x.module.v"});
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { open_archive(folder, object, {kFour}, "emma"); }),
                 "did you mean 'ema'"));
}

TEST_CASE("a lone tensor is called tensor") {
  const TestFolder folder;
  CHECK(open_archive(folder, four()).names() == std::vector<std::string>{"tensor"});
}

TEST_CASE("parameters, and tensors that carry attributes, are tensors") {
  const TestFolder folder;
  const Bytes parameter = call(global("torch._utils", "_rebuild_parameter"),
                               {four(), "\x88", call(global("collections", "OrderedDict"), {})});
  const Bytes attributed =
      call(global("torch._tensor", "_rebuild_from_type_v2"),
           {global("torch._utils", "_rebuild_tensor_v2"), global("torch", "Tensor"),
            tuple({storage("FloatStorage", "0", 4), integer(0), integers({4}), integers({1}), "\x89",
                   call(global("collections", "OrderedDict"), {})}),
            dict_of({})});
  const StateDict dict = open_archive(folder, dict_of({{"p", parameter}, {"t", attributed}}));
  CHECK(values(dict.tensor("p")) == std::vector<float>{1, 2, 3, 4});
  CHECK(values(dict.tensor("t")) == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("a scripted module gives the tensors of its parts and nothing else") {
  const TestFolder folder;
  const Bytes inner = new_object("__torch__.torch.nn", "Linear",
                                 dict({{text("training"), "\x88"}, {text("weight"), four()}}));
  const Bytes outer = new_object("__torch__", "Model",
                                 dict({{text("scale"), four()},
                                       {text("0"), inner},
                                       {text("sizes"), list({four()})},
                                       {text("name"), text("m")},
                                       {text("none"), "N"}}));
  ZipWriter archive(folder / "s.pt");
  archive.add("model/data.pkl", whole(outer));
  archive.add("model/constants.pkl", whole(tuple({})));
  archive.add("model/data/0", kFour);
  archive.finish();
  const StateDict dict = StateDict::open(folder / "s.pt");
  CHECK((dict.format() == CheckpointFormat::torch_script));
  CHECK(dict.names() == std::vector<std::string>{"scale", "0.weight"});
  CHECK(values(dict.tensor("0.weight")) == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("the stream of PyTorch before 1.6 is read, with windows into storages") {
  const TestFolder folder;
  const Bytes window = tuple({text("storage"), global("torch", "FloatStorage"), text("k"), text("cuda:0"),
                              integer(5), tuple({text("v"), integer(1), integer(3)})}) +
                       "Q";
  const Bytes object = dict_of({{"whole", tensor_over(storage("FloatStorage", "k", 5), 0, {5}, {1})},
                                {"window", tensor_over(window, 1, {2}, {1})}});
  const StateDict dict = StateDict::open(folder.write("old.pth", stream(object, {{"k", {0, 1, 2, 3, 4}}})));
  CHECK((dict.format() == CheckpointFormat::torch_legacy));
  CHECK(values(dict.tensor("whole")) == std::vector<float>{0, 1, 2, 3, 4});
  CHECK(values(dict.tensor("window")) == std::vector<float>{2, 3});
}

TEST_CASE("a stream cut short anywhere is refused") {
  const TestFolder folder;
  const Bytes whole_stream =
      stream(dict_of({{"w", tensor_over(storage("FloatStorage", "k", 2), 0, {2}, {1})}}), {{"k", {1, 2}}});
  for (size_t size = 0; size < whole_stream.size(); ++size) {
    const auto path = folder.write("cut.pth", whole_stream.substr(0, size));
    CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(path); }), "cut.pth"));
  }
}

TEST_CASE("a pickle of NumPy arrays is read, as detectron2 writes it") {
  const TestFolder folder;
  const Bytes dtype = call(global("numpy", "dtype"), {text("f4"), "\x89", "\x88"}) +
                      tuple({integer(3), text("<"), "N", "N", "N", integer(-1), integer(-1), integer(0)}) +
                      "b";
  const auto array = [&](const std::vector<int64_t>& shape, const char* fortran, const Bytes& data) {
    return call(global("numpy.core.multiarray", "_reconstruct"),
                {global("numpy", "ndarray"), integers({0}), bytes("b")}) +
           tuple({integer(1), integers(shape), dtype, fortran, data}) + "b";
  };
  // Protocol 2 writes bytes as Latin-1 text: 1.0f is 00 00 80 3f.
  const Bytes latin1 =
      call(global("_codecs", "encode"), {text(std::string_view("\0\0\xc2\x80?", 5)), text("latin1")});
  const Bytes object = dict_of({{"model", dict_of({{"plain", array({2, 2}, "\x89", bytes(kFour))},
                                                   {"fortran", array({2, 2}, "\x88", bytes(kFour))},
                                                   {"old", array({1}, "\x89", latin1)}})},
                                {"__author__", text("someone")}});
  const StateDict dict = StateDict::open(folder.write("r50.pkl", whole(object)));
  CHECK((dict.format() == CheckpointFormat::pickle));
  CHECK(values(dict.tensor("plain")) == std::vector<float>{1, 2, 3, 4});
  CHECK(values(dict.tensor("fortran")) == std::vector<float>{1, 3, 2, 4});
  CHECK(values(dict.tensor("old")) == std::vector<float>{1});
  const auto short_array =
      folder.write("short.pkl", whole(dict_of({{"a", array({3}, "\x89", bytes(kFour))}})));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(short_array); }),
                 "16 bytes for the shape [3]"));
}

TEST_CASE("a tensor pickled without torch.save carries a stream of its own") {
  const TestFolder folder;
  const Bytes inner = stream(storage("FloatStorage", "9", 3), {{"9", {7, 8, 9}}});
  const Bytes object = list(
      {list({text("a cat"),
             tensor_over(call(global("torch.storage", "_load_from_bytes"), {bytes(inner)}), 1, {2}, {1})})});
  const StateDict dict = StateDict::open(folder.write("captions.pickle", whole(object)));
  CHECK(dict.names() == std::vector<std::string>{"0.1"});
  CHECK(values(dict.tensor("0.1")) == std::vector<float>{8, 9});
}

TEST_CASE("foreign objects beside the tensors are harmless, and are named when they are wanted") {
  const TestFolder folder;
  const StateDict dict = open_archive(
      folder, dict_of({{"w", four()},
                       {"args", new_object("argparse", "Namespace", dict_of({{"lr", integer(1)}}))},
                       {"evil", call(global("posix", "system"), {text("true")})},
                       {"net", new_object("models", "Net", dict_of({{"_parameters", dict_of({})}}))}}));
  CHECK(dict.names() == std::vector<std::string>{"w"});
  CHECK_FALSE(dict.contains("evil"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { dict.tensor("args"); }),
                 "an object of the class 'argparse.Namespace'"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { dict.tensor("evil"); }), "posix.system"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { dict.tensor("net"); }),
                 "save its state_dict() instead"));
}

TEST_CASE("tensors that are not read are named by their kind") {
  CHECK(contains(refusal(dict_of({{"q", call(global("torch._utils", "_rebuild_qtensor"), {})}})),
                 "'q' is a quantised tensor"));
  CHECK(contains(refusal(dict_of({{"s", call(global("torch._utils", "_rebuild_sparse_tensor"), {})}})),
                 "'s' is a sparse tensor"));
  CHECK(contains(refusal(dict_of({{"c", tensor_over(storage("ComplexFloatStorage", "0", 2), 0, {2}, {1})}})),
                 "'c' is a complex tensor"));
  CHECK(
      contains(refusal(dict_of({{"m", call(global("torch._utils", "_rebuild_meta_tensor_no_storage"), {})}})),
               "meta tensor"));
  CHECK(contains(refusal(new_object("models", "Net", dict_of({{"_parameters", dict_of({})}}))),
                 "a whole pickled Python module of the class 'models.Net'"));
  CHECK(contains(refusal(integer(3)), "its content is 3, not a map of tensors"));
}

TEST_CASE("a view that would still have to be negated is not taken for its stored values") {
  const auto lazy = [](const Bytes& flag) {
    return call(global("torch._utils", "_rebuild_tensor_v2"),
                {storage("FloatStorage", "0", 4), integer(0), integers({4}), integers({1}), "\x89",
                 call(global("collections", "OrderedDict"), {}), dict_of({{"neg", flag}})});
  };
  CHECK(contains(refusal(dict_of({{"n", lazy("\x88")}})), "negated"));
  const TestFolder folder;
  CHECK(values(open_archive(folder, dict_of({{"n", lazy("\x89")}})).tensor("n")) ==
        std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("tensors that contradict themselves or their storage are refused when the file is opened") {
  const Bytes storage_of_four = storage("FloatStorage", "0", 4);
  const auto view = [&](int64_t offset, const std::vector<int64_t>& shape,
                        const std::vector<int64_t>& strides) {
    return refusal(dict_of({{"w", tensor_over(storage_of_four, offset, shape, strides)}}));
  };
  CHECK(contains(view(0, {3, 2}, {2, 1}), "'w' reaches past its storage"));
  CHECK(contains(view(3, {2}, {1}), "reaches past"));
  CHECK(contains(view(0, {2}, {int64_t{1} << 62}), "reaches past"));
  CHECK(contains(view(std::numeric_limits<int64_t>::max(), {2}, {1}), "reaches past"));
  CHECK(contains(view(-1, {2}, {1}), "negative storage offset"));
  CHECK(contains(view(0, {-2}, {1}), "negative size"));
  CHECK(contains(view(0, {2}, {-1}), "negative stride"));
  CHECK(contains(view(0, {2, 2}, {1}), "2 sizes but 1 strides"));
  CHECK(contains(view(0, {int64_t{1} << 40, int64_t{1} << 40}, {0, 0}), "more elements than can be counted"));
  CHECK(contains(view(0, {int64_t{1} << 40}, {0}), "expands 16 bytes"));
  CHECK(contains(view(0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), "65 dimensions"));
  CHECK(contains(refusal(dict_of({{"w", tensor_over(storage("FloatStorage", "7", 4), 0, {2}, {1})}})),
                 "'archive/data/7' is not in the archive"));
  CHECK(contains(refusal(dict_of({{"w", tensor_over(storage("FloatStorage", "0", 8), 0, {2}, {1})}})),
                 "16 bytes where 8 elements"));
  CHECK(contains(
      refusal(dict_of({{"w", tensor_over(storage("DoubleStorage", "0", int64_t{1} << 61), 0, {2}, {1})}})),
      "announced"));
  CHECK(contains(refusal(dict_of({{"w", tensor_over(storage("FloatStorage", "0", -4), 0, {2}, {1})}})),
                 "storage's id"));
  CHECK(contains(
      refusal(dict_of({{"w", call(global("torch._utils", "_rebuild_tensor_v2"), {storage_of_four})}})),
      "made from 1 arguments"));
}

TEST_CASE("maps that refer to themselves or to one another without end are refused") {
  CHECK(contains(refusal("}q\x01" + text("me") + "h\x01s"), "nested more than 100 levels"));
  // Each map holds the one before it twice: two to the power of 40 paths.
  Bytes doubling = "}q";
  doubling += '\0';
  for (char i = 1; i <= 40; ++i) {
    const Bytes before = Bytes("h") + static_cast<char>(i - 1);
    doubling += "0" + dict({{text("a"), before}, {text("b"), before}}) + "q" + i;
  }
  CHECK(contains(refusal(doubling), "entries"));
}

TEST_CASE("an archive that is no checkpoint says so") {
  const TestFolder folder;
  ZipWriter numpy(folder / "a.npz");
  numpy.add("arr_0.npy", "x");
  numpy.finish();
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(folder / "a.npz"); }),
                 "no data.pkl, but 'arr_0.npy'"));
  ZipWriter two(folder / "two.pth");
  two.add("a/data.pkl", whole(dict_of({})));
  two.add("b/data.pkl", whole(dict_of({})));
  two.finish();
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(folder / "two.pth"); }),
                 "two models"));
  ZipWriter big(folder / "big.pth");
  big.add("a/data.pkl", whole(dict_of({})));
  big.add("a/byteorder", "big");
  big.finish();
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(folder / "big.pth"); }),
                 "byte order 'big'"));
}
