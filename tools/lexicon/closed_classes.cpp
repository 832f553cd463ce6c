#include "closed_classes.hpp"

#include "support/split.hpp"

namespace patchioner::lexicon {
namespace {

Words set_of(std::string_view table) {
  Words words;
  for (const std::string& line : split(table, '\n')) {
    for (const std::string& word : split(line, ' ')) {
      if (!word.empty()) {
        words.insert(word);
      }
    }
  }
  return words;
}

}  // namespace

const Words& function_words() {
  static const Words kWords = set_of(R"(
a an the this that these those some any no every each all both either neither other another same such own many
much more most few fewer several less least enough certain
on in at by for from to of off up down out over under above below behind beside besides between through across
along around near inside outside before after against into onto upon about within without with like next close
back front left right top bottom side away apart together
here there then now just only even also very so too well else not
one two three four five six seven eight nine ten eleven twelve first second third last
able likely ready sure due)");
  return kWords;
}

const Words& words_about_things() {
  static const Words kWords = set_of(R"(
side back front middle top bottom left right center centre end
bunch lot lots pair number amount kind type sort group cluster stack pile row set part piece half bit rest
way thing things something one can will may)");
  return kWords;
}

const std::map<std::string, std::string>& aliases() {
  static const std::map<std::string, std::string> kAliases = {
      {"guy", "person"},     {"guys", "people"},      {"hotdog", "hot dog"}, {"hotdogs", "hot dogs"},
      {"tshirt", "t-shirt"}, {"tshirts", "t-shirts"}, {"grey", "gray"}};
  return kAliases;
}

const std::map<std::string, std::string>& numbers() {
  static const std::map<std::string, std::string> kNumbers = [] {
    std::map<std::string, std::string> numbers = {
        {"two", "2"},   {"three", "3"}, {"four", "4"}, {"five", "5"},    {"six", "6"},    {"seven", "7"},
        {"eight", "8"}, {"nine", "9"},  {"ten", "10"}, {"eleven", "11"}, {"twelve", "12"}};
    for (int digit = 2; digit <= 12; ++digit) {
      numbers[std::to_string(digit)] = std::to_string(digit);
    }
    return numbers;
  }();
  return kNumbers;
}

const Words& copulas() {
  static const Words kWords = {"is", "are", "was", "were"};
  return kWords;
}

const Words& degree_words() {
  static const Words kWords = {"very", "so", "really", "quite", "too", "all", "both", "and", ","};
  return kWords;
}

const Words& words_without_relation() {
  static const Words kWords = set_of(R"(
a an the this that these those some which who
it its his her their they he she
is are was were be been being 's very)");
  return kWords;
}

}  // namespace patchioner::lexicon
