// espalier bench: how long calls take, how many answers a second that is and what they cost, for
// each shape of a batch or on real texts, for one model or several in turns.
#include <nlohmann/json.hpp>

#include "bench_report.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

void run(const BenchRequest& request) {
  if (request.quiet) silence_notes();
  BenchResult result = open_bench(request);
  for (const std::string& line : bench_first_lines(result)) note(line);
  run_bench(request, result);
  if (request.format == "json") {
    print_json(bench_json(request, result));
  } else {
    write_out(bench_table(result, measure::table_format_from_name(request.format)));
  }
  flush_out();  // before what is said about it
  for (const std::string& line : bench_last_lines(result)) note(line);
}

}  // namespace

Command bench_command() {
  return make_command<BenchRequest>(
      {.name = "bench",
       .summary = "time models for batches of given shapes or on texts",
       .examples = "espalier bench sentiment.espl -b 1,8,32 -s 16-512*2 --format md\n"
                   "espalier bench old.espl new.espl --texts reviews.txt -b 1 --streams 1,2,4\n"
                   "espalier bench sentiment.espl --energy --grid DE --duration 10",
       .details =
           "LIST: 1,8 or 16-512*2 or 16-64+16. A batch has no padding. Rates come from the "
           "median;\n"
           "of texts or several streams from the whole time, tokenizer included. ratio: time over\n"
           "the first model's of the same round, the median and its 95 % interval."},
      run);
}

}  // namespace espalier::tools
