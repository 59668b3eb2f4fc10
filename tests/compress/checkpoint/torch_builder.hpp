// Writes pickles, stored zip archives and torch files for tests, opcode by opcode and header by
// header, so that each part can be wrong. Kept apart from the readers, so that the two do not share
// a mistake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/safetensors_builder.hpp"

namespace espalier::testing {

/// `value` in `n_bytes` little-endian bytes.
[[nodiscard]] std::string little_endian(std::uint64_t value, int n_bytes);

/// Pieces of a pickle; each pushes one value.
[[nodiscard]] std::string text(std::string_view value);
[[nodiscard]] std::string number(std::int64_t value);
[[nodiscard]] std::string global(std::string_view module, std::string_view name);
[[nodiscard]] std::string tuple(const std::vector<std::string>& items);
[[nodiscard]] std::string list(const std::vector<std::string>& items);
[[nodiscard]] std::string dict(const std::vector<std::string>& keys_and_values);

/// A whole pickle of protocol 2.
[[nodiscard]] std::string pickle(const std::string& value);

/// "FloatStorage" and so on, with its key and number of elements. A last item may follow.
[[nodiscard]] std::string storage(std::string_view type, std::string_view key, std::int64_t count,
                                  const std::string& last_item = "");

/// What _rebuild_tensor_v2 is called with.
struct TensorParts {
  std::string storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::string last_item = "";
};
[[nodiscard]] std::string tensor(const TensorParts& parts);

/// A member of an archive, and what its headers say that it is not.
struct ZipPart {
  std::string name;
  std::string bytes;
  std::string local_name = "";  // "": as name
  std::uint16_t flags = 0;      // with bit 3, sizes and checksum follow the bytes
  std::uint16_t method = 0;
  std::uint32_t crc_error = 0;  // added to the right one in both headers
  std::uint32_t local_size_error = 0;
  bool in_64_bits = false;  // sizes in the extension
  std::string gap = "";     // after the member
};

struct ZipEnd {
  bool in_64_bits = false;
  std::uint64_t count_error = 0;
  std::uint64_t offset_error = 0;
  std::uint64_t record_error = 0;  // of the 64-bit record's number of members only
  std::string comment = "";
};

[[nodiscard]] std::string zip_file(const std::vector<ZipPart>& parts, const ZipEnd& end = {});

/// A storage's key and bytes.
struct StorageBytes {
  std::string key;
  std::string bytes;
};

/// pytorch_model.bin in the two layouts, around the value `object`. `byte_order` is left out when
/// it is empty. Legacy storages have four bytes an element.
[[nodiscard]] std::string torch_zip_file(const std::string& object,
                                         const std::vector<StorageBytes>& storages,
                                         const std::string& byte_order = "little");
[[nodiscard]] std::string torch_legacy_file(const std::string& object,
                                            const std::vector<StorageBytes>& storages);

/// A state dict of `tensors`, each in a storage of its own, as torch.save writes it today. F32 and
/// F16 only.
[[nodiscard]] std::string torch_file(const std::vector<TinyTensor>& tensors);

}  // namespace espalier::testing
