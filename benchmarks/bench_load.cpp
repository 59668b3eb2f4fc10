// Measures what it takes from starting a process to its first answer, phase by phase, and how much
// memory the model then holds. Each round is a process of its own: a second opening in one process
// finds the heap warm and the library's kernels made. The file lies in the page cache.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "api/backends.hpp"
#include "api/tokenizer_impl.hpp"
#include "base/cpu_info.hpp"
#include "base/file_bytes.hpp"
#include "espalier/error.hpp"
#include "format/reader.hpp"
#include "measure/process.hpp"
#include "measure/report.hpp"
#include "rounds.hpp"
#include "runtime/executor.hpp"
#include "text/tokenizer.hpp"

namespace {

using namespace espalier;

// What a round measures, in this order; milliseconds, then megabytes.
constexpr std::array<std::string_view, 14> kFigures = {
    "start of the process, ms",
    "read the file, ms",
    "verify it, ms",
    "tokenizer, ms",
    "pack weights and generate kernels, ms",
    "session: threads and memory, ms",
    "encode and run the first sentence, ms",
    "start to first answer, ms",
    "open to first answer, ms",
    "the same sentence again, ms",
    "resident at start, MB",
    "resident once loaded, MB",
    "resident after 8x128, MB",
    "most resident so far, MB",
};
using Figures = std::array<double, kFigures.size()>;

// CLOCK_MONOTONIC: the same clock in parent and child.
double now_ms() {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return Milliseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double peak_resident_mb() {
  return static_cast<double>(measure::peak_resident_bytes().value_or(0)) / 1e6;
}

/// Times one phase after another.
class Phases {
 public:
  explicit Phases(double start_ms) : last_ms_(start_ms) {}
  void end(double& figure) {
    const double now = now_ms();
    figure = now - last_ms_;
    last_ms_ = now;
  }

 private:
  double last_ms_;
};

void run_batch(runtime::Executor& executor, const TokenBatch& batch) {
  std::vector<float> answers(executor.output_size(batch));
  executor.run(batch, answers);
}

/// The work of a child. The phases are those of Model::open, Session and a first call.
Figures open_and_answer(const char* path, unsigned n_threads, double started_ms) {
  const std::vector<Text> texts = {{.first = "a charming journey", .second = std::nullopt}};
  Figures figures{};
  figures[10] = resident_mb();
  Phases phases(started_ms);
  phases.end(figures[0]);
  FileBytes bytes = FileBytes::open(path);
  phases.end(figures[1]);
  const format::ModelFile file = format::ModelFile::parse(std::move(bytes));
  const format::ModelSpec& spec = file.spec();
  phases.end(figures[2]);
  const text::Tokenizer tokenizer(api::tokenizer_spec(spec.tokenizer));
  phases.end(figures[3]);
  const api::ChosenBackend chosen = api::choose_backend(api::kAutoBackend);
  const auto prepared = chosen.backend->prepare(spec);
  phases.end(figures[4]);
  runtime::Executor executor(*chosen.backend, *prepared, spec, n_threads,
                             runtime::default_limits(spec));
  phases.end(figures[5]);
  figures[11] = resident_mb();
  run_batch(executor, tokenizer.encode(texts, spec.max_length));
  phases.end(figures[6]);
  for (int phase = 0; phase < 7; ++phase) figures[7] += figures[phase];
  figures[8] = figures[7] - figures[0];
  run_batch(executor, tokenizer.encode(texts, spec.max_length));
  phases.end(figures[9]);
  const benchmarks::Shape large = {"8x128", std::vector<std::uint32_t>(8, 128)};
  run_batch(executor, benchmarks::random_batch(large, spec.vocabulary_size(), spec.max_length));
  figures[12] = resident_mb();
  figures[13] = peak_resident_mb();
  return figures;
}

/// Starts this program again for one round and reads what it measured.
Figures run_child(const char* path, const std::string& n_threads) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw Error(ErrorCode::failed, "no pipe to a child process");
  const std::string started_ms = std::to_string(now_ms());
  const pid_t child = fork();
  if (child < 0) throw Error(ErrorCode::failed, "no child process could be started");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    execl("/proc/self/exe", "bench_load", "--round", path, n_threads.c_str(), started_ms.c_str(),
          nullptr);
    _exit(1);
  }
  close(ends[1]);
  Figures figures{};
  std::FILE* answers = fdopen(ends[0], "r");
  bool is_whole = answers != nullptr;
  for (double& figure : figures) is_whole = is_whole && std::fscanf(answers, "%lf", &figure) == 1;
  if (answers != nullptr) std::fclose(answers);
  waitpid(child, nullptr, 0);
  if (!is_whole) throw Error(ErrorCode::failed, "a round did not end well, see above");
  return figures;
}

void measure_loading(const char* path, int n_rounds, const std::string& n_threads) {
  run_child(path, n_threads);  // brings the file and the libraries into the page cache
  std::array<std::vector<double>, kFigures.size()> rounds;
  for (int round = 0; round < n_rounds; ++round) {
    const Figures figures = run_child(path, n_threads);
    for (std::size_t index = 0; index < figures.size(); ++index) {
      rounds[index].push_back(figures[index]);
    }
  }
  const double file_mb = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  measure::Table table;
  table.add_column("phase").add_column("median", measure::Align::right);
  table.add_column("lowest", measure::Align::right).add_column("highest", measure::Align::right);
  for (std::size_t index = 0; index < kFigures.size(); ++index) {
    const std::vector<double>& values = rounds[index];
    table.add_row({kFigures[index], measure::Cell::number(benchmarks::median(values), 2),
                   measure::Cell::number(*std::min_element(values.begin(), values.end()), 2),
                   measure::Cell::number(*std::max_element(values.begin(), values.end()), 2)});
  }
  std::fputs(table.print(measure::TableFormat::md).c_str(), stdout);
  std::printf("\nfile %.1f MB; resident after 8x128 is the file and %.1f MB\n", file_mb,
              benchmarks::median(rounds[12]) - file_mb);
  std::printf("%s threads, %d rounds, a process each\n", n_threads.c_str(), n_rounds);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 5 && std::string_view(argv[1]) == "--round") {
      const Figures figures =
          open_and_answer(argv[2], static_cast<unsigned>(std::atoi(argv[3])), std::atof(argv[4]));
      for (const double figure : figures) std::printf("%.6f\n", figure);
      return 0;
    }
    const int n_rounds = argc >= 3 ? std::atoi(argv[2]) : 15;
    const int n_threads = argc >= 4 ? std::atoi(argv[3]) : static_cast<int>(usable_cpus());
    if (argc < 2 || argc > 4 || n_rounds < 1 || n_threads < 1) {
      std::fprintf(stderr, "usage: bench_load MODEL.espl [ROUNDS] [THREADS]\n");
      return 2;
    }
    measure_loading(argv[1], n_rounds, std::to_string(n_threads));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 3;
  }
}
