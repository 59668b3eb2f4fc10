#include "format/reader.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/printable.hpp"
#include "format/checksum.hpp"
#include "format/container.hpp"
#include "format/header.hpp"
#include "format/refuse.hpp"
#include "format/verify.hpp"

namespace espalier::format {
namespace {

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

template <typename T>
T read_number(std::span<const std::byte> bytes, std::size_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void check_id(std::span<const std::byte> file) {
  if (file.size() >= kFileIdOffset + kFileIdBytes &&
      std::memcmp(file.data() + kFileIdOffset, kFileId, kFileIdBytes) == 0) {
    return;
  }
  throw Error(ErrorCode::bad_input,
              "this is no .espl file: the id ESPL is missing at byte 8; give a file that "
              "espalier convert or espalier quantize made");
}

/// The sizes that frame a file, each checked against the bytes that are there.
struct Frame {
  std::span<const std::byte> header;  // with its size prefix, without padding
  std::span<const std::byte> data;
  std::uint64_t checksum = 0;
};

Frame check_frame(std::span<const std::byte> file) {
  if (file.size() < kAlignment + kTrailerBytes || (file.size() - kTrailerBytes) % kAlignment != 0) {
    refuse("file size", "expected a multiple of 64 and 8 more got " + std::to_string(file.size()) +
                            " bytes; it is cut short or something is appended, copy it again");
  }
  const std::span<const std::byte> body = file.first(file.size() - kTrailerBytes);
  Frame frame;
  frame.checksum = checksum_of(body);
  const auto stored = read_number<std::uint64_t>(file, body.size());
  if (stored != frame.checksum) {
    refuse("checksum", "expected " + hex(stored) + " got " + hex(frame.checksum) +
                           "; the file is damaged, copy it again");
  }
  const std::size_t header_bytes = read_number<std::uint32_t>(file, 0);
  // 8 bytes: the offset of the root and the id, which check_id has seen.
  const std::size_t most = std::min(kMaxHeaderBytes, body.size()) - kSizePrefixBytes;
  if (header_bytes < 8 || header_bytes > most) {
    refuse("header size",
           "expected 8 to " + std::to_string(most) + " bytes got " + std::to_string(header_bytes));
  }
  frame.header = body.first(kSizePrefixBytes + header_bytes);
  const std::size_t data_begin = padded(frame.header.size());
  for (const std::byte byte : body.first(data_begin).subspan(frame.header.size())) {
    if (byte != std::byte{0}) refuse("header", "is followed by padding that is not zero");
  }
  frame.data = body.subspan(data_begin);
  return frame;
}

}  // namespace

ModelFile ModelFile::open(const std::filesystem::path& path, FileAccess access) {
  return with_context("while opening " + printable(path.string(), 400),
                      [&] { return parse(FileBytes::open(path, access)); });
}

ModelFile ModelFile::parse(FileBytes bytes) {
  check_id(bytes.bytes());
  const Frame frame = check_frame(bytes.bytes());
  ModelSpec spec = read_header(frame.header, frame.data);
  check_spec(spec);
  return {std::move(bytes), std::move(spec), frame.checksum};
}

std::string ModelFile::checksum_hex() const {
  return hex(checksum_);
}

std::uint32_t ModelFile::version() const noexcept {
  return kFormatVersion;
}

}  // namespace espalier::format
