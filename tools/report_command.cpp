// espalier report: what tradeoff found, or what a model file is, as a page, a table or JSON.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "commands.hpp"
#include "export_model.hpp"
#include "model_entry.hpp"
#include "names.hpp"
#include "output.hpp"
#include "report.hpp"
#include "report/page.hpp"
#include "report/results.hpp"
#include "report_files.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::uint32_t kUsualTokens = 32;  // of a sentence, where no data says so

struct ReportOptions {
  std::vector<std::string> inputs;
  std::string output;
  bool no_texts = false;
  bool force = false;
};

template <typename Visitor>
void visit(ReportOptions& options, Visitor&& visitor) {
  visitor({.name = "INPUT",
           .help = "OUT or results.json of tradeoff, model file, other reports as JSON",
           .required = true},
          options.inputs);
  visitor({.name = "-o,--output",
           .help = "FILE.html, FILE.md or FILE.json",
           .value = "FILE",
           .required = true},
          options.output);
  visitor({.name = "--no-texts", .help = "leave sentences of the data out"}, options.no_texts);
  visitor({.name = "--force", .help = "replace the file if it exists"}, options.force);
}

// A model file by itself: what it is, without any score.
Json lone_model(const std::string& path) {
  const Model model = Model::open(path);
  Json results = {{"schema_version", 1},
                  {"kind", "trade_off"},
                  {"version", version()},
                  {"task", name_of(model.info().task)},
                  {"labels", model.info().labels}};
  results["models"] = Json::array(
      {model_entry(fs::path(base_name(path)).stem().string(), path, model, kUsualTokens)});
  return results;
}

Json read_input(const std::string& path) {
  if (fs::path(path).extension() == ".espl") return lone_model(path);
  const bool is_folder = fs::is_directory(path);
  return read_json_file(is_folder ? (fs::path(path) / kResultsFile).string() : path);
}

void run(const ReportOptions& options) {
  const ReportKind kind = report_kind(options.output);
  check_output_file(options.output, options.force);
  std::vector<Json> read;
  for (const std::string& path : options.inputs) read.push_back(read_input(path));
  std::vector<report::NamedDocument> documents;
  for (std::size_t index = 0; index < read.size(); ++index) {
    documents.push_back({base_name(options.inputs[index]), &read[index]});
  }
  Json results = report::merge_results(documents);
  if (options.no_texts) report::leave_out_texts(results);
  write_report(results, kind, options.output);
  note("written: " + options.output);
}

}  // namespace

Command report_command() {
  return make_command<ReportOptions>(
      {.name = "report",
       .summary = "make a page, a table or JSON of what tradeoff found, or of a model file",
       .examples = "espalier report out/ -o report.html\n"
                   "espalier report out/ other-runtimes.json -o table.md\n"
                   "espalier report my-model.espl sensitivity.json -o model.html",
       .details =
           "The page is one file that loads and runs nothing. Every figure on it says where\n"
           "in the JSON it stands. Models of the same name and runtime: the last holds."},
      run);
}

}  // namespace espalier::tools
