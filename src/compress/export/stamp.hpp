// Writes a model file again with more to say about where it came from. Nothing else changes: the
// same tensors, the same self-test.
#pragma once

#include <filesystem>
#include <vector>

#include "base/atomic_file.hpp"
#include "format/spec.hpp"

namespace espalier::compress {

/// What happened before the stages that a file knows of, and after them.
struct Stamp {
  std::vector<format::ProvenanceStage> before;
  std::vector<format::ProvenanceStage> after;
};

/// Reads `model` and writes it to `output`. The same file and stamp give the same bytes. Throws
/// what ModelFile::open() and write_model() throw.
void write_stamped(const std::filesystem::path& model, const std::filesystem::path& output,
                   const Stamp& stamp, Overwrite overwrite);

}  // namespace espalier::compress
