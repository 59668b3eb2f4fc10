// tokenizer.json: what is accepted makes a tokenizer that reads text.
#include "text/tokenizer_json.hpp"

#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"
#include "text/tokenizer.hpp"

namespace espalier::fuzz {

std::vector<std::string> seeds() {
  const auto file = [](const std::string& added, const std::string& normalizer) {
    return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added +
           R"(],"normalizer":)" + normalizer +
           R"(,"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"TemplateProcessing",)"
           R"("single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
           R"({"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[{"SpecialToken":{"id":"[CLS]","type_id":0}},)"
           R"({"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}},)"
           R"({"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"[SEP]","type_id":1}}],"special_tokens":)"
           R"({"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},)"
           R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece",)"
           R"("unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":)"
           R"({"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"##b":6,"c":7}}})";
  };
  const std::string bert =
      R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true})";
  const std::string mask =
      R"({"id":4,"content":"[MASK]","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true})";
  return {file("", bert), file(mask, bert), file(mask, "null")};
}

}  // namespace espalier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier;
  static fuzz::MemoryFile file;
  file.fill(fuzz::text_of(data, size));
  fuzz::accepted([&] {
    const text::Tokenizer tokenizer(
        text::spec_from_tokenizer_json(text::read_json_object(file.path(), 1 << 20)));
    const Text texts[] = {{"ab, Abc [MASK] \xE4\xB8\xAD"}};
    const TokenBatch batch = tokenizer.encode(texts, 16);
    for (const TokenId id : batch.ids) {
      fuzz::require(
          to_int(id) >= 0 && static_cast<std::size_t>(to_int(id)) < tokenizer.vocabulary_size(),
          "ids are pieces");
    }
  });
  return 0;
}
