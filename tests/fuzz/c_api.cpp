// The C interface called in any order with any arguments that its header allows, by a program of
// one-byte instructions. Every call returns a status that the header names, and fills the error
// with it.
#include "espalier/espalier.h"

#include <cmath>
#include <cstring>

#include "tests/api/tiny_models.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {
namespace {

std::vector<std::byte> tiny_file(const testing::TinyCheckpoint& tiny) {
  return format::to_bytes(testing::export_tiny(tiny).spec());
}

testing::TinyCheckpoint tiny_mask_filler() {
  testing::TinyCheckpoint tiny;
  tiny.architecture = testing::TinyArchitecture::masked_lm;
  return tiny;
}

// The bytes of the input, one after the other; zeros when they are used up.
class Instructions {
 public:
  Instructions(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return at_ >= size_; }
  [[nodiscard]] std::uint8_t next() { return at_ < size_ ? data_[at_++] : std::uint8_t{0}; }
  [[nodiscard]] std::string text() {
    std::string text;
    for (std::size_t left = next() % 24; left > 0; --left)
      text.push_back(static_cast<char>(next()));
    return text;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

// Two slots for each kind of handle, which may be empty.
class Program {
 public:
  Program(const std::uint8_t* data, std::size_t size) : in_(data, size) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    for (auto* session : sessions_) espalier_session_free(session);
    for (auto* result : results_) espalier_result_free(result);
    for (auto* model : models_) espalier_model_free(model);
  }

  void run() {
    for (int n_calls = 0; !in_.empty() && n_calls < 64; ++n_calls) step();
  }

 private:
  void check(espalier_status status) {
    require(status >= ESPALIER_OK && status <= ESPALIER_DEADLINE && status != 4 && status != 5,
            "a status is one that the header names");
    if (!with_error_) return;
    require(error_.code == status, "the error says what was returned");
    require((status == ESPALIER_OK) == (error_.message[0] == '\0'),
            "there is a line where it failed");
    require(std::memchr(error_.message, 0, sizeof error_.message) != nullptr, "the line ends");
  }
  espalier_error* error() {
    with_error_ = in_.next() % 4 != 0;
    return with_error_ ? &error_ : nullptr;
  }
  template <typename T>
  T*& slot(T* (&slots)[2]) {
    return slots[in_.next() % 2];
  }
  // Sizes that a caller may state: none, too small, right, or of a newer header.
  std::size_t struct_size(std::size_t right) {
    switch (in_.next() % 8) {
      case 0:
        return 0;
      case 1:
        return right / 2;
      default:
        return right;
    }
  }

  void read_texts() {
    strings_.clear();
    texts_.clear();
    for (std::size_t left = 2 * (in_.next() % 4); left > 0; --left) strings_.push_back(in_.text());
    for (std::size_t text = 0; text + 1 < strings_.size(); text += 2) {
      const bool pair = in_.next() % 2 == 0;
      const std::string& second = strings_[text + 1];
      texts_.push_back({strings_[text].c_str(),
                        in_.next() % 4 == 0 ? ESPALIER_UNTIL_NUL : strings_[text].size(),
                        pair ? second.c_str() : nullptr, pair ? second.size() : 0});
    }
  }
  espalier_call_options call_options() {
    static const std::int32_t cancelled = 1;
    espalier_call_options options = {};
    options.struct_size = struct_size(sizeof options);
    if (in_.next() % 8 == 0) options.cancel = &cancelled;
    if (in_.next() % 8 == 0) options.deadline_ms = 1;
    options.replace_invalid_utf8 = in_.next() % 2;
    options.reserved = in_.next() % 16 == 0 ? 1 : 0;
    return options;
  }

  void step() {
    switch (in_.next() % 12) {
      case 0: {  // a good model, or a spoilt one
        static const std::vector<std::byte> files[] = {
            tiny_file({}), tiny_file(testing::tiny_tagger()), tiny_file(tiny_mask_filler()),
            tiny_file(testing::tiny_embedder())};
        std::vector<std::byte> file = files[in_.next() % std::size(files)];
        if (in_.next() % 4 == 0)
          file[(in_.next() * 256U + in_.next()) % file.size()] ^= std::byte{1};
        espalier_model*& model = slot(models_);
        espalier_model_free(model);
        check(espalier_model_open_memory(file.data(), file.size(), &model, error()));
        break;
      }
      case 1: {
        espalier_model*& model = slot(models_);
        espalier_model_free(model);
        model = nullptr;
        break;
      }
      case 2: {
        espalier_session_options options = {};
        options.struct_size = struct_size(sizeof options);
        // Seldom another than the plain one: it is the interface that is tried here.
        const char* const rare[] = {"gpu", nullptr, "auto"};
        const std::size_t device = in_.next() % 64;
        options.device = device < 61 ? "reference" : rare[device - 61];
        options.n_threads = 1;
        options.max_length = in_.next() % 40;
        options.log = [](void*, espalier_log_level, const char* message) {
          if (*message == '\0') std::abort();
        };
        const espalier_model* model = slot(models_);
        espalier_session*& session = slot(sessions_);
        espalier_session_free(session);
        check(espalier_session_open(model, &options, &session, error()));
        break;
      }
      case 3: {
        espalier_session*& session = slot(sessions_);
        espalier_session_free(session);
        session = nullptr;
        break;
      }
      case 4:
      case 5: {
        read_texts();
        const espalier_call_options options = call_options();
        float values[256] = {};
        std::uint8_t truncated[8] = {};
        const std::size_t room = in_.next();
        espalier_session* session = slot(sessions_);
        const bool embeds = in_.next() % 2 == 0;
        const espalier_status status = (embeds ? espalier_embed : espalier_classify)(
            session, texts_.data(), texts_.size(), &options, values, room, truncated, error());
        check(status);
        for (const float value : values) require(std::isfinite(value), "answers are numbers");
        break;
      }
      case 6:
      case 7: {
        read_texts();
        const espalier_call_options options = call_options();
        espalier_session* session = slot(sessions_);
        espalier_result*& result = slot(results_);
        espalier_result_free(result);
        if (in_.next() % 2 == 0) {
          check(espalier_tag(session, texts_.data(), texts_.size(), &options, &result, error()));
        } else {
          check(espalier_fill_mask(session, texts_.data(), texts_.size(), in_.next() % 4, &options,
                                   nullptr, &result, error()));
        }
        break;
      }
      case 8: {
        read_texts();
        espalier_tokenize_options options = {};
        options.struct_size = struct_size(sizeof options);
        options.max_length = in_.next() % 40;
        options.replace_invalid_utf8 = in_.next() % 2;
        const espalier_model* model = slot(models_);
        espalier_result*& result = slot(results_);
        espalier_result_free(result);
        check(espalier_tokenize(model, texts_.data(), texts_.size(), &options, nullptr, &result,
                                error()));
        break;
      }
      case 9:
        read_result();
        break;
      case 10: {
        espalier_model_info info = {};
        info.struct_size = struct_size(sizeof info);
        check(espalier_model_get_info(slot(models_), &info, error()));
        espalier_session_info session_info = {};
        session_info.struct_size = struct_size(sizeof session_info);
        check(espalier_session_get_info(slot(sessions_), &session_info, error()));
        break;
      }
      case 11: {
        espalier_memory memory = {};
        memory.struct_size = struct_size(sizeof memory);
        check(espalier_estimate_memory(slot(models_), nullptr, in_.next(), in_.next(), &memory,
                                       error()));
        espalier_self_test_report report = {};
        report.struct_size = struct_size(sizeof report);
        check(espalier_model_self_test(slot(models_), "reference", &report, error()));
        break;
      }
    }
  }

  void read_result() {
    const espalier_result* result = slot(results_);
    const std::size_t text = in_.next() % 5;
    std::size_t n = 0;
    switch (in_.next() % 3) {
      case 0: {
        const espalier_span* spans = nullptr;
        check(espalier_result_spans(result, text, &spans, &n, error()));
        for (std::size_t i = 0; i < n; ++i) {
          require(spans[i].begin <= spans[i].end && std::strlen(spans[i].label) > 0,
                  "spans are parts");
        }
        break;
      }
      case 1: {
        const espalier_token* tokens = nullptr;
        check(espalier_result_tokens(result, text, &tokens, &n, error()));
        for (std::size_t i = 0; i < n; ++i) {
          require(tokens[i].begin <= tokens[i].end && tokens[i].id >= 0, "tokens are pieces");
        }
        break;
      }
      default: {
        const espalier_candidate* candidates = nullptr;
        check(espalier_result_candidates(result, text, &candidates, &n, error()));
        for (std::size_t i = 0; i < n; ++i) {
          require(candidates[i].score >= 0 && candidates[i].score <= 1, "scores are probabilities");
        }
      }
    }
  }

  Instructions in_;
  espalier_model* models_[2] = {};
  espalier_session* sessions_[2] = {};
  espalier_result* results_[2] = {};
  espalier_error error_ = {};
  bool with_error_ = false;
  std::vector<std::string> strings_;
  std::vector<espalier_text> texts_;
};

}  // namespace

std::vector<std::string> seeds() {
  // Opens a model and a session, asks, reads the answer, frees: once for each kind of call.
  const auto bytes = [](std::initializer_list<int> codes) {
    std::string text;
    for (const int code : codes) text.push_back(static_cast<char>(code));
    return text;
  };
  return {
      bytes({0,   0, 1,   0,   1,   2, 2, 1, 0, 0, 0, 1, 4, 1,   3, 't', 'h',
             'e', 3, 'c', 'a', 't', 1, 1, 2, 1, 1, 1, 0, 1, 200, 0, 1,   1}),
      bytes({0, 1, 1, 0, 1, 2, 2, 1, 0, 0, 0, 1, 6, 1, 3, 't', 'h', 'e',
             0, 1, 1, 2, 1, 1, 1, 0, 1, 0, 0, 0, 1, 9, 0, 0,   0,   1}),
      bytes({0,   2, 1, 0, 1, 2, 2, 1, 0, 0, 0, 1, 7, 1, 6, '[', 'M', 'A', 'S', 'K',
             ']', 0, 1, 1, 2, 1, 1, 1, 0, 1, 0, 0, 1, 2, 1, 9,   0,   0,   2,   1}),
      bytes({0, 0, 1, 0, 1,  8, 1, 3, 'c', 'a', 't', 0,  1, 1, 2, 20, 1, 0, 0, 1, 9,
             0, 0, 1, 1, 10, 2, 0, 1, 2,   0,   1,   11, 2, 0, 2, 9,  1, 2, 0, 1}),
  };
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::fuzz::Program(data, size).run();
  return 0;
}
