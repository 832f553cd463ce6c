// The CLIP behind CLIP-S and PAC-S: a config, or a checkpoint in the layouts that PAC-S is published in
// (spec/05 section 8), made here of the emoji world's CLIP.
#include "scoring/scoring_model.hpp"

#include <cstdlib>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "scoring/scoring.hpp"
#include "unit/checkpoint/pickle_bytes.hpp"
#include "unit/data/dataset_folder.hpp"

namespace patchioner {
namespace {

const std::filesystem::path kEmoji = std::filesystem::path(PATCHIONER_SOURCE_DIR) / "models/emoji";
const std::string kEmojiConfig =
    (std::filesystem::path(PATCHIONER_SOURCE_DIR) / "configs/experiment/emoji_clip.yaml").string();

/// A trainer's file: the weights under "state_dict", as PAC-S's clip_ViT-B-32.pth and openClip_ViT-L-14.pth.
void write_wrapped(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors) {
  using namespace pickle;
  std::vector<std::pair<std::string, Bytes>> entries;
  std::vector<Bytes> storages;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor flat = tensor.to(at::kHalf).contiguous();  // trainers with mixed precision save halves
    entries.emplace_back(name,
                         tensor_over(storage("HalfStorage", std::to_string(storages.size()), flat.numel()), 0,
                                     flat.sizes().vec(), flat.strides().vec()));
    storages.emplace_back(static_cast<const char*>(flat.const_data_ptr()),
                          static_cast<size_t>(flat.numel()) * 2);
  }
  write_archive(path,
                dict_of({{"epoch", integer(3)},
                         {"state_dict", dict_of(entries)},
                         {"optimizer", dict_of({{"lr", integer(1)}})}}),
                storages);
}

std::map<std::string, at::Tensor> emoji_clip() {
  const StateDict stored = StateDict::open(kEmoji / "clip.pth");
  std::map<std::string, at::Tensor> tensors;
  for (const std::string& name : stored.names()) {
    tensors[name] = stored.tensor(name);
  }
  return tensors;
}

void add_vocabulary(const TestFolder& folder) {
  for (const char* name : {"vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(kEmoji / "tokenizer" / name, folder / name);
  }
}

Image emoji_image() {
  return read_image(kEmoji / "test" / "1.jpg", ExifOrientation::ignore);
}

TEST_CASE("a checkpoint of PAC-S scores as a config of the same CLIP") {
  const TestFolder folder;
  add_vocabulary(folder);
  write_wrapped(folder / "pac.pth", emoji_clip());
  const ScoringModel of_file((folder / "pac.pth").string());
  const ScoringModel of_config(kEmojiConfig);
  const std::vector<std::string> texts = {"a rocket next to the moon", "two cats"};
  const at::Tensor expected = of_config.encode_texts(texts);
  const at::Tensor found = of_file.encode_texts(texts);
  CHECK((found.scalar_type() == at::kFloat));
  // The file is in half precision, whose last bit is 2^-11.
  CHECK(at::cosine_similarity(found, expected, 1).min().item<float>() > 0.99999);
  const at::Tensor image = of_file.encode_images(1, [](size_t) { return emoji_image(); });
  CHECK(at::cosine_similarity(image, of_config.encode_images(1, [](size_t) { return emoji_image(); }), 1)
            .item<float>() > 0.99999);
}

TEST_CASE("a model scores on the device that it is told, not on that of its config") {
  const TestFolder folder;
  const std::string file = (folder / "gpu.yaml").string();
  write_file(file, "defaults: [" + kEmojiConfig + "]\nruntime: {device: cuda}\n");
  CHECK(ScoringModel(file, "cpu").encode_texts({"two cats"}).device().is_cpu());
  if (!at::hasCUDA()) {
    CHECK_THROWS_WITH_AS(ScoringModel{file}, doctest::Contains("finds no CUDA device"), Error);
  }
}

TEST_CASE("of PAC-S's files the large one is open_clip's with GELU, the others are OpenAI's") {
  const TestFolder folder;
  add_vocabulary(folder);
  write_wrapped(folder / "small.pth", {{"visual.class_embedding", at::zeros({768})}});
  const ScoringModelSource small_one = find_scoring_model((folder / "small.pth").string());
  const Value& small = small_one.config.at("backbone");
  CHECK_FALSE(small_one.even_pixels);
  CHECK(small.at("plugin").as_text() == "clip");
  CHECK(small.at("format").as_text() == "openai");
  CHECK(small.find("activation") == nullptr);
  CHECK(small.at("vocabulary").as_text() == (folder / "vocab.json").string());
  write_wrapped(folder / "large.pth", {{"visual.class_embedding", at::zeros({1024})}});
  const ScoringModelSource large = find_scoring_model((folder / "large.pth").string());
  CHECK(large.config.at("backbone").at("activation").as_text() == "gelu");
  CHECK(large.even_pixels);
}

TEST_CASE("what a plain checkpoint does not say is left to the backbone") {
  const TestFolder folder;
  add_vocabulary(folder);
  write_torch_state_dict(folder / "plain.pth", {{"visual.class_embedding", at::zeros({768})}});
  const ScoringModelSource plain = find_scoring_model((folder / "plain.pth").string());
  CHECK(plain.config.at("backbone").find("format") == nullptr);
}

TEST_CASE("a checkpoint without a vocabulary, and a file of another model, are refused") {
  const TestFolder folder;
  ::setenv("PATCHIONER_WEIGHTS", (folder / "nowhere").c_str(), 1);
  write_wrapped(folder / "pac.pth", {{"visual.class_embedding", at::zeros({768})}});
  mentions(refusal_of(ErrorKind::config, [&] { find_scoring_model((folder / "pac.pth").string()); }),
           "bpe_simple_vocab_16e6.txt.gz, which is in none of");
  write_torch_state_dict(folder / "other.pth", {{"weight", at::zeros({2})}});
  mentions(refusal_of(ErrorKind::checkpoint, [&] { find_scoring_model((folder / "other.pth").string()); }),
           "a CLIP with a vision transformer is wanted here");
  ::unsetenv("PATCHIONER_WEIGHTS");
}

/// Predictions of emoji image 1 by regions of its own, against references of the same.
struct Regions {
  DatasetFolder references;
  Predictions predictions;
  std::vector<std::string> lines;

  void add(const std::string& region, RegionShape shape) {
    lines.push_back(R"({"image": "1.jpg", "id": ")" + std::to_string(lines.size()) + R"(", "regions": [)" +
                    region.substr(0, region.size() - 1) + R"(, "references": ["a rocket"]}]})");
    Prediction prediction;
    prediction.image = std::to_string(predictions.items.size());
    prediction.caption = "a rocket next to the moon";
    if (const auto* box = std::get_if<Box>(&shape)) {
      prediction.corners = {box->x, box->y, box->x + box->width, box->y + box->height};
    }
    prediction.shape = std::move(shape);
    prediction.where = "prediction " + prediction.image;
    predictions.items.push_back(std::move(prediction));
  }

  Dataset dataset() {
    std::string all;
    for (const std::string& line : lines) {
      all += line + "\n";
    }
    references.options.files = {references.folder.write("r.jsonl", all)};
    references.options.image_folders = {images};
    return references.open();
  }

  static ScoringOptions options(const std::vector<std::string>& metrics) {
    ScoringOptions options;
    options.metrics = metrics;
    options.clip = options.pac = kEmojiConfig;
    return options;
  }

  ScoreReport score(const std::vector<std::string>& metrics, ScoringMemory* memory = nullptr) {
    const Dataset opened = dataset();
    ScoringInput input;
    input.predictions = &predictions;
    input.references = &opened;
    input.memory = memory;
    return score_predictions(input, options(metrics));
  }

  /// The same without predictions.
  void check(const std::vector<std::string>& metrics) { check_scoring(dataset(), false, options(metrics)); }

  std::filesystem::path images = kEmoji / "test";
};

TEST_CASE("CLIP-S of a region is of the image with the region drawn, or of its cut") {
  Regions regions;
  regions.add(R"({"image": true})", WholeImage());
  regions.add(R"({"box": [10, 12, 40, 30]})", Box{10, 12, 40, 30});
  regions.add(R"({"boxes": [[10, 12, 40, 30]]})", BoxSet{{{10, 12, 40, 30}}});
  regions.add(R"({"trace": [[0.25, 0.5], [0.75, 0.5]]})", Trace{{{0.25, 0.5}, {0.75, 0.5}}});
  const ScoreReport report = regions.score({"CLIP-S", "PAC-S"});
  const std::vector<double>& values = report.metrics[0].scores.segments;
  CHECK(values[1] == values[2]);  // one box is a set of one
  CHECK(std::abs(values[0] - values[1]) > 1e-4);
  CHECK(std::abs(values[0] - values[3]) > 1e-4);
  CHECK(std::abs(values[1] - values[3]) > 1e-4);
  CHECK(report.metrics[1].scores.segments[0] == doctest::Approx(values[0] * 2.0 / 2.5));

  Regions boxes;
  boxes.add(R"({"box": [10, 12, 40, 30]})", Box{10, 12, 40, 30});
  const ScoreReport cut = boxes.score({"CLIP-S_cropped", "CLIP-S"});
  CHECK(cut.metrics[0].name == "CLIP-S_cropped");
  // Batches of other sizes add up in another order.
  CHECK(cut.metrics[1].scores.corpus == doctest::Approx(values[1]).epsilon(1e-6));
  CHECK(std::abs(cut.metrics[0].scores.corpus - values[1]) > 1e-3);
  mentions(refusal_of(ErrorKind::usage, [&] { regions.score({"CLIP-S_cropped"}); }),
           "prediction 0: CLIP-S_cropped is of boxes, and this is a caption of a whole image");
}

TEST_CASE("what is remembered of other captions changes no number") {
  Regions three;
  Regions moved;
  for (Regions* regions : {&three, &moved}) {
    regions->add(R"({"image": true})", WholeImage());
    regions->add(R"({"box": [10, 12, 40, 30]})", Box{10, 12, 40, 30});
    regions->add(R"({"trace": [[0.25, 0.5], [0.75, 0.5]]})", Trace{{{0.25, 0.5}, {0.75, 0.5}}});
  }
  moved.predictions.items[1].corners[0] = 11;
  ScoringMemory memory;
  const std::vector<std::string> metrics = {"CLIP-S", "RefCLIP-S"};
  const ScoreReport alone = three.score(metrics);
  const ScoreReport moved_alone = moved.score(metrics);
  for (const auto& [regions, expected] :
       {std::pair(&three, &alone), std::pair(&moved, &moved_alone), std::pair(&three, &alone)}) {
    const ScoreReport found = regions->score(metrics, &memory);
    for (size_t i = 0; i < metrics.size(); ++i) {
      CHECK(found.metrics[i].scores.segments == expected->metrics[i].scores.segments);
    }
  }
  CHECK(alone.metrics[0].scores.segments[1] != moved_alone.metrics[0].scores.segments[1]);
}

TEST_CASE("regions that no image shows have RefPAC-S, which compares texts, and no PAC-S") {
  Regions patches;
  patches.add(R"({"patch": [1, 2]})", Patch{1, 2});
  const ScoreReport report = patches.score({"RefPAC-S"});
  CHECK(report.metrics[0].scores.corpus > 0);
  mentions(refusal_of(ErrorKind::usage, [&] { patches.score({"PAC-S"}); }),
           "this is a caption of a patch; RefPAC-S as the paper reports it is of texts alone");
  const ScoreReport all = patches.score({});
  CHECK(all.metrics.back().name == "RefPAC-S");
  CHECK(all.metrics[all.metrics.size() - 2].name == "SPICE(rules)");
  bool is_told = false;
  for (const std::string& note : all.notes) {
    is_told = is_told || contains(note, "left out: there is no such image of a patch");
  }
  CHECK(is_told);
}

TEST_CASE("images and regions that metrics cannot look at are refused before there are predictions") {
  Regions regions;
  regions.add(R"({"image": true})", WholeImage());
  regions.add(R"({"box": [10, 12, 40, 30]})", Box{10, 12, 40, 30});
  CHECK_NOTHROW(regions.check({"CLIP-S", "RefPAC-S"}));
  mentions(refusal_of(ErrorKind::usage, [&] { regions.check({"CLIP-S_cropped"}); }),
           "image 0: CLIP-S_cropped is of boxes, and this is a caption of a whole image");
  regions.images = kEmoji;
  mentions(refusal_of(ErrorKind::usage, [&] { regions.check({"CLIP-S"}); }),
           "none of them is found; name their folder by --images");
  CHECK_NOTHROW(regions.check({"RefPAC-S"}));  // of texts alone

  Regions patches;
  patches.add(R"({"patch": [1, 2]})", Patch{1, 2});
  mentions(refusal_of(ErrorKind::usage, [&] { patches.check({"CLIP-S"}); }),
           "image 0: CLIP-S and PAC-S are of whole images");
  CHECK_NOTHROW(patches.check({}));  // CLIP-S is left out, as when they are scored
}

}  // namespace
}  // namespace patchioner
