// The config.json of a BERT checkpoint, as `transformers` and parse_bert_config() read it.
#pragma once

#include <string>

#include "compress/checkpoint/bert_config.hpp"

namespace espalier::checkpoint {

/// JSON text. Layers of their own widths are written as "espalier": {"layers": …}; whole ones leave
/// no trace of us. Deterministic.
[[nodiscard]] std::string write_bert_config(const BertConfig& config);

}  // namespace espalier::checkpoint
