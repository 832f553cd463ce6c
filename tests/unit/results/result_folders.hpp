// Folders of results over a data set of two images with two boxes each.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/encode.hpp"
#include "test_folder.hpp"

namespace patchioner {

/// A line of items.jsonl.
struct TestItem {
  std::string place;
  std::string caption;
  double cider = 0;
};

class ResultFolders {
 public:
  ResultFolders() {
    for (const char* name : {"1.png", "2.png"}) {
      write_png(folder_ / name, at::full({30, 40, 3}, 120, at::kByte));
    }
    folder_.write("boxes.jsonl",
                  R"({"image":"1.png","id":1,"regions":[{"box":[1,1,10,10],"references":["a cat"]},)"
                  R"({"box":[20,5,15,20],"references":["a dog"]}]})"
                  "\n"
                  R"({"image":"2.png","id":2,"regions":[{"box":[2,2,9,9],"references":["a cow"]},)"
                  R"({"box":[5,5,30,20],"references":["a hen"]}]})"
                  "\n");
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const TestFolder& folder() const { return folder_; }

  /// A folder as eval leaves it; `config` are lines before the section `dataset`.
  std::filesystem::path add(const std::string& name, const std::string& config,
                            const std::vector<TestItem>& items, const std::string& dataset = "boxes") const {
    static const std::map<char, std::string> kImages = {{'0', "1.png"}, {'1', "2.png"}};
    static const std::map<std::string, std::string> kReferences = {
        {"0.0", "a cat"}, {"0.1", "a dog"}, {"1.0", "a cow"}, {"1.1", "a hen"}};
    folder_.write(name + "/config.yaml", config + "dataset: {name: " + dataset +
                                             ", files: " + (folder_ / "boxes.jsonl").string() +
                                             ", format: records, images: " + folder_.path().string() +
                                             "}\nevaluate: {output: /out/" + name + "}\n");
    double sum = 0;
    std::string lines;
    for (const TestItem& item : items) {
      sum += item.cider;
      const nlohmann::ordered_json line = {{"id", "1 region 1"},
                                           {"place", item.place},
                                           {"file_name", kImages.at(item.place.front())},
                                           {"caption", item.caption},
                                           {"references", {kReferences.at(item.place)}},
                                           {"CIDEr", item.cider}};
      lines += line.dump() + "\n";
    }
    folder_.write(name + "/items.jsonl", lines);
    const nlohmann::ordered_json metrics = {
        {"name", dataset},
        {"items", items.size()},
        {"metrics", {{"map(no-paraphrase)", 0.25}, {"CIDEr", sum / static_cast<double>(items.size())}}},
        {"dataset", {{"format", "records"}, {"images", 2}, {"regions", 4}}},
        {"timing", {{"captioning_seconds", 3.0}, {"scoring_seconds", 1.0}}}};
    folder_.write(name + "/metrics.json", metrics.dump());
    return folder_ / name;
  }

 private:
  TestFolder folder_;
};

}  // namespace patchioner
