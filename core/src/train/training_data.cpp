#include "train/training_data.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/text_source.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "train/text_features.hpp"

namespace patchioner {

namespace {

/// The first `limit` captions of a file, or all where it is 0.
TrainingCaptions read_captions(const Decoder& decoder, const TrainOptions& options) {
  TrainingCaptions captions;
  bool all_have_images = true;
  const auto take = [&](SourceText found) {
    all_have_images = all_have_images && !found.image_id.empty();
    captions.texts.push_back(decoder.training_text(found.text));
    if (decoder.reads_training_entities()) {
      captions.entities.push_back(found.entities ? std::move(*found.entities)
                                                 : decoder.training_entities(captions.texts.back()));
    }
    captions.image_ids.push_back(std::move(found.image_id));
    return options.limit == 0 || captions.texts.size() < static_cast<size_t>(options.limit);
  };
  visit_texts(options.data, text_format_from(options.format), take, options.data);
  if (!all_have_images) {
    captions.image_ids.clear();
  }
  captions.given = static_cast<int64_t>(captions.texts.size());
  return captions;
}

void check_count(int64_t usable, const TrainOptions& options) {
  if (usable < options.batch_size) {
    throw Error(ErrorKind::config,
                "{}: {} usable captions do not fill one batch of {}; lower train.batch_size", options.data,
                usable, options.batch_size);
  }
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
  if (!captions.entities.empty()) {
    captions.entities = pick(captions.entities, positions);
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

/// Through the gap, some rows at a time, so that a memory's intermediate results stay small. False when a
/// stop was asked for.
bool project(const std::vector<std::shared_ptr<Gap>>& gaps, at::Tensor& features) {
  constexpr int64_t kRows = 256;
  Progress progress("project captions", "captions", static_cast<uint64_t>(features.size(0)));
  for (int64_t start = 0; start < features.size(0); start += kRows) {
    if (interrupted()) {
      return false;
    }
    at::Tensor rows = features.narrow(0, start, std::min(kRows, features.size(0) - start));
    at::Tensor projected = rows;
    for (const auto& gap : gaps) {
      projected = gap->to_text_space(projected);
    }
    rows.copy_(projected);
    progress.advance(static_cast<uint64_t>(rows.size(0)));
  }
  progress.finish();
  return true;
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

std::string digest_of(const std::string& file, const TrainingCaptions& captions) {
  const at::Tensor flat = captions.ids.contiguous();
  const std::string_view bytes(static_cast<const char*>(flat.const_data_ptr()), flat.nbytes());
  std::string digests = sha256_of_file(file) + sha256(bytes);
  if (!captions.entities.empty()) {
    std::string entities;
    for (const std::vector<std::string>& names : captions.entities) {
      // Lengths keep lists and names apart.
      entities += fmt::format("{}\n", names.size());
      for (const std::string& name : names) {
        entities += fmt::format("{}:{}", name.size(), name);
      }
    }
    digests += sha256(entities);
  }
  return sha256(digests);
}

}  // namespace

TrainingBatch TrainingData::texts(const at::Tensor& rows) const {
  TrainingBatch batch;
  batch.ids = ids.index_select(0, rows);  // [B,T]
  if (!entities.empty()) {
    const at::Tensor order = rows.contiguous();
    for (int64_t i = 0; i < order.size(0); ++i) {
      batch.entities.push_back(entities[static_cast<size_t>(order.const_data_ptr<int64_t>()[i])]);
    }
  }
  return batch;
}

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

TrainingCaptions read_training_captions(const Decoder& decoder, const TrainOptions& options) {
  TrainingCaptions captions = read_captions(decoder, options);
  if (options.mix_captions && captions.image_ids.empty()) {
    throw Error(ErrorKind::config, "{}: train.mix_captions needs an image_id with every caption",
                options.data);
  }
  check_count(captions.given, options);
  std::vector<size_t> dropped;
  captions.ids = decoder.training_ids(captions.texts, dropped);  // [N,T]
  keep(captions, all_but(captions.texts.size(), dropped));
  check_count(captions.ids.size(0), options);
  captions.digest = digest_of(options.data, captions);
  return captions;
}

std::optional<TrainingData> encode_training_captions(TrainingCaptions captions, const Backbone& backbone,
                                                     const std::vector<std::shared_ptr<Gap>>& gaps,
                                                     const TrainOptions& options,
                                                     const std::string& conditions) {
  TextEncodingOptions encoding;
  encoding.batch = options.encode_batch;
  encoding.conditions = conditions;
  encoding.cache = options.text_features.empty() ? std::filesystem::path(options.output) / "text_features"
                                                 : std::filesystem::path(options.text_features);
  EncodedTexts encoded = encode_texts(backbone, captions.texts, encoding);
  if (!encoded.complete) {
    return std::nullopt;
  }
  TrainingData data;
  data.ids = captions.ids;           // [N,T]
  data.features = encoded.features;  // [N,D]
  if (encoded.kept.size() < captions.texts.size()) {
    data.ids = data.ids.index_select(0, at::tensor(encoded.kept, at::kLong));  // [N,T]
    keep(captions, encoded.kept);
  }
  if (data.count() < captions.given) {
    log(LogLevel::warning, "{}: {} of {} captions are too long or empty and are left out", options.data,
        captions.given - data.count(), captions.given);
  }
  check_count(data.count(), options);
  if (options.im_proj && !project(gaps, data.features)) {
    return std::nullopt;
  }
  if (options.mix_captions) {
    group_by_image(captions.image_ids, data);
  }
  data.entities = std::move(captions.entities);
  return data;
}

}  // namespace patchioner
