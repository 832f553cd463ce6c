#include "backbones/convert_checkpoint.hpp"

#include <patchioner/error.hpp>
#include <set>

#include "backbones/canonical_names.hpp"
#include "backbones/clip_config_files.hpp"
#include "backbones/dino_config_file.hpp"
#include "backbones/dinov2_model.hpp"
#include "backbones/head_count.hpp"
#include "backbones/stored_settings.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

namespace patchioner {
namespace {

using Family = CheckpointFamily;
using Target = ConversionTarget;

/// Reads the parts of a recipe in the file's own dtype.
WeightSource raw_tensors(const StateDict& file) {
  return [file](const std::string& name, const std::vector<int64_t>& shape) {
    const TensorInfo* info = file.info(name);
    if (info != nullptr && info->shape != shape) {
      throw Error(ErrorKind::checkpoint, "{}: '{}' is {}, expected {}; the file is damaged",
                  file.path().string(), name, shape_text(info->shape), shape_text(shape));
    }
    return file.tensor(name);
  };
}

/// What a recipe makes of a file, under a name. `used` gets the names of the parts.
TensorToWrite made_by(const TensorRecipe& recipe, const StateDict& file, const std::string& name,
                      std::set<std::string>& used) {
  TensorToWrite tensor;
  tensor.info = {name, *shape_of(recipe, file), file.info(recipe.parts.front())->dtype};
  for (const std::string& part : recipe.parts) {
    used.insert(part);
    if (const TensorInfo* info = file.info(part)) {
      tensor.info.dtype = at::promote_types(tensor.info.dtype, info->dtype);
    }
  }
  tensor.make = [recipe, shape = tensor.info.shape, source = raw_tensors(file)] {
    return tensor_of(recipe, shape, source);
  };
  return tensor;
}

/// The other way round: the parts from which the recipe would make this tensor.
void add_parts(const TensorToWrite& whole, const TensorRecipe& recipe, std::vector<TensorToWrite>& tensors) {
  const auto parts = static_cast<int64_t>(recipe.parts.size());
  for (int64_t i = 0; i < parts; ++i) {
    TensorToWrite part;
    std::vector<int64_t> shape = whole.info.shape;
    if (recipe.transposed) {
      std::swap(shape[0], shape[1]);
    }
    shape.front() /= parts;
    shape.insert(shape.begin(), recipe.leading_ones, 1);
    part.info = {recipe.parts[static_cast<size_t>(i)], shape, whole.info.dtype};
    part.make = [whole, shape, parts, i, transposed = recipe.transposed] {
      const at::Tensor made = whole.make();
      const at::Tensor turned = transposed ? made.t() : made;
      const int64_t rows = turned.size(0) / parts;
      return turned.narrow(0, i * rows, rows).reshape(shape);
    };
    tensors.push_back(std::move(part));
  }
}

/// Puts a canonical tensor into the conversion, under the names of its target. `recipe` says what those are
/// in transformers.
void add_tensor(Conversion& conversion, TensorToWrite tensor, const TensorRecipe& hugging_face) {
  if (conversion.target == Target::hugging_face) {
    add_parts(tensor, hugging_face, conversion.tensors);
  } else {
    conversion.tensors.push_back(std::move(tensor));
  }
}

void note_left_out(Conversion& conversion, const StateDict& file, const std::set<std::string>& used) {
  for (const std::string& name : file.names()) {
    if (!used.contains(name) && !name.ends_with("position_ids") && !name.ends_with("attn_mask")) {
      conversion.left_out.push_back(name);
    }
  }
}

TensorToWrite integer(const std::string& name, int64_t value) {
  return {{name, {}, at::kLong}, [value] { return at::scalar_tensor(value, at::kLong); }, {}};
}

/// timm's bias behind the projection: OpenAI's files and transformers' have none.
bool drop_zero_bias(const ClipCheckpoint& checkpoint, Target target) {
  if (target == Target::safetensors || !checkpoint.contains("visual.proj_bias")) {
    return false;
  }
  const TensorRecipe bias = checkpoint.recipe("visual.proj_bias");
  if (checkpoint.state_dict().tensor(bias.parts.front()).count_nonzero().item<int64_t>() > 0) {
    throw Error(
        ErrorKind::usage,
        "{}: its head has a bias that is not zero, and neither OpenAI's layout nor transformers' has a "
        "place for it; convert it to safetensors",
        checkpoint.state_dict().description());
  }
  return true;
}

void add_clip_extras(Conversion& conversion, const ClipCheckpoint& checkpoint, const ClipSettings& settings,
                     std::set<std::string>& used) {
  const StateDict& file = checkpoint.state_dict();
  const std::initializer_list<const char*> integers = {"input_resolution", "context_length", "vocab_size"};
  const bool hugging_face = conversion.target == Target::hugging_face;
  const auto copy = [&](const char* name) {
    if (file.contains(name)) {
      conversion.tensors.push_back(made_by({{name}}, file, name, used));
    }
  };
  copy("logit_scale");
  for (const char* name : integers) {
    hugging_face ? static_cast<void>(used.insert(name)) : copy(name);
  }
  // These integers are how OpenAI's own files are told from open_clip's, whose heads and activation may be
  // others.
  if (conversion.target == Target::torch && !file.contains("input_resolution") &&
      openai_settings(checkpoint, settings)) {
    if (checkpoint.has_image_tower()) {
      conversion.tensors.push_back(integer("input_resolution", native_resolution(checkpoint)));
    }
    if (const auto context = find_size(checkpoint.shape("positional_embedding"), 0)) {
      conversion.tensors.push_back(integer("context_length", *context));
    }
    if (const auto vocabulary = find_size(checkpoint.shape("token_embedding.weight"), 0)) {
      conversion.tensors.push_back(integer("vocab_size", *vocabulary));
    }
  }
}

/// What the weights do not say, in the form that the target has for it.
void add_clip_settings(Conversion& conversion, const ClipCheckpoint& checkpoint,
                       const ClipSettings& settings) {
  if (conversion.target != Target::torch) {
    conversion.metadata[kSettingsKey] = settings_text(settings);
  }
  if (conversion.target == Target::hugging_face) {
    conversion.companions.push_back({"config.json", hugging_face_clip_config(checkpoint, settings)});
  }
  const bool known = (settings.image_heads || !checkpoint.has_image_tower()) &&
                     (settings.text_heads || !checkpoint.has_text_tower());
  if (!known) {
    conversion.remarks.emplace_back(
        "nothing says how many heads this CLIP has or which activation: the converted file does not either, "
        "and "
        "needs the same options as the original");
  } else if (conversion.target == Target::torch && !openai_settings(checkpoint, settings)) {
    conversion.companions.push_back({"open_clip_config.json", open_clip_config(checkpoint, settings)});
  }
}

void plan_clip(Conversion& conversion, const StateDict& file, const ConversionOptions& options) {
  const ClipCheckpoint checkpoint(file);
  ClipChoices choices;
  choices.config = options.config;
  const ClipSettings settings = find_clip_settings(checkpoint, choices);
  const bool without_bias = drop_zero_bias(checkpoint, options.target);
  std::set<std::string> used;
  for (const std::string& name : canonical_names(checkpoint)) {
    TensorToWrite tensor = made_by(checkpoint.recipe(name), file, name, used);
    if (name != "visual.proj_bias" || !without_bias) {
      add_tensor(conversion, std::move(tensor), ClipCheckpoint::hugging_face_recipe(name));
    }
  }
  add_clip_extras(conversion, checkpoint, settings, used);
  add_clip_settings(conversion, checkpoint, settings);
  note_left_out(conversion, file, used);
  conversion.metadata["patchioner.source_names"] = to_string(checkpoint.layout());
}

void plan_dino(Conversion& conversion, const StateDict& whole, const ConversionOptions& options) {
  const Dinov2Checkpoint checkpoint(whole);
  const StateDict& file = checkpoint.state_dict();
  const bool plain = checkpoint.family() == Family::dino;
  std::set<std::string> used;
  for (const std::string& name : canonical_names(checkpoint)) {
    add_tensor(conversion, made_by(checkpoint.recipe(name), file, name, used),
               Dinov2Checkpoint::hugging_face_recipe(name, plain));
  }
  Dinov2LoadOptions load;
  load.heads = options.heads;
  load.config = options.config;
  const std::optional<int64_t> heads = known_heads(checkpoint, load);
  if (conversion.target == Target::hugging_face) {
    conversion.companions.push_back(
        {"config.json", hugging_face_dino_config(checkpoint, head_count(checkpoint, load))});
  }
  if (conversion.target != Target::torch && heads) {
    conversion.metadata[kSettingsKey] = settings_text(*heads);
  } else if (heads && *heads != (*checkpoint.shape("cls_token"))[2] / kUsualHeadWidth) {
    conversion.remarks.push_back(
        fmt::format("this layout does not say that the model has {} heads; set `heads: {}` where it is used",
                    *heads, *heads));
  }
  note_left_out(conversion, file, used);
  conversion.metadata["patchioner.source_names"] = to_string(checkpoint.layout());
}

/// A small file beside the source that belongs to it, under the name that belongs to the converted one.
void keep_companion(Conversion& conversion, const std::filesystem::path& beside, const std::string& name) {
  std::error_code failure;
  if (std::filesystem::is_regular_file(beside, failure)) {
    conversion.companions.push_back({name, read_file(beside)});
  }
}

/// The other families keep their names; only old spellings become today's.
std::string todays_name(Family family, const std::string& name) {
  constexpr std::string_view kLegacy = "linear_layer2.";
  return family == Family::talk2dino && name.starts_with(kLegacy)
             ? "hidden_layers.0." + name.substr(kLegacy.size())
             : name;
}

void plan_as_named(Conversion& conversion, const StateDict& file) {
  const Family family = conversion.identity.family;
  std::set<std::string> used;
  std::optional<size_t> embedding;
  for (const std::string& name : file.names()) {
    TensorToWrite tensor = made_by({{name}}, file, todays_name(family, name), used);
    if (name.ends_with("transformer.wte.weight")) {
      embedding = conversion.tensors.size();
    } else if (name.ends_with("lm_head.weight") && embedding &&
               at::equal(tensor.make(), conversion.tensors[*embedding].make())) {
      tensor.same_as = embedding;
    }
    conversion.tensors.push_back(std::move(tensor));
  }
  const std::filesystem::path& path = file.path();
  if (family == Family::talk2dino) {
    keep_companion(conversion, std::filesystem::path(path).replace_extension(".yaml"), ".yaml");
  }
  if (family == Family::plain_decoder) {
    const std::filesystem::path own = path.parent_path() / (path.stem().string() + "_config.json");
    keep_companion(conversion,
                   std::filesystem::exists(own) ? own : path.parent_path() / "decoder_config.json",
                   "_config.json");
  }
}

/// A tensor in another floating-point type.
void set_dtype(TensorToWrite& tensor, at::ScalarType dtype) {
  if (!at::isFloatingType(tensor.info.dtype) || tensor.info.dtype == dtype) {
    return;
  }
  tensor.info.dtype = dtype;
  tensor.make = [make = std::move(tensor.make), dtype, name = tensor.info.name] {
    const at::Tensor before = make();
    at::Tensor after = before.to(dtype);
    if (before.isfinite().all().item<bool>() && !after.isfinite().all().item<bool>()) {
      throw Error(ErrorKind::data, "'{}' holds values that {} cannot hold; choose bf16 or fp32", name,
                  dtype_name(dtype));
    }
    return after;
  };
}

/// Every tensor's turn begins with a look at the user, and ends the memory of those before.
void attend_to_memory(TensorToWrite& tensor, const StateDict& file) {
  tensor.make = [make = std::move(tensor.make), file] {
    if (interrupted()) {
      throw Error(ErrorKind::io, "the conversion was interrupted; nothing was changed");
    }
    file.source().release_pages();
    return make();
  };
}

bool translated(Family family) {
  return family == Family::clip || family == Family::dinov2 || family == Family::dino;
}

}  // namespace

Conversion plan_conversion(const StateDict& checkpoint, const ConversionOptions& options) {
  Conversion conversion;
  conversion.identity = identify(checkpoint);
  conversion.target = options.target;
  const Family family = conversion.identity.family;
  if (family == Family::unknown || family == Family::memory_bank) {
    refuse_checkpoint(checkpoint, "only checkpoints of known models are converted");
  }
  if (options.target == Target::hugging_face && !translated(family)) {
    throw Error(ErrorKind::usage,
                "{} is {}, which transformers has no layout for; convert it to safetensors or torch",
                checkpoint.path().filename().string(), conversion.identity.words);
  }
  if (family == Family::clip) {
    plan_clip(conversion, checkpoint, options);
  } else if (translated(family)) {
    plan_dino(conversion, checkpoint, options);
  } else {
    plan_as_named(conversion, checkpoint);
  }
  for (TensorToWrite& tensor : conversion.tensors) {
    if (options.dtype) {
      set_dtype(tensor, *options.dtype);
    }
    attend_to_memory(tensor, checkpoint);
  }
  conversion.metadata["format"] = "pt";  // what transformers wants to read there
  conversion.metadata["patchioner.family"] = to_string(family);
  conversion.metadata["patchioner.source"] = checkpoint.path().filename().string();
  conversion.metadata["patchioner.source_format"] = to_string(checkpoint.format());
  conversion.metadata["patchioner.source_sha256"] = checkpoint.digest();
  return conversion;
}

std::filesystem::path companion_path(const CompanionFile& companion, const std::filesystem::path& weights) {
  const bool of_stem = companion.name.starts_with('.') || companion.name.starts_with('_');
  return weights.parent_path() / (of_stem ? weights.stem().string() + companion.name : companion.name);
}

void write_conversion(const Conversion& conversion, const std::filesystem::path& path) {
  if (conversion.target == Target::torch) {
    stream_torch_state_dict(path, conversion.tensors);
  } else {
    stream_safetensors(path, conversion.tensors, conversion.metadata);
  }
  for (const CompanionFile& companion : conversion.companions) {
    write_file(companion_path(companion, path), companion.content);
  }
}

}  // namespace patchioner
