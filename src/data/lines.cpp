#include "data/lines.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/printable.hpp"

namespace espalier::data {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

void LineSource::Close::operator()(gzFile_s* file) const noexcept {
  gzclose_r(file);  // reading only: nothing can be lost here
}

LineSource::LineSource(const std::filesystem::path& path) : name_(path.string()) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    fail_at(place(0), "is a folder; name a data file in it");
  }
  errno = 0;
  file_.reset(gzopen(name_.c_str(), "rb"));
  if (file_ == nullptr) {
    fail_at(place(0), "cannot be opened: " + system_message(errno == 0 ? ENOMEM : errno));
  }
  gzbuffer(file_.get(), static_cast<unsigned>(kBufferBytes));
  buffer_.resize(kBufferBytes);
  if (fill()) check_start();
}

void LineSource::check_start() {
  if (std::filesystem::path(name_).extension() == ".gz" && gzdirect(file_.get()) != 0) {
    fail_at(place(0), "is named .gz but holds no gzip data");
  }
  const std::string_view start(buffer_.data(), end_);
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
    fail_at(place(0), "is UTF-16 text; convert it to UTF-8");
  }
  if (start.starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

bool LineSource::fill() {
  begin_ = end_ = 0;
  const int n_read = gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int status = Z_OK;
  const std::string message = gzerror(file_.get(), &status);
  if (status == Z_ERRNO) fail_at(place(0), "cannot be read: " + system_message(errno));
  // zlib reports a stream that ends too soon only here, after it handed out what there was.
  if (n_read < 0 || status == Z_BUF_ERROR) {
    fail_at(place(0), "is damaged or truncated gzip data (" + message + ")");
  }
  end_ = static_cast<std::size_t>(n_read);
  return n_read > 0;
}

std::string_view LineSource::head() const {
  const std::string_view start(buffer_.data() + begin_, end_ - begin_);
  const std::size_t last_end = start.rfind('\n');
  const bool whole = end_ < buffer_.size();
  return whole || last_end == std::string_view::npos ? start : start.substr(0, last_end + 1);
}

bool LineSource::next(std::string_view& line) {
  carry_.clear();
  while (true) {
    const std::string_view unread(buffer_.data() + begin_, end_ - begin_);
    const std::size_t line_end = unread.find('\n');
    const bool complete = line_end != std::string_view::npos;
    line = unread.substr(0, line_end);
    if (carry_.size() + line.size() > kMaxLineBytes) {
      fail_at(place(n_lines_ + 1), "is longer than 64 MiB; is this a text file?",
              ErrorCode::resource);
    }
    begin_ += complete ? line_end + 1 : line.size();
    if (!complete || !carry_.empty()) {
      carry_.append(line);
      line = carry_;
    }
    if (complete || !fill()) {
      if (!complete && carry_.empty()) return false;
      ++n_lines_;
      return true;
    }
  }
}

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace espalier::data
