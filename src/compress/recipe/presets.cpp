// Widths are told for encoders of BERT's proportions; ranks for the 384 channels of a MiniLM, whose
// table of words is half of its int8 file.
#include "compress/recipe/presets.hpp"

#include "espalier/error.hpp"

namespace espalier::recipe {
namespace {

constexpr Preset kPresets[] = {
    {"light", R"(# light: int8 and nothing else. Needs no data, takes seconds.
stages:
  - quantize
)"},
    {"balanced", R"(# balanced: a third of the encoder's work, and a table of words in four bits.
# The file is less than half of light's.
stages:
  - prune:                 # heads and neurons, then training with the whole model as teacher
      method: kprune
      target-flops: 3
      recover-epochs: 3
      learning-rate: 1e-4
      freeze-embeddings: true
      dtype: f16           # what stays plain floats in the file takes half
  - quantize:
      embeddings: int4
      rounding: mse
)"},
    {"small", R"(# small: a sixth of the encoder's work and a narrower table of words.
stages:
  - prune:                 # two factors of the table of words; what is lost, the next stage recovers
      method: embedding
      rank: 192
  - prune:
      method: kprune
      target-flops: 6
      recover-epochs: 4
      learning-rate: 2e-4
      dtype: f16
  - quantize:
      embeddings: int4
      rounding: mse
)"},
    {"tiny", R"(# tiny: a twelfth of the encoder's work and the narrowest table of words.
stages:
  - prune:
      method: embedding
      rank: 96
  - prune:
      method: kprune
      target-flops: 12
      recover-epochs: 6
      learning-rate: 2e-4
      dtype: f16
  - quantize:
      embeddings: int4
      rounding: mse
)"},
};

}  // namespace

std::span<const Preset> presets() {
  return kPresets;
}

const Preset& preset(std::string_view name) {
  std::string names;
  for (const Preset& known : kPresets) {
    if (known.name == name) return known;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  throw Error(ErrorCode::usage,
              "there is no preset '" + std::string(name) + "'; presets are " + names);
}

}  // namespace espalier::recipe
