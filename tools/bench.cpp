// espalier bench: time of one call, for each shape of a batch, on tokens drawn with a fixed seed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/cpu_info.hpp"
#include "commands.hpp"
#include "espalier/espalier.hpp"
#include "interrupt.hpp"
#include "measure/latency.hpp"
#include "measure/report.hpp"
#include "names.hpp"
#include "number_list.hpp"
#include "output.hpp"
#include "report.hpp"
#include "workload.hpp"

namespace espalier::tools {
namespace {

constexpr std::uint32_t kMaxBatch = 65536;
constexpr std::uint64_t kMaxTokens = std::uint64_t{1} << 20;  // of one call: over any sane workload

struct BenchOptions {
  std::string model;
  std::string batches = "1,8";
  std::string lengths_each = "16,128";
  std::string lengths;
  std::uint32_t threads = 0;
  std::uint32_t warmup = 5;
  std::uint32_t repeat = 50;
  std::string backend = "auto";
  std::string format = "table";
  bool quiet = false;
};

template <typename Visitor>
void visit(BenchOptions& options, Visitor&& visitor) {
  visitor({.name = "MODEL", .help = "model file (.espl)", .required = true}, options.model);
  visitor({.name = "-b,--batch", .help = "sentences of a call", .value = "LIST"}, options.batches);
  visitor({.name = "-s,--seq", .help = "tokens of a sentence", .value = "LIST"},
          options.lengths_each);
  visitor({.name = "--lengths",
           .help = "instead: one call with sentences of these tokens",
           .value = "FILE|LIST"},
          options.lengths);
  visitor({.name = "-t,--threads",
           .help = "threads; without it one for each processor",
           .min = 1,
           .max = 1024},
          options.threads);
  visitor({.name = "--warmup", .help = "calls before the clock starts", .max = 1000000},
          options.warmup);
  visitor({.name = "-r,--repeat", .help = "calls that are timed", .min = 1, .max = 1000000},
          options.repeat);
  visitor({.name = "--backend", .help = "what computes", .choices = "auto|cpu|reference"},
          options.backend);
  visitor({.name = "--format", .help = "how to print", .choices = "table|json|jsonl|md|csv"},
          options.format);
  visitor({.name = "-q,--quiet", .help = "no notes on standard error"}, options.quiet);
}

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

std::vector<Lengths> shapes_of(const BenchOptions& options, std::uint32_t max_length) {
  if (!options.lengths.empty()) return {read_lengths(options.lengths, max_length)};
  std::vector<Lengths> shapes;
  for (const std::uint32_t batch : parse_numbers(options.batches, "--batch", kMaxBatch)) {
    for (const std::uint32_t length : parse_numbers(options.lengths_each, "--seq", max_length)) {
      shapes.emplace_back(batch, length);
    }
  }
  return shapes;
}

struct Row {
  std::size_t batch = 0;
  std::uint32_t seq = 0;  // the longest
  std::size_t tokens = 0;
  measure::LatencySummary latency;
};

Row measure_shape(const BenchOptions& options, const Model& model, Session& session,
                  const Lengths& lengths) {
  const TokenBatch batch = random_batch(model, lengths, model.info().vocabulary_size);
  std::vector<float> answers(session.output_size(batch));
  std::vector<double> times_ms;
  times_ms.reserve(options.repeat);
  for (std::uint64_t call = 0; call < std::uint64_t{options.warmup} + options.repeat; ++call) {
    throw_if_interrupted();
    const measure::Stopwatch watch;
    session.run(batch, answers);
    const double time_ms = watch.elapsed_ms();
    if (call >= options.warmup) times_ms.push_back(time_ms);
  }
  return {lengths.size(), *std::max_element(lengths.begin(), lengths.end()), batch.n_tokens(),
          measure::summarize(times_ms)};
}

double tokens_per_s(const Row& row) {
  return static_cast<double>(row.tokens) / row.latency.p50_ms * 1000;
}

std::string as_table(const std::vector<Row>& rows, const Session& session,
                     measure::TableFormat format) {
  using measure::Align;
  using measure::Cell;
  measure::Table table;
  for (const char* name : {"batch", "seq", "tokens", "threads", "p50_ms", "p90_ms", "p99_ms",
                           "mean_ms", "sd_ms", "tokens_per_s"}) {
    table.add_column(name, Align::right);
  }
  for (const Row& row : rows) {
    table.add_row({Cell::count(row.batch), Cell::count(row.seq), Cell::count(row.tokens),
                   Cell::count(session.n_threads()), Cell::number(row.latency.p50_ms, 4),
                   Cell::number(row.latency.p90_ms, 4), Cell::number(row.latency.p99_ms, 4),
                   Cell::number(row.latency.mean_ms, 4), Cell::number(row.latency.sd_ms, 4),
                   Cell::number(tokens_per_s(row), 0)});
  }
  return table.print(format);
}

nlohmann::ordered_json as_json(const std::vector<Row>& rows, const BenchOptions& options,
                               const Model& model, const Session& session) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    list.push_back({{"batch", row.batch},
                    {"seq", row.seq},
                    {"tokens", row.tokens},
                    {"threads", session.n_threads()},
                    {"p50_ms", row.latency.p50_ms},
                    {"p90_ms", row.latency.p90_ms},
                    {"p99_ms", row.latency.p99_ms},
                    {"mean_ms", row.latency.mean_ms},
                    {"sd_ms", row.latency.sd_ms},
                    {"tokens_per_s", tokens_per_s(row)}});
  }
  return {{"version", version()},
          {"model", base_name(options.model)},
          {"checksum", hex(model.info().checksum)},
          {"precision", name_of(model.info().precision)},
          {"cpu", cpu_name()},
          {"backend", session.backend()},
          {"backend_path", session.backend_path()},
          {"warmup", options.warmup},
          {"repeat", options.repeat},
          {"seed", kWorkloadSeed},
          {"rows", list}};
}

void run(const BenchOptions& options) {
  if (options.quiet) silence_notes();
  const Model model = Model::open(options.model);
  const std::vector<Lengths> shapes = shapes_of(options, model.info().max_length);
  for (const Lengths& lengths : shapes) {
    std::uint64_t n_tokens = 0;
    for (const std::uint32_t length : lengths) n_tokens += length;
    if (n_tokens > kMaxTokens) {
      throw Error(ErrorCode::resource, "one call with " + std::to_string(n_tokens) +
                                           " tokens is over the limit of " +
                                           std::to_string(kMaxTokens));
    }
  }
  Session session(model, {.n_threads = options.threads, .backend = options.backend});
  note(first_line(model, session) + ", seed " + std::to_string(kWorkloadSeed));
  Progress progress("shapes", shapes.size());
  std::vector<Row> rows;
  for (const Lengths& lengths : shapes) {
    rows.push_back(measure_shape(options, model, session, lengths));
    progress.show(rows.size());
  }
  if (options.format == "json") {
    print_json(as_json(rows, options, model, session));
  } else {
    write_out(as_table(rows, session, measure::table_format_from_name(options.format)));
  }
}

}  // namespace

Command bench_command() {
  return make_command<BenchOptions>(
      {.name = "bench",
       .summary = "time a model for batches of given shapes",
       .examples = "espalier bench sentiment.espl -b 1,8 -s 16,128 -t 2 --format json\n"
                   "espalier bench sentiment.espl -b 1 -s 16-512*2 -r 200 --format md\n"
                   "espalier bench sentiment.espl --lengths 5,9,12,40 -t 1",
       .details = "LIST: numbers and ranges between commas, 1,8 or 16-512*2 or 16-64+16. A batch\n"
                  "has no padding. tokens_per_s comes from the median."},
      run);
}

}  // namespace espalier::tools
