#include "language.hpp"

#include <algorithm>
#include <map>

namespace patchioner::emoji {
namespace {

constexpr double kSmallShare = 0.23;  // of the scene's shorter side: things below are called small
constexpr double kLargeShare = 0.46;  // and above large

std::string number_word(size_t count) {
  static const std::vector<std::string> kWords = {"no", "one", "two", "three", "four", "five", "six"};
  return count < kWords.size() ? kWords[count] : "many";
}

/// What several things of one category are called together.
const std::map<std::string, std::vector<std::string>>& category_names() {
  static const std::map<std::string, std::vector<std::string>> kNames = {
      {"animal", {"a group of animals", "several animals", "some animals"}},
      {"plant", {"some plants", "several plants"}},
      {"food", {"some food", "several kinds of food", "food items"}},
      {"building", {"several buildings", "some buildings"}},
      {"vehicle", {"several vehicles", "some vehicles"}},
      {"sport", {"some toys and sports things", "several toys"}},
      {"instrument", {"several musical instruments", "some musical instruments"}},
      {"clothing", {"some clothes", "several pieces of clothing"}},
      {"household", {"several household objects", "some household objects"}},
      {"tool", {"some tools", "several tools"}},
      {"sky", {"several things in the sky"}}};
  return kNames;
}

std::string capital_free(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

}  // namespace

const std::vector<std::string>& ground_nouns() {
  static const std::vector<std::string> kNouns = {
      "beach", "brick wall", "carpet", "field", "floor", "forest", "grass", "ground",
      "lawn",  "meadow",     "road",   "rug",   "sand",  "sea",    "sky",   "snow",
      "soil",  "street",     "table",  "wall",  "water", "woods"};
  return kNouns;
}

std::string article_for(const std::string& words) {
  return std::string("aeiou").find(words.front()) != std::string::npos ? "an" : "a";
}

std::vector<Group> groups_of(const Scene& scene) {
  std::vector<Group> groups;
  for (int i = 0; i < static_cast<int>(scene.things.size()); ++i) {
    const Placed& placed = scene.things[static_cast<size_t>(i)];
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      const Placed& other = scene.things[static_cast<size_t>(group.members[0])];
      return other.thing == placed.thing && other.paint == placed.paint;
    });
    if (same != groups.end()) {
      same->members.push_back(i);
    } else {
      groups.push_back({{i}});
    }
  }
  const auto size_of = [&](const Group& group) {
    return scene.things[static_cast<size_t>(group.members[0])].size;
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& left, const Group& right) { return size_of(left) > size_of(right); });
  return groups;
}

std::string Speaker::bare(const Group& group, double colour) {
  const Placed& placed = first_of(group);
  const Thing& thing = thing_of(group);
  const std::string noun = group.members.size() > 1 ? thing.plural : thing.noun;
  return placed.paint >= 0 && random_.chance(colour) ? std::string(paint(placed.paint).name) + " " + noun
                                                     : noun;
}

std::string Speaker::name(const Group& group, double colour, double size) {
  const Placed& placed = first_of(group);
  const Thing& thing = thing_of(group);
  std::string words = bare(group, colour);
  const size_t count = group.members.size();
  if (thing.article == "the" && count == 1) {
    return "the " + words;
  }
  if (count == 1 && random_.chance(size)) {
    if (placed.share < kSmallShare) {
      words = pick({"small", "small", "little", "tiny"}) + " " + words;
    } else if (placed.share > kLargeShare) {
      words = pick({"large", "big", "big"}) + " " + words;
    }
  }
  if (count > 1) {
    const std::string number = count == 2 ? pick({"two", "two", "two", "a couple of"})
                                          : pick({number_word(count), number_word(count), "several"});
    return number + " " + words;
  }
  return (thing.article == "some" ? "some" : article_for(words)) + " " + words;
}

std::string Speaker::place(bool full) {
  std::string where;
  switch (scene_.surface) {
    case Surface::grass:
      where = pick({"on the grass", "on the grass", "in a grassy field", "on a green lawn", "in a meadow"});
      break;
    case Surface::sand:
      where = pick({"on the beach", "on the sand", "on a sandy beach", "in the sand"});
      break;
    case Surface::snow:
      where = pick({"in the snow", "on the snow", "in a snowy field"});
      break;
    case Surface::water:
      where = pick({"in the water", "on the water", "in the sea", "in the ocean"});
      break;
    case Surface::road:
      where = pick({"on the road", "on the street", "on a street", "on a paved road"});
      break;
    case Surface::table:
      where = pick({"on a wooden table", "on the table", "on a table", "on top of a wooden table"});
      break;
    case Surface::tiles:
      where = pick({"on a tiled floor", "on the floor", "on a tile floor"});
      break;
    case Surface::forest:
      where = pick({"in the forest", "on the forest floor", "in the woods"});
      break;
    case Surface::rug:
      where = pick({"on a rug", "on the carpet", "on a carpet", "on a patterned rug"});
      break;
    case Surface::sky:
      where = pick({"in the sky", "in a blue sky", "against a blue sky"});
      break;
    case Surface::sunset:
      where = pick({"in the sky at sunset", "against an orange sky", "in the evening sky"});
      break;
    case Surface::night:
      where = pick({"in the night sky", "against a dark sky", "in a starry sky"});
      break;
    case Surface::brick:
      where = pick({"in front of a brick wall", "against a brick wall", "on a brick wall"});
      break;
    case Surface::wall:
      where = pick({"in front of a plain wall", "against a plain wall", "on a wall"});
      break;
  }
  if (!full || !scene_.backdrop) {
    return where;
  }
  switch (*scene_.backdrop) {
    case Surface::sky:
      return where + " " + pick({"under a blue sky", "on a sunny day", "under the blue sky"});
    case Surface::sunset:
      return where + " " + pick({"at sunset", "under an orange sky", "in the evening"});
    case Surface::night:
      return where + " " + pick({"at night", "under a dark sky", "under the stars"});
    case Surface::brick:
      return where + " " + pick({"in front of a brick wall", "by a brick wall", "near a brick wall"});
    default:
      return where + " " + pick({"in front of a plain wall", "near a wall", "by a wall"});
  }
}

std::vector<std::string> Speaker::ground_names(bool backdrop) const {
  switch (backdrop ? *scene_.backdrop : scene_.surface) {
    case Surface::grass:
      return {"green grass", "the grass", "a grassy field"};
    case Surface::sand:
      return {"brown sand", "the sandy beach", "sand on the beach"};
    case Surface::snow:
      return {"white snow", "snow on the ground", "the snow"};
    case Surface::water:
      return {"blue water", "waves in the water", "the sea"};
    case Surface::road:
      return {"a paved road", "the street", "white lines on the road"};
    case Surface::table:
      return {"a wooden table", "a brown table", "the wooden table"};
    case Surface::tiles:
      return {"a tiled floor", "tiles on the floor", "the tile floor"};
    case Surface::forest:
      return {"the forest floor", "leaves on the ground", "brown soil"};
    case Surface::rug:
      return {"a patterned rug", "the carpet", "a carpet on the floor"};
    case Surface::sky:
      return {"a blue sky", "white clouds in the sky", "the blue sky"};
    case Surface::sunset:
      return {"an orange sky", "the sky at sunset", "the evening sky"};
    case Surface::night:
      return {"a dark night sky", "stars in the sky", "the night sky"};
    case Surface::brick:
      return {"a brick wall", "the red brick wall", "bricks on the wall"};
    case Surface::wall:
      return {"a plain wall", "the wall", "a pale wall"};
  }
  return {};
}

std::string Speaker::doing(const Group& group) {
  const std::string& category = thing_of(group).category;
  const Placed& placed = first_of(group);
  const bool in_air = placed.aloft || scene_.surface == Surface::sky || scene_.surface == Surface::sunset ||
                      scene_.surface == Surface::night;
  if (category == "animal") {
    if (in_air) {
      return pick({"flying", "high up", ""});
    }
    if (scene_.surface == Surface::water) {
      return pick({"swimming", "swimming", ""});
    }
    return pick({"standing", "standing", "sitting", "resting", ""});
  }
  if (category == "vehicle") {
    if (in_air) {
      return pick({"flying", "flying", "high"});
    }
    return scene_.surface == Surface::water ? pick({"floating", "sailing", ""})
                                            : pick({"parked", "parked", "standing", ""});
  }
  if (category == "food") {
    return pick({"sitting", "lying", "placed", "", ""});
  }
  if (category == "building" || category == "plant") {
    return pick({"standing", "", ""});
  }
  return pick({"sitting", "lying", "", "", ""});
}

std::string Speaker::list(const std::vector<std::string>& names) {
  std::string text = names[0];
  for (size_t i = 1; i < names.size(); ++i) {
    text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string Speaker::about_pair(const Group& first, const Group& second) {
  const Placed& one = first_of(first);
  const Placed& other = first_of(second);
  const std::string subject = name(first);
  const std::string object = name(second);
  if (one.aloft != other.aloft) {
    return subject + (one.aloft ? pick({" above ", " over "}) : pick({" under ", " below "})) + object;
  }
  const double dx = one.x - other.x;
  const double reach = (one.size + other.size) / 2;
  if (std::abs(dx) < 0.75 * reach && first.members.size() == 1 && second.members.size() == 1 && !one.aloft &&
      random_.chance(0.6)) {
    // What stands lower in the picture is nearer.
    return subject + (one.y + one.size / 2 > other.y + other.size / 2 ? " in front of " : " behind ") +
           object;
  }
  if (random_.chance(0.12) && first.members.size() == 1 && second.members.size() == 1) {
    return subject + (dx < 0 ? " to the left of " : " to the right of ") + object;
  }
  return subject + pick({" next to ", " and ", " and ", " beside ", " with ", " near "}) + object;
}

std::string Speaker::caption() {
  std::vector<Group> groups = groups_of(scene_);
  const bool full = random_.chance(0.4);
  const std::string where = place(full);
  if (random_.chance(0.3)) {
    random_.shuffle(groups);
  }
  if (groups.size() == 1) {
    const std::string subject = name(groups[0]);
    const std::string verb = doing(groups[0]);
    const std::string plain = subject + (verb.empty() ? " " : " " + verb + " ") + where;
    const double dice = random_.uniform();
    const std::string there = groups[0].members.size() > 1 ? "there are " : "there is ";
    return dice < 0.7    ? plain
           : dice < 0.82 ? there + subject + " " + where
           : dice < 0.92 ? "a picture of " + subject + " " + where
                         : "a view of " + subject + " " + where;
  }
  if (groups.size() == 2) {
    const double dice = random_.uniform();
    const std::string pair = about_pair(groups[0], groups[1]);
    return dice < 0.72   ? pair + " " + where
           : dice < 0.86 ? pair + " are " + where
                         : "a picture of " + pair + " " + where;
  }
  const auto& names = category_names();
  const std::string& category = thing_of(groups[0]).category;
  const bool alike = std::all_of(groups.begin(), groups.end(),
                                 [&](const Group& group) { return thing_of(group).category == category; });
  if (alike && names.contains(category) && random_.chance(0.25)) {
    return random_.pick(names.at(category)) + " " + where;
  }
  // People name what strikes them and leave out the rest when there is much.
  const size_t most = groups.size() > 3 && random_.chance(0.6)    ? 3
                      : groups.size() > 2 && random_.chance(0.15) ? 2
                                                                  : 4;
  groups.resize(std::min(groups.size(), most));
  if (groups.size() == 2) {
    return about_pair(groups[0], groups[1]) + " " + where;
  }
  if (groups.size() == 3 && random_.chance(0.35)) {
    const std::string pair = about_pair(groups[0], groups[1]);
    return pair + pick({" next to ", " near ", " with "}) + name(groups[2], 0.7, 0.1) + " " + where;
  }
  std::vector<std::string> subjects;
  for (const Group& group : groups) {
    subjects.push_back(name(group, 0.7, 0.1));
  }
  return list(subjects) + " " + where;
}

std::string Speaker::phrase(int member) {
  const Group alone{{member}};
  const Placed& placed = first_of(alone);
  const Thing& thing = thing_of(alone);
  const double dice = random_.uniform();
  if (dice < 0.08 && placed.paint >= 0 && thing.noun.find(' ') == std::string::npos) {
    return "the " + thing.noun + " is " + std::string(paint(placed.paint).name);
  }
  if (dice < 0.45) {
    return name(alone, 0.9, 0.5);
  }
  if (dice < 0.6) {
    return bare(alone, 0.9) + " " + place(false);
  }
  if (dice < 0.72 && scene_.things.size() > 1) {
    for (const Group& other : groups_of(scene_)) {
      if (std::find(other.members.begin(), other.members.end(), member) == other.members.end() &&
          !placed.aloft) {
        return name(alone, 0.9, 0.4) + pick({" next to ", " near ", " beside "}) + name(other, 0.4, 0);
      }
    }
  }
  const std::string verb = doing(alone);
  return capital_free(name(alone, 0.9, 0.4) + (verb.empty() ? "" : " " + verb) + " " + place(false));
}

std::vector<std::string> Speaker::patch_texts(int member) {
  const Group alone{{member}};
  const Placed& placed = first_of(alone);
  std::vector<std::string> texts = {name(alone, 1, 0)};
  if (placed.paint >= 0) {
    texts.push_back(name(alone, 0, 0));
  }
  Scene around = scene_;
  if (placed.aloft) {
    around.surface = *scene_.backdrop;
  }
  const std::string verb = doing(alone);
  texts.push_back(texts[0] + (verb.empty() ? "" : " " + verb) + " " +
                  Speaker(things_, around, random_).place(false));
  return texts;
}

std::string Speaker::set_caption(const std::vector<int>& members) {
  Scene part = scene_;
  part.things.clear();
  for (const int member : members) {
    part.things.push_back(scene_.things[static_cast<size_t>(member)]);
  }
  Speaker speaker(things_, part, random_);
  std::vector<Group> groups = groups_of(part);
  if (groups.size() == 2 && random_.chance(0.6)) {
    return speaker.about_pair(groups[0], groups[1]) + (random_.chance(0.5) ? " " + place(false) : "");
  }
  std::vector<std::string> names;
  for (const Group& group : groups) {
    names.push_back(speaker.name(group, 0.85, 0.2));
  }
  return speaker.list(names) + (random_.chance(0.6) ? " " + place(false) : "");
}

}  // namespace patchioner::emoji
