// espalier prune: takes out of a model what it can do without, trains what is left if asked to, and
// says what that did to size, speed and answers.
#include <filesystem>
#include <fstream>
#include <optional>

#include "compress/export/export.hpp"
#include "compress/model/checkpoint_io.hpp"
#include "compress/prune/gradual.hpp"
#include "compress/prune/pruner.hpp"
#include "espalier/error.hpp"
#include "fine_tuned.hpp"
#include "format/writer.hpp"
#include "held_out.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "output_folder.hpp"
#include "prune_command.hpp"
#include "prune_report.hpp"
#include "prune_target.hpp"
#include "prune_words.hpp"
#include "recovery.hpp"
#include "report.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
using prune::Shrinks;
namespace fs = std::filesystem;

constexpr double kUnknownLength = 32;  // tokens of a sentence, where no data says

// What an interrupted recovery goes on from, besides the trainer's own state.
constexpr const char* kCutFolder = "cut";

std::uint64_t write_int8(const fs::path& folder, const fs::path& file, unsigned n_threads) {
  compress::ExportOptions options;
  options.precision = Precision::int8;
  options.n_threads = n_threads;
  format::write_model(compress::export_checkpoint(folder, options).spec(), file.string(),
                      Overwrite::replace);
  return fs::file_size(file);
}

// Everything that is read and checked before the first cut.
class Pruning {
 public:
  Pruning(const PruneRequest& request, const prune::Method& method)
      : request_(request),
        method_(method),
        start_(request.model, "DIR", request.data, request.training.max_length),
        tokenizer_(start_.tokenizer_spec()),
        recovery_(request.recovery, request.training, start_) {
    const bool has_rows = start_.training() != nullptr;
    if (method.needs_sample && !has_rows) {
      throw Error(ErrorCode::usage, "method " + request.method +
                                        " looks at training examples; name them with --train");
    }
    if (method.while_training() && request.training.epochs == 0) {
      throw Error(
          ErrorCode::usage,
          "method " + request.method + " cuts while it trains; say how long with --recover-epochs");
    }
    if (request.training.epochs > 0 && !has_rows) {
      throw Error(ErrorCode::usage, "recovery learns from examples; name them with --train");
    }
    if (request.training.epochs > 0 && method.shrinks == Shrinks::vocabulary) {
      throw Error(ErrorCode::usage,
                  "nothing is lost that recovery could bring back: what the corpus needs stays, "
                  "bit for bit; leave --recover-epochs away");
    }
    if (!request.recovery.teacher.empty() && request.training.epochs == 0) {
      throw Error(ErrorCode::usage, "--teacher is for the recovery; add --recover-epochs");
    }
    if (has_rows) {
      sample_.emplace(
          prune::draw_sample(*start_.training(), request.sample, request.training.seed));
    }
  }

  [[nodiscard]] const FineTuned& start() const { return start_; }
  [[nodiscard]] model::Bert& bert() { return bert_; }

  // For a method that cuts while it trains: the model as it is, and how small it will be.
  void leave_whole(std::uint64_t dense_bytes) {
    find_target(dense_bytes);
    bert_ = model::cut(start_.bert(), model::all_units(start_.bert()));
  }

  // Cuts. dense_bytes: of DIR's int8 file.
  void cut(std::uint64_t dense_bytes) {
    const bool reads_corpus =
        method_.shrinks == Shrinks::vocabulary || method_.shrinks == Shrinks::embedding;
    const std::vector<std::uint64_t> counts =
        reads_corpus ? count_pieces(request_, start_) : std::vector<std::uint64_t>();
    prune::Problem problem{.bert = start_.bert(), .sample = sample_ ? &*sample_ : nullptr};
    problem.n_layers = request_.keep_layers;
    problem.layer_choice = request_.layer_choice;
    problem.tokenizer = &tokenizer_;
    problem.piece_counts = counts;
    problem.min_count = request_.min_count;
    problem.rank = request_.rank;
    problem.seed = request_.training.seed;
    Progress progress("% of the cut", 100);
    problem.on_progress = [&progress](double share) {
      throw_if_interrupted();
      progress.show(static_cast<std::size_t>(100 * share));
    };
    find_target(dense_bytes);
    problem.cost = &target_.cost;
    problem.limits = limits();
    prune::Pruned pruned = method_.prune(problem);
    bert_ = std::move(pruned.bert);
    layers_ = std::move(pruned.layers);
    new_tokenizer_ = std::move(pruned.tokenizer);
    for (const std::string& text : pruned.notes) note("note: " + text);
    facts_["notes"] = pruned.notes;
    add_cost();
    if (new_tokenizer_) {
      facts_["segmentation"] = segmentation_facts(request_, start_, *new_tokenizer_);
    }
  }

  // What the widths cost, where they were what the target is about.
  void add_cost() {
    if (method_.shrinks != Shrinks::widths) return;
    facts_["cost"] = {{"unit", target_.cost.unit},
                      {"before", target_.cost.of(start_.bert().config.layers)},
                      {"after", target_.cost.of(bert_.config.layers)},
                      {"budget", target_.budget}};
  }

  // Keeps the cut model for --resume, which does not cut again.
  void keep_cut(const fs::path& folder) const {
    make_folder(folder);
    model::save_bert(bert_, folder, model::WeightType::f32, Overwrite::replace);
    AtomicFile file(folder / "cut.json", Overwrite::replace);
    file.write(Json({{"facts", facts_}, {"layers", layers_}}).dump());
    file.commit();
  }
  void load_cut(const fs::path& folder) {
    std::ifstream stream(folder / "cut.json");
    const Json kept = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
    if (!kept.is_object() || !kept.contains("facts") || !kept.contains("layers")) {
      throw Error(ErrorCode::bad_input,
                  "'" + (folder / "cut.json").string() + "' is damaged; start anew with --force");
    }
    facts_ = kept["facts"];
    layers_ = kept["layers"].get<std::vector<std::size_t>>();
    bert_ = model::load_bert(checkpoint::Checkpoint::open(folder));
  }

  const objective::Objective& recovery(at::Device device) {
    const objective::DistillObjective& objective =
        recovery_.objective(bert_.config, device, layers_);
    if (!method_.while_training()) return objective;
    gradual_.emplace(objective, start_.bert().config, target_.cost, limits());
    return *gradual_;
  }

  // What cuts while recovery() is learnt from; null where all is cut before.
  [[nodiscard]] train::Shaper* shaper() { return gradual_ ? &*gradual_ : nullptr; }

  [[nodiscard]] Identity identity() const {
    Identity identity = identity_of("espalier prune", request_);
    recovery_.add_settings(identity.settings);
    return identity;
  }

  [[nodiscard]] Artefacts artefacts() const {
    Artefacts artefacts = start_.artefacts();
    artefacts.new_tokenizer = new_tokenizer_;
    return artefacts;
  }

  // What the card says but for what is only known when the model is written.
  [[nodiscard]] Json card() const {
    Json card = {{"stage", "prune"}, {"method", request_.method}};
    card.update(start_facts(request_.model, request_.data, request_.recovery));
    card["options"] = option_facts(request_);
    card.update(facts_);
    card["before"] = shape_facts(start_.bert(), mean_length());
    card["after"] = shape_facts(bert_, mean_length());
    return card;
  }

  // Scores before, after, and how far the answers are apart. The held-out rows are those of the
  // old tokenizer, so of a cut vocabulary there is nothing to compare but the segmentation.
  void add_scores(Json& card) const {
    if (start_.judge() == nullptr || new_tokenizer_) return;
    const Judged before = judge_held_out(start_, start_.bert());
    const Judged after = judge_held_out(start_, bert_);
    for (const objective::Score& score : before.scores) {
      card["before"]["scores"][score.name] = score.value;
    }
    for (const objective::Score& score : after.scores) {
      card["after"]["scores"][score.name] = score.value;
    }
    card["scores"] = card["after"]["scores"];
    card["distance"] = distance(start_, before, after);
  }

 private:
  void find_target(std::uint64_t dense_bytes) {
    if (method_.shrinks != Shrinks::widths) return;
    target_ = prune_target(request_, start_.bert().config, mean_length(), dense_bytes);
  }

  [[nodiscard]] prune::SearchLimits limits() const {
    return {.budget = target_.budget, .neuron_multiple = request_.neuron_multiple};
  }

  [[nodiscard]] double mean_length() const {
    return sample_ ? sample_->mean_length() : kUnknownLength;
  }

  const PruneRequest& request_;
  const prune::Method& method_;
  FineTuned start_;
  text::Tokenizer tokenizer_;
  Recovery recovery_;
  std::optional<prune::Sample> sample_;
  PruneTarget target_;  // of methods that make layers narrower
  model::Bert bert_;
  std::vector<std::size_t> layers_;
  std::optional<text::TokenizerSpec> new_tokenizer_;
  Json facts_ = Json::object();
  std::optional<prune::Gradual> gradual_;
};

// Goes away at the end of the scope, however that is reached, unless it is kept.
class Discarded {
 public:
  explicit Discarded(fs::path path) : path_(std::move(path)) {}
  Discarded(const Discarded&) = delete;
  Discarded& operator=(const Discarded&) = delete;
  ~Discarded() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

void run(const PruneRequest& request) {
  const prune::Method& method = prune::method(request.method);
  check_target(request, method);
  TrainingRun run(request.training, {request.model, request.recovery.teacher});
  Pruning job(request, method);
  const fs::path folder = request.training.output;
  const fs::path work = folder / "training";
  const unsigned n_threads = run.n_threads();
  Discarded fresh(folder);
  if (fs::exists(folder)) fresh.keep();
  make_folder(work);
  const fs::path dense = work / "before.espl";
  Discarded dense_file(dense);
  const std::uint64_t dense_bytes = write_int8(request.model, dense, n_threads);
  if (method.while_training()) {
    job.leave_whole(dense_bytes);
  } else if (request.training.resume) {
    job.load_cut(work / kCutFolder);
  } else {
    job.cut(dense_bytes);
  }
  if (request.training.epochs > 0) {
    if (!method.while_training() && !request.training.resume) job.keep_cut(work / kCutFolder);
    const objective::Objective& recovery = job.recovery(run.device());
    fresh.keep();
    run.train(job.bert(), recovery, job.start().judge(), job.identity(), job.shaper());
    if (method.while_training()) job.add_cost();
  }
  Json card = run.write(job.bert(), job.artefacts(), job.card());
  fresh.keep();
  const fs::path small = folder / "model.espl";
  card["before"]["int8_bytes"] = dense_bytes;
  card["after"]["int8_bytes"] = write_int8(folder, small, n_threads);
  job.add_scores(card);
  card["speed"] = speed_facts(dense, small, n_threads);
  run.write_card(card);
  fs::remove(dense);
  fs::remove_all(work / kCutFolder);
  if (fs::is_empty(work)) fs::remove(work);
  if (request.training.format == "json") {
    card["output"] = base_name(request.training.output);
    return print_json(card);
  }
  write_out(prune_table(card) + segmentation_text(card.value("segmentation", Json::object())));
}

}  // namespace

Command prune_command() {
  return make_command<PruneRequest>(
      {.name = "prune",
       .summary = "take out of a model what it can do without, so that it is smaller and faster",
       .examples = "espalier prune sst2 -o half --target-flops 2 --train train.tsv --eval dev.tsv\n"
                   "espalier prune sst2 -o fast --method kprune --target-speedup 3 --train t.tsv "
                   "--recover-epochs 2\n"
                   "espalier prune sst2 -o tiny --method gradual --target-flops 8 --train t.tsv "
                   "--recover-epochs 3\n"
                   "espalier prune sst2 -o words --method vocab --corpus reviews.txt",
       .details =
           "OUT becomes a checkpoint folder for every other verb, with model.espl (int8) and\n"
           "training.json: what each layer kept, scores, sizes and speed before and after.\n"
           "Heads and neurons: random, magnitude, taylor (Michel 2019), fisher (Kwon 2022) and\n"
           "kprune (Park 2024) cut first, and --recover-epochs trains what is left, with DIR or\n"
           "--teacher as teacher; gradual (Yang 2023) cuts while it trains. layers takes out\n"
           "whole layers, vocab the word pieces that a corpus does not need, embedding makes two\n"
           "narrow factors of the table of words."},
      run);
}

}  // namespace espalier::tools
