#include "input_lines.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "json_text.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 16;

}  // namespace

InputLines::InputLines(const std::string& path)
    : name_(path == "-" ? "standard input" : "'" + one_line(path, 200) + "'"),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw Error(ErrorCode::bad_input, name_ + " cannot be read: " + std::strerror(errno) +
                                          "; give --input a file with one text a line, or -");
  }
}

InputLines::~InputLines() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

bool InputLines::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t kept = buffer_.size();
  if (kept > kMaxLineBytes) {
    throw Error(ErrorCode::resource,
                name_ + " has a line of over 64 MiB; is it a text file with one text a line?");
  }
  buffer_.resize(kept + kReadBytes);
  ssize_t n_read = 0;
  do {
    throw_if_interrupted();
    n_read = ::read(descriptor_, buffer_.data() + kept, kReadBytes);
  } while (n_read < 0 && errno == EINTR);
  buffer_.resize(kept + static_cast<std::size_t>(n_read < 0 ? 0 : n_read));
  if (n_read < 0) {
    throw Error(ErrorCode::bad_input, name_ + " cannot be read: " + std::strerror(errno));
  }
  return n_read > 0;
}

bool InputLines::has_line_at_hand() const {
  return at_end_ || buffer_.find('\n', begin_) != std::string::npos;
}

bool InputLines::next(std::string& line) {
  std::size_t searched = 0;
  std::size_t end = std::string::npos;
  while ((end = buffer_.find('\n', begin_ + searched)) == std::string::npos && !at_end_) {
    searched = buffer_.size() - begin_;
    at_end_ = !fill();
  }
  if (end == std::string::npos) {
    if (begin_ == buffer_.size()) return false;
    end = buffer_.size();
  }
  line.assign(buffer_, begin_, end - begin_);
  begin_ = end + 1 > buffer_.size() ? buffer_.size() : end + 1;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

}  // namespace espalier::tools
