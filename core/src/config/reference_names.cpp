#include "config/reference_names.hpp"

namespace patchioner {

std::string weights_file(const std::string& name) {
  return "${env:PATCHIONER_WEIGHTS,weights}/" + name;
}

std::string clip_file(const std::string& name) {
  return weights_file(replaced(name, "/@", '-') + ".pt");
}

std::string openai_name(const std::string& timm_name) {
  for (const auto& [size, letter] :
       {std::pair{"vit_base_patch", "ViT-B/"}, std::pair{"vit_large_patch", "ViT-L/"}}) {
    if (timm_name.starts_with(size)) {
      const std::string rest = timm_name.substr(std::string_view(size).size());
      const std::string name = letter + rest.substr(0, rest.find('_'));
      return rest.find("_336") != std::string::npos ? name + "@336px" : name;
    }
  }
  return "";
}

std::string dinov2_file(const std::string& name) {
  const bool registers = name.ends_with("_reg");  // the hub's name leaves out that they are four
  return weights_file(name + (registers ? "4" : "") + "_pretrain.pth");
}

std::string bank_source_name(const std::string& projection_type) {
  static const std::map<std::string, std::string> kNames = {{"coco", "coco_captions"},
                                                            {"vg", "vg_captions"},
                                                            {"vg-test", "vg_dense_captions_test"},
                                                            {"msmarco", "ms_marco_queries_a"},
                                                            {"blip", "cc3m_blip_captions"}};
  if (const auto known = kNames.find(projection_type); known != kNames.end()) {
    return known->second;
  }
  std::string file = projection_type.substr(projection_type.find_last_of('/') + 1);
  std::transform(file.begin(), file.end(), file.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto has = [&](const char* word) { return file.find(word) != std::string::npos; };
  if (!has("karpathy") && !has("coco")) {
    if (has("vg")) {
      return "vg_captions";
    }
    if (has("marco")) {
      return "ms_marco_queries_a";
    }
  }
  return "coco_captions";
}

std::string file_stem(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view ending : {".yaml", ".yml", ".pth", ".pt"}) {
    if (name.ends_with(ending)) {
      name.remove_suffix(ending.size());
    }
  }
  return std::string(name);
}

std::string replaced(std::string text, std::string_view characters, char with) {
  for (char& c : text) {
    c = characters.find(c) != std::string_view::npos ? with : c;
  }
  return text;
}

}  // namespace patchioner
