// Opened models made from tiny checkpoints by the real exporter, in memory.
#pragma once

#include <string>
#include <vector>

#include "base/cpu_info.hpp"
#include "compress/export/export.hpp"
#include "espalier/espalier.hpp"
#include "format/writer.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace espalier::testing {

inline compress::ExportedModel export_tiny(const TinyCheckpoint& tiny = {},
                                           Precision precision = Precision::int8) {
  const TemporaryFolder folder;
  return compress::export_checkpoint(write_tiny_checkpoint(folder.path(), tiny),
                                     {.precision = precision});
}

inline Model open_spec(const format::ModelSpec& spec) {
  const std::vector<std::byte> bytes = format::to_bytes(spec);
  return Model::open(std::span<const std::byte>(bytes));
}

inline Model open_tiny(const TinyCheckpoint& tiny = {}, Precision precision = Precision::int8) {
  return open_spec(export_tiny(tiny, precision).spec());
}

inline TinyCheckpoint tiny_tagger() {
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::token_classification;
  tiny.labels = {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};
  return tiny;
}

inline TinyCheckpoint tiny_embedder() {
  TinyCheckpoint tiny;
  tiny.architecture = TinyArchitecture::model;
  tiny.sentence_transformers = true;
  return tiny;
}

/// The back ends that run on this machine.
inline std::vector<std::string> backends_here() {
  std::vector<std::string> names = {"reference"};
  if (usable_isa() >= Isa::avx2) names.emplace_back("cpu");
  return names;
}

/// Sentences of the lengths that matter: none, one piece, a few, more than a tiny model takes.
inline std::vector<std::string> some_texts() {
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "the tree grows flat ";
  return {"the film is good",           "",        "bad",
          "今天 很好 and 42 unknown ☂", long_text, "john lives in berlin, near the river bank."};
}

inline std::vector<Text> as_texts(const std::vector<std::string>& strings) {
  std::vector<Text> texts;
  for (const std::string& string : strings) texts.push_back({.first = string, .second = {}});
  return texts;
}

}  // namespace espalier::testing
