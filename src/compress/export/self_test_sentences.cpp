// Four sentences suffice: they reach every layer, both segments and the path of unknown characters.
#include "compress/export/self_test_sentences.hpp"

#include <array>
#include <string>
#include <string_view>

#include "espalier/error.hpp"

namespace espalier::compress {
namespace {

struct Sentence {
  std::string_view first;
  std::string_view second;  // empty: none
};

constexpr std::array kSentences = {
    Sentence{"the old pear tree grows flat against the warm wall.", ""},
    Sentence{"how far do its branches reach?", "they reach from one wire to the next."},
    Sentence{"果树 靠墙 生长 ☂ ungrafted", ""},
    Sentence{"In 1809, 12.5% of the pears (no. 7) were lost - \"too late\"!", ""},
};

}  // namespace

std::vector<format::SelfTestCase> self_test_sentences(Task task, const text::Tokenizer& tokenizer,
                                                      std::uint32_t max_length,
                                                      std::uint32_t n_segments) {
  std::string mask;
  if (task == Task::fill_mask) {
    if (!tokenizer.mask()) {
      throw Error(
          ErrorCode::bad_input,
          "the tokenizer has no mask token, which a fill_mask model needs; add [MASK] to it");
    }
    mask = std::string(tokenizer.piece(*tokenizer.mask())) + ' ';
  }
  // Five tokens hold a pair with one piece a text; below, and with one segment, it stands alone. A
  // model without segments takes pairs.
  const bool takes_pairs = n_segments != 1 && max_length >= 5;
  std::vector<format::SelfTestCase> cases;
  for (const Sentence& sentence : kSentences) {
    const std::string first = mask + std::string(sentence.first);
    Text text{.first = first, .second = std::nullopt};
    if (takes_pairs && !sentence.second.empty()) text.second = sentence.second;
    TokenBatch batch = tokenizer.encode(std::span(&text, 1), max_length);
    cases.push_back(
        {.ids = std::move(batch.ids), .segments = std::move(batch.segments), .expected = {}});
  }
  return cases;
}

}  // namespace espalier::compress
