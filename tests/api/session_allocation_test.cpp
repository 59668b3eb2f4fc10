// A warm Session::run allocates nothing. Not built under sanitizers, which replace operator new
// too.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/api/tiny_models.hpp"

namespace {

std::atomic<std::size_t> n_allocations{0};

void* counted(std::size_t n_bytes, std::size_t alignment) {
  ++n_allocations;
  const std::size_t rounded = (n_bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Counts every allocation of this program. The array and nothrow forms call these.
void* operator new(std::size_t n_bytes) {
  return counted(n_bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t n_bytes, std::align_val_t alignment) {
  return counted(n_bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace espalier {
namespace {

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
