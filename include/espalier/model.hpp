// A model file, opened and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/error.hpp"
#include "espalier/export.hpp"
#include "espalier/tokenizer.hpp"
#include "espalier/types.hpp"

namespace espalier {

/// What a model is, as its file states it.
struct ModelInfo {
  Task task = Task::classify;
  Precision precision = Precision::fp32;
  std::uint32_t hidden = 0;
  std::uint32_t n_layers = 0;
  std::uint32_t vocabulary_size = 0;
  std::uint32_t max_length = 0;    // tokens of a sentence, special tokens included
  std::uint64_t n_parameters = 0;  // weights, biases, norms and embeddings as stored
  std::uint64_t file_bytes = 0;
  std::uint64_t checksum = 0;       // XXH3-64 of the file
  std::vector<std::string> labels;  // by index; empty for embed and fill_mask
};

struct OpenOptions {
  /// Map the file instead of reading it into memory. Saves a copy, but a mapped file that another
  /// process truncates kills this one: only for files that nobody writes to.
  bool map_file = false;
};

/// Outcome of a model's self-test on this machine.
struct SelfTestReport {
  bool passed = false;
  std::size_t n_cases = 0;
  float worst_difference = 0;  // largest |answer - expected| / max(1, |expected|)
  float tolerance = 0;         // 0: bit-equal was asked for
};

/// An immutable model. A cheap handle: copy it freely; every call may come from any thread.
class ESPALIER_EXPORT Model {
 public:
  /// Reads a file, and checks checksum, structure and meaning before anything is allocated from it.
  /// Throws Error(bad_input) when it is no .espl file, Error(verification) when it is a damaged or
  /// forged one, Error(resource) when memory runs out.
  static Model open(const std::filesystem::path& file, const OpenOptions& options = {});

  /// The same from memory; the bytes are copied.
  static Model open(std::span<const std::byte> bytes);

  [[nodiscard]] const ModelInfo& info() const noexcept;
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept;

  /// Runs the fixed sentences stored in the file and compares with the stored answers.
  /// backend: as SessionOptions::backend. Throws Error(usage) for an unknown back end,
  /// Error(unavailable) when it cannot run here, Error(failed) when an answer is not a number.
  [[nodiscard]] SelfTestReport self_test(std::string_view backend = "auto") const;

  class Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace espalier
