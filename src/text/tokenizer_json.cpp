// Only BERT's pipeline is understood, and nothing else is guessed at: every key that changes ids or
// spans is read or refused. Truncation, padding and the decoder do not, and are left alone.
#include "text/tokenizer_json.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/printable.hpp"
#include "espalier/error.hpp"

namespace espalier::text {
namespace {

void expect_type(const JsonField& field, std::string_view wanted) {
  const JsonField type = field["type"];
  if (type.is_string() && type.as_string() == wanted) return;
  const std::string found = type.is_string() ? printable(type.as_string()) : "missing";
  type.refuse("is " + found + ", only " + std::string(wanted) +
              " (a BERT WordPiece tokenizer) is supported");
}

void read_model(const JsonField& model, TokenizerSpec& spec) {
  expect_type(model, "WordPiece");
  spec.unk = model["unk_token"].as_string();
  spec.continuation = model["continuing_subword_prefix"].as_string();
  spec.max_word_chars = model["max_input_chars_per_word"].as_uint(kMaxWordChars);
  const JsonField vocab = model["vocab"];
  const Json& entries = vocab.as_object();
  if (entries.size() > kMaxPieces)
    vocab.refuse("has more than " + std::to_string(kMaxPieces) + " entries");
  spec.pieces.resize(entries.size());
  std::vector<char> is_taken(entries.size(), 0);
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    const JsonField id(entry.value(), "model.vocab[" + printable(entry.key()) + "]");
    const std::uint32_t index = id.as_uint(kMaxPieces - 1);
    if (index >= entries.size()) {
      id.refuse("has id " + std::to_string(index) + " in a vocabulary of " +
                std::to_string(entries.size()) + "; ids must be 0, 1, 2 ... without a gap");
    }
    if (is_taken[index] != 0) id.refuse("has the id of " + printable(spec.pieces[index]));
    is_taken[index] = 1;
    spec.pieces[index] = entry.key();
  }
}

void read_normalizer(const JsonField& normalizer, TokenizerSpec& spec) {
  expect_type(normalizer, "BertNormalizer");
  spec.clean_text = normalizer["clean_text"].bool_or(true);
  spec.split_cjk = normalizer["handle_chinese_chars"].bool_or(true);
  spec.lowercase = normalizer["lowercase"].bool_or(true);
  spec.strip_accents = normalizer["strip_accents"].bool_or(spec.lowercase);
}

// One step of a template: a special token or a text, and the segment it is in.
void expect_step(const JsonField& step, std::string_view kind, const std::string& id,
                 std::uint32_t segment) {
  const JsonField body = step[kind];
  if (body.is_null() || body["id"].as_string() != id || body["type_id"].as_uint(1) != segment) {
    step.refuse("is not " + std::string(kind) + " " + printable(id) + " in segment " +
                std::to_string(segment) + "; only [CLS] A [SEP] B [SEP] is supported");
  }
}

void read_template(const JsonField& processor, TokenizerSpec& spec) {
  const JsonField single = processor["single"];
  const JsonField pair = processor["pair"];
  if (single.as_array().size() != 3) single.refuse("does not have the 3 steps [CLS] A [SEP]");
  if (pair.as_array().size() != 5) pair.refuse("does not have the 5 steps [CLS] A [SEP] B [SEP]");
  spec.cls = single.item(0)["SpecialToken"]["id"].as_string();
  spec.sep = single.item(2)["SpecialToken"]["id"].as_string();
  for (const JsonField& form : {single, pair}) {
    expect_step(form.item(0), "SpecialToken", spec.cls, 0);
    expect_step(form.item(1), "Sequence", "A", 0);
    expect_step(form.item(2), "SpecialToken", spec.sep, 0);
  }
  expect_step(pair.item(3), "Sequence", "B", 1);
  expect_step(pair.item(4), "SpecialToken", spec.sep, 1);
}

void expect_id(const JsonField& field, const std::string& content, const TokenIds& ids) {
  const auto found = ids.find(content);
  const std::uint32_t id = field.as_uint(kMaxPieces - 1);
  if (found == ids.end() || found->second != id) {
    field.refuse("is " + std::to_string(id) + ", not the id of " + printable(content) +
                 " in the vocabulary");
  }
}

void read_post_processor(const JsonField& processor, TokenizerSpec& spec, const TokenIds& ids) {
  const JsonField type = processor["type"];
  if (type.is_string() && type.as_string() == "BertProcessing") {
    const JsonField cls = processor["cls"];
    const JsonField sep = processor["sep"];
    if (cls.as_array().size() != 2) cls.refuse("is not a token and its id");
    if (sep.as_array().size() != 2) sep.refuse("is not a token and its id");
    spec.cls = cls.item(0).as_string();
    spec.sep = sep.item(0).as_string();
    expect_id(cls.item(1), spec.cls, ids);
    expect_id(sep.item(1), spec.sep, ids);
    return;
  }
  expect_type(processor, "TemplateProcessing");
  read_template(processor, spec);
  for (const std::string* name : {&spec.cls, &spec.sep}) {
    const JsonField token = processor["special_tokens"][*name]["ids"];
    if (token.as_array().size() != 1) token.refuse("is not one id");
    expect_id(token.item(0), *name, ids);
  }
}

void read_added_tokens(const JsonField& added, TokenizerSpec& spec, TokenIds& ids) {
  if (added.is_null()) return;
  if (added.as_array().size() > kMaxAddedTokens) {
    added.refuse("has more than " + std::to_string(kMaxAddedTokens) + " entries");
  }
  std::vector<std::pair<std::uint32_t, std::size_t>> by_id;
  for (std::size_t index = 0; index < added.as_array().size(); ++index) {
    by_id.emplace_back(added.item(index)["id"].as_uint(kMaxPieces - 1), index);
  }
  std::sort(by_id.begin(), by_id.end());
  for (const auto& [id, index] : by_id) add_token(spec, ids, added.item(index), id);
}

}  // namespace

TokenIds token_ids(const TokenizerSpec& spec) {
  TokenIds ids;
  ids.reserve(spec.pieces.size());
  for (std::uint32_t id = 0; id < spec.pieces.size(); ++id) ids[spec.pieces[id]] = id;
  return ids;
}

void add_token(TokenizerSpec& spec, TokenIds& ids, const JsonField& token, std::uint32_t id) {
  const std::string& content = token["content"].as_string();
  const auto [entry, is_new] = ids.emplace(content, id);
  if (is_new && id == spec.pieces.size()) {
    spec.pieces.push_back(content);
  } else if (is_new || entry->second != id) {
    token.refuse("is " + printable(content) + " with id " + std::to_string(id) + ", " +
                 (is_new
                      ? "which leaves a gap after " + std::to_string(spec.pieces.size()) + " pieces"
                      : "but has id " + std::to_string(entry->second) + " already"));
  }
  const bool is_special = token["special"].bool_or(false);
  spec.added.push_back({.id = static_cast<TokenId>(id),
                        .in_vocabulary = !is_new,
                        .single_word = token["single_word"].bool_or(false),
                        .lstrip = token["lstrip"].bool_or(false),
                        .rstrip = token["rstrip"].bool_or(false),
                        .normalized = token["normalized"].bool_or(!is_special)});
}

TokenizerSpec spec_from_tokenizer_json(const Json& document) {
  const JsonField top(document, "");
  TokenizerSpec spec;
  read_model(top["model"], spec);
  read_normalizer(top["normalizer"], spec);
  expect_type(top["pre_tokenizer"], "BertPreTokenizer");
  TokenIds ids = token_ids(spec);
  read_added_tokens(top["added_tokens"], spec, ids);
  read_post_processor(top["post_processor"], spec, ids);
  return spec;
}

}  // namespace espalier::text
