// Decides whether a ModelSpec means a model: every shape agrees with every other, every value is in
// its range, everything that the task needs is there and nothing else is. The reader asks it after
// the structure of a file is known to be sound, the writer before it writes.
#pragma once

#include "format/spec.hpp"

namespace espalier::format {

/// Returns when `spec` may be handed to a back end without further checks.
/// Panels: weight.rows == out, weight.cols == in, bytes are panel_bytes(out, in) with zero padding.
/// Tensors must be aligned to their elements here; a reader's are aligned to 64 bytes.
/// Throws Error(verification, "layers[3].qkv.weight: what, expected X got Y"); `where` is a path of
/// formats/model.fbs. Allocates nothing that grows with the tensors. Thread-safe.
void check_spec(const ModelSpec& spec);

}  // namespace espalier::format
