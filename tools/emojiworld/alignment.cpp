#include "alignment.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <patchioner/error.hpp>

#include "commands.hpp"
#include "frozen.hpp"
#include "language.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {
namespace {

constexpr double kFirstLogitScale = 2.6592;    // ln(1 / 0.07), CLIP's
constexpr double kLargestLogitScale = 4.6052;  // ln(100), CLIP's
constexpr double kSeenShare = 0.35;            // of a thing's ink that must be visible for it to be spoken of
constexpr int64_t kScoredScenes = 240;
constexpr int64_t kScoredBatch = 24;

std::string with_article(const Thing& thing, const std::string& words) {
  const bool own = thing.article == "some" || thing.article == "the";
  return fmt::format("{} {}", own ? thing.article : article_for(words), words);
}

/// The things of an image that can be seen well enough.
std::vector<int> seen_things(const std::vector<Extent>& extents) {
  std::vector<int> seen;
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i].visible >= kSeenShare && !extents[i].box.empty()) {
      seen.push_back(static_cast<int>(i));
    }
  }
  return seen;
}

}  // namespace

std::string name_of_thing(const Thing& thing) {
  return with_article(thing, thing.noun);
}

std::vector<std::string> names_of_things(const World& world) {
  std::vector<std::string> names;
  for (const Thing& thing : world.things) {
    names.push_back(name_of_thing(thing));
  }
  return names;
}

Names::Names(const World& world) : texts_(names_of_things(world)), things_(world.thing_count()) {
  for (const Thing& thing : world.things) {
    painted_.push_back(thing.recolour ? static_cast<int64_t>(texts_.size()) : -1);
    for (int p = 0; thing.recolour && p < kPaints; ++p) {
      texts_.push_back(with_article(thing, fmt::format("{} {}", paint(p).name, thing.noun)));
    }
  }
  first_surface_ = static_cast<int64_t>(texts_.size());
  for (int i = 0; i < kSurfaces; ++i) {
    Scene scene;
    scene.surface = static_cast<Surface>(i);
    Random random({kWorldSeed, static_cast<uint64_t>(i), 505});
    texts_.push_back(Speaker(world.things, scene, random).ground_name(false));
  }
}

int64_t Names::thing(int thing, int paint) const {
  const int64_t painted = painted_[static_cast<size_t>(thing)];
  return paint < 0 || painted < 0 ? thing : painted + paint;
}

at::Tensor Names::of_patches(const Batch& batch) const {
  at::Tensor places = batch.patch_class.clone();  // [B,G]
  const int64_t* paints = batch.patch_paint.data_ptr<int64_t>();
  int64_t* values = places.data_ptr<int64_t>();
  for (int64_t i = 0; i < places.numel(); ++i) {
    if (values[i] >= things_) {
      values[i] = surface(static_cast<int>(values[i] - things_));
    } else if (values[i] >= 0) {
      values[i] = thing(static_cast<int>(values[i]), static_cast<int>(paints[i]));
    }
  }
  return places;
}

std::vector<SpokenRegion> spoken_regions(const World& world, const Names& names, const Batch& batch,
                                         uint64_t first_scene, const RegionChances& chances) {
  std::vector<SpokenRegion> regions;
  for (size_t i = 0; i < batch.scenes.size(); ++i) {
    const Scene& scene = batch.scenes[i];
    const uint64_t number = first_scene + i;
    Random random({kWorldSeed, number, 504});
    Speaker speaker(world.things, scene, random);
    std::vector<int> seen = seen_things(batch.extents[i]);
    random.shuffle(seen);
    size_t next = 0;
    for (int64_t r = 0; r < chances.each; ++r) {
      SpokenRegion spoken;
      spoken.region.image = static_cast<int64_t>(i);
      const bool whole = r > 0 && random.chance(chances.whole);
      const bool several = r > 0 && seen.size() > 1 && random.chance(chances.several);
      std::vector<int> members;
      if (!whole && several) {
        members.assign(seen.begin(), seen.begin() + 2 + random.below(static_cast<int64_t>(seen.size()) - 1));
        spoken.text = speaker.set_caption(members);
      } else if (!whole && next < seen.size()) {
        members = {seen[next++]};
        const Placed& placed = scene.things[static_cast<size_t>(members[0])];
        spoken.name = names.thing(placed.thing, placed.paint);
        spoken.text = speaker.phrase(members[0]);
      } else {
        spoken.text = scene_text(world, scene, number);
      }
      for (const int member : members) {
        spoken.region.boxes.push_back(batch.extents[i][static_cast<size_t>(member)].box);
      }
      regions.push_back(std::move(spoken));
    }
  }
  return regions;
}

SpokenBatch parts_of(const std::vector<SpokenRegion>& spoken) {
  SpokenBatch parts;
  std::vector<int64_t> names;
  for (const SpokenRegion& one : spoken) {
    parts.regions.push_back(one.region);
    parts.texts.push_back(one.text);
    names.push_back(one.name);
  }
  parts.names = at::tensor(names, at::kLong);
  return parts;
}

std::vector<std::string> scene_texts(const World& world, const Batch& batch, uint64_t first_scene) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < batch.scenes.size(); ++i) {
    texts.push_back(scene_text(world, batch.scenes[i], first_scene + i));
  }
  return texts;
}

Contrast contrast(const at::Tensor& rows, const at::Tensor& texts, const at::Tensor& scale,
                  const std::vector<std::string>& sentences) {
  const auto count = static_cast<int64_t>(sentences.size());
  at::Tensor same = at::zeros({count, count}, at::kBool);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < count; ++j) {
      if (i != j && sentences[static_cast<size_t>(i)] == sentences[static_cast<size_t>(j)]) {
        same[i][j].fill_(true);
      }
    }
  }
  const at::Tensor logits =
      (at::matmul(rows, texts.t()) * sharpness(scale)).masked_fill(same, -1e4);  // [N,N]
  const at::Tensor own = at::arange(count, at::kLong);
  Contrast result;
  result.loss = (at::cross_entropy_loss(logits, own) + at::cross_entropy_loss(logits.t(), own)) / 2;
  result.hits = logits.argmax(1).eq(own).to(at::kFloat).mean().item<double>();
  return result;
}

at::Tensor logit_scale(Parameters& parameters) {
  const std::string name = fmt::format("{}logit_scale", kHeadPrefix);
  const bool there = std::any_of(parameters.all().begin(), parameters.all().end(),
                                 [&](const auto& one) { return one.first == name; });
  if (!there) {
    parameters.set(name, at::scalar_tensor(kFirstLogitScale));
  }
  return parameters.get(name, {});
}

at::Tensor sharpness(const at::Tensor& scale) {
  return scale.clamp_max(kLargestLogitScale).exp();
}

NamedRegions name_regions(const at::Tensor& vectors, const at::Tensor& names, const at::Tensor& texts,
                          const at::Tensor& scale) {
  const at::Tensor single = names.ge(0).nonzero().squeeze(-1);  // [M]
  if (single.numel() == 0) {
    return {at::zeros({}), 0};
  }
  const at::Tensor wanted = names.index_select(0, single);
  const at::Tensor logits =
      at::matmul(vectors.index_select(0, single), texts.t()) * sharpness(scale);  // [M,K]
  return {at::cross_entropy_loss(logits, wanted),
          logits.argmax(1).eq(wanted).to(at::kFloat).mean().item<double>()};
}

at::Tensor region_means(const at::Tensor& patches, const std::vector<BatchRegion>& regions, int patch_size) {
  const auto rows = static_cast<int>(patches.size(1));
  const auto columns = static_cast<int>(patches.size(2));
  std::vector<at::Tensor> means;
  for (const BatchRegion& region : regions) {
    const at::Tensor image = patches[region.image];  // [rows,columns,W]
    if (region.boxes.empty()) {
      means.push_back(image.mean({0, 1}));
      continue;
    }
    std::vector<at::Tensor> parts;
    for (const cv::Rect& box : region.boxes) {
      parts.push_back(image
                          .slice(0, std::min(box.y / patch_size, rows - 1),
                                 std::min((box.y + box.height) / patch_size, rows - 1) + 1)
                          .slice(1, std::min(box.x / patch_size, columns - 1),
                                 std::min((box.x + box.width) / patch_size, columns - 1) + 1)
                          .flatten(0, 1));
    }
    means.push_back(at::cat(parts).mean(0));
  }
  return at::stack(means);  // [N,W]
}

std::string BoxScore::words() const {
  return fmt::format(
      "{} boxes of {} test scenes: nearest of {} nouns right {:.1f} %, among the nearest five {:.1f} %",
      boxes, scenes, nouns, first, among_five);
}

TrainingPlan alignment_plan(const std::string& name, const Settings& settings, const AlignmentRecipe& recipe,
                            const std::string& towers) {
  TrainingPlan plan;
  plan.name = name;
  plan.folder = settings.work;
  plan.inputs = sha256(recipe.digest + towers);
  plan.steps = recipe.lessons.steps();
  plan.learning_rate = recipe.learning_rate;
  plan.weight_decay = recipe.weight_decay;
  plan.warmup = 30;
  plan.save_every = 50;
  return plan;
}

BoxScore score_boxes(const World& world, const TowerInput& input, const at::Tensor& texts,
                     const std::function<at::Tensor(const at::Tensor& pixels,
                                                    const std::vector<BatchRegion>& regions)>& encode) {
  const at::NoGradGuard no_gradients;
  BoxScore score;
  score.scenes = kScoredScenes;
  score.nouns = texts.size(0);
  int64_t first = 0;
  int64_t five = 0;
  const BatchSpec spec{kScoredBatch, input.side, input.patch_size, input.norm, {}, Split::test};
  for (int64_t i = 0; i < kScoredScenes; i += kScoredBatch) {
    const Batch batch = make_batch(world, spec, static_cast<uint64_t>(i + 1));
    std::vector<BatchRegion> regions;
    std::vector<int64_t> wanted;
    for (size_t b = 0; b < batch.scenes.size(); ++b) {
      const Picture picture = world.renderer.draw(batch.scenes[b], input.side, input.side);
      for (const int thing : seen_things(picture.extents)) {
        regions.push_back({static_cast<int64_t>(b), {picture.extents[static_cast<size_t>(thing)].box}});
        wanted.push_back(batch.scenes[b].things[static_cast<size_t>(thing)].thing);
      }
    }
    const at::Tensor similarity = at::matmul(unit(encode(batch.pixels, regions)), texts.t());  // [N,K]
    const at::Tensor own = similarity.gather(1, at::tensor(wanted).unsqueeze(1));              // [N,1]
    const at::Tensor better = similarity.gt(own).sum(1);                                       // [N]
    score.boxes += better.numel();
    first += better.eq(0).sum().item<int64_t>();
    five += better.lt(5).sum().item<int64_t>();
  }
  score.first = 100.0 * static_cast<double>(first) / static_cast<double>(score.boxes);
  score.among_five = 100.0 * static_cast<double>(five) / static_cast<double>(score.boxes);
  return score;
}

}  // namespace patchioner::emoji
