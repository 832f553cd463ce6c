#include "report/page.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <patchioner/error.hpp>

#include "report/encode.hpp"
#include "report/picture.hpp"
#include "shown_fixture.hpp"
#include "test_folder.hpp"
#include "text_search.hpp"

using namespace patchioner;

namespace {

std::filesystem::path scratch(const std::string& name) {
  static const TestFolder folder;
  return folder / name;
}

std::string page_of(const std::vector<ShownImage>& images) {
  const std::filesystem::path path = scratch("page.html");
  PageWriter page(path, {"Captions", {"talk2dino", "uniform", "memory", "plain"}});
  for (const ShownImage& image : images) {
    page.add(image);
  }
  page.commit();
  return read_file(path);
}

}  // namespace

TEST_CASE("a page needs nothing but itself") {
  const std::string html = page_of({shown_example()});
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find("src=") == std::string::npos);
  CHECK(html.find("url(") == std::string::npos);
  CHECK(html.find("@import") == std::string::npos);
  for (size_t at = html.find("href=\""); at != std::string::npos; at = html.find("href=\"", at + 1)) {
    const std::string target = html.substr(at + 6, 5);
    CHECK((target.starts_with("data:") || target.starts_with("#")));
  }
}

TEST_CASE("a page shows every region, its caption and its error") {
  const std::string html = page_of({shown_example()});
  CHECK(count(html, "class=\"shape\"") == 8);
  CHECK(count(html, "<li data-region=") == 8);
  CHECK(count(html, "class=\"caption\"") == 7);
  CHECK(html.find("two &lt;discs&gt; &amp; a cat.jpg") != std::string::npos);
  CHECK(html.find("the box lies outside the image (320x240)") != std::string::npos);
  CHECK(html.find("1 image, 8 regions, 1 could not be captioned") != std::string::npos);
  CHECK(html.find("a cheese on a table") != std::string::npos);
}

TEST_CASE("the tokens shown are those of the caption") {
  ShownImage image = shown_example();
  image.regions[1].answers[0].tokens = {
      {"<|startoftext|>", -0.1}, {"cheese</w>", -0.5}, {"<|endoftext|>", -0.2}, {"bus ", -3}};
  const std::string html = page_of({image});
  CHECK(html.find(">cheese</span>") != std::string::npos);
  CHECK(html.find("<i>end</i>") != std::string::npos);
  CHECK(html.find("startoftext") == std::string::npos);
  CHECK(html.find(">bus</span>") == std::string::npos);
}

TEST_CASE("a page says what a decoder looked up, what it read and what else it found") {
  ShownImage image = shown_example();
  ShownAnswer& answer = image.regions[1].answers[0];
  answer.prompt = "There are <cheese> in image.";
  answer.evidence = {
      {"entity", "cheese", 0.93, true}, {"entity", "moon", 0.02, false}, {"concept", "a disc", 3, true}};
  answer.alternatives = {{"a yellow wheel", "a yellow wheel.", -0.7}};
  const std::string html = page_of({image});
  CHECK(html.find("There are &lt;cheese&gt; in image.") != std::string::npos);
  CHECK(html.find(">entities</p>") != std::string::npos);
  CHECK(html.find("<span class=\"share\">0.93</span><span class=\"used\">cheese</span>") !=
        std::string::npos);
  CHECK(html.find("<span class=\"unused\">moon</span>") != std::string::npos);
  CHECK(html.find(">concepts</p>") != std::string::npos);
  CHECK(html.find("<span class=\"share\">-0.7</span><span>a yellow wheel</span>") != std::string::npos);
}

TEST_CASE("the answers of several runs stand below one another, each under its run's name") {
  ShownImage image = shown_example();
  ShownRegion& region = image.regions[1];
  region.answers[0].from = "plain";
  ShownAnswer& other = region.answers.emplace_back();
  other.from = "viecap";
  other.caption = "two wheels of cheese";
  const std::string html = page_of({image});
  const size_t plain = html.find("<p class=\"from\">plain</p>");
  const size_t viecap =
      html.find("<p class=\"from\">viecap</p><p class=\"caption\">two wheels of cheese</p>");
  CHECK(plain != std::string::npos);
  CHECK(viecap != std::string::npos);
  CHECK(plain < viecap);
  CHECK(count(html, "class=\"answer\"") == 2);
}

TEST_CASE("an image that could not be read still has its place on the page") {
  ShownImage broken;
  broken.title = "broken.jpg";
  broken.error = "broken.jpg: the image is empty (0 bytes)";
  broken.regions.resize(2);
  const std::string html = page_of({broken, shown_example()});
  CHECK(html.find("the image is empty (0 bytes)") != std::string::npos);
  CHECK(html.find("2 images, 10 regions, 2 could not be captioned") != std::string::npos);
  CHECK(html.find("no words") == std::string::npos);
  CHECK(count(html, "<li data-region=") == 8);
}

TEST_CASE("captions that are there stay when their image can no longer be read") {
  ShownImage gone;
  gone.error = "gone.jpg: cannot be opened: No such file or directory";
  gone.regions.resize(1);
  gone.regions[0].answers.resize(1);
  gone.regions[0].answers[0].caption = "a clock";
  const std::string html = page_of({gone});
  CHECK(html.find("a clock") != std::string::npos);
  CHECK(html.find("cannot be opened") != std::string::npos);
}

TEST_CASE("a page that is not committed leaves nothing behind") {
  const std::filesystem::path path = scratch("dropped.html");
  { PageWriter page(path, {}); }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a page in a folder that does not exist is an error that names it") {
  CHECK_THROWS_WITH_AS(PageWriter("/no/such/folder/page.html", {}),
                       doctest::Contains("/no/such/folder/page.html"), Error);
}

TEST_CASE("a picture has the image above and a row a region below") {
  const ShownImage image = shown_example();
  const at::Tensor picture = annotated_picture(image);
  CHECK(picture.size(1) == 640);
  CHECK(picture.size(0) > 480 + 8 * 26);
  // The disc's colour is still there, away from all lines.
  CHECK(picture[240][180].equal(at::tensor({240, 200, 40}, at::kByte)));
  write_png(scratch("picture.png"), picture);
}

TEST_CASE("a picture of an image that could not be read shows the error") {
  ShownImage broken;
  broken.error = "the file is not an image";
  CHECK(annotated_picture(broken).size(0) > 0);
}

TEST_CASE("a page of an evaluation has headings, references and what captions are worth") {
  const std::filesystem::path path = scratch("evaluation.html");
  PageHeader header;
  header.measures = {{"CIDEr", 0.883}};
  PageWriter page(path, header);
  page.section("Best & last", "The 2 captions with the highest <CIDEr>.");
  ShownImage image = shown_example();
  image.regions.resize(1);
  image.regions[0].answers[0].references = {"a disc", "one <disc>"};
  image.regions[0].answers[0].measures = {{"CIDEr", 1.25}, {"Bleu_4", 0}};
  page.add(image);
  page.commit();
  const std::string html = read_file(path);
  CHECK(html.find("<h2>Best &amp; last</h2><p>The 2 captions with the highest &lt;CIDEr&gt;.</p>") !=
        std::string::npos);
  CHECK(html.find("<li>a disc</li><li>one &lt;disc&gt;</li>") != std::string::npos);
  CHECK(html.find("<span>CIDEr</span> <b>1.25</b>") != std::string::npos);
  CHECK(html.find("<span>CIDEr</span> <b>0.883</b>") != std::string::npos);
  CHECK(count(html, "class=\"measures\"") == 2);
}

TEST_CASE("references that all answers share stand once, a single value beside its caption") {
  ShownImage image = shown_example();
  image.regions.resize(1);
  ShownAnswer answer;
  answer.references = {"a disc"};
  for (const char* from : {"plain", "viecap"}) {
    answer.from = from;
    answer.measures = {{"CIDEr", from[0] == 'p' ? 0.25 : 1.5}};
    image.regions[0].answers.push_back(answer);
  }
  image.regions[0].answers.erase(image.regions[0].answers.begin());
  std::string html = page_of({image});
  CHECK(count(html, "<li>a disc</li>") == 1);
  CHECK(html.find("<span class=\"score\">CIDEr 1.5</span>") != std::string::npos);
  image.regions[0].answers[1].references = {"a wheel"};
  html = page_of({image});
  CHECK(count(html, "<li>a disc</li>") == 1);
  CHECK(count(html, "<li>a wheel</li>") == 1);
}

TEST_CASE("a page has pieces of its caller's own, and may say something else than how many images") {
  const std::filesystem::path path = scratch("blocks.html");
  PageHeader header;
  header.summary = "3 rows & 1 <failure>";
  PageWriter page(path, header);
  page.section("Results", "");
  page.block("<table><tr><td>1</td></tr></table>");
  page.commit();
  const std::string html = read_file(path);
  CHECK(html.find("<p class=\"summary\">3 rows &amp; 1 &lt;failure&gt;</p>") != std::string::npos);
  CHECK(html.find("<h2>Results</h2></div>") != std::string::npos);
  CHECK(html.find("<div class=\"block\"><table><tr><td>1</td></tr></table></div>") != std::string::npos);
  CHECK(html.find("0 images") == std::string::npos);
}
