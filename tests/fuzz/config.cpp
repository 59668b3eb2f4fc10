// config.json: what is accepted is a BERT of sizes that its documentation allows.
#include "compress/checkpoint/bert_config.hpp"
#include "tests/fuzz/target.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  const std::string sizes =
      R"("model_type":"bert","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,)"
      R"("intermediate_size":64,"vocab_size":64,"max_position_embeddings":64,"type_vocab_size":2)";
  return {
      "{" + sizes + "}",
      "{" + sizes +
          R"(,"architectures":["BertForSequenceClassification"],"id2label":{"0":"n","1":"p"}})",
      "{" + sizes +
          R"(,"problem_type":"multi_label_classification","layer_norm_eps":1e-12,"pad_token_id":0})",
      "{" + sizes +
          R"(,"hidden_act":"gelu","position_embedding_type":"absolute","is_decoder":false})",
      "{" + sizes +
          R"(,"espalier":{"layers":[{"heads":[0,2],"intermediate":32},{"heads":[],"intermediate":0}]}})",
      R"({"model_type":"distilbert","dim":32,"n_layers":1,"n_heads":4,"hidden_dim":64,"vocab_size":64,)"
      R"("max_position_embeddings":64,"activation":"gelu"})"};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  fuzz::accepted([&] {
    const checkpoint::BertConfig config =
        checkpoint::parse_bert_config(fuzz::text_of(data, size)).config;
    fuzz::require(config.hidden >= 8 && config.hidden <= 16384 && config.n_heads > 0 &&
                      config.hidden == config.n_heads * config.head_dim,
                  "heads fill the hidden size");
    fuzz::require(
        config.n_layers >= 1 && config.n_layers <= 256 && config.layers.size() == config.n_layers,
        "every layer has its widths");
    fuzz::require(config.vocab >= 5 && config.pad_id < config.vocab, "padding is a piece");
    for (const checkpoint::LayerWidths& layer : config.layers) {
      fuzz::require(layer.intermediate <= config.intermediate, "no layer is wider than the model");
      for (const std::uint32_t head : layer.heads) {
        fuzz::require(head < config.n_heads, "layers keep heads that there are");
      }
    }
  });
  return 0;
}
