// Measures the linears of MiniLM and BERT-base one by one, as the CPU back end runs them (weights
// packed once, rows in chunks, the epilogue that the encoder asks of each), on one thread: GMAC/s
// and the share of the measured peak, beside oneDNN's matmuls behind the same interface.
//
// Each turn walks through as many layers' weights as the model has, so that they come from where
// they come from in the encoder: BERT-base's are larger than a core's caches.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_info.hpp"
#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "format/panels.hpp"
#include "measure/peak.hpp"
#include "measure/report.hpp"
#include "print_peaks.hpp"
#include "rounds.hpp"
#include "runtime/cpu/kernels.hpp"

namespace {

using namespace espalier;
using namespace espalier::benchmarks;
using namespace espalier::runtime::cpu;
using measure::Cell;
using measure::fp32_op_in_use;
using measure::int8_op_in_use;
using measure::peak_gmac_per_s;
using measure::PeakOp;

constexpr double kTurnMs = 20;
constexpr std::uint32_t kRowCounts[] = {1, 8, 16, 32, 48, 128, 256};
constexpr std::uint32_t kMaxRows = 256;

struct Case {
  const char* name;
  std::uint32_t in, out;
  Output output;
  const char* epilogue;
  std::uint32_t n_layers;
};

constexpr Case kCases[] = {
    {"MiniLM qkv", 384, 1152, Output::store, "store", 6},
    {"MiniLM out", 384, 384, Output::add, "add", 6},
    {"MiniLM up", 384, 1536, Output::gelu, "gelu", 6},
    {"MiniLM down", 1536, 384, Output::add, "add", 6},
    {"BERT-base qkv", 768, 2304, Output::store, "store", 12},
    {"BERT-base out", 768, 768, Output::add, "add", 12},
    {"BERT-base up", 768, 3072, Output::gelu, "gelu", 12},
    {"BERT-base down", 3072, 768, Output::add, "add", 12},
};

/// Not a standard distribution: those differ from library to library. Sum of four uniform numbers.
float bell(std::mt19937& random) {
  float total = -2.0F;
  for (int part = 0; part < 4; ++part) total += static_cast<float>(random() >> 8) * 0x1p-24F;
  return total;
}

std::int8_t random_code(std::mt19937& random) {
  return static_cast<std::int8_t>(bell(random) * 63.5F);
}

format::Tensor vector_of(const std::vector<float>& values) {
  return {format::ElementType::f32, 1, static_cast<std::uint32_t>(values.size()),
          std::as_bytes(std::span(values))};
}

std::unique_ptr<FileBytes> aligned(std::span<const std::byte> src) {
  return std::make_unique<FileBytes>(FileBytes::copy(src));
}

/// The weights of one linear of one layer, in both precisions, made up.
struct Weights {
  Weights(const Case& of, std::mt19937& random) : scale(of.out), bias(of.out) {
    std::vector<std::int8_t> codes(std::size_t{of.out} * of.in);
    for (std::int8_t& code : codes) code = random_code(random);
    for (float& value : scale) value = 0.001F + 0.0001F * bell(random);
    for (float& value : bias) value = 0.1F * bell(random);
    std::vector<float> floats(codes.size());
    for (std::size_t index = 0; index < codes.size(); ++index) {
      floats[index] = static_cast<float>(codes[index]) * scale[index / of.in];
    }
    const std::vector<std::int8_t> packed = format::pack_panels(codes, of.out, of.in);
    panels = aligned(std::as_bytes(std::span(packed)));
    rows = aligned(std::as_bytes(std::span(floats)));
    const auto linear = [&](Precision precision, format::ElementType type, const FileBytes& src) {
      format::LinearSpec spec;
      spec.in = of.in;
      spec.out = of.out;
      spec.precision = precision;
      spec.weight = {type, of.out, of.in, src.bytes()};
      spec.bias = vector_of(bias);
      if (precision == Precision::int8) spec.scale = vector_of(scale);
      return spec;
    };
    int8 = linear(Precision::int8, format::ElementType::s8, *panels);
    fp32 = linear(Precision::fp32, format::ElementType::f32, *rows);
  }

  std::vector<float> scale, bias;
  std::unique_ptr<FileBytes> panels, rows;  // aligned as a file's tensors are
  format::LinearSpec int8, fp32;
};

/// The input of a linear for kMaxRows rows, in every form that a maker may read.
struct Input {
  explicit Input(const Case& of, std::mt19937& random)
      : x(std::size_t{kMaxRows + kChunkRows} * float_stride(of.in)),
        s16(std::size_t{kMaxRows + kChunkRows} * code_stride(of.in)),
        u8(s16.size(), 128),
        scale(kMaxRows + kChunkRows, 0.01F) {
    for (std::uint32_t row = 0; row < kMaxRows; ++row) {
      for (std::uint32_t column = 0; column < of.in; ++column) {
        const std::int8_t code = random_code(random);
        const std::size_t element = std::size_t{row} * code_stride(of.in) + column;
        s16[element] = code;
        u8[element] = static_cast<std::uint8_t>(code + 128);
        x[std::size_t{row} * float_stride(of.in) + column] = 0.01F * static_cast<float>(code);
      }
    }
  }

  std::vector<float> x;
  std::vector<std::int16_t> s16;
  std::vector<std::uint8_t> u8;
  std::vector<float> scale;
};

/// One maker's linears, a layer each.
class Contender {
 public:
  Contender(std::unique_ptr<LinearMaker> maker, const Case& of, const std::vector<Weights>& layers,
            Precision precision)
      : of_(of), maker_(std::move(maker)) {
    for (const Weights& weights : layers) {
      linears_.push_back(maker_->make(precision == Precision::int8 ? weights.int8 : weights.fp32));
    }
    scratch_ = maker_->new_scratch();
    dst_.resize(std::size_t{kMaxRows + kChunkRows} * float_stride(of.out));
  }

  /// GMAC/s of about kTurnMs of calls.
  double turn(const Input& input, std::uint32_t n_rows) {
    std::fill(dst_.begin(), dst_.end(), 0.0F);  // Output::add adds up
    run_layers(input, n_rows);                  // warm-up
    int n_passes = 0;
    const measure::Stopwatch watch;
    do {
      run_layers(input, n_rows);
      ++n_passes;
    } while (watch.elapsed_ms() < kTurnMs);
    const double macs = static_cast<double>(linears_.size()) * of_.in * of_.out * n_rows;
    return macs * n_passes / watch.elapsed_ms() / 1e6;
  }

 private:
  void run_layers(const Input& input, std::uint32_t n_rows) {
    const bool is_s16 = maker_->code_layout() == CodeLayout::s16;
    for (const std::unique_ptr<Linear>& linear : linears_) {
      for (std::uint32_t first = 0; first < n_rows; first += kChunkRows) {
        const std::size_t code = std::size_t{first} * code_stride(of_.in);
        const void* codes = is_s16 ? static_cast<const void*>(input.s16.data() + code)
                                   : static_cast<const void*>(input.u8.data() + code);
        linear->run(*scratch_,
                    {.x = input.x.data() + std::size_t{first} * float_stride(of_.in),
                     .codes = codes,
                     .token_scale = input.scale.data() + first,
                     .n_rows = std::min(n_rows - first, kChunkRows)},
                    of_.output, dst_.data() + std::size_t{first} * float_stride(of_.out));
      }
    }
  }

  Case of_;
  std::unique_ptr<LinearMaker> maker_;
  std::vector<std::unique_ptr<Linear>> linears_;
  std::unique_ptr<LinearScratch> scratch_;
  std::vector<float> dst_;
};

/// A column of the table: whose kernels, and the peak that their rates are shares of.
struct Column {
  std::string name;
  Precision precision;
  PeakOp peak;
  std::function<std::unique_ptr<LinearMaker>()> make;
};

std::vector<Column> columns_here(const Kernels& kernels) {
  const auto library = [&kernels] { return make_onednn_linears(kernels.rows()); };
  std::vector<Column> columns = {
      {"ours int8", Precision::int8, int8_op_in_use(), kernels.make_linears}};
  if (library() == nullptr) return columns;
  if (onednn_int8_is_exact()) {
    columns.push_back({"oneDNN int8", Precision::int8, int8_op_in_use(), library});
  }
  columns.push_back({"oneDNN fp32", Precision::fp32, fp32_op_in_use(), library});
  return columns;
}

std::string with_share(double rate, double share) {
  return Cell::number(rate, 1).text() + " (" + Cell::number(100 * share, 0).text() + " %)";
}

/// Rates, shares and the ratio of the first column to the last, in interleaved rounds.
std::vector<Cell> figures_of(const std::vector<Column>& columns, std::vector<Contender>& contenders,
                             const Input& input, std::uint32_t n_rows, int n_rounds) {
  ThreadTeam team(1);
  std::vector<std::vector<double>> rates(columns.size()), shares(columns.size());
  std::vector<double> ratios;
  for (int round = 0; round < n_rounds; ++round) {
    for (std::size_t column = 0; column < columns.size(); ++column) {
      rates[column].push_back(contenders[column].turn(input, n_rows));
      const double peak = peak_gmac_per_s(columns[column].peak, team);
      shares[column].push_back(rates[column].back() / peak);
    }
    ratios.push_back(rates.front().back() / rates.back().back());
  }
  std::vector<Cell> cells;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    cells.emplace_back(with_share(median(rates[column]), median(shares[column])));
  }
  cells.push_back(Cell::number(median(ratios), 2));
  return cells;
}

void measure_case(const Case& of, const std::vector<Column>& columns, int n_rounds,
                  measure::Table& table) {
  std::mt19937 random(1);
  std::vector<Weights> layers;
  for (std::uint32_t layer = 0; layer < of.n_layers; ++layer) layers.emplace_back(of, random);
  const Input input(of, random);
  std::vector<Contender> contenders;
  for (const Column& column : columns) {
    contenders.emplace_back(column.make(), of, layers, column.precision);
  }
  for (const std::uint32_t n_rows : kRowCounts) {
    std::vector<Cell> row = {of.name, std::to_string(of.in) + " → " + std::to_string(of.out),
                             of.epilogue, Cell::count(n_rows)};
    for (Cell& cell : figures_of(columns, contenders, input, n_rows, n_rounds)) {
      row.push_back(std::move(cell));
    }
    table.add_row(std::move(row));
  }
}

void measure_linears(int n_rounds, const std::string& only) {
  const Kernels* kernels = best_kernels(usable_isa());
  if (kernels == nullptr) {
    throw Error(ErrorCode::unavailable, "the kernels need AVX2, this processor has less");
  }
  const std::vector<Column> columns = columns_here(*kernels);
  print_peaks(1);
  std::printf("ours: %s; oneDNN: %s\n\n", std::string(kernels->int8_path).c_str(),
              onednn_version().empty() ? "not in this build" : onednn_version().c_str());
  measure::Table table;
  table.add_column("linear").add_column("in → out").add_column("epilogue");
  table.add_column("rows", measure::Align::right);
  for (const Column& column : columns) {
    table.add_column(column.name + ", GMAC/s", measure::Align::right);
  }
  table.add_column(columns.front().name + " ÷ " + columns.back().name, measure::Align::right);
  for (const Case& of : kCases) {
    if (std::string_view(of.name).find(only) == std::string_view::npos) continue;
    measure_case(of, columns, n_rounds, table);
  }
  std::fputs(table.print(measure::TableFormat::md).c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int n_rounds = argc >= 2 ? std::atoi(argv[1]) : 9;
    if (argc > 3 || n_rounds < 1) {
      std::fprintf(stderr, "usage: bench_gemm_s8 [ROUNDS] [PART_OF_A_NAME]\n");
      return 2;
    }
    measure_linears(n_rounds, argc == 3 ? argv[2] : "");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_gemm_s8: %s\n", error.what());
    return 3;
  }
}
