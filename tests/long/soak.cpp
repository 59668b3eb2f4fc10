// What only many calls show: answers that change, memory that grows. Ends with 0 where neither
// happened.
//   soak answers --seconds S | --rounds N   8 threads, mixed lengths, tasks and precisions
//   soak shapes --calls N                   run() over 512 shapes of batches
//   soak reload --times N                   a model opened, asked and freed again
// With --memory, resident memory is judged too; sanitizers keep what is freed, so not under them.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/api/tiny_models.hpp"
#include "tests/long/memory_growth.hpp"

namespace espalier::testing {
namespace {

// ---- Answers as their bits ----

template <typename T>
void append_bits(std::string& bits, const T& value) {
  static_assert(std::is_arithmetic_v<T>);
  bits.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void append_bits(std::string& bits, const std::vector<T>& values) {
  for (const T& value : values) append_bits(bits, value);
}

void append_bits(std::string& bits, const Classification& answer) {
  append_bits(bits, answer.logits);
  append_bits(bits, answer.scores);
  append_bits(bits, answer.label);
  append_bits(bits, answer.n_tokens);
}

void append_bits(std::string& bits, const Tagging& answer) {
  append_bits(bits, answer.word_labels);
  append_bits(bits, answer.n_tokens);
  for (const TaggedSpan& span : answer.spans) {
    bits += span.label;
    append_bits(bits, span.bytes.begin);
    append_bits(bits, span.bytes.end);
    append_bits(bits, span.score);
  }
}

void append_bits(std::string& bits, const Embedding& answer) {
  append_bits(bits, answer.values);
  append_bits(bits, answer.n_tokens);
}

/// asker: a Session or a SessionPool of a model with that task.
template <typename Asker>
std::string ask(Asker& asker, Task task, const std::vector<std::string>& texts) {
  std::string bits;
  if (task == Task::tag) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    for (const Tagging& answer : asker.tag(views)) append_bits(bits, answer);
  } else if (task == Task::embed) {
    for (const Embedding& answer : asker.embed(as_texts(texts))) append_bits(bits, answer);
  } else {
    for (const Classification& answer : asker.classify(as_texts(texts))) append_bits(bits, answer);
  }
  return bits;
}

// ---- Questions ----

/// Texts of 0 to 90 words, one to eight together; the tiny models take 32 or 64 tokens.
std::vector<std::vector<std::string>> make_questions(std::size_t n_questions) {
  static constexpr const char* kWords[] = {"the",  "tree",   "grows", "flat",    "bad",   "film",
                                           "john", "berlin", "今天",  "unknown", "river", "42"};
  std::mt19937 dice(20);
  const auto below = [&dice](std::size_t n) { return dice() % n; };
  std::vector<std::vector<std::string>> questions(n_questions);
  for (auto& texts : questions) {
    texts.resize(1 + below(8));
    for (std::string& text : texts) {
      // Mostly short, as texts are.
      const std::size_t n_words = below(4) == 0 ? below(91) : below(16);
      for (std::size_t word = 0; word < n_words; ++word) {
        text.append(kWords[below(std::size(kWords))]).append(" ");
      }
    }
  }
  return questions;
}

/// A model and what it answered to every question, one session with one thread asking.
struct Subject {
  std::string name;
  Model model;
  std::vector<std::string> expected;  // (questions)
  bool any_threads = false;           // int8: the same bits for any number of threads
};

Subject make_subject(const TinyCheckpoint& tiny, Precision precision,
                     const std::vector<std::vector<std::string>>& questions) {
  Subject subject{"", open_tiny(tiny, precision), {}, precision == Precision::int8};
  const Task task = subject.model.info().task;
  subject.name = std::string(name_of(task)) + " " + std::string(name_of(precision));
  Session session(subject.model, {.n_threads = 1});
  for (const auto& texts : questions) subject.expected.push_back(ask(session, task, texts));
  return subject;
}

// ---- 8 threads ----

class Soak {
 public:
  Soak() {
    for (const TinyCheckpoint& tiny : {TinyCheckpoint{}, tiny_tagger(), tiny_embedder()}) {
      subjects_.push_back(make_subject(tiny, Precision::int8, questions_));
    }
    subjects_.push_back(make_subject({}, Precision::fp32, questions_));
    subjects_.push_back(make_subject(tiny_embedder(), Precision::bf16, questions_));
    for (const Subject& subject : subjects_) {
      pools_.push_back(std::make_unique<SessionPool>(
          subject.model, SessionPoolOptions{.session = {.n_threads = 1}, .n_workers = 2}));
    }
  }

  /// Until `n_rounds` questions of every thread, or until `seconds` have passed.
  [[nodiscard]] bool run(std::optional<std::uint64_t> n_rounds, double seconds, bool judge_memory) {
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([this, thread, n_rounds] { ask_on(thread, n_rounds); });
    }
    MemoryGrowth growth("second");
    if (!n_rounds) watch(seconds, growth);
    for (std::thread& thread : threads) thread.join();
    std::cout << "soak: " << n_answers_ << " answers of " << kThreads << " threads, "
              << n_different_ << " unlike the single-threaded ones\n";
    if (!first_difference_.empty()) std::cout << "first: " << first_difference_ << '\n';
    const bool flat = !judge_memory || growth.judge();
    return flat && n_different_ == 0 && n_answers_ > 0;
  }

 private:
  static constexpr unsigned kThreads = 8;

  void watch(double seconds, MemoryGrowth& growth) {
    const auto begin = std::chrono::steady_clock::now();
    for (double passed = 0; passed < seconds;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      growth.sample(passed);
    }
    stop_ = true;
  }

  void ask_on(unsigned thread, std::optional<std::uint64_t> n_rounds) try {
    std::vector<Session> sessions;
    for (const Subject& subject : subjects_) {
      sessions.emplace_back(subject.model,
                            SessionOptions{.n_threads = subject.any_threads ? 1 + thread % 3 : 1});
    }
    std::mt19937 dice(thread);
    for (std::uint64_t round = 0; !stop_ && round != n_rounds; ++round) {
      const std::size_t at = dice() % subjects_.size();
      const std::size_t question = dice() % questions_.size();
      const Subject& subject = subjects_[at];
      const Task task = subject.model.info().task;
      const std::string answer = dice() % 3 == 0 ? ask(*pools_[at], task, questions_[question])
                                                 : ask(sessions[at], task, questions_[question]);
      ++n_answers_;
      if (answer != subject.expected[question]) {
        report(subject.name + ", question " + std::to_string(question));
      }
    }
  } catch (const std::exception& error) {
    report(error.what());
  }

  void report(const std::string& difference) {
    const std::lock_guard lock(mutex_);
    if (n_different_++ == 0) first_difference_ = difference;
  }

  std::vector<std::vector<std::string>> questions_ = make_questions(64);
  std::vector<Subject> subjects_;
  std::vector<std::unique_ptr<SessionPool>> pools_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> n_answers_{0};
  std::mutex mutex_;  // for those below
  std::uint64_t n_different_ = 0;
  std::string first_difference_;
};

// ---- 512 shapes ----

/// n_sentences of length tokens each.
TokenBatch batch_of(std::uint32_t n_sentences, std::uint32_t length) {
  TokenBatch batch;
  batch.offsets = {0};
  for (std::uint32_t sentence = 0; sentence < n_sentences; ++sentence) {
    for (std::uint32_t token = 0; token < length; ++token) {
      batch.ids.push_back(TokenId{static_cast<std::int32_t>(2 + (7 * sentence + token) % 90)});
    }
    batch.offsets.push_back(static_cast<std::uint32_t>(batch.ids.size()));
  }
  batch.segments.assign(batch.ids.size(), 0);
  return batch;
}

/// The shapes in turn, in an order that a cache of the last few cannot foresee; int8 and fp32,
/// because only the latter goes through a library that keeps a plan a shape.
bool run_shapes(std::uint64_t n_calls, bool judge_memory) {
  constexpr std::uint32_t kMostSentences = 16;
  constexpr std::uint32_t kMostTokens = 32;
  std::vector<TokenBatch> batches;
  for (std::uint32_t n_sentences = 1; n_sentences <= kMostSentences; ++n_sentences) {
    for (std::uint32_t length = 1; length <= kMostTokens; ++length) {
      batches.push_back(batch_of(n_sentences, length));
    }
  }
  std::vector<Session> sessions;
  for (const Precision precision : {Precision::int8, Precision::fp32}) {
    sessions.emplace_back(open_tiny({}, precision), SessionOptions{.n_threads = 1});
  }
  std::vector<std::string> expected(sessions.size() * batches.size());
  std::vector<float> answers;
  MemoryGrowth growth("call");
  std::mt19937 dice(512);
  std::uint64_t n_different = 0;
  for (std::uint64_t call = 0; call < n_calls; ++call) {
    // Each shape of each model once, then at random.
    const std::size_t at = call < expected.size() ? call : dice() % expected.size();
    Session& session = sessions[at / batches.size()];
    const TokenBatch& batch = batches[at % batches.size()];
    answers.assign(session.output_size(batch), -1);
    session.run(batch, answers);
    std::string bits;
    append_bits(bits, answers);
    if (call < expected.size()) expected[at] = bits;
    n_different += bits == expected[at] ? 0 : 1;
    if (call % std::max<std::uint64_t>(1, n_calls / 400) == 0) {
      growth.sample(static_cast<double>(call));
    }
  }
  std::cout << "shapes: " << n_calls << " calls over " << batches.size() << " shapes, "
            << n_different << " unlike the first of their shape\n";
  const bool flat = !judge_memory || growth.judge();
  return flat && n_different == 0 && n_calls > expected.size();
}

// ---- Opened and freed ----

bool run_reload(std::uint64_t n_times, bool judge_memory) {
  const std::vector<std::string> texts = some_texts();
  std::vector<std::vector<std::byte>> files;
  for (const TinyCheckpoint& tiny : {TinyCheckpoint{}, tiny_tagger(), tiny_embedder()}) {
    for (const Precision precision : {Precision::int8, Precision::fp32}) {
      files.push_back(format::to_bytes(export_tiny(tiny, precision).spec()));
    }
  }
  std::vector<std::string> expected(files.size());
  MemoryGrowth growth("load");
  std::uint64_t n_different = 0;
  for (std::uint64_t time = 0; time < n_times; ++time) {
    const std::size_t at = time % files.size();
    const Model model = Model::open(std::span<const std::byte>(files[at]));
    // A team too: threads that are not joined are memory as well. One thread always for the same
    // file: only int8 promises the same bits for any number.
    Session session(model, {.n_threads = 1 + static_cast<unsigned>(at % 3)});
    const std::string answer = ask(session, model.info().task, texts);
    if (time < files.size()) expected[at] = answer;
    n_different += answer == expected[at] ? 0 : 1;
    if (time % std::max<std::uint64_t>(1, n_times / 400) == 0) {
      growth.sample(static_cast<double>(time));
    }
  }
  std::cout << "reload: " << n_times << " times opened, asked and freed, " << n_different
            << " answers unlike the first\n";
  const bool flat = !judge_memory || growth.judge();
  return flat && n_different == 0 && n_times > files.size();
}

int usage() {
  std::cerr << "usage: soak answers --seconds S | answers --rounds N | shapes --calls N | "
               "reload --times N, each with or without --memory\n";
  return 2;
}

int main(std::vector<std::string> arguments) {
  const auto memory = std::find(arguments.begin(), arguments.end(), "--memory");
  const bool judge_memory = memory != arguments.end();
  if (judge_memory) arguments.erase(memory);
  if (arguments.size() != 3) return usage();
  const std::string what = arguments[0] + " " + arguments[1];
  const std::uint64_t count = std::stoull(arguments[2]);
  bool kept = false;
  if (what == "answers --seconds") {
    kept = Soak().run(std::nullopt, static_cast<double>(count), judge_memory);
  } else if (what == "answers --rounds") {
    kept = Soak().run(count, 0, false);
  } else if (what == "shapes --calls") {
    kept = run_shapes(count, judge_memory);
  } else if (what == "reload --times") {
    kept = run_reload(count, judge_memory);
  } else {
    return usage();
  }
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace espalier::testing

int main(int argc, char** argv) {
  return espalier::testing::main({argv + 1, argv + argc});
}
