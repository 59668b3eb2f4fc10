// The calls that are timed: random pieces of given lengths, or texts of a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench_request.hpp"
#include "espalier/espalier.hpp"

namespace espalier::tools {

/// The calls behind one row of the report, the same for every model.
struct BenchCase {
  std::size_t batch = 0;                        // sentences of a call
  std::uint32_t seq = 0;                        // tokens of the longest, for the first model
  std::vector<std::vector<Text>> texts;         // (calls); empty with random pieces
  std::vector<std::vector<TokenBatch>> tokens;  // (models, calls)

  [[nodiscard]] std::size_t n_calls() const { return tokens.front().size(); }
  [[nodiscard]] bool has_texts() const { return !texts.empty(); }
};

struct BenchWork {
  std::vector<std::string> lines;  // what the views in `cases` look at
  std::vector<BenchCase> cases;
};

/// The cases that `request` asks of `models`, at least one each. Lengths go up to what all models
/// take; texts are cut to what each takes, and calls are full but where there are fewer texts than
/// a call has. Throws Error(usage) for lists that cannot be and options that exclude each other,
/// Error(bad_input) for files, Error(resource) for a call that is too large.
[[nodiscard]] BenchWork bench_work(const BenchRequest& request, std::span<const Model> models);

}  // namespace espalier::tools
