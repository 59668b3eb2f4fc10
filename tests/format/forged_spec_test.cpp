// Sound files that mean no model, for what stands around the weights: sizes, heads, tokenizer,
// self-test and provenance.
#include <algorithm>

#include "tests/format/forgery.hpp"

namespace espalier::testing {
namespace {

std::vector<Forgery> forged_sizes() {
  return {
      {"HiddenZero", classify(), [](OwnedModel& m) { m.edit().hidden = 0; }, "hidden"},
      {"HiddenOther", classify(), [](OwnedModel& m) { m.edit().hidden = 64; }, "embedding.word"},
      {"HiddenHuge", classify(), [](OwnedModel& m) { m.edit().hidden = 1U << 31; }, "hidden"},
      {"HeadDimZero", classify(), [](OwnedModel& m) { m.edit().head_dim = 0; }, "head_dim"},
      {"HeadDimOther", classify(), [](OwnedModel& m) { m.edit().head_dim = 4; },
       "layers[0].qkv.out"},
      {"HeadDimHuge", classify(), [](OwnedModel& m) { m.edit().head_dim = 1025; }, "head_dim"},
      {"NoLayers", classify(), [](OwnedModel& m) { m.edit().layers.clear(); }, "layers"},
      {"EpsZero", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = 0; }, "layer_norm_eps"},
      {"EpsOne", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = 1; }, "layer_norm_eps"},
      {"EpsNaN", classify(), [](OwnedModel& m) { m.edit().layer_norm_eps = kNaN; },
       "layer_norm_eps"},
      {"MaxLengthShort", classify(), [](OwnedModel& m) { m.edit().max_length = 2; }, "max_length"},
      {"MaxLengthLong", classify(), [](OwnedModel& m) { m.edit().max_length = 65; }, "max_length"},
      {"HeadsMissing", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 3; },
       "layers[1].qkv.out"},
      {"HeadsHuge", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 0xFFFFFFFF; },
       "layers[1].n_heads"},
      {"HeadsWrapToZero", classify(), [](OwnedModel& m) { m.edit().layers[1].n_heads = 1U << 29; },
       "layers[1].n_heads"},
      {"IntermediateOther", classify(), [](OwnedModel& m) { m.edit().layers[0].intermediate = 63; },
       "layers[0].up.out"},
      {"IntermediateHuge", classify(),
       [](OwnedModel& m) { m.edit().layers[0].intermediate = 65537; }, "layers[0].intermediate"},
      {"InputsOther", classify(), [](OwnedModel& m) { m.edit().layers[0].down.in = 60; },
       "layers[0].down.in"},
  };
}

std::vector<Forgery> forged_heads() {
  return {
      {"PoolerMissing", classify(), [](OwnedModel& m) { m.edit().head.pooler.reset(); },
       "head.pooler"},
      {"PoolerNarrow", classify(),
       [](OwnedModel& m) { m.edit().head.pooler = m.edit().head.classifier; }, "head.pooler.out"},
      {"ClassifierMissing", of(Task::tag), [](OwnedModel& m) { m.edit().head.classifier.reset(); },
       "head.classifier"},
      {"PoolerWithTag", of(Task::tag),
       [](OwnedModel& m) { m.edit().head.pooler = m.edit().head.classifier; }, "head.pooler"},
      {"ClassifierWithEmbed", of(Task::embed),
       [](OwnedModel& m) { m.edit().head.classifier = format::HeadLinear{}; }, "head.classifier"},
      {"ReluWithoutPooler", of(Task::tag),
       [](OwnedModel& m) { m.edit().head.pooler_activation = format::PoolerActivation::relu; },
       "head.pooler_activation"},
      {"PoolingWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.pooling = format::Pooling::cls; }, "head.pooling"},
      {"NormalizeWithClassify", classify(), [](OwnedModel& m) { m.edit().head.normalize = true; },
       "head.normalize"},
      {"TransformMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.transform.reset(); }, "head.transform"},
      {"TransformNormMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.transform_norm = {}; }, "head.transform_norm.weight"},
      {"DecoderBiasMissing", of(Task::fill_mask),
       [](OwnedModel& m) { m.edit().head.decoder_bias = {}; }, "head.decoder_bias"},
      {"DecoderBiasWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.decoder_bias = m.edit().embedding.norm.bias; },
       "head.decoder_bias"},
      {"TransformNormWithClassify", classify(),
       [](OwnedModel& m) { m.edit().head.transform_norm = m.edit().embedding.norm; },
       "head.transform_norm"},
      {"LabelTooFew", of(Task::tag), [](OwnedModel& m) { m.edit().labels.pop_back(); },
       "head.classifier.out"},
      {"LabelTooMany", classify(), [](OwnedModel& m) { m.edit().labels.emplace_back("third"); },
       "head.classifier.out"},
      {"LabelWithEmbed", of(Task::embed), [](OwnedModel& m) { m.edit().labels = {"x"}; }, "labels"},
      {"OneLabelClassify", {.labels = {"only"}}, [](OwnedModel&) {}, "labels"},
      {"TwoLabelRegress",
       {.task = Task::regress, .labels = {"a", "b"}},
       [](OwnedModel&) {},
       "labels"},
      {"LabelNotUtf8", classify(), [](OwnedModel& m) { m.edit().labels[1] = "\xC0\x80"; },
       "labels[1]"},
      {"LabelLong", classify(), [](OwnedModel& m) { m.edit().labels[1].assign(1025, 'x'); },
       "labels[1]"},
  };
}

/// Replaces the vocabulary's text; the number of pieces stays.
void set_vocabulary(OwnedModel& model, const std::function<void(std::string&)>& edit) {
  std::string text(model.spec().tokenizer.vocabulary);
  edit(text);
  const std::span<std::byte> bytes = model.allocate(text.size());
  std::copy_n(std::as_bytes(std::span<const char>(text.data(), text.size())).data(), text.size(),
              bytes.data());
  model.edit().tokenizer.vocabulary = {reinterpret_cast<const char*>(bytes.data()), text.size()};
}

std::vector<Forgery> forged_tokenizers() {
  const auto vocabulary = [](const std::function<void(std::string&)>& edit) {
    return [edit](OwnedModel& m) { set_vocabulary(m, edit); };
  };
  return {
      {"PiecesOther", classify(), [](OwnedModel& m) { m.edit().tokenizer.n_pieces = 63; },
       "tokenizer.n_pieces"},
      {"PieceTooMany", classify(), vocabulary([](std::string& text) { text += "more\n"; }),
       "tokenizer.vocabulary"},
      {"PieceTooFew", classify(),
       vocabulary([](std::string& text) { text.erase(0, text.find('\n') + 1); }),
       "tokenizer.vocabulary"},
      {"LastPieceNotEnded", classify(), vocabulary([](std::string& text) {
         text.pop_back();
         text.insert(0, "\n");
       }),
       "tokenizer.vocabulary"},
      {"VocabularyNotUtf8", classify(), vocabulary([](std::string& text) { text[0] = '\xFF'; }),
       "tokenizer.vocabulary"},
      {"UnkOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.unk = 64; }, "tokenizer.unk"},
      {"ClsOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.cls = 64; }, "tokenizer.cls"},
      {"SepOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.sep = 64; }, "tokenizer.sep"},
      {"PadOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.pad = 1U << 31; },
       "tokenizer.pad"},
      {"MaskOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.mask = 0xFFFFFFFF; },
       "tokenizer.mask"},
      {"WordCharsZero", classify(), [](OwnedModel& m) { m.edit().tokenizer.max_word_chars = 0; },
       "tokenizer.max_word_chars"},
      {"ContinuationLong", classify(),
       [](OwnedModel& m) { m.edit().tokenizer.continuation.assign(65, '#'); },
       "tokenizer.continuation"},
      {"ContinuationNotUtf8", classify(),
       [](OwnedModel& m) { m.edit().tokenizer.continuation = "\xED\xA0\x80"; },
       "tokenizer.continuation"},
      {"AddedIdOut", classify(), [](OwnedModel& m) { m.edit().tokenizer.added[2].id = 64; },
       "tokenizer.added[2].id"},
      {"AddedEmpty", classify(), [](OwnedModel& m) { m.edit().tokenizer.added[2].content = ""; },
       "tokenizer.added[2].content"},
      {"AddedMany", classify(),
       [](OwnedModel& m) {
         m.edit().tokenizer.added.assign(16385, {"x", 5});
       },
       "tokenizer.added"},
  };
}

std::vector<Forgery> forged_tests() {
  const auto first = [](OwnedModel& m) -> format::SelfTestCase& {
    return m.edit().self_test.cases[0];
  };
  return {
      {"IdOut", classify(), [first](OwnedModel& m) { first(m).ids[2] = TokenId{64}; },
       "self_test.cases[0].ids[2]"},
      {"IdNegative", classify(), [first](OwnedModel& m) { first(m).ids[2] = TokenId{-1}; },
       "self_test.cases[0].ids[2]"},
      {"NoIds", classify(), [first](OwnedModel& m) { first(m).ids.clear(); },
       "self_test.cases[0].ids"},
      {"IdsLong",
       {.max_length = 6, .self_test = true},
       [](OwnedModel&) {},
       "self_test.cases[1].ids"},
      {"SegmentOut", classify(), [first](OwnedModel& m) { first(m).segments[3] = 2; },
       "self_test.cases[0].segments[3]"},
      {"SegmentsShort", classify(), [first](OwnedModel& m) { first(m).segments.pop_back(); },
       "self_test.cases[0].segments"},
      {"ExpectedShort", classify(), [first](OwnedModel& m) { first(m).expected.pop_back(); },
       "self_test.cases[0].expected"},
      {"ExpectedOfOtherTask", of(Task::tag),
       [first](OwnedModel& m) { first(m).expected.resize(3); }, "self_test.cases[0].expected"},
      {"ExpectedOfEmbed", of(Task::embed), [first](OwnedModel& m) { first(m).expected.resize(31); },
       "self_test.cases[0].expected"},
      {"ExpectedNaN", classify(), [first](OwnedModel& m) { first(m).expected[1] = kNaN; },
       "self_test.cases[0].expected"},
      {"NoMask", of(Task::fill_mask), [first](OwnedModel& m) { first(m).ids[1] = TokenId{9}; },
       "self_test.cases[0].ids"},
      {"ToleranceNegative", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = -0.1F; },
       "self_test.tolerance"},
      {"ToleranceLarge", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = 0.6F; },
       "self_test.tolerance"},
      {"ToleranceNaN", classify(), [](OwnedModel& m) { m.edit().self_test.tolerance = kNaN; },
       "self_test.tolerance"},
      {"ToleranceZeroWithFp32", fp32(), [](OwnedModel& m) { m.edit().self_test.tolerance = 0; },
       "self_test.tolerance"},
      {"CasesMany", classify(),
       [first](OwnedModel& m) { m.edit().self_test.cases.assign(65, first(m)); },
       "self_test.cases"},
      {"StagesMany", classify(), [](OwnedModel& m) { m.edit().provenance.resize(65); },
       "provenance"},
      {"OptionsMany", classify(), [](OwnedModel& m) { m.edit().provenance[0].options.resize(129); },
       "provenance[0].options"},
      {"MetricNotUtf8", classify(),
       [](OwnedModel& m) {
         m.edit().provenance[0].metrics = {{"f1", "\xF5"}};
       },
       "provenance[0].metrics[0].value"},
      {"StageNameLong", classify(),
       [](OwnedModel& m) { m.edit().provenance[0].name.assign(1025, 'x'); }, "provenance[0].name"},
  };
}

class ForgedSpec : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedSpec, IsRefusedByTheReaderAndTheWriter) {
  expect_refused(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Sizes, ForgedSpec, ::testing::ValuesIn(forged_sizes()), name_of_forgery);
INSTANTIATE_TEST_SUITE_P(Heads, ForgedSpec, ::testing::ValuesIn(forged_heads()), name_of_forgery);
INSTANTIATE_TEST_SUITE_P(Tokenizers, ForgedSpec, ::testing::ValuesIn(forged_tokenizers()),
                         name_of_forgery);
INSTANTIATE_TEST_SUITE_P(Tests, ForgedSpec, ::testing::ValuesIn(forged_tests()), name_of_forgery);

}  // namespace
}  // namespace espalier::testing
