// Counts calls of operator new: run() allocates nothing once it has seen a batch of that size.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "runtime/executor.hpp"
#include "runtime/reference/reference.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/tiny_model.hpp"

namespace {

std::atomic<std::size_t> n_allocations{0};

void* allocate(std::size_t n_bytes, std::size_t alignment) {
  ++n_allocations;
  const std::size_t rounded = (n_bytes + alignment) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t n_bytes) {
  return allocate(n_bytes, alignof(std::max_align_t));
}
void* operator new[](std::size_t n_bytes) {
  return allocate(n_bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t n_bytes, std::align_val_t alignment) {
  return allocate(n_bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t n_bytes, std::align_val_t alignment) {
  return allocate(n_bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace espalier::runtime {
namespace {

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
