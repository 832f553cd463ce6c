#include "recipe.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner::emoji {
namespace {

using Json = nlohmann::json;

Lesson lesson_from(const Json& json) {
  return {json.at("steps"),
          json.at("images"),
          json.at("grid"),
          json.at("most_things"),
          json.at("smallest"),
          json.at("largest"),
          json.value("centred", false)};
}

Lessons lessons_from(const Json& json) {
  Lessons lessons{json.at("scenes_per_step"), {}};
  for (const Json& lesson : json.at("lessons")) {
    lessons.list.push_back(lesson_from(lesson));
  }
  return lessons;
}

TowerRecipe tower_from(const Json& json) {
  TowerRecipe recipe;
  recipe.learning_rate = json.at("learning_rate");
  recipe.weight_decay = json.at("weight_decay");
  recipe.contents_weight = json.at("contents_weight");
  recipe.surface_weight = json.at("surface_weight");
  recipe.patch_weight = json.value("patch_weight", 1.0);
  recipe.lessons = lessons_from(json);
  recipe.digest = sha256(json.dump());
  return recipe;
}

AlignmentRecipe alignment_from(const Json& json) {
  return {json.at("learning_rate"), json.at("weight_decay"), json.at("names_weight"),
          json.at("scenes_weight"), lessons_from(json),      sha256(json.dump())};
}

}  // namespace

int64_t Lessons::steps() const {
  int64_t total = 0;
  for (const Lesson& lesson : list) {
    total += lesson.steps;
  }
  return total;
}

const Lesson& Lessons::lesson_at(int64_t step) const {
  for (const Lesson& lesson : list) {
    if (step < lesson.steps) {
      return lesson;
    }
    step -= lesson.steps;
  }
  return list.back();
}

Recipe read_recipe(const std::filesystem::path& path) {
  try {
    const Json json = Json::parse(read_file(path));
    Recipe recipe;
    recipe.trunk = tower_from(json.at("trunk"));
    recipe.refined_trunk = tower_from(json.at("refined_trunk"));
    recipe.clip = tower_from(json.at("clip"));
    const Json& projection = json.at("talk2dino");
    recipe.talk2dino = {projection.at("learning_rate"), projection.at("weight_decay"),
                        projection.at("steps"),         projection.at("images"),
                        projection.at("temperature"),   lessons_from(projection),
                        sha256(projection.dump())};
    recipe.dino = tower_from(json.at("dino"));
    recipe.denseclip = alignment_from(json.at("denseclip"));
    recipe.alphaclip = alignment_from(json.at("alphaclip"));
    recipe.dinotxt = alignment_from(json.at("dinotxt"));
    recipe.regionclip = alignment_from(json.at("regionclip"));
    return recipe;
  } catch (const Json::exception& problem) {
    throw Error(ErrorKind::data, "{}: {}", path.string(), problem.what());
  }
}

}  // namespace patchioner::emoji
