// Asks a model: texts in, answers out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/error.hpp"
#include "espalier/export.hpp"
#include "espalier/model.hpp"
#include "espalier/types.hpp"

namespace espalier {

enum class LogLevel : std::uint8_t {
  info = 1,     ///< what was decided, and why
  warning = 2,  ///< something is slower, or other, than the caller may think
};

/// Takes what the library has to say: one line without its end, valid during the call. It never
/// holds a text, a token, an answer or the path of a file.
using LogFunction = std::function<void(LogLevel level, std::string_view message)>;

struct SessionOptions {
  /// Threads that compute; 0 means one for each processor this process may use. Answers do not
  /// depend on it: an int8 model gives the same bits for any number.
  unsigned n_threads = 0;

  /// "auto", "cpu" or "reference". auto takes the fastest that runs here; the environment variable
  /// ESPALIER_BACKEND replaces auto.
  std::string backend = "auto";

  /// Longest sentence in tokens; 0 means the model's own. Longer texts are cut and marked.
  std::uint32_t max_length = 0;

  /// Hears, when the session is made, which back end and kernels compute and why, and what was
  /// passed over; then, once, that a call cut texts. Nothing by default. Called on the thread that
  /// makes the session or calls it, before that returns, never on one of the library's; by sessions
  /// that share it at the same time. It must not throw, nor call this session.
  LogFunction log = nullptr;
};

/// Answer of a classify, multi_label or regress model for one input.
struct Classification {
  std::vector<float> logits;  // (labels)
  std::vector<float>
      scores;             // (labels): softmax, a sigmoid each (multi_label), the value (regress)
  std::size_t label = 0;  // index of the highest score; 0 for regress
  float score = 0;        // scores[label]
  std::uint32_t n_tokens = 0;
  bool truncated = false;
};

/// A labelled part of a text.
struct TaggedSpan {
  std::string label;  // without its B- or I-
  ByteSpan bytes;     // in the text
  ByteSpan words;     // the same in words: [begin, end)
  float score = 0;    // mean of the probabilities of its words' labels
};

/// Answer of a tag model for one text.
struct Tagging {
  std::vector<TaggedSpan> spans;
  std::vector<std::uint32_t> word_labels;  // (words), index into ModelInfo::labels
  std::vector<ByteSpan> word_bytes;        // (words), in the text; empty when words were given
  std::uint32_t n_tokens = 0;
  bool truncated = false;  // never: longer texts are read in windows
};

/// Answer of an embed model for one input.
struct Embedding {
  std::vector<float> values;  // (hidden), L2-normalised when the model says so
  std::uint32_t n_tokens = 0;
  bool truncated = false;
};

/// One proposal for a masked token.
struct MaskCandidate {
  TokenId id{};
  std::string piece;
  float score = 0;  // probability
};

/// Answer of a fill_mask model for one text: for each [MASK] its best candidates, best first.
struct FilledMasks {
  std::vector<std::vector<MaskCandidate>> masks;
  std::uint32_t n_tokens = 0;
  bool truncated = false;
};

/// Computes answers. Holds the threads and memory of one stream of calls: use it from one thread at
/// a time and make one for each thread, or use SessionPool. Sessions of one model share its
/// weights. An answer never depends on what else is in the batch. A call that comes to one of its
/// CallLimits throws Error(cancelled) or Error(deadline), and the session can be asked again.
class ESPALIER_EXPORT Session {
 public:
  /// Throws Error(usage) for an unknown back end or a max_length that the model does not take,
  /// Error(unavailable) when the back end cannot run here.
  explicit Session(const Model& model, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Answers of a classify, multi_label or regress model; Error(usage) for other tasks.
  [[nodiscard]] std::vector<Classification> classify(std::span<const Text> texts,
                                                     const CallLimits& call = {});
  [[nodiscard]] std::vector<Classification> classify(std::initializer_list<std::string_view> texts,
                                                     const CallLimits& call = {});

  /// Answers of a tag model. Texts are cut into words at blanks, CJK characters and outer
  /// punctuation.
  [[nodiscard]] std::vector<Tagging> tag(std::span<const std::string_view> texts,
                                         const CallLimits& call = {});

  /// The same for sentences whose words are already known; a word gets its first piece's label.
  [[nodiscard]] std::vector<Tagging> tag_words(
      std::span<const std::vector<std::string_view>> sentences, const CallLimits& call = {});

  [[nodiscard]] std::vector<Embedding> embed(std::span<const Text> texts,
                                             const CallLimits& call = {});
  [[nodiscard]] std::vector<Embedding> embed(std::initializer_list<std::string_view> texts,
                                             const CallLimits& call = {});

  [[nodiscard]] std::vector<FilledMasks> fill_mask(std::span<const std::string_view> texts,
                                                   std::size_t n_candidates = 5,
                                                   const CallLimits& call = {});

  /// Runs token ids without a tokenizer. dst: output_size(batch) floats, sentence after sentence:
  /// logits (labels) for classifiers, (tokens, labels) for tag, (hidden) for embed,
  /// (masks, vocabulary) for fill_mask. Allocates nothing once a batch of this size has run, on our
  /// own kernels. Leaves the caller's floating-point mode as it was and does not depend on it.
  /// Throws Error(bad_input) when an id, segment or length is out of range, Error(usage) when dst
  /// has another size.
  void run(const TokenBatch& batch, std::span<float> dst, const CallLimits& call = {});
  [[nodiscard]] std::size_t output_size(const TokenBatch& batch) const;

  /// Name and code path of the back end that computes, for reports: "cpu", "avx2 widening".
  [[nodiscard]] std::string_view backend() const noexcept;
  [[nodiscard]] std::string_view backend_path() const noexcept;
  [[nodiscard]] unsigned n_threads() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct SessionPoolOptions {
  SessionOptions session = {.n_threads = 1};
  /// Workers, each with one session; 0 means one for each processor this process may use.
  unsigned n_workers = 0;
};

/// Answers calls from any thread with a fixed number of sessions. A call waits while all are busy:
/// memory and threads stay bounded whatever the load. A waiting call heeds its CallLimits too: it
/// gives up at its deadline, and within 10 ms of being cancelled.
class ESPALIER_EXPORT SessionPool {
 public:
  explicit SessionPool(const Model& model, const SessionPoolOptions& options = {});
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;
  ~SessionPool();

  [[nodiscard]] std::vector<Classification> classify(std::span<const Text> texts,
                                                     const CallLimits& call = {});
  [[nodiscard]] std::vector<Tagging> tag(std::span<const std::string_view> texts,
                                         const CallLimits& call = {});
  [[nodiscard]] std::vector<Embedding> embed(std::span<const Text> texts,
                                             const CallLimits& call = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier
