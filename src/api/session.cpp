// Texts in, answers out: every call encodes, runs the executor once (fill_mask: a few times) and
// reads the floats by the task.
#include "espalier/session.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "api/session_impl.hpp"
#include "api/tokenizer_impl.hpp"
#include "base/cpu_info.hpp"
#include "base/huge_pages.hpp"
#include "base/printable.hpp"
#include "runtime/heads.hpp"
#include "text/spans.hpp"

namespace espalier {
namespace {

// The logits of a [MASK] are as many as the vocabulary has pieces (100 KB): a run takes few texts.
constexpr std::size_t kTextsPerFillMask = 16;

std::uint32_t checked_max_length(std::uint32_t wanted, std::uint32_t models) {
  // [CLS], one piece and [SEP] are the least that answers anything.
  constexpr std::uint32_t kLeast = 3;
  if (wanted == 0) return models;
  if (wanted < kLeast || wanted > models) {
    throw Error(ErrorCode::usage, "max_length is " + std::to_string(wanted) +
                                      ", this model takes " + std::to_string(kLeast) + " to " +
                                      std::to_string(models) + " tokens, or 0 for all of them");
  }
  return wanted;
}

runtime::Limits limits_for(const format::ModelSpec& spec, std::uint32_t max_length) {
  runtime::Limits limits = runtime::default_limits(spec);
  limits.max_sentence_tokens = max_length;
  return limits;
}

std::vector<Text> single_texts(std::span<const std::string_view> texts) {
  std::vector<Text> singles;
  singles.reserve(texts.size());
  for (const std::string_view text : texts) {
    singles.push_back({.first = text, .second = std::nullopt});
  }
  return singles;
}

std::uint32_t n_tokens(const TokenBatch& batch, std::size_t sentence) {
  return batch.offsets[sentence + 1] - batch.offsets[sentence];
}

std::vector<MaskCandidate> best_candidates(std::span<const float> scores, std::size_t n_candidates,
                                           const text::Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids(scores.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto n_best = static_cast<std::ptrdiff_t>(std::min(n_candidates, ids.size()));
  // Equal scores in the order of their ids, so that answers are the same everywhere.
  std::partial_sort(ids.begin(), ids.begin() + n_best, ids.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  std::vector<MaskCandidate> best;
  for (std::ptrdiff_t rank = 0; rank < n_best; ++rank) {
    const auto id = static_cast<TokenId>(ids[rank]);
    best.push_back(
        {.id = id, .piece = std::string(tokenizer.piece(id)), .score = scores[ids[rank]]});
  }
  return best;
}

}  // namespace

Session::Impl::Impl(const Model& model, const SessionOptions& options)
    : model_(model),
      log_(options.log),
      prepared_(model.impl().prepared(options.backend, log_)),
      max_length_(checked_max_length(options.max_length, model.info().max_length)),
      executor_(*prepared_.chosen.backend, *prepared_.model, model.impl().spec(),
                options.n_threads == 0 ? usable_cpus() : options.n_threads,
                limits_for(model.impl().spec(), max_length_)) {
  if (log_) tell_how_it_computes();
}

void Session::Impl::tell_how_it_computes() const {
  log_(LogLevel::info, "kernels " + std::string(prepared_.chosen.backend->path(*prepared_.model)) +
                           ", " + std::to_string(executor_.n_threads()) +
                           (executor_.n_threads() == 1 ? " thread" : " threads") +
                           ", texts of up to " + std::to_string(max_length_) + " tokens");
  // The reference reads weights where they lie in the file.
  if (prepared_.chosen.name != std::string_view("reference") && !huge_pages_are_allowed()) {
    log_(LogLevel::warning,
         "the system forbids huge pages, small ones are slower and times vary; set "
         "transparent_hugepage/enabled to madvise");
  }
}

const text::Tokenizer& Session::Impl::tokenizer() const noexcept {
  return model_.tokenizer().impl().tokenizer;
}

void Session::Impl::require(std::string_view call, std::initializer_list<Task> tasks) const {
  if (std::find(tasks.begin(), tasks.end(), info().task) != tasks.end()) return;
  throw Error(ErrorCode::usage, std::string(call) + " is not what this model does: its task is " +
                                    std::string(name_of(info().task)));
}

TokenBatch Session::Impl::encode(std::span<const Text> texts, const CallLimits& call) {
  runtime::check_limits(call);
  TokenBatch batch = tokenizer().encode(texts, max_length_);
  if (!log_ || told_of_cuts_) return batch;
  const auto n_cut = std::count(batch.truncated.begin(), batch.truncated.end(), std::uint8_t{1});
  if (n_cut > 0) {
    told_of_cuts_ = true;
    log_(LogLevel::warning, std::to_string(n_cut) + " of " + std::to_string(texts.size()) +
                                " texts lost what is beyond " + std::to_string(max_length_) +
                                " tokens; said once, every answer says it of its own text");
  }
  return batch;
}

std::span<const float> Session::Impl::answers(const TokenBatch& batch, const CallLimits& call) {
  answers_.resize(executor_.output_size(batch));
  executor_.run(batch, answers_, call);
  return answers_;
}

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

std::vector<Classification> Session::classify(std::span<const Text> texts, const CallLimits& call) {
  impl_->require("classify", {Task::classify, Task::multi_label, Task::regress});
  const TokenBatch batch = impl_->encode(texts, call);
  const std::span<const float> answers = impl_->answers(batch, call);
  const runtime::ScoreKind kind = runtime::score_kind(impl_->info().task);
  const std::size_t n_labels = impl_->executor().head().width;
  std::vector<Classification> results(texts.size());
  for (std::size_t sentence = 0; sentence < results.size(); ++sentence) {
    Classification& result = results[sentence];
    const std::span<const float> logits = answers.subspan(sentence * n_labels, n_labels);
    result.logits.assign(logits.begin(), logits.end());
    result.scores = result.logits;
    runtime::logits_to_scores(kind, result.scores);
    // By logits: two scores may round to the same 1, and the first of equals wins in both.
    const auto best = std::max_element(logits.begin(), logits.end());
    result.label = static_cast<std::size_t>(best - logits.begin());
    result.score = result.scores[result.label];
    result.n_tokens = n_tokens(batch, sentence);
    result.truncated = batch.truncated[sentence] != 0;
  }
  return results;
}

std::vector<Classification> Session::classify(std::initializer_list<std::string_view> texts,
                                              const CallLimits& call) {
  return classify(single_texts(texts), call);
}

std::vector<Embedding> Session::embed(std::span<const Text> texts, const CallLimits& call) {
  impl_->require("embed", {Task::embed});
  const TokenBatch batch = impl_->encode(texts, call);
  const std::span<const float> answers = impl_->answers(batch, call);
  const std::size_t hidden = impl_->executor().head().width;
  std::vector<Embedding> results(texts.size());
  for (std::size_t sentence = 0; sentence < results.size(); ++sentence) {
    const std::span<const float> values = answers.subspan(sentence * hidden, hidden);
    results[sentence] = {.values = {values.begin(), values.end()},
                         .n_tokens = n_tokens(batch, sentence),
                         .truncated = batch.truncated[sentence] != 0};
  }
  return results;
}

std::vector<Embedding> Session::embed(std::initializer_list<std::string_view> texts,
                                      const CallLimits& call) {
  return embed(single_texts(texts), call);
}

std::vector<FilledMasks> Session::fill_mask(std::span<const std::string_view> texts,
                                            std::size_t n_candidates, const CallLimits& call) {
  impl_->require("fill_mask", {Task::fill_mask});
  const runtime::HeadPlan& head = impl_->executor().head();
  std::vector<FilledMasks> results;
  results.reserve(texts.size());
  std::vector<float> scores(head.width);
  while (results.size() < texts.size()) {
    const auto rest = texts.subspan(results.size());
    const TokenBatch batch =
        impl_->encode(single_texts(rest.first(std::min(rest.size(), kTextsPerFillMask))), call);
    std::span<const float> answers = impl_->answers(batch, call);
    for (std::size_t sentence = 0; sentence < batch.n_sentences(); ++sentence) {
      FilledMasks result;
      result.n_tokens = n_tokens(batch, sentence);
      result.truncated = batch.truncated[sentence] != 0;
      const std::size_t n_masks =
          head.answer_rows(std::span(batch.ids).subspan(batch.offsets[sentence], result.n_tokens));
      for (std::size_t mask = 0; mask < n_masks; ++mask) {
        std::copy_n(answers.begin(), head.width, scores.begin());
        answers = answers.subspan(head.width);
        runtime::logits_to_scores(head.scores, scores);
        result.masks.push_back(best_candidates(scores, n_candidates, impl_->tokenizer()));
      }
      results.push_back(std::move(result));
    }
  }
  return results;
}

std::vector<Tagging> Session::tag(std::span<const std::string_view> texts, const CallLimits& call) {
  impl_->require("tag", {Task::tag});
  std::vector<std::vector<std::string_view>> sentences;
  for (const std::string_view text : texts) {
    if (text.size() > UINT32_MAX) {
      throw Error(ErrorCode::bad_input, "text " + std::to_string(sentences.size()) + " has " +
                                            std::to_string(text.size()) +
                                            " bytes, at most 4294967295 are taken; cut it up");
    }
    sentences.push_back(text::split_words(text));
  }
  std::vector<Tagging> results = impl_->tag_words(sentences, call);
  for (std::size_t sentence = 0; sentence < results.size(); ++sentence) {
    Tagging& result = results[sentence];
    for (const std::string_view word : sentences[sentence]) {
      const auto begin = static_cast<std::uint32_t>(word.data() - texts[sentence].data());
      result.word_bytes.push_back({begin, begin + static_cast<std::uint32_t>(word.size())});
    }
    for (TaggedSpan& span : result.spans) {
      span.bytes = {result.word_bytes[span.words.begin].begin,
                    result.word_bytes[span.words.end - 1].end};
    }
  }
  return results;
}

std::vector<Tagging> Session::tag_words(std::span<const std::vector<std::string_view>> sentences,
                                        const CallLimits& call) {
  impl_->require("tag_words", {Task::tag});
  return impl_->tag_words(sentences, call);
}

void Session::run(const TokenBatch& batch, std::span<float> dst, const CallLimits& call) {
  impl_->executor().run(batch, dst, call);
}

std::size_t Session::output_size(const TokenBatch& batch) const {
  return impl_->executor().output_size(batch);
}

std::string_view Session::backend() const noexcept {
  return impl_->prepared().chosen.name;
}

std::string_view Session::backend_path() const noexcept {
  return impl_->prepared().chosen.backend->path(*impl_->prepared().model);
}

unsigned Session::n_threads() const noexcept {
  return impl_->executor().n_threads();
}

}  // namespace espalier
