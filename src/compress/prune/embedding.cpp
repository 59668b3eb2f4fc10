#include "compress/prune/embedding.hpp"

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"

namespace espalier::prune {
namespace {

void check(const model::Bert& bert, std::uint32_t rank, std::size_t n_counts) {
  if (bert.masked_lm) {
    throw Error(ErrorCode::usage,
                "the word table of a masked LM is its decoder too and cannot be factorised; "
                "fine-tune the model for its task first");
  }
  const std::int64_t at_most = bert.word.size(1) - 1;
  if (rank == 0 || rank > at_most) {
    throw Error(ErrorCode::usage, "a word table of width " + std::to_string(at_most + 1) +
                                      " can get a rank of 1 to " + std::to_string(at_most) +
                                      ", asked for was " + std::to_string(rank));
  }
  if (n_counts != 0 && n_counts != bert.config.vocab) {
    throw Error(ErrorCode::usage, "counts of " + std::to_string(n_counts) +
                                      " pieces, the vocabulary has " +
                                      std::to_string(bert.config.vocab));
  }
}

/// (vocabulary, 1), double.
at::Tensor weights_of(std::span<const std::uint64_t> counts, std::int64_t n_rows) {
  if (counts.empty()) return at::ones({n_rows, 1}, at::kDouble);
  std::vector<double> weights;
  for (const std::uint64_t count : counts) weights.push_back(static_cast<double>(count) + 1);
  return at::tensor(weights, at::kDouble).unsqueeze(1);
}

/// The eigenvectors of the largest eigenvalues, largest first: (size, rank). Each has its largest
/// component positive, because a solver may give either sign.
at::Tensor leading_eigenvectors(const at::Tensor& symmetric, std::int64_t rank) {
  const at::Tensor rising = std::get<1>(at::linalg_eigh(symmetric));
  const at::Tensor vectors = rising.slice(1, rising.size(1) - rank).flip({1});
  const at::Tensor largest = vectors.gather(0, vectors.abs().argmax(0, /*keepdim=*/true));
  return vectors * largest.sign();
}

double relative_norm(const at::Tensor& difference, const at::Tensor& whole,
                     const at::Tensor& weights) {
  const double squares = (whole.square() * weights).sum().item<double>();
  if (squares == 0) return 0;
  return std::sqrt((difference.square() * weights).sum().item<double>() / squares);
}

}  // namespace

FactorisedBert factorise_embedding(const model::Bert& bert, std::uint32_t rank,
                                   std::span<const std::uint64_t> counts) {
  check(bert, rank, counts.size());
  at::Tensor table = bert.word.detach().to(at::kCPU, at::kDouble);
  if (bert.word_projection.defined()) {
    table = at::linear(table, bert.word_projection.detach().to(at::kCPU, at::kDouble));
  }
  const at::Tensor weights = weights_of(counts, table.size(0));
  const at::Tensor vectors =
      leading_eigenvectors((table * weights).t().matmul(table), static_cast<std::int64_t>(rank));
  const at::Tensor factors = table.matmul(vectors);
  const at::Tensor difference = table - factors.matmul(vectors.t());

  FactorisedBert result{.bert = bert,
                        .relative_error = relative_norm(difference, table, at::ones_like(weights)),
                        .weighted_error = relative_norm(difference, table, weights)};
  result.bert.config.embedding_rank = rank;
  result.bert.word = factors.to(bert.word.options()).contiguous();
  result.bert.word_projection = vectors.to(bert.word.options()).contiguous();
  return result;
}

Pruned prune_embedding(const Problem& problem) {
  FactorisedBert factorised = factorise_embedding(problem.bert, problem.rank, problem.piece_counts);
  const auto percent = [](double share) {
    const long tenths = std::lround(1000 * share);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
  };
  Pruned pruned = {.bert = std::move(factorised.bert)};
  pruned.notes.push_back("the factors are off by " + percent(factorised.relative_error) +
                         " of the table, " + percent(factorised.weighted_error) +
                         " with words counted as often as they occur");
  return pruned;
}

}  // namespace espalier::prune
