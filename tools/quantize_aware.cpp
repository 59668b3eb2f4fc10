// espalier quantize --qat: trains a model while it is rounded as its int8 file will round it, so
// that it learns to answer with the codes that it will have.
#include <filesystem>
#include <optional>

#include "compress/export/calibration.hpp"
#include "compress/export/export.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "compress/model/surgery.hpp"
#include "compress/quantize/fake_quant.hpp"
#include "espalier/error.hpp"
#include "espalier/session.hpp"
#include "export_model.hpp"
#include "fine_tuned.hpp"
#include "format/writer.hpp"
#include "held_out.hpp"
#include "measure/report.hpp"
#include "output.hpp"
#include "output_folder.hpp"
#include "quantize_command.hpp"
#include "recovery.hpp"
#include "report.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// A start that answers already needs little: one pass, small steps, nothing dropped, because what
// is dropped has no codes.
[[nodiscard]] TrainingRequest small_steps() {
  TrainingRequest request;
  request.epochs = 1;
  request.dropout = 0;
  return request;
}

struct QatRequest {
  std::string model;
  TypeRequest types;
  DataRequest data;
  RecoveryRequest recovery;
  TrainingRequest training = small_steps();
};

template <typename Visitor>
void visit(QatRequest& request, Visitor&& visitor) {
  visitor({.name = "DIR", .help = "checkpoint folder, fine-tuned", .required = true},
          request.model);
  visit_types(request.types, visitor);
  visit_data(request.data, visitor);
  visit_recovery(request.recovery, visitor);
  visit_training(request.training, visitor);
}

class Qat {
 public:
  Qat(const QatRequest& request, unsigned n_threads)
      : request_(request),
        start_(request.model, "DIR", request.data, request.training.max_length),
        recovery_(request.recovery, request.training, start_) {
    export_.precision = Precision::int8;
    export_.n_threads = n_threads;
    export_.rules = precision_rules(request.types, export_.precision);
    export_.coding = coding_of(request.types);
    // What the start's file rounds, and with which input scales, is what is trained for.
    whole_.emplace(compress::export_checkpoint(request.model, export_));
    codes_ = compress::calibration_of(whole_->spec());
    bert_ = model::cut(start_.bert(), model::all_units(start_.bert()));
  }

  [[nodiscard]] const FineTuned& start() const { return start_; }
  [[nodiscard]] model::Bert& bert() { return bert_; }

  const objective::Objective& objective(at::Device device) {
    rounding_.emplace(whole_->spec(), export_.coding.rounding, device);
    bert_.rounding = &*rounding_;
    return recovery_.objective(bert_.config, device);
  }

  [[nodiscard]] Identity identity() const {
    Identity identity = identity_of("espalier quantize --qat", request_);
    recovery_.add_settings(identity.settings);
    return identity;
  }

  [[nodiscard]] Json card() const {
    Json card = {{"stage", "qat"}};
    card.update(start_facts(request_.model, request_.data, request_.recovery));
    card["options"] = option_facts(request_);
    return card;
  }

  // Writes what was learnt as an int8 file, with the input scales that it was learnt with.
  void write_file(const fs::path& folder, const fs::path& file) const {
    compress::ExportOptions options = export_;
    options.calibration = &codes_;
    format::write_model(compress::export_checkpoint(folder, options).spec(), file.string(),
                        Overwrite::replace);
  }

  // Four models asked the held-out rows: the start as it was, rounded without training, trained,
  // and the file. The last two should be the same.
  void add_scores(Json& card, const fs::path& file) {
    if (start_.judge() == nullptr) return;
    const Judged exact = judge_held_out(start_, start_.bert());
    model::Bert untrained = start_.bert();
    untrained.rounding = &*rounding_;
    const Judged before = judge_held_out(start_, untrained);
    const Judged after = judge_held_out(start_, bert_);
    card["fp32"] = facts_of(exact, exact);
    card["before"] = facts_of(before, exact);
    card["after"] = facts_of(after, exact);
    const at::Tensor answers = file_answers(file, after.answers);
    if (answers.defined()) {
      card["file"] = {{"distance", distance(start_, after, {.scores = {}, .answers = answers})}};
    }
  }

 private:
  [[nodiscard]] Json facts_of(const Judged& judged, const Judged& exact) const {
    Json facts;
    for (const objective::Score& score : judged.scores) facts["scores"][score.name] = score.value;
    if (&judged != &exact) facts["distance"] = distance(start_, exact, judged);
    return facts;
  }

  // Of a sequence classifier: as many logits as `like`.
  [[nodiscard]] at::Tensor file_answers(const fs::path& file, const at::Tensor& like) const {
    const auto model = Model::open(file.string());
    Session session(model);
    const TokenBatch& tokens = start_.held_out().tokens;
    if (!like.defined() || session.output_size(tokens) != static_cast<std::size_t>(like.numel())) {
      return {};
    }
    at::Tensor answers = at::empty_like(like);
    session.run(tokens,
                {answers.mutable_data_ptr<float>(), static_cast<std::size_t>(answers.numel())});
    return answers;
  }

  const QatRequest& request_;
  FineTuned start_;
  compress::ExportOptions export_;
  std::optional<compress::ExportedModel> whole_;
  compress::Calibration codes_;
  Recovery recovery_;
  model::Bert bert_;
  std::optional<quantize::FakeQuant> rounding_;
};

std::string qat_text(const Json& card, const std::string& output) {
  std::string text =
      output + "/model.espl: " + fixed(card["int8_bytes"].get<double>() / 1e6, 2) + " MB\n";
  if (!card.contains("after")) return text;
  measure::Table table;
  table.add_column("");
  for (const char* name : {"fp32", "int8, untrained", "int8, trained"}) {
    table.add_column(name, measure::Align::right);
  }
  for (const auto& score : card["fp32"]["scores"].items()) {
    table.add_row({score.key(), fixed(score.value().get<double>(), 2),
                   fixed(card["before"]["scores"][score.key()].get<double>(), 2),
                   fixed(card["after"]["scores"][score.key()].get<double>(), 2)});
  }
  const auto add_distance = [&](const char* title, const char* key, int digits) {
    if (!card["after"]["distance"].is_object()) return;
    table.add_row({title, "0", fixed(card["before"]["distance"][key].get<double>(), digits),
                   fixed(card["after"]["distance"][key].get<double>(), digits)});
  };
  add_distance("answers unlike fp32", "flips", 0);
  add_distance("KL to fp32", "kl", 5);
  text += table.print(measure::TableFormat::table);
  if (card.contains("file")) {
    const Json& file = card["file"]["distance"];
    text += "the file beside the model that was trained: KL " + fixed(file["kl"].get<double>(), 6) +
            ", " + std::to_string(file["flips"].get<std::size_t>()) + " answers differ\n";
  }
  return text;
}

void run(const QatRequest& request) {
  TrainingRun run(request.training, {request.model, request.recovery.teacher});
  Qat job(request, run.n_threads());
  run.train(job.bert(), job.objective(run.device()), job.start().judge(), job.identity());
  Json card = run.write(job.bert(), job.start().artefacts(), job.card());
  const fs::path folder = request.training.output;
  const fs::path file = folder / "model.espl";
  job.write_file(folder, file);
  card["int8_bytes"] = fs::file_size(file);
  job.add_scores(card, file);
  run.write_card(card);
  if (request.training.format == "json") {
    card["output"] = base_name(request.training.output);
    return print_json(card);
  }
  write_out(qat_text(card, request.training.output));
}

}  // namespace

Command qat_command() {
  return make_command<QatRequest>(
      {.name = "quantize --qat",
       .summary = "train a model while it is rounded as its int8 file will round it",
       .examples = "espalier quantize --qat sst2 -o sst2-qat --train train.tsv --eval dev.tsv\n"
                   "espalier quantize --qat small -o small-qat --train train.tsv --teacher sst2",
       .details =
           "Quantization-aware training (Jacob 2018, §3), distilled from DIR's own fp32 answers\n"
           "and hidden states, or --teacher's. OUT becomes a checkpoint folder for every other\n"
           "verb, with model.espl (int8) and training.json: scores of the start, of the start\n"
           "rounded, of what was learnt, and how near the file comes to it."},
      run);
}

}  // namespace espalier::tools
