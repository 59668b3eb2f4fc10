// Text of any bytes through a tokenizer: ids are pieces, spans lie in the text, and no more tokens
// come out than asked for.
#include "tests/fuzz/target.hpp"
#include "tests/text/small_spec.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  return {"unaffable cat, the-b.",
          "\xE4\xB8\xAD\xE6\x96\x87 a\tb\nc\r\n",
          "A\xCC\x81 \xC3\x89 \xEF\xBF\xBD",
          std::string("a\0b", 3),
          "[MASK] [CLS]a[SEP]",
          "\xF0\x9F\x98\x80\xED\xA0\x80\xFF\xFE",
          std::string(300, 'a'),
          "\xE2\x80\xA8\xE3\x80\x80\xC2\xA0\xC2\xAD"};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  static const text::Tokenizer tokenizer(text::small_spec());
  const std::string_view whole = fuzz::text_of(data, size);
  const std::string_view half = whole.substr(size / 2);
  for (const Text& text : {Text{whole}, Text{whole.substr(0, size / 2), half}}) {
    constexpr std::uint32_t kMaxLength = 24;
    const Text texts[] = {text};
    const TokenBatch batch = tokenizer.encode(texts, kMaxLength);
    fuzz::require(batch.ids.size() <= kMaxLength, "no more tokens than asked for");
    fuzz::require(batch.spans.size() == batch.ids.size(), "every token has its span");
    for (std::size_t token = 0; token < batch.ids.size(); ++token) {
      fuzz::require(
          to_int(batch.ids[token]) >= 0 &&
              static_cast<std::size_t>(to_int(batch.ids[token])) < tokenizer.vocabulary_size(),
          "ids are pieces");
      fuzz::require(
          batch.spans[token].begin <= batch.spans[token].end && batch.spans[token].end <= size,
          "spans lie in the text");
    }
    fuzz::require(tokenizer.encode(texts, kMaxLength).ids == batch.ids,
                  "the same text, the same tokens");
  }
  return 0;
}
