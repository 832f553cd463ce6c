#include "results/paired_items.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "refusals.hpp"

using namespace patchioner;

namespace {

ScoredItem item(const std::string& place, std::map<std::string, double> values,
                const std::string& image = "1.jpg") {
  ScoredItem item;
  item.place = place;
  item.image = image;
  item.references = {"a cat"};
  item.values = std::move(values);
  return item;
}

std::vector<std::string> places(const PairedItems& items, const std::vector<ItemChange>& changes) {
  std::vector<std::string> names;
  for (const ItemChange& change : changes) {
    names.push_back(items.pairs[change.pair].a->place);
  }
  return names;
}

}  // namespace

TEST_CASE("a place is two numbers") {
  const RegionPlace place = region_place("12.3");
  CHECK(place.image == 12);
  CHECK(place.region == 3);
  for (const char* wrong : {"", "12", "12.", ".3", "12.3.4", "a.1", "-1.0", "1. 2", "#5"}) {
    mentions(refusal_of(ErrorKind::data, [&] { region_place(wrong); }), "no place in a data set");
  }
}

TEST_CASE("items are paired by place whatever their order, and those left out are counted") {
  const std::vector<ScoredItem> a = {item("0.0", {{"CIDEr", 1}}), item("0.1", {{"CIDEr", 2}}),
                                     item("2.0", {{"CIDEr", 3}}), item("10.0", {{"CIDEr", 4}})};
  const std::vector<ScoredItem> b = {item("10.0", {{"CIDEr", 40}}), item("0.0", {{"CIDEr", 10}}),
                                     item("7.0", {{"CIDEr", 70}})};
  const PairedItems items = pair_items(a, b);
  REQUIRE(items.pairs.size() == 2);
  CHECK(items.only_a == 2);
  CHECK(items.only_b == 1);
  CHECK(values_of(items.pairs, "CIDEr", &ItemPair::a) == std::vector<double>{1, 4});
  CHECK(values_of(items.pairs, "CIDEr", &ItemPair::b) == std::vector<double>{10, 40});
  CHECK(std::isnan(values_of(items.pairs, "SPICE", &ItemPair::a)[0]));
}

TEST_CASE("runs of other data are refused") {
  const std::vector<ScoredItem> a = {item("0.0", {})};
  mentions(refusal_of(ErrorKind::usage, [&] { pair_items(a, std::vector{item("1.0", {})}); }),
           "no item in common (1 items in one, 1 in the other)");
  mentions(refusal_of(ErrorKind::usage, [&] { pair_items(a, std::vector{item("0.0", {}, "2.jpg")}); }),
           "the place 0.0 is of the image 1.jpg in one and of 2.jpg in the other");
  std::vector<ScoredItem> other = {item("0.0", {})};
  other[0].references = {"a dog"};
  mentions(refusal_of(ErrorKind::usage, [&] { pair_items(a, other); }), "has other references");
  other[0].references.clear();  // not known is not different
  CHECK(pair_items(a, other).pairs.size() == 1);
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        pair_items(a, std::vector{item("0.0", {}), item("0.0", {})});
                      }),
           "two items in one run");
}

TEST_CASE("the metric that orders items is one that both sides have") {
  const std::vector<ScoredItem> a = {
      item("0.0", {{"CIDEr", 1}, {"METEOR(no-paraphrase)", 1}, {"ROUGE_L", 1}, {"Bleu_1", 1}})};
  const std::vector<ScoredItem> b = {
      item("0.0", {{"METEOR(no-paraphrase)", 1}, {"ROUGE_L", 1}, {"Bleu_1", 1}})};
  const PairedItems items = pair_items(a, b);
  CHECK(ordering_metric(items.pairs, "") == "METEOR(no-paraphrase)");
  CHECK(ordering_metric(items.pairs, "METEOR") == "METEOR(no-paraphrase)");
  CHECK(ordering_metric(items.pairs, "Bleu_1") == "Bleu_1");
  mentions(refusal_of(ErrorKind::usage, [&] { ordering_metric(items.pairs, "CIDEr"); }),
           "items of both runs have no values of 'CIDEr'; known are: Bleu_1, METEOR(no-paraphrase), ROUGE_L");
  const std::vector<ScoredItem> none = {item("0.0", {})};
  CHECK(ordering_metric(pair_items(none, none).pairs, "").empty());
}

TEST_CASE(
    "what gained most stands first, equal gains in the order of the data, what did not change nowhere") {
  std::vector<ScoredItem> a;
  std::vector<ScoredItem> b;
  const std::vector<double> gains = {0.5, -1, 2, 0, 0.5, -1, -3, 2};
  for (size_t i = 0; i < gains.size(); ++i) {
    a.push_back(item(std::to_string(i) + ".0", {{"CIDEr", 4}}));
    b.push_back(item(std::to_string(i) + ".0", {{"CIDEr", 4 + gains[i]}}));
  }
  b.push_back(item("8.0", {}));  // no value on one side
  a.push_back(item("8.0", {{"CIDEr", 1}}));
  const PairedItems items = pair_items(a, b);
  CHECK(places(items, most_gained(items.pairs, "CIDEr", 3)) == std::vector<std::string>{"2.0", "7.0", "0.0"});
  CHECK(places(items, most_gained(items.pairs, "CIDEr", 9)) ==
        std::vector<std::string>{"2.0", "7.0", "0.0", "4.0"});
  CHECK(places(items, most_lost(items.pairs, "CIDEr", 9)) == std::vector<std::string>{"6.0", "1.0", "5.0"});
  CHECK(most_lost(items.pairs, "CIDEr", 1)[0].difference == -3);
}

TEST_CASE("drawn numbers are different ones and follow from the seed") {
  const std::vector<size_t> first = drawn(100, 10, 42);
  CHECK(first.size() == 10);
  CHECK(std::is_sorted(first.begin(), first.end()));
  CHECK(std::adjacent_find(first.begin(), first.end()) == first.end());
  CHECK(first.back() < 100);
  CHECK(first == drawn(100, 10, 42));
  CHECK(first != drawn(100, 10, 43));
  CHECK(drawn(3, 10, 1) == std::vector<size_t>{0, 1, 2});
  CHECK(drawn(0, 10, 1).empty());
}
