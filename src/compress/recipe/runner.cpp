#include "compress/recipe/runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

constexpr long kPauseNanoseconds = 20'000'000;

class Descriptor {
 public:
  Descriptor(const char* path, int flags) : number_(::open(path, flags | O_CLOEXEC, 0666)) {
    if (number_ < 0) {
      throw Error(ErrorCode::output,
                  "'" + std::string(path) + "' cannot be written: " + std::strerror(errno));
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(number_); }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// What a child says, handed on as it comes. Without a pipe the child speaks for itself.
class MessagePipe {
 public:
  explicit MessagePipe(bool is_wanted) {
    if (!is_wanted) return;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw Error(ErrorCode::resource, std::string("no pipe can be made: ") + std::strerror(errno));
    }
    read_end_ = ends[0];
    write_end_ = ends[1];
    ::fcntl(read_end_, F_SETFL, O_NONBLOCK);
  }
  MessagePipe(const MessagePipe&) = delete;
  MessagePipe& operator=(const MessagePipe&) = delete;
  ~MessagePipe() {
    close_write_end();
    if (read_end_ >= 0) ::close(read_end_);
  }

  /// Where the child writes.
  [[nodiscard]] int write_end() const { return write_end_ >= 0 ? write_end_ : STDERR_FILENO; }

  void close_write_end() {
    if (write_end_ >= 0) ::close(write_end_);
    write_end_ = -1;
  }

  void hand_on() {
    if (read_end_ < 0) return;
    char bytes[4096];
    for (ssize_t n_read = 0; (n_read = ::read(read_end_, bytes, sizeof bytes)) > 0;) {
      // Nobody who could be told is left where this fails.
      (void)!::write(STDERR_FILENO, bytes, static_cast<std::size_t>(n_read));
      for (const char byte : std::string_view(bytes, static_cast<std::size_t>(n_read))) take(byte);
    }
  }

  /// The last line that said anything; empty without a pipe.
  [[nodiscard]] const std::string& last_line() const { return line_.empty() ? last_ : line_; }

 private:
  static constexpr std::size_t kMaxLineBytes = 2000;  // of an error; more is not kept

  void take(char byte) {
    if (byte == '\n' || byte == '\r') {
      if (!line_.empty()) last_ = std::move(line_);
      line_.clear();
    } else if (line_.size() < kMaxLineBytes) {
      line_ += byte;
    }
  }

  int read_end_ = -1;
  int write_end_ = -1;
  std::string line_;
  std::string last_;
};

// Between fork and exec only what is safe after a fork of a program with threads.
[[noreturn]] void become(char* const* words, int in, int out, int messages) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // it saves, should this program be killed
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(messages, STDERR_FILENO);
  ::execv(words[0], words);
  ::_exit(static_cast<int>(ErrorCode::unavailable));
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Ended {
  int status = 0;
  int told = 0;  // the signal that was passed on
  double cpu_seconds = 0;
};

Ended wait_for(pid_t child, const std::function<int()>& pending_signal, MessagePipe& messages) {
  Ended ended;
  for (;;) {
    rusage used{};
    const pid_t who = ::wait4(child, &ended.status, WNOHANG, &used);
    messages.hand_on();
    if (who == child) {
      ended.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
      return ended;
    }
    if (who < 0 && errno != EINTR) {
      throw Error(ErrorCode::failed, std::string("a stage was lost: ") + std::strerror(errno));
    }
    const int signal = pending_signal();
    if (signal != 0 && ended.told == 0) {
      ended.told = signal;
      ::kill(child, signal);
    }
    const timespec pause{.tv_sec = 0, .tv_nsec = kPauseNanoseconds};
    ::nanosleep(&pause, nullptr);
  }
}

[[noreturn]] void fail(const StageJob& job, const Ended& ended, const std::string& said) {
  if (ended.told != 0) {
    const bool by_user = ended.told == SIGINT;
    throw Error(by_user ? ErrorCode::interrupted : ErrorCode::terminated,
                std::string(by_user ? "interrupted" : "terminated") + " in stage " + job.title +
                    "; the same command goes on from there");
  }
  if (WIFSIGNALED(ended.status)) {
    throw Error(ErrorCode::failed, "stage " + job.title + " was ended by signal " +
                                       std::to_string(WTERMSIG(ended.status)) +
                                       "; the same command goes on from there");
  }
  const int code = WEXITSTATUS(ended.status);
  const bool is_known = (code >= 1 && code <= static_cast<int>(ErrorCode::deadline)) ||
                        code == static_cast<int>(ErrorCode::interrupted) ||
                        code == static_cast<int>(ErrorCode::terminated);
  throw Error(is_known ? static_cast<ErrorCode>(code) : ErrorCode::failed,
              "stage " + job.title + " ended with exit code " + std::to_string(code) +
                  (said.empty() ? ", see its message above" : ": " + said));
}

}  // namespace

StageCost ChildRunner::run(const StageJob& job) {
  std::vector<std::string> words = {program_.string()};
  words.insert(words.end(), job.words.begin(), job.words.end());
  const bool was_saved = std::filesystem::exists(job.output / "training" / "state.safetensors");
  for (const char* word : {was_saved ? "--resume" : "--force", "--format", "json"}) {
    words.emplace_back(word);
  }
  if (quiet_) words.emplace_back("--quiet");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const Descriptor in("/dev/null", O_RDONLY);
  const Descriptor out(job.report.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
  MessagePipe messages(messages_ == Messages::kept);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) {
    throw Error(ErrorCode::resource,
                std::string("no process can be started: ") + std::strerror(errno));
  }
  if (child == 0) become(pointers.data(), in.number(), out.number(), messages.write_end());
  messages.close_write_end();
  const Ended ended = wait_for(child, pending_signal_, messages);
  if (!WIFEXITED(ended.status) || WEXITSTATUS(ended.status) != 0)
    fail(job, ended, messages.last_line());
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return {.seconds = time.count(), .cpu_seconds = ended.cpu_seconds};
}

}  // namespace espalier::recipe
