#include "bench_work.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "number_list.hpp"
#include "report.hpp"
#include "text_file.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

constexpr std::uint32_t kMaxBatch = 65536;
constexpr std::uint64_t kMaxTokens = std::uint64_t{1} << 20;  // of one call: over any sane workload
constexpr std::size_t kMostTexts = 100000;                    // held in memory, as tokens too

using Lengths = std::vector<std::uint32_t>;  // tokens of each sentence of one call

// A file holds numbers between commas, blanks or line ends.
Lengths read_lengths(const std::string& given, std::uint32_t max) {
  if (given.find_first_not_of("0123456789,-*+") == std::string::npos) {
    return parse_numbers(given, "--lengths", max);
  }
  std::ifstream file(given);
  if (!file || std::filesystem::is_directory(given)) {
    throw Error(ErrorCode::bad_input, "--lengths: '" + base_name(given) +
                                          "' cannot be read; give a file of numbers or a list");
  }
  Lengths lengths;
  std::uint32_t length = 0;
  for (char separator = ','; file >> length; file >> std::ws) {
    if (length < 1 || length > max || lengths.size() == kMaxBatch) {
      throw Error(ErrorCode::bad_input, "'" + base_name(given) + "': number " +
                                            std::to_string(lengths.size() + 1) +
                                            " is not a length from 1 to " + std::to_string(max));
    }
    lengths.push_back(length);
    file >> std::ws;
    if (file.peek() == separator) file.get();
  }
  if (!file.eof() || lengths.empty()) {
    throw Error(ErrorCode::bad_input, "'" + base_name(given) + "': number " +
                                          std::to_string(lengths.size() + 1) + " is no number");
  }
  return lengths;
}

std::vector<Lengths> shapes_of(const BenchRequest& request, std::uint32_t max_length) {
  if (!request.lengths.empty()) return {read_lengths(request.lengths, max_length)};
  std::vector<Lengths> shapes;
  const std::string lengths = request.lengths_each.value_or(kDefaultLengths);
  for (const std::uint32_t batch : parse_numbers(request.batches, "--batch", kMaxBatch)) {
    for (const std::uint32_t length : parse_numbers(lengths, "--seq", max_length)) {
      shapes.emplace_back(batch, length);
    }
  }
  return shapes;
}

void check_size(std::uint64_t n_tokens) {
  if (n_tokens <= kMaxTokens) return;
  throw Error(ErrorCode::resource, "one call with " + std::to_string(n_tokens) +
                                       " tokens is over the limit of " +
                                       std::to_string(kMaxTokens));
}

BenchCase case_of_shape(const Lengths& lengths, std::span<const Model> models) {
  std::uint32_t n_pieces = models.front().info().vocabulary_size;
  for (const Model& model : models) n_pieces = std::min(n_pieces, model.info().vocabulary_size);
  BenchCase one{.batch = lengths.size(),
                .seq = *std::max_element(lengths.begin(), lengths.end()),
                .texts = {},
                .tokens = {}};
  for (const Model& model : models) {
    one.tokens.push_back({random_batch(model, lengths, n_pieces)});
  }
  return one;
}

BenchCase case_of_texts(std::span<const std::string> lines, std::size_t batch,
                        std::span<const Model> models) {
  BenchCase one{.batch = std::min(batch, lines.size()), .seq = 0, .texts = {}, .tokens = {}};
  for (std::size_t begin = 0; begin + one.batch <= lines.size(); begin += one.batch) {
    one.texts.push_back(texts_of(lines.subspan(begin, one.batch)));
  }
  for (const Model& model : models) {
    std::vector<TokenBatch>& calls = one.tokens.emplace_back();
    for (const std::vector<Text>& texts : one.texts) {
      calls.push_back(model.tokenizer().encode(texts));
      check_size(calls.back().n_tokens());
    }
  }
  for (const TokenBatch& call : one.tokens.front()) {
    for (std::size_t sentence = 0; sentence < call.n_sentences(); ++sentence) {
      one.seq = std::max(one.seq, call.offsets[sentence + 1] - call.offsets[sentence]);
    }
  }
  return one;
}

}  // namespace

BenchWork bench_work(const BenchRequest& request, std::span<const Model> models) {
  BenchWork work;
  if (!request.texts.empty()) {
    if (request.lengths_each || !request.lengths.empty()) {
      throw Error(ErrorCode::usage,
                  "--texts have the lengths they have; leave out --seq and --lengths");
    }
    const std::vector<std::uint32_t> batches = parse_numbers(request.batches, "--batch", kMaxBatch);
    work.lines = read_texts(request.texts, kMostTexts);
    for (const std::uint32_t batch : batches) {
      work.cases.push_back(case_of_texts(work.lines, batch, models));
    }
    return work;
  }
  std::uint32_t max_length = models.front().info().max_length;
  for (const Model& model : models) max_length = std::min(max_length, model.info().max_length);
  const std::vector<Lengths> shapes = shapes_of(request, max_length);
  for (const Lengths& lengths : shapes) {
    std::uint64_t n_tokens = 0;
    for (const std::uint32_t length : lengths) n_tokens += length;
    check_size(n_tokens);
  }
  for (const Lengths& lengths : shapes) work.cases.push_back(case_of_shape(lengths, models));
  return work;
}

}  // namespace espalier::tools
