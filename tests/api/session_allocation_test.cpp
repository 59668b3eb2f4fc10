// A warm Session::run allocates nothing. Not built under sanitizers, which replace operator new
// too.
#include <gtest/gtest.h>

#include "tests/api/tiny_models.hpp"
#include "tests/support/counted_new.hpp"

namespace espalier {
namespace {

using testing::n_allocations;

// Of int8 models: matmuls of floats are oneDNN's, which calls operator new in each.
void expect_no_allocation(const testing::TinyCheckpoint& tiny) {
  const Model model = testing::open_tiny(tiny);
  const TokenBatch batch = model.tokenizer().encode(testing::as_texts(testing::some_texts()));
  for (const std::string& backend : testing::backends_here()) {
    Session session(model, {.n_threads = 2, .backend = backend});
    std::vector<float> logits(session.output_size(batch));
    session.run(batch, logits);
    const std::size_t before = n_allocations;

    for (int round = 0; round < 3; ++round) session.run(batch, logits);

    EXPECT_EQ(n_allocations - before, 0U) << backend;
  }
}

TEST(Run, AllocatesNothingOnceItIsWarm) {
  expect_no_allocation({});
}

TEST(Run, AllocatesNothingForPrunedAndFactorisedModels) {
  expect_no_allocation({.uneven = {{{}, 24}, {{1}, 0}}, .embedding_rank = 7});
}

}  // namespace
}  // namespace espalier
