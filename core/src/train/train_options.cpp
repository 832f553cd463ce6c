#include "train/train_options.hpp"

#include <patchioner/error.hpp>

#include "config/paths.hpp"

namespace patchioner {

void declare(ParameterList<TrainOptions>& list) {
  using O = TrainOptions;
  constexpr double kMany = 1e9;
  list.add("data", &O::data,
           "captions: COCO JSON (annotations[].caption), a JSON array, JSON lines, or one caption a line")
      .required()
      .path();
  list.add("format", &O::format,
           "of the captions: auto (told by content), json, jsonl, tsv (second column) or text")
      .choices({"auto", "json", "jsonl", "tsv", "text"});
  list.add("output", &O::output,
           "folder for checkpoints, curves and the state that a stopped training goes on from")
      .path();
  list.add("prefix", &O::prefix, "files are called <prefix>-<epoch>.pt, <prefix>_epoch_losses.csv ...");
  list.add("epochs", &O::epochs, "passes over the captions").range(1, kMany);
  list.add("batch_size", &O::batch_size, "captions an update; an incomplete last batch is left out")
      .range(1, kMany);
  list.add("lr", &O::lr, "learning rate after the warm-up; then it falls linearly to 0").range(0, 1);
  list.add("warmup_steps", &O::warmup_steps, "updates over which the learning rate rises from 0")
      .range(0, kMany);
  list.add("weight_decay", &O::weight_decay, "of AdamW, on every parameter").range(0, 1);
  list.add("optimizer", &O::optimizer,
           "adamw: PyTorch's; adamw_transformers: with epsilon before the bias correction, as ViECap and "
           "CapDec "
           "were trained")
      .choices({"adamw", "adamw_transformers"});
  list.add("epsilon", &O::epsilon, "of the optimizer; otherwise 1e-8 for adamw, 1e-6 for adamw_transformers")
      .range(1e-30, 1)
      .unset();
  list.add("seed", &O::seed, "of everything: fresh weights, order, noise, masks, dropout").range(0, kMany);
  list.add("limit", &O::limit, "use the first captions of the file only; 0: all").range(0, kMany);
  list.add("mix_captions", &O::mix_captions,
           "feed the decoder with the feature of a random caption of the same image (needs image ids)");
  list.add("im_proj", &O::im_proj, "send text features through the gap's to_text_space first");
  list.add("save_every_steps", &O::save_every_steps,
           "updates between two saved states; 0: only at the end of an epoch")
      .range(0, kMany);
  list.add("save_every_minutes", &O::save_every_minutes, "minutes between two saved states; 0: not by time")
      .range(0, kMany);
  list.add("text_features", &O::text_features,
           "folder where encoded captions are kept for other trainings; empty: <output>/text_features")
      .path();
  list.add("encode_batch", &O::encode_batch, "captions that pass the text encoder together").range(1, 65536);
  list.add("tensorboard", &O::tensorboard, "write an event file beside the CSV curves");
}

Value complete_train_section(const Value& config) {
  return complete_section(config, schema_of<TrainOptions>(), "train");
}

TrainOptions read_train_options(const Value& config) {
  ParameterList<TrainOptions> list;
  declare(list);
  const Value section = complete_train_section(config);
  TrainOptions options = list.read(section);
  if (options.prefix.empty() || options.prefix.find('/') != std::string::npos) {
    throw Error(ErrorKind::config, "{}: train.prefix is '{}', but must be the beginning of a file name",
                section.at("prefix").origin().to_string(), options.prefix);
  }
  return options;
}

}  // namespace patchioner
