// Measures how fast the tokenizer cuts a text file, line by line, on one core.
// Prints one JSON object: MB/s (10^6 bytes of text) as median, lowest and highest of the rounds,
// and a checksum of the ids by which another tokenizer can show that it did the same work.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.hpp"

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

struct Round {
  double seconds = 0;
  std::size_t n_tokens = 0;
  std::uint64_t id_sum = 0;
};

Round run_round(const espalier::text::Tokenizer& tokenizer,
                const std::vector<std::string_view>& lines) {
  Round round;
  espalier::text::Scratch scratch;
  espalier::TokenBatch batch;
  const auto start = std::chrono::steady_clock::now();
  for (const std::string_view line : lines) {
    batch.ids.clear();
    batch.segments.clear();
    batch.spans.clear();
    batch.offsets.clear();
    batch.truncated.clear();
    tokenizer.encode({line}, {.truncation = espalier::text::Truncation::none}, batch, scratch);
    round.n_tokens += batch.ids.size();
    for (const espalier::TokenId id : batch.ids) {
      round.id_sum += static_cast<std::uint64_t>(espalier::to_int(id));
    }
  }
  round.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return round;
}

int measure(const char* folder, const char* file, int n_rounds) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (text.empty()) {
    std::fprintf(stderr, "bench_tokenizer: %s: empty or unreadable\n", file);
    return 3;
  }
  const espalier::text::Tokenizer tokenizer(espalier::text::load_tokenizer_spec(folder));
  const std::vector<std::string_view> lines = lines_of(text);
  const double megabytes = static_cast<double>(text.size()) / 1e6;

  Round last = run_round(tokenizer, lines);  // warm-up
  std::vector<double> rates;
  for (int round = 0; round < n_rounds; ++round) {
    last = run_round(tokenizer, lines);
    rates.push_back(megabytes / last.seconds);
  }
  std::sort(rates.begin(), rates.end());
  std::printf(
      "{\"mb_per_s\": %.2f, \"lowest\": %.2f, \"highest\": %.2f, \"rounds\": %d, \"tokens\": %zu, "
      "\"id_sum\": %llu}\n",
      rates[rates.size() / 2], rates.front(), rates.back(), n_rounds, last.n_tokens,
      static_cast<unsigned long long>(last.id_sum));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int n_rounds = argc == 4 ? std::atoi(argv[3]) : 5;
  if (argc < 3 || argc > 4 || n_rounds < 1) {
    std::fprintf(stderr, "usage: bench_tokenizer VOCAB_FOLDER TEXT_FILE [ROUNDS]\n");
    return 2;
  }
  try {
    return measure(argv[1], argv[2], n_rounds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_tokenizer: %s\n", error.what());
    return 3;
  }
}
