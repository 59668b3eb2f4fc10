// Start here: a checkpoint folder becomes a ModelSpec that the writer of the format room can store.
// fp32 keeps every weight; bf16 rounds those of the linears and the words; int8 is the dynamic
// mode, which needs no data: weights per output channel, word embeddings per row, activations per
// token at run time. A calibration may say otherwise of the activations.
// token at run time; int4 is the same with weights or words of four bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compress/checkpoint/bert_config.hpp"
#include "compress/export/calibration.hpp"
#include "compress/export/precision_rules.hpp"
#include "compress/export/round_weights.hpp"
#include "compress/export/tensor_store.hpp"
#include "espalier/types.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

struct ExportOptions {
  Precision precision = Precision::fp32;

  /// Linears, and the word table, that are stored in another precision than that: the last rule
  /// that matches a name (part_names()) wins. What lies between the linears, attention among it,
  /// stays in `precision`. The codes of an int8 linear do not depend on these rules.
  std::vector<PrecisionRule> rules = {};

  /// How int8 linears code their inputs, one entry a layer; it outlives the call. Null: every token
  /// has a scale of its own, and input scales come from this project's own sentences.
  const Calibration* calibration = nullptr;
  /// How the codes of int8 and int4 parts are made.
  Coding coding = {};

  /// Longest sentence in tokens, special tokens included: 3 to the checkpoint's positions. 0 means
  /// what the checkpoint states: sentence-transformers' limit, else the tokenizer's, else
  /// positions.
  std::uint32_t max_length = 0;

  /// Threads that compute the self-test; the result does not depend on it.
  unsigned n_threads = 1;

  /// Called now and then, from the calling thread, with the share of the work done (0 to 1, never
  /// falling) and the name of the stage that runs. An exception thrown by it ends the export.
  std::function<void(double share, std::string_view stage)> on_progress = {};
};

/// A model in memory, with everything its file will hold. Owns what its spec views; movable.
class ExportedModel {
 public:
  ExportedModel(const ExportedModel&) = delete;
  ExportedModel& operator=(const ExportedModel&) = delete;
  ExportedModel(ExportedModel&&) noexcept = default;
  ExportedModel& operator=(ExportedModel&&) noexcept = default;

  [[nodiscard]] const format::ModelSpec& spec() const noexcept { return parts_->spec; }

  /// What a user should know about the conversion, one sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return parts_->notes; }

  /// Bytes of the checkpoint's files of weights.
  [[nodiscard]] std::uint64_t source_bytes() const noexcept { return parts_->source_bytes; }

  struct Parts {
    TensorStore store;
    std::string vocabulary;
    format::ModelSpec spec;  // views store and vocabulary
    std::vector<std::string> notes;
    std::uint64_t source_bytes = 0;
  };
  explicit ExportedModel(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}

 private:
  std::unique_ptr<const Parts> parts_;
};

/// What a model of this checkpoint answers.
[[nodiscard]] Task task_of(const checkpoint::BertConfig& config);

/// Reads the checkpoint in `folder`, converts it, and records a self-test with the reference back
/// end. The same files and options give the same spec, bit for bit. At most one tensor is held in
/// f32 beside the mapped checkpoint and the result; the word table a part at a time, and linears,
/// too, unless there is a rounder.
/// Throws Error(bad_input) naming file, tensor or key, Error(usage) for an impossible max_length or
/// a rule that is none or matches nothing, Error(resource) when memory runs out. Source of the int8
/// mode: Jacob et al. 2018, §2.1.
[[nodiscard]] ExportedModel export_checkpoint(const std::filesystem::path& folder,
                                              const ExportOptions& options);

}  // namespace espalier::compress
