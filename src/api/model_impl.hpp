// What the public Model is a handle on: the file, and what was made of it once for all sessions.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "api/backends.hpp"
#include "api/label_spans.hpp"
#include "espalier/model.hpp"
#include "format/reader.hpp"
#include "runtime/backend.hpp"

namespace espalier {

class [[gnu::visibility("hidden")]] Model::Impl {
 public:
  /// A model packed for one back end.
  struct Prepared {
    api::ChosenBackend chosen;
    std::unique_ptr<const runtime::PreparedModel> model;
  };

  explicit Impl(format::ModelFile file);

  [[nodiscard]] const format::ModelSpec& spec() const noexcept {
    return file_.spec();
  }
  [[nodiscard]] const ModelInfo& info() const noexcept {
    return info_;
  }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept {
    return tokenizer_;
  }
  [[nodiscard]] const api::LabelScheme& label_scheme() const noexcept {
    return label_scheme_;
  }

  /// The model for the back end that `name` asks for, packed by the first call that wants it; later
  /// calls give the same. Lives as long as this. Thread-safe. Tells `log` and throws as
  /// api::choose_backend() does, and throws as Backend::prepare() does.
  [[nodiscard]] const Prepared& prepared(std::string_view name, const LogFunction& log = nullptr)
      const;

 private:
  format::ModelFile file_;
  ModelInfo info_;
  Tokenizer tokenizer_;
  api::LabelScheme label_scheme_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<const Prepared>> prepared_;  // guarded by mutex_
};

}  // namespace espalier
