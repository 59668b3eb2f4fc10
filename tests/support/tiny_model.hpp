// Makes tiny random models as ModelSpecs, for the tests of the file and of the runtime. No
// checkpoint and no exporter is involved: the weights are seeded noise of sane size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/types.hpp"
#include "format/spec.hpp"
#include "tests/support/codes.hpp"

namespace espalier::testing {

/// What to make. The defaults are a two-layer int8 classifier with two labels.
struct TinyModel {
  Task task = Task::classify;
  Precision precision = Precision::int8;
  std::uint32_t hidden = 32;
  std::uint32_t head_dim = 8;
  std::vector<std::uint32_t> n_heads = {4, 4};         // one a layer; 0: all heads pruned away
  std::vector<std::uint32_t> intermediate = {64, 64};  // one a layer; 0: no feed-forward
  std::vector<Precision> layer_precision = {};         // one a layer; empty: all as `precision`
  std::uint32_t embedding_rank = 0;                    // of a factorised word table; 0: it is whole
  std::uint32_t positions = 64;
  std::uint32_t segments = 2;            // 0: none, as in DistilBERT
  std::uint32_t max_length = 0;          // 0: all positions
  std::vector<std::string> labels = {};  // empty: as many as the task needs at least
  format::ElementType small_type = format::ElementType::f32;  // positions, segments and head
  format::Pooling pooling = format::Pooling::mean;            // embed only
  bool normalize = true;                                      // embed only
  format::PoolerActivation pooler_activation = format::PoolerActivation::tanh;
  std::uint32_t four_bit_group = 0;  // of int8 linears and words; 0: weights of eight bits
  bool input_scales = false;         // of the int8 linears that read a LayerNorm
  LayerCodes codes = {};             // of the inputs of int8 linears
  float reach = 1;                   // of static codes, see set_codes()
  std::uint64_t seed = 1;
  bool self_test = false;  // adds two cases of the right shape whose outputs are noise
};

/// A ModelSpec and the memory that its views point into. Movable; the views stay good.
class OwnedModel {
 public:
  [[nodiscard]] const format::ModelSpec& spec() const noexcept { return spec_; }

  /// For tests that spoil a model.
  [[nodiscard]] format::ModelSpec& edit() noexcept { return spec_; }

  /// The bytes behind a view of this model, to be overwritten.
  template <typename T>
  [[nodiscard]] static std::span<T> edit(const format::Tensor& tensor) noexcept {
    return {reinterpret_cast<T*>(const_cast<std::byte*>(tensor.bytes.data())),
            tensor.bytes.size() / sizeof(T)};
  }

  /// 64-byte aligned zeros that live as long as this model.
  [[nodiscard]] std::span<std::byte> allocate(std::size_t n_bytes);

 private:
  struct alignas(64) Line {
    std::byte bytes[64] = {};
  };
  format::ModelSpec spec_;
  std::vector<std::unique_ptr<Line[]>> blocks_;
};

/// Makes the model; the same TinyModel gives the same bytes on every machine.
[[nodiscard]] OwnedModel make_tiny_model(const TinyModel& tiny = {});

/// The pieces of its vocabulary in id order: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, the
/// letters, their ## forms and a few words; 64 in all.
[[nodiscard]] std::vector<std::string> tiny_model_pieces();

}  // namespace espalier::testing
