// Files with a right checksum and a sound structure that mean no model: what a table of them is
// made of, and the two that must refuse each.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <ostream>

#include "format/writer.hpp"
#include "tests/format/forge.hpp"

namespace espalier::testing {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One way to spoil a model and the place that must be named.
struct Forgery {
  const char* name;
  TinyModel tiny;
  std::function<void(OwnedModel&)> spoil;
  const char* where;
};

inline void PrintTo(const Forgery& forgery, std::ostream* out) {
  *out << forgery.name;
}

inline constexpr auto name_of_forgery = [](const auto& test) {
  return std::string(test.param.name);
};

inline TinyModel classify() {
  return {.self_test = true};
}
inline TinyModel fp32() {
  return {.precision = Precision::fp32, .self_test = true};
}
inline TinyModel bf16() {
  return {.precision = Precision::bf16, .self_test = true};
}
inline TinyModel factorised() {
  return {.embedding_rank = 7, .self_test = true};
}
inline TinyModel halves() {
  return {.small_type = format::ElementType::f16};
}
inline TinyModel of(Task task) {
  return {.task = task, .self_test = true};
}

/// The reader refuses the file, and the writer does not write it; the message names the place.
inline void expect_refused(const Forgery& forgery) {
  OwnedModel model = make_tiny_model(forgery.tiny);
  forgery.spoil(model);

  const Verdict verdict = read(write_unchecked(model.spec()));

  ASSERT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.code, ErrorCode::verification);
  const std::string start = std::string(forgery.where) + ": ";
  EXPECT_EQ(verdict.message.substr(0, start.size()), start) << verdict.message;
  try {
    (void)format::to_bytes(model.spec());
    ADD_FAILURE() << "the writer accepts it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed) << error.what();
  }
}

}  // namespace espalier::testing
