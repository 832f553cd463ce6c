#include "data/trace_benchmark.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace patchioner {
namespace {

constexpr double kTrim = 0.15;  // of the points at each end (the paper, section 10)
constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";

std::string_view stripped(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

void take_points(TraceSentence& sentence, const std::vector<TimedPoint>& all) {
  for (const TimedPoint& point : all) {
    if (point.t >= sentence.start && point.t <= sentence.end) {
      sentence.points.push_back(point);
    }
  }
  sentence.point_count = sentence.points.size();
  sentence.trimmed = static_cast<size_t>(std::floor(kTrim * static_cast<double>(sentence.point_count)));
  sentence.points.resize(sentence.point_count - sentence.trimmed);
  sentence.points.erase(sentence.points.begin(),
                        sentence.points.begin() + static_cast<std::ptrdiff_t>(sentence.trimmed));
}

}  // namespace

std::vector<TraceSentence> trace_sentences(const Narrative& narrative) {
  std::vector<TraceSentence> sentences;
  bool open = false;
  for (const Utterance& utterance : narrative.utterances) {
    const std::string_view text = stripped(utterance.text);
    if (!open) {
      sentences.emplace_back();
      sentences.back().start = utterance.start;
      open = true;
    }
    TraceSentence& sentence = sentences.back();
    sentence.end = utterance.end;
    if (!text.empty()) {
      sentence.text += sentence.text.empty() ? "" : " ";
      sentence.text += text;
      open = std::string_view(".!?").find(text.back()) == std::string_view::npos;
    }
  }
  std::erase_if(sentences, [](const TraceSentence& sentence) { return sentence.text.empty(); });
  for (TraceSentence& sentence : sentences) {
    take_points(sentence, narrative.points);
  }
  return sentences;
}

std::string_view to_string(SentenceFate fate) {
  constexpr std::array<std::string_view, 6> kWords = {"ok",        "no points", "no reply",
                                                      "no braces", "empty",     "invalid"};
  return kWords[static_cast<size_t>(fate)];
}

ParsedReply parse_reply(std::string_view reply) {
  const size_t open = reply.find('{');
  const size_t close = reply.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return {SentenceFate::no_braces, {}};
  }
  const std::string_view caption = stripped(reply.substr(open + 1, close - open - 1));
  if (caption.empty()) {
    return {SentenceFate::empty, {}};
  }
  if (caption.find("<INVALID>") != std::string_view::npos) {
    return {SentenceFate::invalid, {}};
  }
  return {SentenceFate::kept, std::string(caption)};
}

std::string benchmark_key(const std::string& image_id) {
  if (image_id.empty() || image_id.find_first_not_of("0123456789") != std::string::npos) {
    return image_id;
  }
  return image_id.substr(std::min(image_id.find_first_not_of('0'), image_id.size() - 1));
}

void TraceBenchmark::add(const Narrative& narrative) {
  const std::string key = benchmark_key(narrative.image_id);
  const auto [place, is_new] = index_.emplace(key, images_.size());
  if (is_new) {
    images_.push_back({key, {}});
  }
  for (TraceSentence& sentence : trace_sentences(narrative)) {
    if (!sentence.points.empty() && known_.insert(sentence.text).second) {
      sentences_.push_back(sentence.text);
    }
    images_[place->second].sentences.push_back(std::move(sentence));
  }
}

void TraceBenchmark::for_each_sentence(
    const std::function<void(const std::string& key, const TraceSentence& sentence)>& use) const {
  for (const Image& image : images_) {
    for (const TraceSentence& sentence : image.sentences) {
      use(image.key, sentence);
    }
  }
}

ParsedReply TraceBenchmark::fate_of(const TraceSentence& sentence, const Replies& replies) {
  if (sentence.points.empty()) {
    return {SentenceFate::no_points, {}};
  }
  const auto reply = replies.find(sentence.text);
  return reply == replies.end() ? ParsedReply{SentenceFate::no_reply, {}} : parse_reply(reply->second);
}

void TraceBenchmark::write(
    const Replies& replies,
    const std::function<void(const std::string& key, const nlohmann::ordered_json& value)>& use,
    std::map<SentenceFate, size_t>& fates) const {
  for (const Image& image : images_) {
    nlohmann::ordered_json value = {{"captions", nlohmann::ordered_json::array()},
                                    {"traces", nlohmann::ordered_json::array()}};
    for (const TraceSentence& sentence : image.sentences) {
      ParsedReply reply = fate_of(sentence, replies);
      ++fates[reply.fate];
      if (reply.fate != SentenceFate::kept) {
        continue;
      }
      nlohmann::ordered_json points = nlohmann::ordered_json::array();
      for (const TimedPoint& point : sentence.points) {
        points.push_back({{"x", point.x}, {"y", point.y}, {"t", point.t}});
      }
      value["captions"].push_back(std::move(reply.caption));
      value["traces"].push_back(std::move(points));
    }
    if (!value["captions"].empty()) {
      use(image.key, value);
    }
  }
}

}  // namespace patchioner
