#include "config/import_reference.hpp"

#include <optional>
#include <patchioner/error.hpp>

#include "config/reference_keys.hpp"
#include "config/reference_names.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr const char* kVocabulary = "bpe_simple_vocab_16e6.txt.gz";
constexpr int64_t kDefaultSize = 518;  // resize_dim and crop_dim of the reference

/// Which of the reference's model families a file describes; decides backbone, bank file and whether bank
/// rows are normalised.
enum class Family {
  talk2dino,
  dinotxt,
  clip,
  open_clip,
  invite,
  denseclip,
  alphaclip,
  regionclip,
  proxyclip
};

class Import {
 public:
  explicit Import(const Value& reference) : keys_(reference, "") {}

  ImportedConfig run(const Value& reference) {
    dino_model_ = keys_.text("dino_model");
    family_ = find_family(reference);
    use_projection_ = projection_used();
    clip_model_ = family_ == Family::dinotxt
                      ? "DINO.txt"  // so the reference calls it, whatever clip_model_name says
                      : keys_.text("clip_model_name", use_projection_ ? "ViT-B/16" : "ViT-B/32");
    result_.document = Value::Map();
    result_.document.set("backbone", backbone());
    result_.document.set("aggregator", aggregator());
    result_.document.set("gap", gap());
    result_.document.set("decoder", decoder());
    if (const auto batch = keys_.integer("batch_size")) {
      result_.document.set("runtime", Value(Value::Map{{"batch", *batch}}));
    }
    note_the_rest();
    return std::move(result_);
  }

 private:
  template <class... Arguments>
  void note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    result_.notes.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  /// In the reference, a name with dinov2 or openai wins over the blocks of the special models, and those are
  /// looked at in this order (spec/01 section 2, `dino_model`).
  Family find_family(const Value& reference) {
    const auto has = [&](const char* key) {
      return reference.find(key) != nullptr && !reference.find(key)->is_null();
    };
    const auto named = [&](const char* part) { return dino_model_.find(part) != std::string::npos; };
    if (named("dinov2")) {
      return named("dinotxt") ? Family::dinotxt : Family::talk2dino;
    }
    if (named("openai")) {
      return Family::clip;
    }
    if (dino_model_.empty() && has("proxyclip_clipmodel")) {
      return Family::proxyclip;
    }
    if (keys_.boolean("use_open_clip", false)) {
      return Family::open_clip;
    }
    if (has("regionclip_config")) {
      return Family::regionclip;
    }
    if (has("invite_config")) {
      return Family::invite;
    }
    if (has("denseclip_config")) {
      return Family::denseclip;
    }
    if (has("alphaclip_config")) {
      return Family::alphaclip;
    }
    throw Error(ErrorKind::config,
                "{}: this is no model file of the reference: 'dino_model' ('{}') names no backbone, and "
                "there is none of invite_config, "
                "denseclip_config, alphaclip_config, regionclip_config, use_open_clip, proxyclip_clipmodel",
                reference.origin().to_string(), dino_model_);
  }

  bool projection_used() {
    const Value* value = keys_.find("use_talk2dino_project");
    if (value == nullptr) {
      return true;
    }
    if (const auto known = ReferenceKeys::as_boolean(*value)) {
      return *known;
    }
    projection_name_ = keys_.text("use_talk2dino_project");
    return true;
  }

  void set_geometry(Value& backbone) {
    const int64_t resize = keys_.integer("resize_dim").value_or(kDefaultSize);
    const int64_t crop = keys_.integer("crop_dim").value_or(kDefaultSize);
    if (resize == crop) {
      backbone.set("resolution", resize);
    } else {
      backbone.set("resize_dim", resize);
      backbone.set("crop_dim", crop);
    }
    if (keys_.boolean("keep_img_ratio", false)) {
      backbone.set("keep_img_ratio", true);
    }
  }

  Value backbone() {
    Value backbone = Value::Map();
    switch (family_) {
      case Family::talk2dino:
        talk2dino(backbone);
        break;
      case Family::dinotxt:
        dinotxt(backbone);
        break;
      case Family::clip:
      case Family::open_clip:
        clip(backbone);
        break;
      case Family::invite:
        invite(backbone);
        break;
      case Family::denseclip:
        denseclip(backbone);
        break;
      case Family::alphaclip:
        alphaclip(backbone);
        break;
      case Family::regionclip:
        regionclip(backbone);
        break;
      case Family::proxyclip:
        proxyclip(backbone);
        break;
    }
    set_geometry(backbone);
    if (const std::string type = keys_.text("attention_type", "qkv"); type != "qkv") {
      if (family_ == Family::talk2dino || family_ == Family::dinotxt || family_ == Family::clip) {
        backbone.set("attention_type", type);
      } else {
        note("attention_type has no influence on this backbone in the reference, and is left out");
      }
    }
    return backbone;
  }

  void talk2dino(Value& backbone) {
    backbone.set("plugin", "talk2dino");
    backbone.set("weights", dinov2_file(dino_model_));
    const bool linear = keys_.boolean("linear_talk2dino", false);
    attention_suffix_ = keys_.text("talk2dino_attn_type", "qkv");
    if (!use_projection_) {
      note(
          "use_talk2dino_project is false, so the backbone gets no text side; a memory cannot be built with "
          "it");
      return;
    }
    std::string name =
        projection_name_.empty() ? (linear ? "vitb_linear_infonce" : "vitb_mlp_infonce") : projection_name_;
    if (projection_name_.empty() && attention_suffix_ != "qkv") {
      name += "_" + attention_suffix_;
    }
    linear_ = linear;
    backbone.set("projection_weights", weights_file(name + ".pth"));
    backbone.set("clip_text_weights", clip_file(clip_model_));
    backbone.set("vocabulary", weights_file(kVocabulary));
    note("put {}.yaml beside {}.pth: it says which layers the projection has", name, name);
  }

  void dinotxt(Value& backbone) {
    backbone.set("plugin", "dinotxt");
    backbone.set("weights", weights_file("dinov2_vitl14_reg4_pretrain.pth"));
    backbone.set("text_weights", weights_file(dino_model_ + "_text_encoder.pth"));
    backbone.set("vocabulary", weights_file(kVocabulary));
    backbone.set("vision_head", false);
    note(
        "backbone.vision_head is false because the reference discards the vision head; the published model "
        "has it");
  }

  void clip(Value& backbone) {
    backbone.set("plugin", "clip");
    if (family_ == Family::open_clip) {
      const std::string folder = "CLIP-ViT-H-14-laion2B-s32B-b79K/";
      backbone.set("weights", weights_file(folder + "open_clip_model.safetensors"));
      backbone.set("config", weights_file(folder + "open_clip_config.json"));  // heads are 80 wide
      backbone.set("ln_post", false);
    } else {
      backbone.set("weights", clip_file(openai_model()));
    }
    backbone.set("vocabulary", weights_file(kVocabulary));
  }

  std::string openai_model() {
    const std::string name = openai_name(dino_model_);
    if (name.empty()) {
      note("dino_model '{}' names no known file; the weights of {} are taken", dino_model_, clip_model_);
    }
    return name.empty() ? clip_model_ : name;
  }

  void invite(Value& backbone) {
    ReferenceKeys invite = keys_.map("invite_config");
    backbone.set("plugin", "invite");
    backbone.set("weights", clip_file(invite.text("name", "ViT-B/16")));
    backbone.set("vocabulary", weights_file(kVocabulary));
    backbone.set("mask_last_layers", invite.integer("extract_last_k_th_token").value_or(1));
    invite.pass_over(
        {"jit", "viz", "resolution"});  // how the file is loaded, drawing, and what resize_dim says already
    note_unused(invite);
  }

  void denseclip(Value& backbone) {
    const std::string config = keys_.text("denseclip_config");
    backbone.set("plugin", "denseclip");
    backbone.set("weights", weights_file(file_stem(config) + ".pth"));
    backbone.set("vocabulary", weights_file(kVocabulary));
    note(
        "the reference finds DenseCLIP's checkpoint through its own config '{}'; name the file under "
        "backbone.weights",
        config);
  }

  void alphaclip(Value& backbone) {
    ReferenceKeys alpha = keys_.map("alphaclip_config");
    backbone.set("plugin", "alphaclip");
    backbone.set("weights", clip_file(alpha.text("name", "ViT-B/16")));
    backbone.set("alpha_weights", alpha.text("alpha_vision_checkpoint"));
    backbone.set("region_feature", alpha.boolean("use_cls_for_localized_captions", true) ? "cls" : "patches");
    backbone.set("vocabulary", weights_file(kVocabulary));
    note(
        "the reference's loader drops alpha_vision_checkpoint, so that its regions see the whole image; for "
        "the "
        "captions of its runs set backbone.alpha_weights=none and backbone.alpha_scale=raw");
    alpha.pass_over({"patch_size", "embed_dim"});  // the weights say so themselves
    note_unused(alpha);
  }

  void regionclip(Value& backbone) {
    ReferenceKeys region = keys_.map("regionclip_config");
    backbone.set("plugin", "regionclip");
    backbone.set("weights", region.text("checkpoint"));
    backbone.set("use_attnpool_for_spatial_feats", region.boolean("use_attnpool_for_spatial_feats", true));
    backbone.set("vocabulary", weights_file(kVocabulary));
    checkpoint_stem_ = file_stem(region.text("checkpoint"));
    region.pass_over({"config_name", "patch_size", "embed_dim"});  // the weights say so themselves
    note_unused(region);
  }

  void proxyclip(Value& backbone) {
    const std::string proxy = keys_.text("proxyclip_vfm", "dino");
    backbone.set("plugin", "proxyclip");
    backbone.set("clip_weights", clip_file(keys_.text("proxyclip_clipmodel", "ViT-B/16")));
    backbone.set("proxy", proxy);
    backbone.set("proxy_weights", proxy == "dinov2" ? dinov2_file("dinov2_vitb14_reg")
                                                    : weights_file("dino_vitbase8_pretrain.pth"));
    backbone.set("vocabulary", weights_file(kVocabulary));
    backbone.set("clip_stats", "imagenet");
    backbone.set("similarity_mean", "batch");
    note(
        "backbone.clip_stats is imagenet because the reference gives CLIP the proxy's normalisation, and "
        "backbone.similarity_mean is batch because it takes one mean over the images of a batch; ProxyCLIP "
        "itself does neither");
  }

  /// The evaluation flags that say which feature a region gets; model files rarely hold them.
  Value aggregator() {
    const bool gaussian = keys_.boolean("use_gaussian_weighting", false);
    const auto variance = keys_.number("gaussian_variance");
    const bool boxes = keys_.boolean("use_attn_map_for_bboxes", false);
    const bool traces = keys_.boolean("use_attention_weighting", false);
    const std::string crop = keys_.text("caption_bboxes_type");
    const std::string from = keys_.text("caption_from", "patches");
    Value aggregator = Value::Map();
    if (!crop.empty()) {
      aggregator.set("plugin", "crop");
    } else if (from == "cls") {
      aggregator.set("plugin", "cls");
    } else if (from == "avg_self_attn" || boxes || traces) {
      aggregator.set("plugin", "attention");
      if (boxes) {
        aggregator.set("attention_writeback", true);  // spec/01, A4
      }
    } else if (gaussian) {
      aggregator.set("plugin", "gaussian");
      aggregator.set("variance", variance.value_or(1.0));
    } else {
      aggregator.set("plugin", family_ == Family::alphaclip ? "native" : "uniform");
    }
    return aggregator;
  }

  Value gap() {
    const auto size = keys_.integer("support_memory_size");
    const bool normalize = keys_.boolean("normalize", true);
    const std::string source = keys_.text("projection_type", "coco");
    Value gap = Value::Map();
    if (keys_.find("viecap") != nullptr) {
      gap.set("plugin", "none");  // these decoders bring their input to unit length themselves
      return gap;
    }
    if (size.value_or(0) == 0) {
      gap.set("plugin", "none");
      gap.set("normalize_input", false);
      note(
          "gap.normalize_input is false because the reference hands features to the decoder as they are; the "
          "decoder was trained on unit vectors");
      return gap;
    }
    const bool raw_rows =
        family_ == Family::talk2dino || family_ == Family::dinotxt || family_ == Family::proxyclip;
    gap.set("plugin", "memory");
    gap.set("bank", weights_file(bank_file(*size, source)));
    if (family_ == Family::dinotxt) {
      gap.set("columns", "second_half");  // its banks hold the class token's half too
    }
    gap.set("temperature", 0.01);
    gap.set("normalize_memory", !raw_rows);
    gap.set("normalize", normalize);
    if (source.find('/') != std::string::npos) {
      note(
          "the bank holds texts of {}; `patchioner memory build` makes one from them, and the reference's "
          "file is read as it is",
          source);
    }
    return gap;
  }

  /// The name under which the reference stores a bank (spec/01 section 5.2).
  std::string bank_file(int64_t size, const std::string& source) {
    std::string prefix = "clip-";
    std::string postfix;
    if (family_ == Family::talk2dino && use_projection_) {
      prefix = "";
      postfix = projection_name_.empty() ? "-B16" : projection_name_;
      postfix += linear_ ? "-linear" : "";
    } else if (family_ == Family::invite) {
      prefix = "invite-";
    } else if (family_ == Family::regionclip) {
      prefix = "regionclip-";
      postfix = "-regionclip" + (checkpoint_stem_.empty() ? "" : "-" + checkpoint_stem_);
    } else if (family_ == Family::denseclip) {
      prefix = "denseclip-";
      postfix = "-denseclip-" + file_stem(keys_.text("denseclip_config"));
    } else if (family_ == Family::open_clip) {
      postfix = "-open_clip";
    }
    const std::string attention = attention_suffix_ == "qkv" ? "" : "_" + attention_suffix_;
    return fmt::format("{}{}_text_embeddings{}{}-{}-{}.h5", prefix, bank_source_name(source), attention,
                       postfix, replaced(clip_model_, "/", '.'), size);
  }

  Value decoder() {
    const std::string weights = keys_.text("decap_weights");
    const auto prefix = keys_.integer("prefix_size");
    if (keys_.find("viecap") != nullptr) {
      return viecap();
    }
    Value decoder = Value::Map();
    decoder.set("plugin", "plain");
    if (weights.empty()) {
      note("decap_weights is missing; name the decoder's weights under decoder.weights");
    } else {
      decoder.set("weights", weights);
    }
    decoder.set("vocabulary", weights_file(kVocabulary));
    if (prefix) {
      decoder.set("prefix_size", *prefix);
    }
    if (keys_.boolean("calculate_argmax_text", false)) {
      note(
          "calculate_argmax_text has no counterpart: the plain decoder is named instead of the text of the "
          "most similar bank row");
    }
    if (keys_.find("talk2dino_weights") != nullptr) {
      (void)keys_.find("talk2dino_config");
      note(
          "talk2dino_weights (embedding inversion before a CLIP-trained decoder) has no counterpart and is "
          "left out");
    }
    return decoder;
  }

  Value viecap() {
    ReferenceKeys viecap = keys_.map("viecap");
    const bool meacap = viecap.find("meacap") != nullptr;
    Value decoder = Value::Map();
    decoder.set("plugin", meacap ? "meacap" : "viecap");
    decoder.set("weights", viecap.text("weight_path"));
    std::string layout = viecap.boolean("soft_prompt_first", false) ? "soft_first" : "hard_first";
    layout = viecap.boolean("using_hard_prompt", false) ? layout : "no_hard";
    decoder.set("layout", viecap.boolean("only_hard_prompt", false) ? "only_hard" : layout);
    Value search = Value::Map();
    search.set("type", viecap.boolean("using_greedy_search", false) ? "greedy" : "beam");
    search.set("beam_width", viecap.integer("beam_width").value_or(5));
    decoder.set("search", std::move(search));
    Value entities = Value::Map();
    entities.set("temperature", viecap.number("temperature").value_or(0.01));
    entities.set("top_k", viecap.integer("top_k").value_or(3));
    entities.set("threshold", viecap.number("threshold").value_or(0.2));
    decoder.set("entities", std::move(entities));
    if (meacap) {
      ReferenceKeys inner = viecap.map("meacap");
      Value section = Value::Map();
      section.set("memory", inner.text("memory_base_path") + "memory/" + inner.text("memory_id"));
      section.set("captions", inner.integer("memory_caption_num").value_or(5));
      decoder.set("meacap", std::move(section));
    }
    const std::string files = viecap.text("files_path");
    const std::string names = viecap.text("name_of_entities_text", "vinvl_vgoi_entities");
    note(
        "name the list '{}' of {} and its embeddings under decoder.entities.names and "
        "decoder.entities.embeddings",
        names, files.empty() ? "ViECap" : files);
    // What the weights and the embeddings' file say themselves, or what the reference never reads.
    viecap.pass_over({"language_model", "clip_hidden_size", "suffix", "prompt_ensemble",
                      "continuous_prompt_length", "clip_project_length", "disable_all_entities",
                      "text_prompt", "project_length"});
    note_unused(viecap);
    return decoder;
  }

  void note_unused(const ReferenceKeys& keys) {
    for (const std::string& key : keys.unused()) {
      note("{}{} has no counterpart and is left out", keys.where(), key);
    }
  }

  void note_the_rest() {
    if (keys_.find("kkv_attention") != nullptr) {
      note("kkv_attention is left out: the reference never reads it");
    }
    keys_.pass_over({"linear_talk2dino", "clip_model_name", "use_open_clip", "talk2dino_attn_type",
                     "compute_scores"});  // said by the backbone, or a matter of evaluation
    const auto& known = known_reference_keys();
    for (const std::string& key : keys_.unused()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        note("'{}' is no key of the reference and is left out{}", key, suggestion_if_near(key));
      } else {
        note("{} has no counterpart and is left out", key);
      }
    }
  }

  static std::string suggestion_if_near(const std::string& key) {
    const std::string nearest = nearest_name(key, known_reference_keys());
    return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
  }

  ReferenceKeys keys_;
  ImportedConfig result_;
  std::string dino_model_;
  Family family_ = Family::talk2dino;
  bool use_projection_ = true;
  bool linear_ = false;
  std::string projection_name_;
  std::string attention_suffix_ = "qkv";
  std::string clip_model_;
  std::string checkpoint_stem_;
};

}  // namespace

ImportedConfig import_reference_config(const Value& reference) {
  if (!reference.is_map()) {
    throw Error(ErrorKind::config, "{}: this is no model file of the reference: it is {}, not a map",
                reference.origin().to_string(), to_string(reference.type()));
  }
  return Import(reference).run(reference);
}

}  // namespace patchioner
