// Where canonical order moves marks past each other, the reference gives the moved characters the
// source positions in their old order; finish() repeats that, for marks that stay in the text.
#include "text/normalizer.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace espalier::text {

Normalizer::Normalizer(const TokenizerSpec& spec)
    : clean_text_(spec.clean_text),
      split_cjk_(spec.split_cjk),
      strip_accents_(spec.strip_accents),
      lowercase_(spec.lowercase) {}

void Normalizer::push(char32_t code_point, ByteSpan source, State& state,
                      std::vector<NormalizedChar>& out) const {
  std::uint8_t flags = char_flags(code_point);
  if (clean_text_) {
    if ((flags & kDropped) != 0) return;
    if ((flags & kSpace) != 0) {
      code_point = U' ';
      flags = kSpace;
    }
  }
  if (split_cjk_ && (flags & kIdeograph) != 0) {
    finish(state, out);
    out.push_back({U' ', source});
    canonical(code_point, flags, source, state, out);
    out.push_back({U' ', source});
    return;
  }
  canonical(code_point, flags, source, state, out);
}

void Normalizer::canonical(char32_t code_point, std::uint8_t flags, ByteSpan source, State& state,
                           std::vector<NormalizedChar>& out) const {
  if (!strip_accents_) {
    emit(code_point, source, out);
    return;
  }
  if ((flags & (kDecomposes | kNonstarter)) == 0) {
    if (!state.run.empty()) finish(state, out);
    state.last_source = source;
    emit(code_point, source, out);
    return;
  }
  CharBuffer buffer;
  bool inserted = false;
  for (const char32_t part : decompose(code_point, buffer)) {
    if ((char_flags(part) & kNonstarter) != 0) {
      state.run.push_back({part, source, combining_class(part), inserted});
    } else {
      if (!state.run.empty()) finish(state, out);
      state.last_source = source;
      emit(part, source, out);
    }
    inserted = true;
  }
}

void Normalizer::finish(State& state, std::vector<NormalizedChar>& out) const {
  const auto is_stripped = [](const Waiting& mark) {
    return (char_flags(mark.code_point) & kMark) != 0;
  };
  // Nearly always all of them go, and then their order does not matter.
  if (!std::all_of(state.run.begin(), state.run.end(), is_stripped)) {
    state.sources.clear();
    for (const Waiting& mark : state.run) {
      if (!mark.inserted) state.sources.push_back(mark.source);
    }
    std::stable_sort(state.run.begin(), state.run.end(), [](const Waiting& a, const Waiting& b) {
      return a.combining_class < b.combining_class;
    });
    auto next_source = state.sources.begin();
    for (const Waiting& mark : state.run) {
      if (!mark.inserted) state.last_source = *next_source++;
      emit(mark.code_point, state.last_source, out);
    }
  }
  state.run.clear();
}

void Normalizer::emit(char32_t code_point, ByteSpan source,
                      std::vector<NormalizedChar>& out) const {
  const std::uint8_t flags = char_flags(code_point);
  if (strip_accents_ && (flags & kMark) != 0) return;
  if (!lowercase_ || (flags & kLowers) == 0) {
    out.push_back({code_point, source});
    return;
  }
  CharBuffer buffer;
  for (const char32_t lower : to_lower(code_point, buffer)) out.push_back({lower, source});
}

}  // namespace espalier::text
