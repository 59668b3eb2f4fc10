#include "tests/compress/checkpoint/torch_builder.hpp"

namespace espalier::testing {
namespace {

constexpr std::uint16_t kDescriptor = 1 << 3;

std::string joined(const std::vector<std::string>& items) {
  std::string all;
  for (const std::string& item : items) all += item;
  return all;
}

std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(number(value));
  return tuple(items);
}

// One bit at a time, as the standard describes it.
std::uint32_t slow_crc(std::string_view bytes) {
  std::uint32_t rest = 0xffffffff;
  for (const char byte : bytes) {
    rest ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~rest;
}

// Flags to sizes, as the two headers of a member have them in common.
std::string common(const ZipPart& part, std::uint32_t crc, std::uint64_t size) {
  return little_endian(part.flags, 2) + little_endian(part.method, 2) + little_endian(0, 4) +
         little_endian(crc, 4) + little_endian(size, 4) + little_endian(size, 4);
}

std::string extension(const ZipPart& part, std::uint64_t size) {
  if (!part.in_64_bits) return "";
  return little_endian(1, 2) + little_endian(16, 2) + little_endian(size, 8) +
         little_endian(size, 8);
}

std::string local_part(const ZipPart& part) {
  const std::string& name = part.local_name.empty() ? part.name : part.local_name;
  const std::uint32_t crc = slow_crc(part.bytes) + part.crc_error;
  const std::uint64_t size = part.bytes.size() + part.local_size_error;
  const bool later = (part.flags & kDescriptor) != 0;
  const std::string extra = later ? "" : extension(part, size);
  std::string all = "PK\3\4" + little_endian(20, 2) +
                    common(part, later ? 0 : crc,
                           later             ? 0
                           : part.in_64_bits ? 0xffffffff
                                             : size) +
                    little_endian(name.size(), 2) + little_endian(extra.size(), 2) + name + extra +
                    part.bytes;
  if (later) {
    const int n_bytes = part.in_64_bits ? 8 : 4;
    all += "PK\7\10" + little_endian(crc, 4) + little_endian(size, n_bytes) +
           little_endian(size, n_bytes);
  }
  return all + part.gap;
}

std::string directory_part(const ZipPart& part, std::uint64_t offset) {
  const std::string extra = extension(part, part.bytes.size());
  return "PK\1\2" + little_endian(20, 2) + little_endian(20, 2) +
         common(part, slow_crc(part.bytes) + part.crc_error,
                part.in_64_bits ? 0xffffffff : part.bytes.size()) +
         little_endian(part.name.size(), 2) + little_endian(extra.size(), 2) +
         little_endian(0, 2 + 2 + 2) + little_endian(0, 4) + little_endian(offset, 4) + part.name +
         extra;
}

}  // namespace

std::string little_endian(std::uint64_t value, int n_bytes) {
  std::string bytes;
  for (int byte = 0; byte < n_bytes; ++byte) {
    bytes += static_cast<char>(byte < 8 ? (value >> (8 * byte)) & 0xff : 0);
  }
  return bytes;
}

std::string text(std::string_view value) {
  return "X" + little_endian(value.size(), 4) + std::string(value);
}

std::string number(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}

std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string tuple(const std::vector<std::string>& items) {
  return "(" + joined(items) + "t";
}

std::string list(const std::vector<std::string>& items) {
  return "](" + joined(items) + "e";
}

std::string dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + "u";
}

std::string pickle(const std::string& value) {
  return "\x80\x02" + value + ".";
}

std::string storage(std::string_view type, std::string_view key, std::int64_t count,
                    const std::string& last_item) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), number(count),
                last_item}) +
         "Q";
}

std::string tensor(const TensorParts& parts) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({parts.storage, number(parts.offset), numbers(parts.shape), numbers(parts.strides),
                "\x89", global("collections", "OrderedDict") + ")R", parts.last_item}) +
         "R";
}

std::string zip_file(const std::vector<ZipPart>& parts, const ZipEnd& end) {
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    directory += directory_part(part, file.size());
    file += local_part(part);
  }
  const std::uint64_t offset = file.size() + end.offset_error;
  const std::uint64_t count = parts.size() + end.count_error;
  file += directory;
  if (end.in_64_bits) {
    const std::uint64_t record = file.size();
    file += "PK\6\6" + little_endian(44, 8) + little_endian(0x2d002d, 4) + little_endian(0, 8) +
            little_endian(count + end.record_error, 8) +
            little_endian(count + end.record_error, 8) + little_endian(directory.size(), 8) +
            little_endian(offset, 8);
    file += "PK\6\7" + little_endian(0, 4) + little_endian(record, 8) + little_endian(1, 4);
  }
  return file + "PK\5\6" + little_endian(0, 4) + little_endian(count, 2) + little_endian(count, 2) +
         little_endian(directory.size(), 4) + little_endian(offset, 4) +
         little_endian(end.comment.size(), 2) + end.comment;
}

std::string torch_zip_file(const std::string& object, const std::vector<StorageBytes>& storages,
                           const std::string& byte_order) {
  std::vector<ZipPart> parts = {{.name = "archive/data.pkl", .bytes = pickle(object)}};
  if (!byte_order.empty()) parts.push_back({.name = "archive/byteorder", .bytes = byte_order});
  for (const StorageBytes& one : storages) {
    parts.push_back({.name = "archive/data/" + one.key, .bytes = one.bytes});
  }
  parts.push_back({.name = "archive/version", .bytes = "3\n"});
  // As torch does: the sizes follow, and names are UTF-8.
  for (ZipPart& part : parts) part.flags = kDescriptor | 1 << 11;
  return zip_file(parts, {.in_64_bits = true});
}

std::string torch_legacy_file(const std::string& object,
                              const std::vector<StorageBytes>& storages) {
  std::vector<std::string> keys;
  std::string data;
  for (const StorageBytes& one : storages) {
    keys.push_back(text(one.key));
    data += little_endian(one.bytes.size() / 4, 8) + one.bytes;
  }
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") + pickle(number(1001)) +
         pickle(dict({text("little_endian"), "\x88"})) + pickle(object) + pickle(list(keys)) + data;
}

std::string torch_file(const std::vector<TinyTensor>& tensors) {
  std::vector<std::string> entries;
  std::vector<StorageBytes> storages;
  for (const TinyTensor& tiny : tensors) {
    const std::string key = std::to_string(storages.size());
    TensorParts parts = {
        .storage = storage(tiny.stored_as == StoredAs::f32 ? "FloatStorage" : "HalfStorage", key,
                           static_cast<std::int64_t>(tiny.values.size())),
        .shape = {tiny.shape.begin(), tiny.shape.end()},
        .strides = {}};
    std::int64_t stride = 1;
    for (auto axis = parts.shape.rbegin(); axis != parts.shape.rend(); ++axis) {
      parts.strides.insert(parts.strides.begin(), stride);
      stride *= *axis;
    }
    entries.push_back(text(tiny.name));
    entries.push_back(tensor(parts));
    storages.push_back({key, encode(tiny.values, tiny.stored_as)});
  }
  return torch_zip_file(dict(entries), storages);
}

}  // namespace espalier::testing
