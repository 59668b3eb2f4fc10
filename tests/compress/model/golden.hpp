// A tiny checkpoint of tests/compress/model/data with what `transformers` computes on it.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/checkpoint/safetensors.hpp"
#include "compress/model/bert.hpp"
#include "compress/model/checkpoint_io.hpp"

namespace espalier::model {

class Golden {
 public:
  explicit Golden(const std::string& name)
      : folder_(std::filesystem::path(GOLDEN_FOLDER) / name),
        file_(checkpoint::SafetensorsFile::open(folder_ / "golden.safetensors")) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  [[nodiscard]] at::Tensor operator[](const std::string& name) const {
    const checkpoint::TensorView* view = file_.find(name);
    if (view == nullptr) throw std::runtime_error("no golden tensor " + name);
    const std::vector<std::int64_t> shape(view->shape.begin(), view->shape.end());
    const bool is_float = view->type == checkpoint::ElementType::f32;
    at::Tensor tensor = at::empty(shape, is_float ? at::kFloat : at::kLong);
    std::memcpy(tensor.data_ptr(), view->bytes.data(), view->bytes.size());
    return tensor;
  }

  [[nodiscard]] TokenTensors tokens() const {
    const bool has_segments = file_.find("token_type_ids") != nullptr;
    return {.ids = (*this)["input_ids"],
            .segments = has_segments ? (*this)["token_type_ids"] : at::Tensor(),
            .mask = (*this)["attention_mask"].to(at::kBool)};
  }

 private:
  std::filesystem::path folder_;
  checkpoint::SafetensorsFile file_;
};

/// The folders under data/: what a head answers, by family.
inline constexpr const char* kGoldens[] = {
    "classify",
    "regress",
    "tag",
    "fill_mask",
    "distilbert_classify",
    "distilbert_regress",
    "distilbert_tag",
    "distilbert_fill_mask",
};

inline float largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>();
}

}  // namespace espalier::model
