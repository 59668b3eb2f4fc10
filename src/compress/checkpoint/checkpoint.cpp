#include "compress/checkpoint/checkpoint.hpp"

#include <utility>

#include "base/printable.hpp"
#include "compress/checkpoint/json_fields.hpp"
#include "compress/checkpoint/paths.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

ParsedConfig read_config(const std::filesystem::path& path) {
  return with_context("config.json", [&path] { return parse_bert_config(read_text(path)); });
}

// Says which model the folder holds where its class alone does not (see Checkpoint::open).
void settle_architecture(ParsedConfig& parsed, const EmbeddingLayout& layout,
                         const WeightFiles& weights) {
  BertConfig& bert = parsed.config;
  if (layout.has_pipeline) {
    if (bert.architecture != Architecture::model) {
      parsed.notes.push_back("modules.json makes this an embedding model; the head of " +
                             class_name(bert.family, bert.architecture) + " is not used");
    }
    bert.architecture = Architecture::model;
    bert.labels.clear();
    bert.problem_type = ProblemType::single_label;
  } else if (!parsed.architecture_stated && holds_a_head(weights)) {
    throw Error(
        ErrorCode::bad_input,
        "config.json: key 'architectures' is missing and the weights hold a head; say which "
        "class it belongs to, such as [\"" +
            class_name(bert.family, Architecture::sequence_classification) + "\"]");
  }
}

std::optional<EmbeddingOptions> settle_embedding(const BertConfig& bert,
                                                 const EmbeddingLayout& layout,
                                                 std::vector<std::string>& notes) {
  if (!layout.embedding || bert.architecture != Architecture::model) return std::nullopt;
  if (layout.dimension != 0 && layout.dimension != bert.hidden) {
    throw Error(ErrorCode::bad_input,
                "the pooling module is for vectors of " + std::to_string(layout.dimension) +
                    " values, config.json has hidden_size " + std::to_string(bert.hidden));
  }
  EmbeddingOptions embedding = *layout.embedding;
  if (embedding.max_length > bert.positions) {
    notes.push_back("sentence_bert_config.json: max_seq_length " +
                    std::to_string(embedding.max_length) + " is more than the " +
                    std::to_string(bert.positions) + " positions of the model, which are used");
    embedding.max_length = bert.positions;
  }
  return embedding;
}

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& folder) {
  return with_context("while opening checkpoint " + printable(folder.string(), 400), [&folder] {
    std::error_code failed;
    if (!std::filesystem::is_directory(folder, failed)) {
      throw Error(ErrorCode::bad_input, is_there(folder)
                                            ? "is a file; give the folder that holds config.json"
                                            : "there is no such folder");
    }
    EmbeddingLayout layout = read_embedding_layout(folder);
    ParsedConfig parsed = read_config(layout.transformer / "config.json");
    WeightFiles weights = WeightFiles::open(layout.transformer);
    settle_architecture(parsed, layout, weights);

    std::vector<std::string> notes = std::move(parsed.notes);
    notes.insert(notes.end(), layout.notes.begin(), layout.notes.end());
    BertParameters parameters = find_parameters(weights, parsed, notes);
    Checkpoint checkpoint(std::move(weights), std::move(parameters));
    checkpoint.embedding_ = settle_embedding(parsed.config, layout, notes);
    checkpoint.config_ = std::move(parsed.config);
    checkpoint.notes_ = std::move(notes);
    checkpoint.model_folder_ = layout.transformer;
    return checkpoint;
  });
}

std::vector<std::filesystem::path> Checkpoint::weight_paths() const {
  std::vector<std::filesystem::path> paths;
  for (const WeightFile& file : weights_.files()) paths.push_back(file.path());
  return paths;
}

}  // namespace espalier::checkpoint
