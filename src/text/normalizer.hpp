// BERT's text cleaning, one character at a time: clean, set Chinese characters apart, strip
// accents, lower case. Every character that comes out knows the bytes of the text it came from.
#pragma once

#include <cstdint>
#include <vector>

#include "espalier/types.hpp"
#include "text/tokenizer_spec.hpp"

namespace espalier::text {

struct NormalizedChar {
  char32_t code_point;
  ByteSpan source;
};

/// Immutable; the state of a run over a text lives in State.
class Normalizer {
 public:
  /// A nonstarter that waits for its place in canonical order.
  struct Waiting {
    char32_t code_point;
    ByteSpan source;
    std::uint8_t combining_class;
    bool inserted;  // a later part of a decomposition, not a character of the text
  };

  struct State {
    std::vector<Waiting> run;       // nonstarters since the last starter
    std::vector<ByteSpan> sources;  // scratch of finish()
    ByteSpan last_source;           // of the last starter
  };

  explicit Normalizer(const TokenizerSpec& spec);

  /// Feeds the character at bytes `source`; appends what is final to `out`.
  void push(char32_t code_point, ByteSpan source, State& state,
            std::vector<NormalizedChar>& out) const;

  /// Ends a text or a stretch of it: appends what still waited.
  void finish(State& state, std::vector<NormalizedChar>& out) const;

 private:
  void canonical(char32_t code_point, std::uint8_t flags, ByteSpan source, State& state,
                 std::vector<NormalizedChar>& out) const;
  void emit(char32_t code_point, ByteSpan source, std::vector<NormalizedChar>& out) const;

  bool clean_text_;
  bool split_cjk_;
  bool strip_accents_;
  bool lowercase_;
};

}  // namespace espalier::text
