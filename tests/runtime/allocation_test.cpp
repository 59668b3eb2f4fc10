// Counts calls of operator new: run() allocates nothing once it has seen a batch of that size.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/counted_new.hpp"
#include "tests/support/tiny_model.hpp"

namespace espalier::runtime {
namespace {

using testing::n_allocations;

TEST(Allocation, TheCounterCounts) {
  const std::size_t before = n_allocations;

  const auto number = std::make_unique<std::string>(100, 'x');

  EXPECT_EQ(n_allocations, before + 2);
}

std::size_t allocations_of_second_run(const testing::TinyModel& tiny, unsigned threads) {
  const testing::OwnedModel owned = testing::make_tiny_model(tiny);
  const auto prepared = reference_backend().prepare(owned.spec());
  Executor executor(reference_backend(), *prepared, owned.spec(), threads, {32, 64});
  // A sentence to split among two threads, and several blocks.
  const std::vector<std::uint32_t> first = {9, 64, 5, 20, 20, 1};
  const std::vector<std::uint32_t> second = {7, 60, 11, 20};
  const TokenBatch warm_up = testing::make_batch(testing::make_sentences(first));
  const TokenBatch batch = testing::make_batch(testing::make_sentences(second));
  std::vector<float> dst(executor.output_size(warm_up));
  executor.run(warm_up, dst);
  dst.resize(executor.output_size(batch));

  const std::size_t before = n_allocations;
  executor.run(batch, dst);
  return n_allocations - before;
}

TEST(Allocation, RunAllocatesNothingAfterWarmUp) {
  for (const Task task : {Task::classify, Task::tag, Task::embed, Task::fill_mask}) {
    for (const Precision precision : {Precision::int8, Precision::fp32, Precision::bf16}) {
      for (const unsigned threads : {1U, 2U}) {
        EXPECT_EQ(allocations_of_second_run({.task = task, .precision = precision}, threads), 0U)
            << static_cast<int>(task) << " " << threads;
      }
    }
  }
}

TEST(Allocation, MultiplyingOutFourBitWordsAllocatesNothing) {
  for (const Task task : {Task::tag, Task::fill_mask}) {
    EXPECT_EQ(allocations_of_second_run({.task = task, .four_bit_group = 64}, 2), 0U);
  }
}

TEST(Allocation, ProjectingWordsAllocatesNothing) {
  for (const Precision precision : {Precision::int8, Precision::fp32, Precision::bf16}) {
    EXPECT_EQ(allocations_of_second_run({.precision = precision, .embedding_rank = 7}, 2), 0U);
  }
}

}  // namespace
}  // namespace espalier::runtime
