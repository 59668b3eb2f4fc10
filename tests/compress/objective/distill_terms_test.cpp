#include "compress/objective/distill_terms.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/compress/model/golden.hpp"

namespace espalier::objective {
namespace {

using model::Golden;
using model::largest_difference;

// fp32 on both sides: another order of sums moves the last bits only.
constexpr float kTolerance = 1e-5F;

using Term = std::function<at::Tensor(const at::Tensor& student, const at::Tensor& teacher)>;

// (sentences, tokens): the golden sentences' lengths.
at::Tensor golden_mask(const Golden& golden) {
  return at::arange(6).unsqueeze(0) < golden["lengths"].unsqueeze(1);
}

void expect_golden(const std::string& name, const Term& term) {
  const Golden golden("distill");
  const at::Tensor student = golden["term." + name + ".student"].requires_grad_(true);
  const at::Tensor teacher = golden["term." + name + ".teacher"].requires_grad_(true);

  const at::Tensor loss = term(student, teacher.detach());
  loss.backward();

  EXPECT_NEAR(loss.item<float>(), golden["term." + name + ".loss"].item<float>(), kTolerance)
      << name;
  EXPECT_LE(largest_difference(student.grad(), golden["term." + name + ".gradient"]), kTolerance)
      << name;
}

TEST(DistillTerms, EqualThoseOfPyTorchWithTheirGradients) {
  const at::Tensor mask = golden_mask(Golden("distill"));

  expect_golden("class_1", [](const auto& s, const auto& t) { return class_term(s, t, 1); });
  expect_golden("class_4", [](const auto& s, const auto& t) { return class_term(s, t, 4); });
  expect_golden("label_3", [](const auto& s, const auto& t) { return label_term(s, t, 3); });
  expect_golden("vector", vector_term);
  expect_golden("vector_narrow", vector_term);
  expect_golden("patient", patient_term);
  expect_golden("attention",
                [&](const auto& s, const auto& t) { return attention_term(s, t, mask); });
  expect_golden("relation",
                [&](const auto& s, const auto& t) { return relation_term(s, t, mask, 2); });
}

TEST(DistillTerms, SeeNoDifferenceBetweenAnAbsentMaskAndOneOfTokensOnly) {
  const Golden golden("distill");
  const at::Tensor all = at::ones({3, 6}, at::kBool);
  const at::Tensor a = golden["term.attention.student"];
  const at::Tensor b = golden["term.attention.teacher"];
  const at::Tensor narrow = golden["term.relation.student"];
  const at::Tensor wide = golden["term.relation.teacher"];

  EXPECT_NEAR(attention_term(a, b, {}).item<float>(), attention_term(a, b, all).item<float>(),
              1e-6);
  EXPECT_NEAR(relation_term(narrow, wide, {}, 4).item<float>(),
              relation_term(narrow, wide, all, 4).item<float>(), 1e-6);
}

// At high temperatures the divergence becomes a squared distance of centred logits, over 2 labels
// (Hinton et al. 2015, §2.1), so without T² it would vanish.
TEST(DistillTerms, BecomeASquaredDistanceOfLogitsAtHighTemperatures) {
  const Golden golden("distill");
  const at::Tensor student = golden["term.class_1.student"];
  const at::Tensor teacher = golden["term.class_1.teacher"];
  const auto centred = [](const at::Tensor& x) { return x - x.mean(-1, /*keepdim=*/true); };
  const float expected =
      ((centred(student) - centred(teacher)).square().sum(-1) / (2 * 3)).mean().item<float>();

  // fp32 leaves of a divergence near 1e-4 some four digits.
  EXPECT_NEAR(class_term(student, teacher, 100).item<float>(), expected, 0.02F * expected);
  EXPECT_GT(std::abs(class_term(student, teacher, 1).item<float>() - expected), 0.02F * expected);
}

TEST(DistillTerms, AreZeroForEqualSides) {
  const Golden golden("distill");
  const at::Tensor logits = golden["term.class_1.student"];
  const at::Tensor states = golden["term.relation.student"];
  const at::Tensor attention = golden["term.attention.student"];
  const at::Tensor mask = golden_mask(golden);

  for (const at::Tensor& value :
       {class_term(logits, logits, 2), label_term(logits, logits, 2), square_term(logits, logits),
        vector_term(logits, logits), patient_term(logits, logits),
        attention_term(attention, attention, mask), relation_term(states, states, mask, 2)}) {
    EXPECT_NEAR(value.item<float>(), 0, 1e-6);
  }
}

TEST(DistillTerms, HeedOnlyTheDirectionWherePatientAndTheSizeElsewhere) {
  const at::Tensor rows = Golden("distill")["term.patient.student"];

  EXPECT_NEAR(patient_term(rows * 3, rows).item<float>(), 0, 1e-6);
  EXPECT_NEAR(patient_term(-rows, rows).item<float>(), 4, 1e-5);
  EXPECT_GT(square_term(rows * 3, rows).item<float>(), 1);
}

TEST(DistillTerms, CutRelationHeadsThatFitBothAndAreWideEnough) {
  EXPECT_EQ(relation_heads(768, 768), 48);
  EXPECT_EQ(relation_heads(384, 768), 48);
  EXPECT_EQ(relation_heads(312, 768), 24);
  EXPECT_EQ(relation_heads(7, 384), 1);
  EXPECT_EQ(relation_heads(8, 16), 1);
}

TEST(RealRows, AreTheTokensInTheirOrder) {
  const at::Tensor x = at::arange(12).view({2, 3, 2});
  const at::Tensor mask = (at::tensor({1, 1, 0, 1, 0, 0}) > 0).view({2, 3});

  EXPECT_TRUE(real_rows(x, mask).equal(at::tensor({0, 1, 2, 3, 6, 7}, at::kLong).view({3, 2})));
  EXPECT_TRUE(real_rows(x, {}).equal(x.view({6, 2})));
}

}  // namespace
}  // namespace espalier::objective
