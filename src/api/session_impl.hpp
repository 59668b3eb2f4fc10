// One stream of calls on a model: the executor, and memory that calls use again.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "api/model_impl.hpp"
#include "espalier/session.hpp"
#include "runtime/executor.hpp"
#include "text/tokenizer.hpp"

namespace espalier {

class [[gnu::visibility("hidden")]] Session::Impl {
 public:
  Impl(const Model& model, const SessionOptions& options);

  [[nodiscard]] runtime::Executor& executor() noexcept {
    return executor_;
  }
  [[nodiscard]] const Model::Impl::Prepared& prepared() const noexcept {
    return prepared_;
  }
  [[nodiscard]] const ModelInfo& info() const noexcept {
    return model_.info();
  }
  [[nodiscard]] const text::Tokenizer& tokenizer() const noexcept;

  /// Throws Error(usage) when the model's task is none of `tasks`.
  void require(std::string_view call, std::initializer_list<Task> tasks) const;

  /// Throws as runtime::check_limits() does, before a text is read. Tells the log once that texts
  /// are cut.
  [[nodiscard]] TokenBatch encode(std::span<const Text> texts, const CallLimits& call);

  /// The answers to `batch`, until the next call.
  [[nodiscard]] std::span<const float> answers(const TokenBatch& batch, const CallLimits& call);

  /// Tags sentences of known words, in windows of whole words where they are longer than a session
  /// takes. Spans have words but no bytes. Throws as Executor::run() does.
  [[nodiscard]] std::vector<Tagging> tag_words(
      std::span<const std::vector<std::string_view>> sentences, const CallLimits& call);

 private:
  void tell_how_it_computes() const;

  Model model_;
  LogFunction log_;
  const Model::Impl::Prepared& prepared_;  // owned by the model
  std::uint32_t max_length_;
  runtime::Executor executor_;
  text::Scratch scratch_;
  std::vector<float> answers_;
  bool told_of_cuts_ = false;
};

}  // namespace espalier
