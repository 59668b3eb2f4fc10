// The C API's answers of any length: a result holds the lists of all texts end to end.
#include <utility>

#include "api/c_api.hpp"
#include "espalier/tokenizer.hpp"

struct espalier_result {
  explicit espalier_result(espalier::Model of) : model(std::move(of)) {}

  /// Ends the list of a text, in whichever of the lists this result has.
  void end_text() { ends.push_back(spans.size() + tokens.size() + candidates.size()); }

  espalier::Model model;                    // pieces are its
  std::vector<espalier::Tagging> taggings;  // labels of spans are theirs
  std::vector<espalier_span> spans;
  std::vector<espalier_token> tokens;
  std::vector<espalier_candidate> candidates;
  std::vector<std::size_t> ends = {0};  // (texts + 1)
  const char* maker = nullptr;          // the function that this is a result of
};

namespace espalier::c_api {
namespace {

/// Hands out the list of one text. maker: the function whose results have such lists.
template <typename T>
void list_of(const espalier_result* result, std::size_t text, const char* maker,
             std::vector<T> espalier_result::*list, const T** first, std::size_t* size) {
  required(first, "the pointer for the list") = nullptr;
  required(size, "the pointer for its size") = 0;
  required(result, "result");
  if (std::string_view(result->maker) != maker) {
    refuse(std::string("this is a result of ") + result->maker + ", not of " + maker);
  }
  if (text >= result->ends.size() - 1) {
    refuse("text " + std::to_string(text) + " of a result with " +
           std::to_string(result->ends.size() - 1));
  }
  *first = (result->*list).data() + result->ends[text];
  *size = result->ends[text + 1] - result->ends[text];
}

constexpr const char* kTag = "espalier_tag";
constexpr const char* kTokenize = "espalier_tokenize";
constexpr const char* kFillMask = "espalier_fill_mask";

std::unique_ptr<espalier_result> new_result(const Model& model, const char* maker) {
  auto result = std::make_unique<espalier_result>(model);
  result->maker = maker;
  return result;
}

// A piece is a std::string of the tokenizer, so it ends with a NUL.
const char* piece_of(const Model& model, TokenId id) {
  return model.tokenizer().piece(id).data();
}

void fill_spans(espalier_result& result) {
  for (const Tagging& tagging : result.taggings) {
    for (const TaggedSpan& span : tagging.spans) {
      result.spans.push_back({span.label.c_str(), span.bytes.begin, span.bytes.end, span.score});
    }
    result.end_text();
  }
}

void fill_tokens(espalier_result& result, const TokenBatch& batch) {
  result.tokens.reserve(batch.n_tokens());
  for (std::size_t text = 0; text < batch.n_sentences(); ++text) {
    for (std::uint32_t token = batch.offsets[text]; token < batch.offsets[text + 1]; ++token) {
      result.tokens.push_back({.id = to_int(batch.ids[token]),
                               .segment = batch.segments[token],
                               .begin = batch.spans[token].begin,
                               .end = batch.spans[token].end,
                               .piece = piece_of(result.model, batch.ids[token])});
    }
    result.end_text();
  }
}

void fill_candidates(espalier_result& result, std::span<const FilledMasks> answers) {
  for (const FilledMasks& answer : answers) {
    for (std::size_t mask = 0; mask < answer.masks.size(); ++mask) {
      for (const MaskCandidate& candidate : answer.masks[mask]) {
        result.candidates.push_back({.mask = static_cast<std::uint32_t>(mask),
                                     .id = to_int(candidate.id),
                                     .piece = piece_of(result.model, candidate.id),
                                     .score = candidate.score});
      }
    }
    result.end_text();
  }
}

}  // namespace
}  // namespace espalier::c_api

using namespace espalier::c_api;

extern "C" {

espalier_status espalier_tag(espalier_session* session, const espalier_text* texts,
                             std::size_t n_texts, const espalier_call_options* options,
                             espalier_result** result, espalier_error* error) {
  return guard(error, [&] {
    required(result, "result") = nullptr;
    const Call call(options);
    const auto views = read_texts(
        texts, n_texts, {.pairs = false, .replace_invalid_utf8 = call.replace_invalid_utf8});
    const Claim claim(session);
    auto made = new_result(claim.model(), kTag);
    made->taggings = claim.session().tag(first_texts(views), call.limits);
    fill_spans(*made);
    *result = made.release();
  });
}

espalier_status espalier_fill_mask(espalier_session* session, const espalier_text* texts,
                                   std::size_t n_texts, std::size_t n_candidates,
                                   const espalier_call_options* options, std::uint8_t* truncated,
                                   espalier_result** result, espalier_error* error) {
  return guard(error, [&] {
    required(result, "result") = nullptr;
    if (n_candidates == 0) refuse("n_candidates is 0; ask for at least one");
    const Call call(options);
    const auto views = read_texts(
        texts, n_texts, {.pairs = false, .replace_invalid_utf8 = call.replace_invalid_utf8});
    const Claim claim(session);
    auto made = new_result(claim.model(), kFillMask);
    const auto answers = claim.session().fill_mask(first_texts(views), n_candidates, call.limits);
    fill_candidates(*made, answers);
    for (std::size_t text = 0; truncated != nullptr && text < n_texts; ++text) {
      truncated[text] = answers[text].truncated ? 1 : 0;
    }
    *result = made.release();
  });
}

espalier_status espalier_tokenize(const espalier_model* model, const espalier_text* texts,
                                  std::size_t n_texts, const espalier_tokenize_options* options,
                                  std::uint8_t* truncated, espalier_result** result,
                                  espalier_error* error) {
  return guard(error, [&] {
    required(result, "result") = nullptr;
    const auto given = read_options(options, "options");
    const auto views =
        read_texts(texts, n_texts, {.replace_invalid_utf8 = given.replace_invalid_utf8 != 0});
    auto made = new_result(required(model, "model").model, kTokenize);
    const espalier::TokenBatch batch = made->model.tokenizer().encode(views, given.max_length);
    fill_tokens(*made, batch);
    if (truncated != nullptr) std::copy_n(batch.truncated.begin(), n_texts, truncated);
    *result = made.release();
  });
}

espalier_status espalier_result_spans(const espalier_result* result, std::size_t text,
                                      const espalier_span** spans, std::size_t* n_spans,
                                      espalier_error* error) {
  return guard(error,
               [&] { list_of(result, text, kTag, &espalier_result::spans, spans, n_spans); });
}

espalier_status espalier_result_tokens(const espalier_result* result, std::size_t text,
                                       const espalier_token** tokens, std::size_t* n_tokens,
                                       espalier_error* error) {
  return guard(
      error, [&] { list_of(result, text, kTokenize, &espalier_result::tokens, tokens, n_tokens); });
}

espalier_status espalier_result_candidates(const espalier_result* result, std::size_t text,
                                           const espalier_candidate** candidates,
                                           std::size_t* n_candidates, espalier_error* error) {
  return guard(error, [&] {
    list_of(result, text, kFillMask, &espalier_result::candidates, candidates, n_candidates);
  });
}

void espalier_result_free(espalier_result* result) {
  delete result;
}

}  // extern "C"
