#include "checkpoint_sensitivity.hpp"

#include "base/cpu_info.hpp"
#include "compress/export/export.hpp"
#include "data/reader.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "report.hpp"

namespace espalier::tools {
namespace {

std::vector<data::Row> read_rows(const SensitivityRequest& request, Task task) {
  const std::unique_ptr<data::Reader> reader = data::Reader::open(
      request.data, request.columns.format(),
      request.columns.columns(/*words=*/task == Task::tag, /*need_label=*/false));
  std::vector<data::Row> rows;
  for (data::Row row; (request.limit == 0 || rows.size() < request.limit) && reader->next(row);) {
    throw_if_interrupted();
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(ErrorCode::bad_input, "the data has no rows");
  return rows;
}

compress::ExportedModel exported(const SensitivityRequest& request, Precision precision) {
  compress::ExportOptions wanted;
  wanted.precision = precision;
  wanted.n_threads = request.n_threads == 0 ? usable_cpus() : request.n_threads;
  wanted.on_progress = [](double, std::string_view) { throw_if_interrupted(); };
  return compress::export_checkpoint(request.folder, wanted);
}

Sensitivity measure(const SensitivityRequest& request) {
  const compress::ExportedModel fp32 = exported(request, Precision::fp32);
  for (const std::string& line : fp32.notes()) note("note: " + line);
  const std::vector<data::Row> rows = read_rows(request, fp32.spec().task);
  const compress::ExportedModel int8 = exported(request, Precision::int8);
  const std::size_t n_models = 3 + 2 * compress::part_names(fp32.spec().layers.size()).size();
  note(std::to_string(n_models) + " mixtures of fp32 and int8 answer " +
       std::to_string(rows.size()) + " rows each");
  Progress progress("answers", n_models * rows.size());
  return measure_sensitivity(
      {.fp32 = fp32.spec(),
       .int8 = int8.spec(),
       .rows = rows,
       .session = {.n_threads = request.n_threads, .backend = request.backend}},
      [&](std::size_t done, std::size_t) {
        throw_if_interrupted();
        progress.show(done);
      });
}

}  // namespace

SensitivityReport checkpoint_sensitivity(const SensitivityRequest& request) {
  return {.model = base_name(request.folder),
          .data = base_name(request.data),
          .found = measure(request)};
}

}  // namespace espalier::tools
