#include "evaluation/dataset_section.hpp"

#include <patchioner/error.hpp>

#include "config/paths.hpp"

namespace patchioner {
namespace {

constexpr const char* kExample = "dataset=dataset/NAME, a file of configs/dataset, names one";

/// A path or a list of paths, as a list of absolute ones.
Value absolute_paths(const Value& value, const std::string& key) {
  Value::List paths;
  const auto add = [&](const Value& one) {
    if (!one.is_text() || one.as_text().empty()) {
      throw Error(ErrorKind::config, "{}: dataset.{} is a path or a list of paths", one.origin().to_string(),
                  key);
    }
    paths.push_back(Value(resolve_path(one)).set_origin(one.origin()));
  };
  if (value.is_list()) {
    for (const Value& one : value.as_list()) {
      add(one);
    }
  } else if (!value.is_null()) {
    add(value);
  }
  return Value(std::move(paths)).set_origin(value.origin());
}

std::vector<std::filesystem::path> paths_of(const Value& list) {
  std::vector<std::filesystem::path> paths;
  for (const Value& one : list.as_list()) {
    paths.emplace_back(one.as_text());
  }
  return paths;
}

/// Results lie in a folder of this name.
void check_name(const Value& name) {
  const std::string& text = name.as_text();
  if (text.empty() || text.front() == '.' || text.find('/') != std::string::npos) {
    throw Error(ErrorKind::config, "{}: dataset.name is '{}', but must be the name of a folder",
                name.origin().to_string(), text);
  }
}

}  // namespace

void declare(ParameterList<DatasetSection>& list) {
  using D = DatasetSection;
  list.add("name", &D::name,
           "what the data set's results are called; otherwise the annotations' file is asked");
  list.add("files", &D::files, "annotations, a path or a list of paths");
  list.add("format", &D::format, "of the annotations")
      .choices({"auto", "coco", "karpathy", "dense", "visual-genome", "region-sets", "coco-entities",
                "flickr-entities", "traces", "narratives", "records", "clipscore"});
  list.add("images", &D::images, "folders of images, a path or a list; the first that has a file wins");
  list.add("names", &D::names, "how ids become file names where annotations give none")
      .choices({"auto", "plain", "coco"});
  list.add("references", &D::references, "COCO captions with the references of an image list that has none")
      .path();
  list.add("split", &D::split,
           "of Karpathy's file, Visual Genome and the Entities releases; all: every image");
  list.add("splits", &D::splits, "file of splits: densecap_splits.json, or a list of Flickr30k ids").path();
  list.add("image_data", &D::image_data, "Visual Genome's image_data.json").path();
  list.add("vg_coco", &D::vg_coco, "of Visual Genome, only images that are COCO's too");
  list.add("strict", &D::strict, "stop at the first problem of the annotations");
}

Value complete_dataset_section(const Value& config) {
  const Value* section = config.find("dataset");
  if (section == nullptr || section->is_null()) {
    throw Error(ErrorKind::config, "the config has no section 'dataset'; {}", kExample);
  }
  Value complete = complete_section(config, schema_of<DatasetSection>(), "dataset");
  for (const char* key : {"files", "images"}) {
    complete.set(key, absolute_paths(complete.at(key), key));
  }
  const Value::List& files = complete.at("files").as_list();
  if (files.empty()) {
    throw Error(ErrorKind::config, "{}: dataset.files is not set; {}", section->origin().to_string(),
                kExample);
  }
  if (complete.at("name").as_text().empty()) {
    const std::filesystem::path file = files.front().as_text();
    complete.set("name", Value(file.stem().string()).set_origin(files.front().origin()));
  }
  check_name(complete.at("name"));
  return complete;
}

NamedDataset read_dataset_section(const Value& config) {
  const Value complete = complete_dataset_section(config);
  ParameterList<DatasetSection> list;
  declare(list);
  const DatasetSection section = list.read(complete);
  NamedDataset dataset;
  dataset.name = section.name;
  DatasetOptions& options = dataset.options;
  options.files = paths_of(section.files);
  options.format = dataset_format_from(section.format);
  options.image_folders = paths_of(section.images);
  options.image_names = image_names_from(section.names);
  options.references = section.references;
  options.split = section.split;
  options.splits = section.splits;
  options.image_data = section.image_data;
  options.vg_coco = section.vg_coco;
  options.strict = section.strict;
  return dataset;
}

}  // namespace patchioner
