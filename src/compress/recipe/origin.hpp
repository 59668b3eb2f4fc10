// What a compressed file says about how it was made: its stages with options, seeds and data by
// name and hash, and what it scored before and after. No paths, no times, no joules: the same run
// gives the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/export/stamp.hpp"
#include "compress/recipe/catalogue.hpp"
#include "compress/recipe/pipeline.hpp"
#include "compress/recipe/search.hpp"

namespace espalier::recipe {

/// A file that a run was given, and what for.
struct DataFile {
  std::string use;  ///< "train", "eval", "gate", "trim-vocab"
  std::filesystem::path path;
};

struct OriginInput {
  const Recipe& recipe;
  const Catalogue& kinds;
  std::span<const DoneStage> stages;  ///< of the chosen candidate
  const Outcome& outcome;
  std::span<const DataFile> data;
  std::uint32_t seed = 1;
};

/// The stages before quantize, which the file knows of itself, and compress after it.
[[nodiscard]] compress::Stamp origin_stamp(const OriginInput& input);

/// "8123 of 30522" word pieces where a stage took out those that a corpus does not need: the model
/// then belongs to the domain of that corpus.
[[nodiscard]] std::optional<std::string> kept_pieces(std::span<const DoneStage> stages);

}  // namespace espalier::recipe
