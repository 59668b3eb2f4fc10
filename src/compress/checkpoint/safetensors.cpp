#include "compress/checkpoint/safetensors.hpp"

#include <algorithm>
#include <limits>

#include "base/printable.hpp"
#include "compress/checkpoint/foreign_file.hpp"
#include "compress/checkpoint/safetensors_header.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

constexpr std::size_t kLengthBytes = 8;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The header's text. 8 + length is never computed: it could wrap.
std::string_view header_of(std::span<const std::byte> bytes) {
  refuse_no_weights(bytes);
  if (bytes.size() < kLengthBytes) {
    fail("has " + std::to_string(bytes.size()) + " bytes, too few for a safetensors file");
  }
  std::uint64_t length = 0;
  for (std::size_t byte = 0; byte < kLengthBytes; ++byte) {
    length |= std::to_integer<std::uint64_t>(bytes[byte]) << (8 * byte);
  }
  if (length > kMaxHeaderBytes) {
    fail("header length " + std::to_string(length) + " is over the limit of " +
         std::to_string(kMaxHeaderBytes) + "; not a safetensors file?");
  }
  if (length > bytes.size() - kLengthBytes) {
    fail("header length " + std::to_string(length) + " is past the end of the file (" +
         std::to_string(bytes.size()) + " bytes)");
  }
  return as_text(bytes.subspan(kLengthBytes, length));
}

// Bytes that type and shape ask for. Multiplied in the order of the shape with no shortcut for a
// zero, so that a product that wraps to 0 cannot pass for an empty tensor.
std::uint64_t bytes_of(const HeaderEntry& entry) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const auto times = [&entry](std::uint64_t left, std::uint64_t right) {
    if (right != 0 && left > kMax / right) {
      fail("size of tensor " + printable(entry.name) + " overflows 64 bits");
    }
    return left * right;
  };
  std::uint64_t elements = 1;
  for (const std::uint64_t dimension : entry.shape) elements = times(elements, dimension);
  const std::uint64_t bits = times(elements, bits_of(entry.type));
  if (bits % 8 != 0) fail("tensor " + printable(entry.name) + " does not end on a whole byte");
  return bits / 8;
}

// Before the layout, so that a tensor given twice is called that and not an overlap.
void check_unique(const std::vector<HeaderEntry>& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const HeaderEntry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail("header has the tensor " + printable(*twice) + " twice");
}

// Each tensor begins where the one before ends, is as long as its type and shape say, and the last
// one ends with the file.
void check_layout(const std::vector<HeaderEntry>& entries, std::uint64_t data_bytes) {
  std::uint64_t expected_begin = 0;
  for (const HeaderEntry& entry : entries) {
    const std::string where = "tensor " + printable(entry.name);
    if (entry.begin != expected_begin) {
      fail(where + " begins at " + std::to_string(entry.begin) + ", expected " +
           std::to_string(expected_begin) + " (tensors must neither overlap nor leave a gap)");
    }
    if (entry.end < entry.begin) {
      fail(where + " ends at " + std::to_string(entry.end) + ", before it begins at " +
           std::to_string(entry.begin));
    }
    const std::uint64_t wanted = bytes_of(entry);
    if (entry.end - entry.begin != wanted) {
      fail(where + " has " + std::to_string(entry.end - entry.begin) + " bytes, its shape wants " +
           std::to_string(wanted));
    }
    expected_begin = entry.end;
  }
  if (expected_begin != data_bytes) {
    fail("tensors cover " + std::to_string(expected_begin) + " bytes of data, the file has " +
         std::to_string(data_bytes) + "; the file is truncated or has bytes added");
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, FileAccess access) {
  return {FileBytes::open(path, access), path};
}

SafetensorsFile SafetensorsFile::parse(FileBytes bytes, const std::filesystem::path& path) {
  return {std::move(bytes), path};
}

SafetensorsFile::SafetensorsFile(FileBytes bytes, const std::filesystem::path& path)
    : bytes_(std::move(bytes)), path_(std::make_unique<const std::filesystem::path>(path)) {
  with_context(printable(path.filename().string()), [this] {
    const std::string_view header = header_of(bytes_.bytes());
    std::vector<HeaderEntry> entries = parse_safetensors_header(header);
    std::sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    check_unique(entries);
    const auto data = bytes_.bytes().subspan(kLengthBytes + header.size());
    check_layout(entries, data.size());
    std::vector<TensorView> tensors;
    tensors.reserve(entries.size());
    for (HeaderEntry& entry : entries) {
      tensors.push_back({std::move(entry.name), entry.type, std::move(entry.shape),
                         data.subspan(entry.begin, entry.end - entry.begin), path_.get()});
    }
    tensors_ = TensorList(std::move(tensors));
  });
}

}  // namespace espalier::checkpoint
