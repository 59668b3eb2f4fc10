// The model card: Markdown with the front matter that model hubs read, beside the model file. Holds
// what the file itself does not: times, joules, and the words that a person wants to read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/recipe/origin.hpp"
#include "compress/recipe/pipeline.hpp"
#include "compress/recipe/search.hpp"

namespace espalier::recipe {

/// What a checkpoint says of itself, as far as it does.
struct BaseModel {
  std::string name;          ///< of the folder, or what config.json calls it
  std::string pipeline_tag;  ///< "text-classification"; empty: not known
  std::string language;      ///< as YAML, such as "en" or "[de, fr]"; empty: not said
  std::string license;       ///< empty: not said
  std::string datasets;      ///< as YAML
};

/// Reads config.json and, where there is one, the front matter of README.md in a checkpoint folder.
/// A README without any, or one that is no YAML, says nothing.
[[nodiscard]] BaseModel base_model(const std::filesystem::path& folder,
                                   checkpoint::Architecture architecture);

struct CardInput {
  std::string file;  ///< name of the model file
  BaseModel base;
  std::string precision;  ///< "int8", "int8 (23 int8, 2 bf16)"
  std::uint64_t n_bytes = 0;
  std::uint64_t checkpoint_bytes = 0;
  std::uint32_t max_length = 0;
  std::string recipe_text;  ///< YAML
  std::span<const DoneStage> stages = {};
  const Outcome* outcome = nullptr;  ///< null: no data, nothing was compared
  std::string deciding_file = {};    ///< name of the file whose rows decided
  std::string deciding_part = {};    ///< "every third row"; empty: all of it
  std::span<const DataFile> data = {};
  unsigned n_threads = 1;
  double seconds = 0;   ///< of all stages, whenever they ran
  std::string version;  ///< of espalier
};

[[nodiscard]] std::string model_card(const CardInput& input);

/// "1.2 kJ (estimated)" of all stages together; empty without any.
[[nodiscard]] std::string energy_of_stages(std::span<const DoneStage> stages);

}  // namespace espalier::recipe
