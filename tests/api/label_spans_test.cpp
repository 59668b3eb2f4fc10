// Spans from labels, by the rules of conlleval for each of its schemes.
#include "api/label_spans.hpp"

#include <gtest/gtest.h>

namespace espalier::api {
namespace {

/// The spans of a sentence of labels as "type[begin,end)" words.
std::vector<std::string> spans_of(const std::vector<std::string>& sentence) {
  std::vector<std::string> labels;
  std::vector<std::uint32_t> indices;
  for (const std::string& label : sentence) {
    const auto known = std::find(labels.begin(), labels.end(), label);
    indices.push_back(static_cast<std::uint32_t>(known - labels.begin()));
    if (known == labels.end()) labels.push_back(label);
  }
  const LabelScheme scheme(labels);
  std::vector<std::string> spans;
  for (const LabelSpan& span : scheme.join(indices)) {
    spans.push_back(std::string(span.type) + "[" + std::to_string(span.begin) + "," +
                    std::to_string(span.end) + ")");
  }
  return spans;
}

using Spans = std::vector<std::string>;

TEST(LabelSpans, JoinIob2) {
  EXPECT_EQ(spans_of({"B-PER", "I-PER", "O", "B-LOC", "B-LOC"}),
            (Spans{"PER[0,2)", "LOC[3,4)", "LOC[4,5)"}));
}

TEST(LabelSpans, JoinIob1WhereOnlyANeighbourNeedsB) {
  EXPECT_EQ(spans_of({"I-PER", "I-PER", "B-PER", "O", "I-LOC"}),
            (Spans{"PER[0,2)", "PER[2,3)", "LOC[4,5)"}));
}

TEST(LabelSpans, AnotherTypeBeginsAnotherSpan) {
  EXPECT_EQ(spans_of({"B-PER", "I-LOC", "I-LOC"}), (Spans{"PER[0,1)", "LOC[1,3)"}));
}

TEST(LabelSpans, JoinIobes) {
  EXPECT_EQ(spans_of({"S-PER", "B-LOC", "I-LOC", "E-LOC", "I-LOC", "E-LOC"}),
            (Spans{"PER[0,1)", "LOC[1,4)", "LOC[4,6)"}));
}

TEST(LabelSpans, BareLabelsAreTypes) {
  EXPECT_EQ(spans_of({"VERB", "VERB", "O", "NOUN"}), (Spans{"VERB[0,2)", "NOUN[3,4)"}));
}

TEST(LabelSpans, NothingIsJoinedAcrossTheOutside) {
  EXPECT_EQ(spans_of({"O", "O"}), Spans{});
  EXPECT_EQ(spans_of({}), Spans{});
  EXPECT_EQ(spans_of({"I-PER", "O", "I-PER"}), (Spans{"PER[0,1)", "PER[2,3)"}));
}

TEST(LabelSpans, FindTheOutsideLabelWhereverItStands) {
  EXPECT_EQ(LabelScheme({"B-PER", "O"}).outside(), 1U);
  EXPECT_EQ(LabelScheme({"B-PER", "I-PER"}).outside(), 0U);
}

}  // namespace
}  // namespace espalier::api
