#include "output.hpp"

#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "espalier/error.hpp"
#include "interrupt.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 16;

std::string pending;  // standard output not yet handed over
bool silenced = false;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_terminal() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

}  // namespace

void write_out(std::string_view data) {
  pending += data;
  if (pending.size() >= kFlushBytes) flush_out();
}

void flush_out() {
  std::string_view rest = pending;
  int failure = 0;
  while (!rest.empty() && failure == 0) {
    const ssize_t n_written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n_written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n_written));
    } else if (errno == EINTR) {
      throw_if_interrupted();
    } else {
      failure = errno;
    }
  }
  pending.clear();
  if (failure == EPIPE) throw ReaderGone();
  if (failure != 0) {
    throw Error(ErrorCode::output,
                std::string("standard output could not be written: ") + std::strerror(failure));
  }
}

void note(const std::string& line) {
  if (!silenced) std::fprintf(stderr, "%s\n", line.c_str());
}

void silence_notes() {
  silenced = true;
}
bool notes_are_silenced() {
  return silenced;
}

bool notes_go_to_a_terminal() {
  return !silenced && is_terminal();
}

Progress::Progress(std::string_view unit, std::size_t total)
    : unit_(unit), total_(total), start_s_(now_s()), wanted_(notes_go_to_a_terminal()) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void Progress::show(std::size_t done) {
  if (!wanted_) return;
  const double time_s = now_s();
  if (time_s - start_s_ < 1 || time_s - last_s_ < 0.1) return;
  last_s_ = time_s;
  shown_ = true;
  const double rate = static_cast<double>(done) / (time_s - start_s_);
  if (total_ == 0) {
    std::fprintf(stderr, "\r\033[K%zu %s, %.0f/s", done, unit_.c_str(), rate);
    return;
  }
  const std::size_t filled = done >= total_ ? 20 : done * 20 / total_;
  const double left_s = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  std::fprintf(stderr, "\r\033[K[%s%s] %zu/%zu %s, %.0f/s, %.0f s left",
               std::string(filled, '#').c_str(), std::string(20 - filled, '.').c_str(), done,
               total_, unit_.c_str(), rate, left_s);
}

}  // namespace espalier::tools
