// Golden entities of the sequences below were worked out by hand from conlleval's rules: a chunk
// starts at B, and at I after O or after another type; it ends before O, B and another type.
#include "measure/entities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "espalier/error.hpp"
#include "tests/measure/golden.hpp"

namespace espalier::measure {
namespace {

using Tags = std::vector<std::string_view>;

Tags split(std::string_view text) {
  Tags tags;
  while (!text.empty()) {
    tags.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(std::min(text.size(), tags.back().size() + 1));
  }
  return tags;
}

/// "PER[0,2) LOC[3,4)"
std::string entities_of(std::string_view tags) {
  std::ostringstream text;
  for (const Entity& entity : entities_from_tags(split(tags))) {
    text << (text.str().empty() ? "" : " ") << entity.type << '[' << entity.begin << ','
         << entity.end << ')';
  }
  return text.str();
}

struct Sequence {
  const char* name;
  const char* tags;
  const char* entities;
};

void PrintTo(const Sequence& sequence, std::ostream* out) {
  *out << sequence.tags;
}

class ConllevalRules : public ::testing::TestWithParam<Sequence> {};

TEST_P(ConllevalRules, FindTheEntities) {
  EXPECT_EQ(entities_of(GetParam().tags), GetParam().entities);
}

INSTANTIATE_TEST_SUITE_P(
    Entities, ConllevalRules,
    ::testing::Values(
        Sequence{"Nothing", "O O O", ""}, Sequence{"Empty", "", ""},
        Sequence{"Iob2", "B-PER I-PER O B-LOC", "PER[0,2) LOC[3,4)"},
        Sequence{"Iob1StartsWithI", "I-PER I-PER O I-LOC", "PER[0,2) LOC[3,4)"},
        Sequence{"Iob1AdjacentSameType", "I-PER B-PER I-PER", "PER[0,1) PER[1,3)"},
        Sequence{"Iob1AdjacentOtherType", "I-PER I-LOC", "PER[0,1) LOC[1,2)"},
        Sequence{"Iob2AdjacentSameType", "B-PER B-PER I-PER", "PER[0,1) PER[1,3)"},
        Sequence{"InsideOfAnotherType", "B-PER I-LOC I-LOC I-PER", "PER[0,1) LOC[1,3) PER[3,4)"},
        Sequence{"MixedInOneSentence", "B-PER I-PER O I-PER I-PER", "PER[0,2) PER[3,5)"},
        Sequence{"InsideAfterOutside", "O I-ORG", "ORG[1,2)"},
        Sequence{"OpenAtTheEnd", "O B-ORG I-ORG", "ORG[1,3)"},
        Sequence{"TypeWithADash", "B-creative-work I-creative-work I-work",
                 "creative-work[0,2) work[2,3)"},
        Sequence{"NoTypes", "B I O I B", "[0,2) [3,4) [4,5)"},
        Sequence{"EmptyTypeDiffersFromNone", "B-PER I", "PER[0,1) [1,2)"},
        Sequence{"Bioes", "B-PER E-PER S-PER S-LOC B-LOC I-LOC E-LOC",
                 "PER[0,2) PER[2,3) LOC[3,4) LOC[4,7)"},
        Sequence{"Bilou", "U-PER B-PER I-PER L-PER", "PER[0,1) PER[1,4)"},
        Sequence{"InsideAfterEnd", "B-PER E-PER I-PER", "PER[0,2) PER[2,3)"}),
    [](const auto& test) { return test.param.name; });

TEST(Entities, RefuseATagOfAnotherKind) {
  for (const char* tag : {"PER", "X", "", "[CLS]", "b-PER", "O-PER", "BPER", "NN"}) {
    EXPECT_FALSE(is_entity_tag(tag)) << tag;
    EXPECT_THROW((void)entities_from_tags(Tags{"O", tag}), Error) << tag;
  }
}

TEST(EntityScorer, CountsByHand) {
  EntityScorer scorer;

  // PER right; LOC of the right words but called ORG; a second PER cut short.
  scorer.add(split("B-PER I-PER O B-ORG O B-PER O"), split("I-PER I-PER O I-LOC O I-PER I-PER"));

  EXPECT_EQ(scorer.all().gold, 3u);
  EXPECT_EQ(scorer.all().predicted, 3u);
  EXPECT_EQ(scorer.all().correct, 1u);
  EXPECT_DOUBLE_EQ(scorer.all().f1(), 100.0 / 3);
  EXPECT_DOUBLE_EQ(scorer.by_type().at("PER").precision(), 50.0);
  EXPECT_DOUBLE_EQ(scorer.by_type().at("LOC").recall(), 0.0);
  EXPECT_EQ(scorer.by_type().at("ORG").predicted, 1u);
  EXPECT_DOUBLE_EQ(scorer.tag_accuracy(), 100.0 * 3 / 7);
}

TEST(EntityScorer, TakesIob1AndIob2AsTheSame) {
  EntityScorer scorer;

  scorer.add(split("B-PER I-PER B-PER O B-LOC"), split("I-PER I-PER B-PER O I-LOC"));

  EXPECT_EQ(scorer.all().f1(), 100.0);
}

TEST(EntityScorer, EndsEntitiesAtTheEndOfASentence) {
  EntityScorer scorer;

  scorer.add(split("O I-PER"), split("O I-PER"));
  scorer.add(split("I-PER O"), split("I-PER O"));

  EXPECT_EQ(scorer.all().gold, 2u);
  EXPECT_EQ(scorer.all().correct, 2u);
}

TEST(EntityScorer, AgreesWithAStreamingPortOfConlleval) {
  EntityScorer scorer;
  const std::span<const std::string_view> gold(golden::kGoldTags);
  const std::span<const std::string_view> predicted(golden::kPredictedTags);

  for (std::size_t begin = 0; begin < gold.size(); begin += 10) {
    scorer.add(predicted.subspan(begin, 10), gold.subspan(begin, 10));
  }

  EXPECT_EQ(scorer.all().gold, golden::kEntityCounts[0]);
  EXPECT_EQ(scorer.all().predicted, golden::kEntityCounts[1]);
  EXPECT_EQ(scorer.all().correct, golden::kEntityCounts[2]);
  EntityCounts sum;
  for (const auto& [type, counts] : scorer.by_type()) {
    sum.gold += counts.gold;
    sum.predicted += counts.predicted;
    sum.correct += counts.correct;
  }
  EXPECT_EQ(sum.gold, scorer.all().gold);
  EXPECT_EQ(sum.predicted, scorer.all().predicted);
  EXPECT_EQ(sum.correct, scorer.all().correct);
}

TEST(EntityScorer, IsUnchangedByASentenceItRefuses) {
  EntityScorer scorer;

  EXPECT_THROW(scorer.add(split("B-PER"), split("B-PER O")), Error);
  EXPECT_THROW(scorer.add(split("B-PER X"), split("B-PER O")), Error);
  EXPECT_THROW(scorer.add(split("B-PER O"), split("B-PER X")), Error);

  EXPECT_EQ(scorer.all().gold, 0u);
  EXPECT_EQ(scorer.all().f1(), 0.0);
  EXPECT_TRUE(scorer.by_type().empty());
}

}  // namespace
}  // namespace espalier::measure
