// Makes files that no writer would: damaged, or ill-meaning but with the right checksum.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "espalier/error.hpp"
#include "format/reader.hpp"
#include "format/spec.hpp"
#include "model_generated.h"
#include "tests/support/tiny_model.hpp"

namespace espalier::testing {

using Bytes = std::vector<std::byte>;

/// The file of a spec that nobody has checked, with its checksum.
[[nodiscard]] Bytes write_unchecked(const format::ModelSpec& spec);

/// The file with its header's fields edited and its checksum made right again. The data segment
/// stays.
[[nodiscard]] Bytes edit_header(const Bytes& file,
                                const std::function<void(format::schema::ModelT&)>& edit);

/// The file around another header (with its size prefix, without padding).
[[nodiscard]] Bytes replace_header(const Bytes& file, std::span<const std::byte> header);

/// Number of bytes of the header with its size prefix, and where the data segment begins.
[[nodiscard]] std::size_t header_end(const Bytes& file);
[[nodiscard]] std::size_t data_begin(const Bytes& file);

/// Makes the trailer agree with the bytes before it.
void reseal(Bytes& file);

/// What became of reading `file`.
struct Verdict {
  bool accepted = false;
  ErrorCode code = ErrorCode::failed;
  std::string message = {};
};
[[nodiscard]] Verdict read(std::span<const std::byte> file);

/// The smallest model with every kind of part of an int8 classifier: about 25 kB.
[[nodiscard]] TinyModel smallest_model();

}  // namespace espalier::testing
