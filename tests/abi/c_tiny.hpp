// Models, sessions and texts of the C interface, freed when they go out of scope.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "espalier/espalier.h"
#include "tests/api/tiny_models.hpp"

namespace espalier::testing {

struct FreeC {
  void operator()(espalier_model* model) const { espalier_model_free(model); }
  void operator()(espalier_session* session) const { espalier_session_free(session); }
  void operator()(espalier_result* result) const { espalier_result_free(result); }
};
using CModel = std::unique_ptr<espalier_model, FreeC>;
using CSession = std::unique_ptr<espalier_session, FreeC>;
using CResult = std::unique_ptr<espalier_result, FreeC>;

inline std::vector<std::byte> tiny_bytes(const TinyCheckpoint& tiny = {},
                                         Precision precision = Precision::int8) {
  return format::to_bytes(export_tiny(tiny, precision).spec());
}

inline CModel open_c(const std::vector<std::byte>& bytes) {
  espalier_model* model = nullptr;
  espalier_error error;
  EXPECT_EQ(espalier_model_open_memory(bytes.data(), bytes.size(), &model, &error), ESPALIER_OK)
      << error.message;
  return CModel(model);
}

inline CModel open_c(const TinyCheckpoint& tiny = {}) {
  return open_c(tiny_bytes(tiny));
}

inline CSession session_c(const CModel& model, espalier_session_options options = {}) {
  options.struct_size = sizeof options;
  espalier_session* session = nullptr;
  espalier_error error;
  EXPECT_EQ(espalier_session_open(model.get(), &options, &session, &error), ESPALIER_OK)
      << error.message;
  return CSession(session);
}

inline espalier_text c_text(std::string_view text) {
  return {text.data(), text.size(), nullptr, 0};
}

inline std::vector<espalier_text> c_texts(const std::vector<std::string>& strings) {
  std::vector<espalier_text> texts;
  for (const std::string& string : strings) texts.push_back(c_text(string));
  return texts;
}

std::vector<espalier_text> c_texts(std::vector<std::string>&& strings) = delete;  // would dangle

inline TinyCheckpoint tiny_mask_filler() {
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::masked_lm;
  return tiny;
}

/// A call refused with `code` and a message that says `what`.
inline void expect_refused(espalier_status status, const espalier_error& error,
                           espalier_status code, const std::string& what) {
  EXPECT_EQ(status, code) << error.message;
  EXPECT_EQ(error.code, code);
  EXPECT_NE(std::string(error.message).find(what), std::string::npos) << error.message;
}

}  // namespace espalier::testing
