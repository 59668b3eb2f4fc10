// The pieces become one text; everything else is a few numbers.
#include "compress/export/tokenizer_part.hpp"

#include <algorithm>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace espalier::compress {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::bad_input, message);
}

// Of equal pieces the last one counts, as in the tokenizer itself.
std::uint32_t id_of(const text::TokenizerSpec& spec, const std::string& piece) {
  const auto found = std::find(spec.pieces.rbegin(), spec.pieces.rend(), piece);
  if (found == spec.pieces.rend()) refuse(printable(piece) + " is not in the vocabulary");
  return static_cast<std::uint32_t>(spec.pieces.rend() - found - 1);
}

// The words that pieces are looked for in hold no blank and no mark, unless they are one character.
bool could_be_in_a_word(const std::string& content, const text::TokenizerSpec& spec) {
  if (content.rfind(spec.continuation, 0) == 0) return true;
  std::size_t n_chars = 0;
  bool is_cut = false;
  for (std::size_t at = 0; at < content.size(); ++n_chars) {
    const text::Decoded next = text::decode(content, at);
    const std::uint8_t flags = text::char_flags(next.code_point);
    is_cut = is_cut || (flags & (text::kSpace | text::kPunctuation)) != 0;
    at += next.n_bytes;
  }
  return n_chars == 1 || !is_cut;
}

format::AddedToken added_token(const text::TokenizerSpec& spec, const text::AddedToken& token) {
  const auto id = static_cast<std::uint32_t>(to_int(token.id));
  const std::string& content = spec.pieces[id];
  if (!token.in_vocabulary && could_be_in_a_word(content, spec)) {
    refuse(
        "added token " + printable(content) + " (id " + std::to_string(id) +
        ") is outside the vocabulary but spelled like a part of a word, which a model file cannot "
        "tell apart; give it brackets or put it into the vocabulary");
  }
  return {.content = content,
          .id = id,
          .single_word = token.single_word,
          .lstrip = token.lstrip,
          .rstrip = token.rstrip,
          .normalized = token.normalized};
}

}  // namespace

format::TokenizerSpec tokenizer_part(const text::TokenizerSpec& spec, std::string& vocabulary) {
  vocabulary.clear();
  for (std::size_t id = 0; id < spec.pieces.size(); ++id) {
    if (spec.pieces[id].find('\n') != std::string::npos) {
      refuse("piece " + std::to_string(id) + " (" + printable(spec.pieces[id]) +
             ") of the vocabulary contains a line feed, which no text gives; remove it");
    }
    vocabulary += spec.pieces[id];
    vocabulary += '\n';
  }
  format::TokenizerSpec part;
  part.vocabulary = vocabulary;
  part.n_pieces = static_cast<std::uint32_t>(spec.pieces.size());
  part.lowercase = spec.lowercase;
  part.strip_accents = spec.strip_accents;
  part.split_cjk = spec.split_cjk;
  part.clean_text = spec.clean_text;
  part.unk = id_of(spec, spec.unk);
  part.cls = id_of(spec, spec.cls);
  part.sep = id_of(spec, spec.sep);
  part.pad = id_of(spec, spec.pad);
  // Only fill_mask asks for [MASK], and its exporter refuses a vocabulary without one.
  part.mask = spec.mask.empty() ? part.unk : id_of(spec, spec.mask);
  part.max_word_chars = spec.max_word_chars;
  part.continuation = spec.continuation;
  for (const text::AddedToken& token : spec.added) part.added.push_back(added_token(spec, token));
  return part;
}

}  // namespace espalier::compress
