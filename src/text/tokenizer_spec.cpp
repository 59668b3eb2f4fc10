// The checks that every tokenizer passes, whether it comes from a folder or from a model file.
#include "text/tokenizer_spec.hpp"

#include <string_view>
#include <unordered_set>

#include "base/printable.hpp"
#include "espalier/error.hpp"
#include "text/utf8.hpp"

namespace espalier::text {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::bad_input, message);
}

void check_pieces(const TokenizerSpec& spec) {
  if (spec.pieces.empty()) refuse("vocabulary is empty");
  if (spec.pieces.size() > kMaxPieces) {
    refuse("vocabulary has " + std::to_string(spec.pieces.size()) + " pieces, at most " +
           std::to_string(kMaxPieces) + " are supported");
  }
  std::size_t total_bytes = 0;
  for (std::size_t id = 0; id < spec.pieces.size(); ++id) {
    const std::string& piece = spec.pieces[id];
    total_bytes += piece.size();
    if (!is_valid_utf8(piece)) {
      refuse("piece " + std::to_string(id) + " (" + printable(piece) + ") is not valid UTF-8");
    }
  }
  if (total_bytes > kMaxPieceBytes) {
    refuse("vocabulary holds " + std::to_string(total_bytes) + " bytes, at most " +
           std::to_string(kMaxPieceBytes) + " are supported");
  }
}

void check_special_tokens(const TokenizerSpec& spec) {
  struct Special {
    std::string_view role;
    std::string_view content;
    bool found;
  };
  Special specials[] = {{"unk_token", spec.unk, false},
                        {"cls_token", spec.cls, false},
                        {"sep_token", spec.sep, false},
                        {"pad_token", spec.pad, false},
                        {"mask_token", spec.mask, spec.mask.empty()}};
  for (const std::string& piece : spec.pieces) {
    for (Special& special : specials) special.found = special.found || special.content == piece;
  }
  for (const Special& special : specials) {
    if (special.content.empty() && !special.found) {
      refuse(std::string(special.role) + " is empty");
    }
    if (!special.found) {
      refuse(std::string(special.role) + " " + printable(special.content) +
             " is not in the vocabulary; is it from another model?");
    }
  }
}

void check_added_tokens(const TokenizerSpec& spec) {
  if (spec.added.size() > kMaxAddedTokens) {
    refuse(std::to_string(spec.added.size()) + " added tokens, at most " +
           std::to_string(kMaxAddedTokens) + " are supported");
  }
  std::unordered_set<std::int32_t> seen;
  for (const AddedToken& token : spec.added) {
    const std::int32_t id = to_int(token.id);
    if (id < 0 || static_cast<std::size_t>(id) >= spec.pieces.size()) {
      refuse("added token has id " + std::to_string(id) + ", the vocabulary has " +
             std::to_string(spec.pieces.size()) + " pieces");
    }
    const std::string& content = spec.pieces[static_cast<std::size_t>(id)];
    if (content.empty() || content.size() > kMaxAddedTokenBytes) {
      refuse("added token " + std::to_string(id) + " has " + std::to_string(content.size()) +
             " bytes, it must have 1 to " + std::to_string(kMaxAddedTokenBytes));
    }
    if (!seen.insert(id).second) {
      refuse("added token " + std::to_string(id) + " (" + printable(content) + ") is there twice");
    }
  }
}

}  // namespace

void validate(const TokenizerSpec& spec) {
  check_pieces(spec);
  check_special_tokens(spec);
  check_added_tokens(spec);
  if (spec.max_word_chars < 1 || spec.max_word_chars > kMaxWordChars) {
    refuse("longest word has " + std::to_string(spec.max_word_chars) +
           " characters, it must be 1 to " + std::to_string(kMaxWordChars));
  }
  if (spec.continuation.size() > kMaxAddedTokenBytes || !is_valid_utf8(spec.continuation)) {
    refuse("continuation prefix " + printable(spec.continuation) +
           " is too long or not valid UTF-8");
  }
}

}  // namespace espalier::text
