// What a teacher answers to the examples that its student will see in every epoch: asked once, kept
// in a file. Only for what comes out of the head; what goes on inside a teacher is too large to
// keep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "compress/objective/task.hpp"

namespace espalier::objective {

/// A checksum of all that decides the answers: the teacher's configuration and weights, the tokens,
/// and `task`, which is whatever else they depend on.
[[nodiscard]] std::uint64_t answers_fingerprint(const model::Bert& teacher,
                                                const TokenBatch& tokens, std::string_view task);

struct TeacherAnswers {
  at::Tensor values;  // (sentences, width) f32 on the CPU; of a token classifier (tokens, ...)
  bool from_cache = false;  // read, not computed
};

/// The answers of `task` to all sentences of `data`, from `folder`/teacher_answers.safetensors if
/// they lie there whole and with the same fingerprint; else computed and, unless `folder` is empty,
/// put there in place of what it held. `name` goes into the fingerprint: the task's name and what
/// else it depends on, such as a pooling.
/// Throws Error(bad_input) when an answer is not finite, Error(output) when the file cannot be
/// written: `folder` must exist. Not for two threads and one folder at once.
[[nodiscard]] TeacherAnswers teacher_answers(const Task& task, std::string_view name,
                                             const model::Bert& teacher, const Examples& data,
                                             const std::filesystem::path& folder,
                                             const OnProgress& on_progress = {});

}  // namespace espalier::objective
