// Between a ModelSpec and the two halves of a file: the FlatBuffer header (formats/model.fbs) and
// the data segment. Both directions visit the parts in one order, the order of the segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/spec.hpp"

namespace espalier::format {

/// A file about to be written: header, then `parts` in order, each padded to 64 bytes.
struct FilePlan {
  std::vector<std::byte> header;  // with its size prefix and the padding up to the data segment
  std::vector<std::span<const std::byte>> parts;  // views into the tensors of the spec
  std::uint64_t data_bytes = 0;
};

/// Plans the file of a spec that check_spec has passed. The same spec gives the same bytes.
/// Throws Error(resource) when the header would be larger than kMaxHeaderBytes.
[[nodiscard]] FilePlan plan_file(const ModelSpec& spec);

/// Reads a header that lies, with its size prefix, in `header` (64-byte aligned) and gives its
/// tensors their places in `data`. Checks the structure: FlatBuffers verifier, version, enums,
/// sizes of lists, and that the parts follow one another in order without gap or overlap, with zero
/// padding, and cover `data` whole. Does not look at meaning: that is check_spec's.
/// Throws Error(verification).
[[nodiscard]] ModelSpec read_header(std::span<const std::byte> header,
                                    std::span<const std::byte> data);

}  // namespace espalier::format
