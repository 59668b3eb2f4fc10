// The public tokenizer: handles and checks around text::Tokenizer.
#include <memory>
#include <string>
#include <utility>

#include "api/tokenizer_impl.hpp"
#include "base/printable.hpp"
#include "text/spans.hpp"

namespace espalier {
namespace {

// What a BERT is trained for where its tokenizer does not say.
constexpr std::uint32_t kUsualMaxLength = 512;

}  // namespace

Tokenizer Tokenizer::open(const std::filesystem::path& folder) {
  return with_context("while opening the tokenizer in " + printable(folder.string()), [&] {
    text::TokenizerSpec spec = text::load_tokenizer_spec(folder);
    const std::uint32_t max_length = spec.max_length == 0 ? kUsualMaxLength : spec.max_length;
    return Tokenizer(std::make_shared<const Impl>(std::move(spec), max_length));
  });
}

TokenBatch Tokenizer::encode(std::span<const Text> texts, std::uint32_t max_length) const {
  return impl_->tokenizer.encode(texts, max_length == 0 ? impl_->max_length : max_length);
}

std::string_view Tokenizer::piece(TokenId id) const {
  if (to_int(id) < 0 || static_cast<std::size_t>(to_int(id)) >= vocabulary_size()) {
    throw Error(ErrorCode::bad_input, "token id " + std::to_string(to_int(id)) +
                                          " is outside the vocabulary of " +
                                          std::to_string(vocabulary_size()) + " pieces");
  }
  return impl_->tokenizer.piece(id);
}

std::size_t Tokenizer::vocabulary_size() const noexcept {
  return impl_->tokenizer.vocabulary_size();
}

std::uint32_t Tokenizer::max_length() const noexcept {
  return impl_->max_length;
}

std::vector<ByteSpan> character_spans(std::string_view text, std::span<const ByteSpan> byte_spans) {
  return text::character_spans(text, byte_spans);
}

namespace api {

text::TokenizerSpec tokenizer_spec(const format::TokenizerSpec& stored) {
  text::TokenizerSpec spec;
  spec.pieces.reserve(stored.n_pieces);
  for (std::string_view rest = stored.vocabulary; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    spec.pieces.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);  // the reader has checked that every piece is ended
  }
  spec.clean_text = stored.clean_text;
  spec.split_cjk = stored.split_cjk;
  spec.strip_accents = stored.strip_accents;
  spec.lowercase = stored.lowercase;
  spec.unk = spec.pieces[stored.unk];
  spec.cls = spec.pieces[stored.cls];
  spec.sep = spec.pieces[stored.sep];
  spec.pad = spec.pieces[stored.pad];
  spec.mask = spec.pieces[stored.mask];
  spec.max_word_chars = stored.max_word_chars;
  spec.continuation = stored.continuation;
  for (const format::AddedToken& token : stored.added) {
    spec.added.push_back({.id = static_cast<TokenId>(token.id),
                          .in_vocabulary = true,
                          .single_word = token.single_word,
                          .lstrip = token.lstrip,
                          .rstrip = token.rstrip,
                          .normalized = token.normalized});
  }
  return spec;
}

}  // namespace api
}  // namespace espalier
