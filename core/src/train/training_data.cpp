#include "train/training_data.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/text_source.hpp"
#include "support/files.hpp"
#include "train/text_features.hpp"

namespace patchioner {

namespace {

struct TrainingCaptions {
  std::vector<std::string> texts;
  std::vector<std::string> image_ids;  ///< one a caption; empty unless every caption has one
  std::string digest;                  ///< SHA-256 of the file
};

/// The first `limit` captions of a file, or all where it is 0.
TrainingCaptions read_captions(const std::string& file, int64_t limit) {
  TrainingCaptions captions;
  bool all_have_images = true;
  const auto take = [&](SourceText found) {
    all_have_images = all_have_images && !found.image_id.empty();
    captions.texts.push_back(std::move(found.text));
    captions.image_ids.push_back(std::move(found.image_id));
    return limit == 0 || captions.texts.size() < static_cast<size_t>(limit);
  };
  visit_texts(file, TextFormat::automatic, take, file);
  if (!all_have_images) {
    captions.image_ids.clear();
  }
  captions.digest = sha256_of_file(file);
  return captions;
}

template <class Item>
std::vector<Item> pick(const std::vector<Item>& items, const std::vector<int64_t>& positions) {
  std::vector<Item> result;
  result.reserve(positions.size());
  for (const int64_t position : positions) {
    result.push_back(items[static_cast<size_t>(position)]);
  }
  return result;
}

void keep(TrainingCaptions& captions, const std::vector<int64_t>& positions) {
  captions.texts = pick(captions.texts, positions);
  if (!captions.image_ids.empty()) {
    captions.image_ids = pick(captions.image_ids, positions);
  }
}

std::vector<int64_t> all_but(size_t count, const std::vector<size_t>& dropped) {
  std::vector<int64_t> positions;
  positions.reserve(count);
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (next < dropped.size() && dropped[next] == i) {
      ++next;
    } else {
      positions.push_back(static_cast<int64_t>(i));
    }
  }
  return positions;
}

/// Through the gap, a few thousand rows at a time, so that a memory's intermediate results stay small.
void project(const std::vector<std::shared_ptr<Gap>>& gaps, at::Tensor& features) {
  constexpr int64_t kRows = 1024;
  for (int64_t start = 0; start < features.size(0); start += kRows) {
    at::Tensor rows = features.narrow(0, start, std::min(kRows, features.size(0) - start));
    at::Tensor projected = rows;
    for (const auto& gap : gaps) {
      projected = gap->to_text_space(projected);
    }
    rows.copy_(projected);
  }
}

void group_by_image(const std::vector<std::string>& image_ids, TrainingData& data) {
  std::map<std::string_view, int64_t> known;
  for (const std::string& image : image_ids) {
    const auto [entry, is_new] = known.try_emplace(image, static_cast<int64_t>(data.images.size()));
    if (is_new) {
      data.images.emplace_back();
    }
    data.images[static_cast<size_t>(entry->second)].push_back(static_cast<int64_t>(data.image_of.size()));
    data.image_of.push_back(entry->second);
  }
}

std::string digest_of(const TrainingCaptions& captions, const at::Tensor& ids) {
  const at::Tensor flat = ids.contiguous();
  const std::string_view bytes(static_cast<const char*>(flat.const_data_ptr()), flat.nbytes());
  return sha256(captions.digest + sha256(bytes));
}

}  // namespace

at::Tensor TrainingData::random_partners(at::Generator& generator) const {
  const at::Tensor draws = at::rand({count()}, generator, at::TensorOptions(at::kDouble));
  at::Tensor partners = at::empty({count()}, at::kLong);
  const double* draw = draws.const_data_ptr<double>();
  int64_t* partner = partners.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count(); ++i) {
    const auto& same_image = images[static_cast<size_t>(image_of[static_cast<size_t>(i)])];
    partner[i] = same_image[static_cast<size_t>(draw[i] * static_cast<double>(same_image.size()))];
  }
  return partners;
}

std::optional<TrainingData> prepare_training_data(const Backbone& backbone, const Decoder& decoder,
                                                  const std::vector<std::shared_ptr<Gap>>& gaps,
                                                  const TrainOptions& options) {
  if (decoder.dim() != backbone.dim()) {
    throw Error(ErrorKind::config,
                "the decoder reads features of width {}, but the backbone's are {} wide; set "
                "decoder.prefix_size to {}",
                decoder.dim(), backbone.dim(), backbone.dim());
  }
  TrainingCaptions captions = read_captions(options.data, options.limit);
  if (options.mix_captions && captions.image_ids.empty()) {
    throw Error(ErrorKind::config, "{}: train.mix_captions needs an image_id with every caption",
                options.data);
  }
  const size_t given = captions.texts.size();
  TrainingData data;
  std::vector<size_t> dropped;
  data.ids = decoder.training_ids(captions.texts, dropped);  // [N,T]
  keep(captions, all_but(given, dropped));
  TextEncodingOptions encoding;
  encoding.batch = options.encode_batch;
  encoding.cache = options.text_features.empty() ? std::filesystem::path(options.output) / "text_features"
                                                 : std::filesystem::path(options.text_features);
  EncodedTexts encoded = encode_texts(backbone, captions.texts, encoding);
  if (!encoded.complete) {
    return std::nullopt;
  }
  if (encoded.kept.size() < captions.texts.size()) {
    data.ids = data.ids.index_select(0, at::tensor(encoded.kept, at::kLong));
    keep(captions, encoded.kept);
  }
  if (captions.texts.size() < given) {
    log(LogLevel::warning, "{}: {} of {} captions are too long and are left out", options.data,
        given - captions.texts.size(), given);
  }
  data.features = encoded.features;  // [N,D]
  if (options.im_proj) {
    project(gaps, data.features);
  }
  if (options.mix_captions) {
    group_by_image(captions.image_ids, data);
  }
  data.digest = digest_of(captions, data.ids);
  return data;
}

}  // namespace patchioner
