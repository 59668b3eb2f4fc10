#include "compress/objective/teacher_answers.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <array>
#include <cstring>
#include <optional>

#include "compress/checkpoint/bert_config_writer.hpp"
#include "compress/checkpoint/safetensors.hpp"
#include "compress/checkpoint/safetensors_writer.hpp"
#include "espalier/error.hpp"
#include "format/checksum.hpp"

namespace espalier::objective {
namespace {

constexpr std::string_view kFileName = "teacher_answers.safetensors";

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

// Bytes and their number, so that what follows cannot be taken for a part of them.
void add(format::Checksum& checksum, std::span<const std::byte> bytes) {
  const std::uint64_t size = bytes.size();
  checksum.add(std::as_bytes(std::span(&size, 1)));
  checksum.add(bytes);
}

void add(format::Checksum& checksum, std::string_view text) {
  add(checksum, std::as_bytes(std::span(text.data(), text.size())));
}

// What a file is about, and a checksum of what it says, so that damage is seen.
using Marks = std::array<std::uint64_t, 2>;

Marks marks_of(std::uint64_t fingerprint, std::span<const std::uint64_t> shape,
               std::span<const std::byte> answers) {
  format::Checksum checksum;
  add(checksum, std::as_bytes(shape));
  add(checksum, answers);
  return {fingerprint, checksum.value()};
}

// Nothing when the file is missing, damaged or about something else.
std::optional<at::Tensor> read_answers(const std::filesystem::path& path,
                                       std::uint64_t fingerprint) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  try {
    const auto file = checkpoint::SafetensorsFile::open(path, FileAccess::read);
    const checkpoint::TensorView* marks = file.find("marks");
    const checkpoint::TensorView* answers = file.find("answers");
    const bool as_written =
        marks != nullptr && answers != nullptr && marks->bytes.size() == sizeof(Marks) &&
        answers->type == checkpoint::ElementType::f32 && answers->shape.size() == 2;
    if (!as_written) return std::nullopt;
    const Marks expected = marks_of(fingerprint, answers->shape, answers->bytes);
    if (std::memcmp(marks->bytes.data(), expected.data(), sizeof expected) != 0) {
      return std::nullopt;
    }
    at::Tensor values = at::empty({static_cast<std::int64_t>(answers->shape[0]),
                                   static_cast<std::int64_t>(answers->shape[1])},
                                  at::kFloat);
    std::memcpy(values.data_ptr(), answers->bytes.data(), answers->bytes.size());
    return values;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_input) throw;
    return std::nullopt;
  }
}

void write_answers(const std::filesystem::path& path, std::uint64_t fingerprint,
                   const at::Tensor& values) {
  const std::vector<std::uint64_t> shape(values.sizes().begin(), values.sizes().end());
  const Marks marks = marks_of(fingerprint, shape, bytes_of(values));
  checkpoint::write_safetensors(path,
                                {{.name = "answers",
                                  .type = checkpoint::ElementType::f32,
                                  .shape = shape,
                                  .bytes = bytes_of(values)},
                                 {.name = "marks",
                                  .type = checkpoint::ElementType::u64,
                                  .shape = {marks.size()},
                                  .bytes = std::as_bytes(std::span(marks))}},
                                {}, Overwrite::replace);
}

}  // namespace

std::uint64_t answers_fingerprint(const model::Bert& teacher, const TokenBatch& tokens,
                                  std::string_view task) {
  const at::NoGradGuard no_grad;
  format::Checksum checksum;
  add(checksum, task);
  add(checksum, checkpoint::write_bert_config(teacher.config));
  model::for_each_parameter(teacher, [&](const std::string& name, const at::Tensor& value) {
    add(checksum, name);
    add(checksum, bytes_of(value.detach().to(at::kCPU, at::kFloat).contiguous()));
  });
  add(checksum, std::as_bytes(std::span(tokens.ids)));
  add(checksum, std::as_bytes(std::span(tokens.segments)));
  add(checksum, std::as_bytes(std::span(tokens.offsets)));
  return checksum.value();
}

TeacherAnswers teacher_answers(const Task& task, std::string_view name, const model::Bert& teacher,
                               const Examples& data, const std::filesystem::path& folder,
                               const OnProgress& on_progress) {
  const std::filesystem::path path = folder / kFileName;
  const std::uint64_t fingerprint =
      folder.empty() ? 0 : answers_fingerprint(teacher, data.tokens, name);
  if (!folder.empty()) {
    if (std::optional<at::Tensor> cached = read_answers(path, fingerprint)) {
      return {.values = *cached, .from_cache = true};
    }
  }
  const at::NoGradGuard no_grad;
  const bool by_token =
      teacher.config.architecture == checkpoint::Architecture::token_classification;
  const at::Tensor values = answer_all(task, teacher, data, by_token, on_progress).contiguous();
  if (!at::isfinite(values).all().item<bool>()) {
    throw Error(ErrorCode::bad_input, "the teacher's answers to '" + data.file +
                                          "' are not all finite; is its checkpoint a trained one?");
  }
  if (!folder.empty()) write_answers(path, fingerprint, values);
  return {.values = values, .from_cache = false};
}

}  // namespace espalier::objective
