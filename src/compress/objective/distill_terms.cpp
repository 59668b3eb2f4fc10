#include "compress/objective/distill_terms.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/sigmoid.h>

#include <cmath>
#include <numeric>

namespace espalier::objective {
namespace {

// Far enough below all logits for its exponential to be 0, and finite: -∞ - -∞ would be NaN.
constexpr double kNever = -1e4;

at::Tensor unit(const at::Tensor& rows) {
  return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
}

at::Tensor mean_square_of_rows(const at::Tensor& difference) {
  return difference.square().sum(-1).mean();
}

// log softmax(A Aᵀ / √d): (sentences, heads, tokens, tokens).
at::Tensor relations(const at::Tensor& a, const at::Tensor& mask, std::int64_t n_heads) {
  const at::Tensor heads = a.view({a.size(0), a.size(1), n_heads, -1}).transpose(1, 2);
  const double scale = 1.0 / std::sqrt(static_cast<double>(heads.size(-1)));
  at::Tensor logits = at::matmul(heads, heads.transpose(-1, -2)) * scale;
  if (mask.defined()) {
    logits = logits.masked_fill(mask.logical_not().unsqueeze(1).unsqueeze(1), kNever);
  }
  return at::log_softmax(logits, -1);
}

}  // namespace

at::Tensor class_term(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor divergence = at::kl_div(at::log_softmax(student / temperature, -1),
                                           at::log_softmax(teacher / temperature, -1),
                                           at::Reduction::None, /*log_target=*/true);
  return temperature * temperature * divergence.sum(-1).mean();
}

at::Tensor label_term(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor wanted = at::sigmoid(teacher / temperature);
  // Cross entropy less what no student could go below.
  const at::Tensor divergence =
      at::binary_cross_entropy_with_logits(student / temperature, wanted) -
      at::binary_cross_entropy_with_logits(teacher / temperature, wanted);
  return temperature * temperature * divergence;
}

at::Tensor square_term(const at::Tensor& student, const at::Tensor& teacher) {
  return at::mse_loss(student, teacher);
}

at::Tensor vector_term(const at::Tensor& student, const at::Tensor& teacher) {
  if (student.size(-1) == teacher.size(-1)) return mean_square_of_rows(student - teacher);
  return at::mse_loss(at::matmul(student, student.t()), at::matmul(teacher, teacher.t()));
}

at::Tensor patient_term(const at::Tensor& student, const at::Tensor& teacher) {
  return mean_square_of_rows(unit(student) - unit(teacher));
}

at::Tensor attention_term(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& mask) {
  if (!mask.defined()) return at::mse_loss(student, teacher);
  const at::Tensor real = mask.to(student.scalar_type());
  // (sentences, 1, tokens, tokens): 1 where both are tokens.
  const at::Tensor pairs = (real.unsqueeze(2) * real.unsqueeze(1)).unsqueeze(1);
  return ((student - teacher).square() * pairs).sum() / (pairs.sum() * student.size(1));
}

at::Tensor relation_term(const at::Tensor& student, const at::Tensor& teacher,
                         const at::Tensor& mask, std::int64_t n_heads) {
  const at::Tensor divergence =
      at::kl_div(relations(student, mask, n_heads), relations(teacher, mask, n_heads),
                 at::Reduction::None, /*log_target=*/true)
          .sum(-1);  // (sentences, heads, tokens)
  if (!mask.defined()) return divergence.mean();
  const at::Tensor real = mask.to(divergence.scalar_type()).unsqueeze(1);
  return (divergence * real).sum() / (real.sum() * n_heads);
}

std::int64_t relation_heads(std::int64_t student_width, std::int64_t teacher_width) {
  constexpr std::int64_t kLeastWidth = 16;
  const std::int64_t common = std::gcd(student_width, teacher_width);
  std::int64_t n_heads = 1;
  for (std::int64_t divisor = 2; divisor <= common; ++divisor) {
    if (common % divisor == 0 && teacher_width / divisor >= kLeastWidth) n_heads = divisor;
  }
  return n_heads;
}

at::Tensor real_rows(const at::Tensor& x, const at::Tensor& mask) {
  const at::Tensor rows = x.flatten(0, 1);
  return mask.defined() ? rows.index_select(0, mask.flatten().nonzero().squeeze(-1)) : rows;
}

}  // namespace espalier::objective
