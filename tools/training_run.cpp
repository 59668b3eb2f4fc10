#include "training_run.hpp"

#include <chrono>

#include "base/atomic_file.hpp"
#include "compress/checkpoint/sentence_transformers_writer.hpp"
#include "compress/export/provenance.hpp"
#include "compress/train/device.hpp"
#include "espalier/error.hpp"
#include "interrupt.hpp"
#include "measure/energy.hpp"
#include "output.hpp"
#include "report.hpp"
#include "text/tokenizer_files.hpp"
#include "training_progress.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kStateFile = "state.safetensors";

// Nothing is overwritten unasked, and only what can be resumed is.
void check_run_folder(const fs::path& folder, const std::vector<std::string>& inputs,
                      const TrainingRequest& request) {
  const bool has_state = fs::exists(folder / "training" / kStateFile);
  if (request.resume) {
    check_not_an_input(folder, inputs);
    if (has_state) return;
    throw Error(ErrorCode::usage,
                "there is no interrupted run in '" + folder.string() + "'" +
                    (fs::exists(folder / "training.json") ? ": it has ended" : "") +
                    "; leave --resume away to start one");
  }
  if (has_state && !request.force) {
    throw Error(ErrorCode::output, "'" + folder.string() +
                                       "' holds an interrupted run; --resume goes on with it, "
                                       "--force starts anew");
  }
  check_output_folder(folder, inputs, request.force);
}

Json energy_json(const measure::EnergyFigure& figure) {
  Json json = {{"tag", measure::energy_tag_name(figure.tag)}};
  json["joules"] = figure.joules ? Json(measure::two_digits(*figure.joules)) : Json();
  json["source"] = figure.source;
  json["reason"] = figure.reason;
  return json;
}

}  // namespace

std::string tokenizer_hash(const fs::path& place) {
  if (!fs::is_directory(place)) return compress::file_hash(place);
  std::string hashes;
  for (const char* name : {"config.json", "modules.json", "sentence_bert_config.json",
                           "tokenizer.json", "tokenizer_config.json", "vocab.txt"}) {
    if (fs::exists(place / name)) hashes += compress::file_hash(place / name);
  }
  return hashes;
}

void add_hashes(train::Settings& settings, const std::string& name,
                const std::vector<fs::path>& files) {
  for (const fs::path& file : files) settings.emplace_back(name, compress::file_hash(file));
}

Json input_facts(const std::string& file) {
  return {{"file", base_name(file)}, {"xxh3", compress::file_hash(file)}};
}

TrainingRun::TrainingRun(const TrainingRequest& request, const std::vector<std::string>& inputs)
    : request_(request),
      folder_(request.output),
      work_(folder_ / "training"),
      device_(train::find_device(request.device)) {
  if (request.quiet) silence_notes();
  check_run_folder(folder_, inputs, request);
  if (request.bf16) train::check_bf16(device_);
  n_threads_ = train::use_threads(request.threads);
}

void TrainingRun::train(model::Bert& bert, const objective::Objective& objective,
                        const objective::Judge* judge, Identity identity, train::Shaper* shaper) {
  make_folder(work_);
  // The sum of gradients depends on how many threads share it.
  identity.settings.emplace_back("threads used", std::to_string(n_threads_));
  train::RunContext run{.state_file = work_ / kStateFile,
                        .settings = std::move(identity.settings),
                        .resume = request_.resume,
                        .save_seconds = request_.save_minutes * 60,
                        .stop_requested = interrupt_requested,
                        .shaper = shaper};
  std::uint64_t first_step = 0;
  if (run.resume) {
    first_step = train::SavedState::open(run.state_file, run.settings).position().step;
    note("going on after step " + std::to_string(first_step));
  }
  if (device_.is_cuda()) train::move_to(bert, device_);
  const auto start = std::chrono::steady_clock::now();
  measure::EnergyMeter meter = measure::EnergyMeter::open(
      device_.is_cuda() ? measure::EnergyOptions{} : measure::EnergyOptions{.nvml_library = ""});
  meter.start();
  {
    TrainingLog log(work_, first_step);
    TrainingProgress progress(meter);
    run.hooks = {&log, &progress};
    result_ = train::train(bert, objective, judge, trainer_options(request_), run);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (result_.ending == train::Ending::stopped) {
    note("saved after step " + std::to_string(result_.step) + "; to go on:\n  " +
         identity.resume_command);
    throw_if_interrupted();
  }
  report_ = {{"examples", objective.size()},
             {"steps", result_.step},
             {"seconds", time.count()},
             {"energy", energy_json(meter.stop().total())}};
  if (first_step > 0) report_["resumed_after_step"] = first_step;
  if (judge != nullptr) {
    report_["best_epoch"] = result_.best_epoch + 1;
    for (const objective::Score& score : train::judge(*judge, bert)) {
      report_["scores"][score.name] = score.value;
    }
  }
}

void TrainingRun::write_checkpoint(const model::Bert& bert, const Artefacts& artefacts) const {
  if (artefacts.new_tokenizer) {
    text::write_tokenizer(folder_, *artefacts.new_tokenizer, Overwrite::replace);
  } else {
    text::copy_tokenizer(artefacts.tokenizer_folder, folder_, Overwrite::replace);
  }
  if (artefacts.embedding) {
    checkpoint::write_embedding_layout(folder_, *artefacts.embedding, bert.config.hidden,
                                       Overwrite::replace);
  }
  model::save_bert(bert, folder_,
                   request_.weights == "f16" ? model::WeightType::f16 : model::WeightType::f32,
                   Overwrite::replace);
  if (!artefacts.embedding) checkpoint::remove_embedding_layout(folder_);
}

Json TrainingRun::write(model::Bert& bert, const Artefacts& artefacts, Json facts) {
  if (device_.is_cuda()) train::move_to(bert, at::kCPU);
  make_folder(folder_);
  try {
    write_checkpoint(bert, artefacts);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::output || report_.empty()) throw;
    throw Error(error.code(), std::string(error.what()) +
                                  "; what was learnt is kept: make room, then give the same "
                                  "command with --resume");
  }
  if (!report_.empty()) facts.update(report_);
  facts["version"] = version();
  write_card(facts);
  fs::remove(work_ / kStateFile);
  return facts;
}

void TrainingRun::write_card(const Json& card) const {
  AtomicFile file(folder_ / "training.json", Overwrite::replace);
  file.write(card.dump(2) + "\n");
  file.commit();
}

void TrainingRun::finish(model::Bert& bert, const Artefacts& artefacts, Json facts) {
  facts = write(bert, artefacts, std::move(facts));
  if (request_.format == "json") {
    facts["output"] = base_name(request_.output);
    return print_json(facts);
  }
  std::string scores;
  if (facts.contains("scores")) {
    for (const auto& [name, value] : facts["scores"].items()) {
      scores += ", " + name + " " + fixed(value.get<double>(), 4);
    }
  }
  write_out(request_.output + ": " + std::to_string(result_.step) + " steps in " +
            duration_text(facts.at("seconds").get<double>()) + scores + "\n");
}

}  // namespace espalier::tools
