// BERT in LibTorch, straight from the paper and from the checkpoint's own tensors: nothing of ours
// lies between the file and the logits but the reader.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compress/checkpoint/checkpoint.hpp"
#include "espalier/types.hpp"

namespace espalier::testing {

class LibTorchBert {
 public:
  explicit LibTorchBert(const checkpoint::Checkpoint& checkpoint);
  ~LibTorchBert();

  /// Logits of one sentence in fp32: (labels) of a sequence classifier, (tokens, labels) of a token
  /// classifier, (tokens, vocabulary) of a masked LM, (tokens, hidden) of a bare encoder.
  [[nodiscard]] std::vector<float> logits(std::span<const TokenId> ids,
                                          std::span<const std::uint8_t> segments) const;

 private:
  struct Weights;
  std::unique_ptr<Weights> weights_;
};

}  // namespace espalier::testing
