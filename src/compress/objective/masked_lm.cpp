#include "compress/objective/masked_lm.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "compress/objective/padding.hpp"
#include "compress/objective/task.hpp"
#include "espalier/error.hpp"

namespace espalier::objective {
namespace {

// Of the hidden pieces; the rest stays in sight, so that a model cannot take what it sees for
// right.
constexpr double kShareMasked = 0.8;
constexpr double kShareReplaced = 0.1;

// Padded tokens of a judged batch: with 15 % of them hidden, the logits of 30,000 pieces take 37
// MB.
constexpr std::size_t kJudgedTokens = 2048;

// Pieces that are hidden together, as places in their sequence.
struct Unit {
  std::size_t begin;
  std::size_t n_pieces;
};

// One row of a batch.
struct Row {
  std::span<std::int64_t> ids;
  std::span<std::int64_t> targets;
};

std::vector<Unit> units_of(const Corpus& corpus, std::span<const TokenId> ids, bool whole_words) {
  std::vector<Unit> units;
  for (std::size_t token = 0; token < ids.size(); ++token) {
    const PieceKind kind = corpus.kind(ids[token]);
    if (kind == PieceKind::special) continue;
    // Without a word before it, it is the rest of one that a sequence was too short for.
    const bool goes_on = whole_words && kind == PieceKind::continuation && !units.empty();
    if (goes_on) {
      ++units.back().n_pieces;
    } else {
      units.push_back({token, 1});
    }
  }
  return units;
}

std::int64_t any_piece(const Corpus& corpus, Random& random) {
  while (true) {  // a corpus has pieces that are not special, so it ends
    const std::size_t id = random.below(corpus.kinds.size());
    if (corpus.kinds[id] != PieceKind::special) return static_cast<std::int64_t>(id);
  }
}

void hide(const Corpus& corpus, std::size_t token, Random& random, const Row& row) {
  row.targets[token] = row.ids[token];
  const double fate = random.uniform();
  if (fate < kShareMasked) {
    row.ids[token] = to_int(corpus.mask);
  } else if (fate < kShareMasked + kShareReplaced) {
    row.ids[token] = any_piece(corpus, random);
  }
}

void hide_some(const Corpus& corpus, const MaskingOptions& options, std::vector<Unit> units,
               Random& random, const Row& row) {
  std::size_t n_pieces = 0;
  for (const Unit& unit : units) n_pieces += unit.n_pieces;
  const double exact = options.share * static_cast<double>(n_pieces);
  const auto n_wanted = static_cast<std::size_t>(exact + random.uniform());
  shuffle(std::span<Unit>(units), random);
  std::size_t n_hidden = 0;
  for (const Unit& unit : units) {
    // A longer word than there is room for waits for another draw, but the first is always hidden:
    // a sequence without a target would teach nothing.
    if (n_hidden > 0 && n_hidden + unit.n_pieces > n_wanted) continue;
    for (std::size_t piece = 0; piece < unit.n_pieces; ++piece) {
      hide(corpus, unit.begin + piece, random, row);
    }
    n_hidden += unit.n_pieces;
    if (n_hidden >= n_wanted) break;
  }
}

// The head's answers where something is hidden; elsewhere nobody asks, and they are most of the
// work.
struct Guesses {
  at::Tensor logits;   // (hidden pieces, vocabulary)
  at::Tensor targets;  // (hidden pieces)
};

Guesses guess(const model::Bert& bert, const Batch& batch, const model::Dropout& dropout) {
  const at::Tensor x = model::encode(bert, batch.tokens, dropout);
  const at::Tensor targets = batch.targets.view({-1});
  const at::Tensor hidden = targets.ne(kIgnored).nonzero().squeeze(-1);
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).index_select(0, hidden);
  // In fp32 whatever the model computes in: a softmax over a whole vocabulary needs the digits.
  return {.logits = model::masked_lm_logits(bert, rows).to(at::kFloat),
          .targets = targets.index_select(0, hidden)};
}

}  // namespace

MaskedLm::MaskedLm(const Corpus& corpus, const MaskingOptions& options)
    : corpus_(corpus), options_(options) {
  if (!(options.share > 0) || options.share > 1) {
    throw Error(ErrorCode::usage,
                "a share of " + std::to_string(options.share) + " masked pieces is not in (0, 1]");
  }
}

Batch MaskedLm::batch(std::span<const std::size_t> examples, std::uint64_t draw) const {
  const TokenBatch& tokens = corpus_.tokens;
  Batch batch;
  batch.examples.assign(examples.begin(), examples.end());
  batch.tokens = pad(tokens, examples, static_cast<std::uint32_t>(to_int(corpus_.pad)));
  batch.targets = at::full(batch.tokens.ids.sizes(), kIgnored, at::kLong);
  const auto width = static_cast<std::size_t>(batch.tokens.ids.size(1));
  const auto row_of = [width](at::Tensor& values, std::size_t row) {
    return std::span<std::int64_t>(values.data_ptr<std::int64_t>() + row * width, width);
  };
  for (std::size_t row = 0; row < examples.size(); ++row) {
    const std::span<const TokenId> ids(tokens.ids.data() + tokens.offsets[examples[row]],
                                       length(examples[row]));
    Random random(mix(draw, examples[row]));
    hide_some(corpus_, options_, units_of(corpus_, ids, options_.whole_words), random,
              {row_of(batch.tokens.ids, row), row_of(batch.targets, row)});
  }
  return batch;
}

at::Tensor MaskedLm::loss(const model::Bert& bert, const Batch& batch,
                          const model::Dropout& dropout) const {
  const Guesses guesses = guess(bert, batch, dropout);
  return at::cross_entropy_loss(guesses.logits, guesses.targets);
}

Scores MaskedLmJudge::judge(const model::Bert& bert) const {
  double loss = 0;
  std::int64_t n_right = 0;
  std::int64_t n_hidden = 0;
  for (const std::vector<std::size_t>& sequences :
       inference_batches(corpus_.tokens, kJudgedTokens)) {
    const Batch batch = to_device(masked_.batch(sequences, seed_), device_of(bert));
    const Guesses guesses = guess(bert, batch, {});
    loss +=
        at::cross_entropy_loss(guesses.logits, guesses.targets, /*weight=*/{}, at::Reduction::Sum)
            .item<double>();
    n_right += guesses.logits.argmax(-1).eq(guesses.targets).sum().item<std::int64_t>();
    n_hidden += guesses.targets.numel();
  }
  const auto n = static_cast<double>(n_hidden);
  return {{"masked_lm_accuracy", 100 * static_cast<double>(n_right) / n},
          {"masked_lm_loss", loss / n},
          {"perplexity", std::exp(loss / n)}};
}

}  // namespace espalier::objective
