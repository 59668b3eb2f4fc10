// What a student can be asked to have in common with its teacher: one function a comparison, each
// the mean of a distance that is 0 when both are equal. All compute in the types they are given;
// gradients flow into the student's side wherever they are on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace espalier::objective {

/// T² KL(softmax(teacher / T) ‖ softmax(student / T)), mean over rows. Both (rows, labels). The
/// factor keeps gradients of one size for all temperatures T. Source: Hinton et al. 2015, §2.
[[nodiscard]] at::Tensor class_term(const at::Tensor& student, const at::Tensor& teacher,
                                    double temperature);

/// The same where each label is a question of its own: sigmoids, mean over rows and labels.
[[nodiscard]] at::Tensor label_term(const at::Tensor& student, const at::Tensor& teacher,
                                    double temperature);

/// Mean squared difference of two tensors of one shape: of numbers that both answer, or of hidden
/// states. Source of the latter: Jiao et al. 2020 (TinyBERT), equation 8.
[[nodiscard]] at::Tensor square_term(const at::Tensor& student, const at::Tensor& teacher);

/// Squared distance of unit vectors (rows, width), mean over rows (Reimers and Gurevych 2020,
/// "Making monolingual sentence embeddings multilingual"). Vectors of different widths are compared
/// by the cosines that they have among themselves: mean over pairs of rows of the squared
/// difference (Tung and Mori 2019, "Similarity-preserving knowledge distillation").
[[nodiscard]] at::Tensor vector_term(const at::Tensor& student, const at::Tensor& teacher);

/// Squared distance of the directions of (rows, width), mean over rows: at most 4. Source: Sun et
/// al. 2019 (patient distillation), equation 7.
[[nodiscard]] at::Tensor patient_term(const at::Tensor& student, const at::Tensor& teacher);

/// Mean squared difference of attention before its softmax, over all pairs of tokens and all heads:
/// (sentences, heads, tokens, tokens) both. Pairs with padding do not count. `mask` is (sentences,
/// tokens), or undefined without padding. Source: Jiao et al. 2020, equation 7.
[[nodiscard]] at::Tensor attention_term(const at::Tensor& student, const at::Tensor& teacher,
                                        const at::Tensor& mask);

/// KL divergence between softmax(A Aᵀ / √d) of teacher and student, A being queries, keys or values
/// (sentences, tokens, width) cut into `n_heads` relation heads d wide; the widths may differ and
/// are multiples of n_heads. Mean over heads and tokens, without padding. Source: Wang et al. 2021
/// (MiniLMv2), equations 1 to 3.
[[nodiscard]] at::Tensor relation_term(const at::Tensor& student, const at::Tensor& teacher,
                                       const at::Tensor& mask, std::int64_t n_heads);

/// Relation heads for two widths: as many as both can be cut into that leave the teacher's at least
/// 16 wide, which gives a BERT base the 48 of the source above, §4.1.
[[nodiscard]] std::int64_t relation_heads(std::int64_t student_width, std::int64_t teacher_width);

/// The rows of x (sentences, tokens, width) that are no padding: (tokens of all sentences, width).
[[nodiscard]] at::Tensor real_rows(const at::Tensor& x, const at::Tensor& mask);

}  // namespace espalier::objective
