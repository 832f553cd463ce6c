#include "entities/training_words.hpp"

#include <string_view>
#include <unordered_set>

#include "text/table_text.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kPersonWords =
    "people person man men woman women adult boy girl kid children child baby guy player male female worker";

// English function words of two widely used lists, and what ViECap adds: words about pictures.
constexpr std::string_view kStopWords = R"(
'd 'll 'm 're 's 've about after afterwards again against ain all almost alone along already also although
always am among amongst amoungst amount an and another any anyhow anyone anything anyway anywhere are aren
aren't as at back background be became because become becomes becoming been before beforehand being below
beside besides between beyond bill both bottom but by ca call can cannot cant co con could couldn couldn't
couldnt cry de describe detail did didn didn't do does doesn doesn't doing don don't done down due during
each eg eight either eleven else elsewhere empty enough etc even ever every everyone everything everywhere
except few fifteen fifty fill find fire first five for former formerly forty found four from front full
further get give go had hadn hadn't has hasn hasn't hasnt have haven haven't having he hence her here
hereafter hereby herein hereupon hers herself him himself his how however hundred ie if image in inc indeed
interest into is isn isn't it it's its itself just keep kg km last latter latterly least less ll ltd ma made
make many may me meanwhile might mightn mightn't mill mine more moreover most mostly move much must mustn
mustn't my myself n't name namely needn needn't neither never nevertheless next nine no nobody none noone
nor not nothing now nowhere n‘t n’t of off often on once one only onto or other others otherwise our ours
ourselves out over own part per perhaps photo pic picture please put quite rather re really regarding same
say see seem seemed seeming seems serious several shan shan't she she's should should've shouldn shouldn't
show side since sincere six sixty so some somehow someone something sometime sometimes somewhere still such
system take ten than that that'll the their theirs them themselves then thence there thereafter thereby
therefore therein thereupon these they thick thin third this those though three through throughout thru thus
to together too top toward towards twelve twenty two un unless until up upon us used using various ve very
via was wasn wasn't we well were weren weren't what whatever when whence whenever where whereafter whereas
whereby wherein whereupon wherever whether which while whither who whoever whole whom whose why will with
within without won won't would wouldn wouldn't yet you you'd you'll you're you've your yours yourself
yourselves ‘d ‘ll ‘m ‘re ‘s ‘ve ’d ’ll ’m ’re ’s ’ve
)";

std::unordered_set<std::string> set_of(std::string_view table) {
  std::unordered_set<std::string> words;
  for (const std::string_view word : table_entries(table)) {
    words.emplace(word);
  }
  return words;
}

}  // namespace

bool is_person_word(const std::string& word) {
  static const std::unordered_set<std::string> words = set_of(kPersonWords);
  return words.contains(word);
}

bool is_stop_word(const std::string& word) {
  static const std::unordered_set<std::string> words = set_of(kStopWords);
  return words.contains(word);
}

}  // namespace patchioner
