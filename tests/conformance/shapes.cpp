#include "tests/conformance/shapes.hpp"

namespace espalier::testing {

std::vector<Shape> all_shapes() {
  using format::ElementType;
  using format::Pooling;
  return {
      {"Plain", {}, {7, 12, 3}},
      {"OneToken", {}, {1}},
      {"ScaledInputs", {.input_scales = true}, {7, 12, 3}},
      {"ScaledInputsOddHidden",
       {.hidden = 37,
        .head_dim = 5,
        .n_heads = {3, 0},
        .intermediate = {33, 65},
        .input_scales = true},
       {9, 1}},
      {"ManySingleTokens", {.task = Task::multi_label}, {1, 1, 1, 1, 1}},
      {"OneSentence", {.task = Task::tag}, {19}},
      {"LongestSentence", {.hidden = 64, .head_dim = 16, .positions = 512}, {512}},
      {"LongTagged", {.task = Task::tag, .positions = 512}, {300, 2}},
      {"OddHidden",
       {.hidden = 37, .head_dim = 5, .n_heads = {3, 3}, .intermediate = {75, 41}},
       {5, 17}},
      {"WideHidden",
       {.hidden = 192, .head_dim = 64, .n_heads = {3}, .intermediate = {768}},
       {9, 21}},
      {"PrunedUnevenly",
       {.task = Task::embed, .n_heads = {1, 4, 2}, .intermediate = {5, 130, 64}},
       {6, 11, 1, 30}},
      {"NoHeads", {.n_heads = {0, 4}, .intermediate = {64, 64}}, {8, 3}},
      {"NoHeadsInTheLastLayer", {.n_heads = {4, 0}, .intermediate = {64, 64}}, {8, 3}},
      {"NoFeedForward", {.task = Task::regress, .n_heads = {4, 4}, .intermediate = {0, 0}}, {4, 9}},
      {"NothingButNorms",
       {.task = Task::embed, .n_heads = {0}, .intermediate = {0}, .pooling = Pooling::cls},
       {2, 5}},
      {"MeanPooling", {.task = Task::embed, .small_type = ElementType::f16}, {13, 1, 26}},
      {"RawClsPooling",
       {.task = Task::embed, .pooling = Pooling::cls, .normalize = false},
       {4, 31}},
      {"HalfHead", {.task = Task::classify, .small_type = ElementType::f16}, {10, 10}},
      {"NoSegments",
       {.task = Task::multi_label,
        .hidden = 37,
        .head_dim = 5,
        .n_heads = {3},
        .intermediate = {41},
        .segments = 0,
        .pooler_activation = format::PoolerActivation::relu},
       {5, 17, 1}},
      {"TagWithoutSegments", {.task = Task::tag, .segments = 0}, {19, 2}},
      {"FillMask", {.task = Task::fill_mask, .small_type = ElementType::f16}, {12, 2, 8}},
  };
}

}  // namespace espalier::testing
