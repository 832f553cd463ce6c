#include "narrative.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace patchioner::emoji {
namespace {

constexpr double kPointInterval = 0.1;  // seconds between points of the pointer
constexpr double kLead = 0.15;          // the pointer is there a little before the word

/// Part of a sentence; `targets` are rectangles that the pointer visits while it is said.
struct Piece {
  std::string text;
  std::vector<cv::Rect2d> targets;
};

struct Plan {
  std::vector<Piece> pieces;
  std::string caption;
};

std::string capitalised(std::string text) {
  text[0] = static_cast<char>(std::toupper(text[0]));
  return text;
}

/// Chooses the sentences.
class Planner {
 public:
  Planner(const std::vector<Thing>& things, const Scene& scene, const Picture& picture, Random& random)
      : speaker_(things, scene, random), scene_(scene), picture_(picture), random_(random) {}

  std::vector<Plan> plan() {
    std::vector<Group> groups = groups_of(scene_);
    std::vector<Plan> plans;
    for (size_t i = 0; i < groups.size() && plans.size() < 4; ++i) {
      const bool pair = i + 1 < groups.size() && random_.chance(0.35);
      plans.push_back(about(groups[i], pair ? &groups[i + 1] : nullptr, plans.empty()));
      i += pair ? 1 : 0;
    }
    if (random_.chance(0.75)) {
      plans.push_back(about_ground(scene_.backdrop.has_value() && random_.chance(0.7)));
    }
    if (random_.chance(0.4)) {
      plans.insert(plans.begin() + random_.below(static_cast<int64_t>(plans.size()) + 1), vague());
    }
    return plans;
  }

 private:
  std::string opening(bool first) {
    return first ? pick({"In this image I can see", "In this picture we can see",
                         "This is a picture where there is", "Here we can see"})
                 : pick({"There is", "I can also see", "Beside that we can see", "Then there is",
                         "We can see"});
  }

  Plan about(const Group& group, const Group* other, bool first) {
    Plan plan;
    const std::string subject = speaker_.name(group, 0.9, 0.3);
    plan.pieces.push_back({opening(first), {}});
    if (random_.chance(0.12)) {
      plan.pieces.back().text += " uh";
    }
    plan.pieces.push_back({subject, boxes(group)});
    plan.caption = subject;
    if (other != nullptr) {
      const std::string link = pick({"and", "next to", "with"});
      const std::string object = speaker_.name(*other, 0.9, 0.2);
      plan.pieces.push_back({link, {}});
      plan.pieces.push_back({object, boxes(*other)});
      plan.caption += " " + link + " " + object;
    }
    const std::string where = speaker_.place(false);
    if (random_.chance(0.6)) {
      plan.pieces.push_back({where, boxes(group)});
      plan.caption += " " + where;
    }
    return plan;
  }

  Plan about_ground(bool backdrop) {
    Plan plan;
    const std::string name = speaker_.ground_name(backdrop);
    plan.pieces.push_back(
        {backdrop
             ? pick({"In the background there is", "Behind that we can see", "At the back I can see"})
             : pick({"On the ground there is", "At the bottom of the image I can see", "We can also see"}),
         {}});
    plan.pieces.push_back({name, {strip(backdrop)}});
    plan.caption = name;
    return plan;
  }

  Plan vague() {
    return {{{pick({"I like this picture", "The image is nicely made", "I am not sure what else there is",
                    "This looks like a drawing", "It seems to be a nice day"}),
              {}}},
            ""};
  }

  std::vector<cv::Rect2d> boxes(const Group& group) {
    std::vector<cv::Rect2d> result;
    for (const int member : group.members) {
      const cv::Rect& box = picture_.extents[static_cast<size_t>(member)].box;
      result.push_back(relative(box));
    }
    return result;
  }

  cv::Rect2d strip(bool backdrop) {
    const double line = scene_.horizon;
    return backdrop ? cv::Rect2d(0.05, 0.1 * line, 0.9, 0.7 * line)
                    : cv::Rect2d(0.05, line + 0.5 * (1 - line), 0.9, 0.4 * (1 - line));
  }

  cv::Rect2d relative(const cv::Rect& box) const {
    const double width = picture_.rgb.cols;
    const double height = picture_.rgb.rows;
    return {box.x / width, box.y / height, box.width / width, box.height / height};
  }

  std::string pick(std::vector<std::string> choices) { return random_.pick(choices); }

  Speaker speaker_;
  const Scene& scene_;
  const Picture& picture_;
  Random& random_;
};

/// Speaks the pieces and moves the pointer.
class Performer {
 public:
  explicit Performer(Random& random)
      : random_(random), x_(random.uniform(0.3, 0.7)), y_(random.uniform(0.3, 0.7)) {}

  void say(const Piece& piece, bool last) {
    std::istringstream words(piece.text);
    std::vector<std::string> list;
    for (std::string word; words >> word;) {
      list.push_back(word);
    }
    if (last) {
      list.back() += ".";
    }
    const double begin = time_;
    for (size_t i = 0; i < list.size();) {
      // One or two words an utterance.
      std::string text = list[i++];
      if (i < list.size() && random_.chance(0.3)) {
        text += " " + list[i++];
      }
      const double length = 0.12 + 0.045 * static_cast<double>(text.size()) * random_.uniform(0.8, 1.3);
      narrative.utterances.push_back({text, time_, time_ + length});
      time_ += length + random_.uniform(0.0, 0.08);
    }
    move(piece.targets, begin, time_);
  }

  void pause() {
    const double begin = time_;
    time_ += random_.uniform(0.25, 0.7);
    if (random_.chance(0.3)) {
      // The pen is lifted: a new segment begins.
      narrative.traces.emplace_back();
      clock_ = time_;
    } else {
      move({}, begin, time_);
    }
  }

  Narrative narrative;

 private:
  void move(const std::vector<cv::Rect2d>& targets, double begin, double end) {
    if (narrative.traces.empty()) {
      narrative.traces.emplace_back();
    }
    const double shifted = std::max(begin - kLead, 0.0);
    const double span = std::max(end - kLead - shifted, 1e-3);
    const double turns = random_.uniform(1.0, 1.8) * (random_.chance(0.5) ? 1 : -1);
    const double phase = random_.uniform(0, 6.283);
    for (; clock_ < end - kLead; clock_ += kPointInterval) {
      const double progress = std::clamp((clock_ - shifted) / span, 0.0, 0.999);
      if (!targets.empty()) {
        // Circles over the target; the way there is covered by following it with some inertia.
        const double along = progress * static_cast<double>(targets.size());
        const cv::Rect2d& box = targets[static_cast<size_t>(along)];
        const double angle = phase + turns * 6.283 * along;
        goal_x_ = box.x + box.width * (0.5 + 0.33 * std::cos(angle));
        goal_y_ = box.y + box.height * (0.5 + 0.33 * std::sin(angle));
      }
      x_ += 0.55 * (goal_x_ - x_) + 0.006 * random_.normal();
      y_ += 0.55 * (goal_y_ - y_) + 0.006 * random_.normal();
      narrative.traces.back().push_back({x_, y_, clock_});
    }
  }

  Random& random_;
  double time_ = 0.3;
  double clock_ = 0.05;
  double x_;
  double y_;
  double goal_x_ = 0.5;
  double goal_y_ = 0.5;
};

}  // namespace

Narrative narrate(const std::vector<Thing>& things, const Scene& scene, const Picture& picture,
                  Random& random) {
  const std::vector<Plan> plans = Planner(things, scene, picture, random).plan();
  Performer performer(random);
  for (const Plan& plan : plans) {
    Sentence sentence;
    for (size_t i = 0; i < plan.pieces.size(); ++i) {
      performer.say(plan.pieces[i], i + 1 == plan.pieces.size());
    }
    performer.pause();
    for (const Piece& piece : plan.pieces) {
      sentence.spoken += (sentence.spoken.empty() ? "" : " ") + piece.text;
    }
    sentence.spoken += ".";
    if (!plan.caption.empty()) {
      sentence.caption = capitalised(plan.caption) + ".";
    }
    performer.narrative.sentences.push_back(sentence);
  }
  std::erase_if(performer.narrative.traces, [](const auto& segment) { return segment.empty(); });
  return std::move(performer.narrative);
}

}  // namespace patchioner::emoji
