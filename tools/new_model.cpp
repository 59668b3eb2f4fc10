#include "new_model.hpp"

#include <algorithm>
#include <filesystem>

#include "compress/objective/labelled_rows.hpp"
#include "data/lines.hpp"
#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "report.hpp"
#include "text/vocabulary_trainer.hpp"

namespace espalier::tools {
namespace {

text::TokenizerSpec empty_spec(bool cased) {
  text::TokenizerSpec spec;
  spec.lowercase = !cased;
  spec.strip_accents = !cased;
  return spec;
}

}  // namespace

text::TokenizerSpec learn_vocabulary(const std::vector<std::string>& files,
                                     const VocabularyRequest& request) {
  text::TokenizerSpec spec = empty_spec(request.cased);
  text::VocabularyCounter counter(spec);
  for (const std::string& file : files) {
    data::LineSource lines(file);
    for (std::string_view line; lines.next(line);) {
      objective::check_utf8(line, "text", lines.place());
      counter.add(line);
      throw_if_interrupted();
    }
  }
  Progress progress("pieces", request.size);
  spec.pieces = text::train_vocabulary(counter.counts(),
                                       {.n_pieces = request.size,
                                        .min_count = request.min_count,
                                        .max_characters = request.max_characters},
                                       [&progress](std::size_t n_pieces) {
                                         throw_if_interrupted();
                                         progress.show(n_pieces);
                                       });
  note("a vocabulary of " + std::to_string(spec.pieces.size()) + " pieces from " +
       std::to_string(counter.counts().size()) + " different words");
  return spec;
}

text::TokenizerSpec read_vocabulary(const std::string& place, bool cased) {
  if (std::filesystem::is_directory(place)) return text::load_tokenizer_spec(place);
  text::TokenizerSpec spec = empty_spec(cased);
  data::LineSource lines(place);
  for (std::string_view line; lines.next(line);) {
    spec.pieces.emplace_back(data::without_cr(line));
  }
  with_context("while reading the vocabulary '" + base_name(place) + "'",
               [&spec] { text::validate(spec); });
  return spec;
}

checkpoint::BertConfig new_config(const Shape& shape, const text::TokenizerSpec& tokenizer) {
  if (shape.hidden % shape.heads != 0) {
    throw Error(ErrorCode::usage, "--hidden " + std::to_string(shape.hidden) +
                                      " is no multiple of --heads " + std::to_string(shape.heads));
  }
  checkpoint::BertConfig config;
  config.architecture = checkpoint::Architecture::masked_lm;
  config.hidden = shape.hidden;
  config.n_layers = shape.layers;
  config.n_heads = shape.heads;
  config.head_dim = shape.hidden / shape.heads;
  config.intermediate = shape.intermediate == 0 ? 4 * shape.hidden : shape.intermediate;
  config.vocab = static_cast<std::uint32_t>(tokenizer.pieces.size());
  config.positions = shape.positions;
  config.token_types = 2;
  const auto pad = std::find(tokenizer.pieces.begin(), tokenizer.pieces.end(), tokenizer.pad);
  config.pad_id = static_cast<std::uint32_t>(pad - tokenizer.pieces.begin());
  config.layer_norm_eps = 1e-12F;
  checkpoint::LayerWidths whole{.heads = {}, .intermediate = config.intermediate};
  for (std::uint32_t head = 0; head < shape.heads; ++head) whole.heads.push_back(head);
  config.layers.assign(shape.layers, whole);
  return config;
}

}  // namespace espalier::tools
