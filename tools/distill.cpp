// espalier distill: a smaller student learns a task from its teacher's answers, and from labels.
#include <filesystem>
#include <fstream>
#include <optional>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/model/student.hpp"
#include "compress/objective/distill.hpp"
#include "compress/objective/sentences.hpp"
#include "compress/train/device.hpp"
#include "distill_command.hpp"
#include "distill_request.hpp"
#include "espalier/error.hpp"
#include "fine_tuned.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "report.hpp"
#include "training_run.hpp"

namespace espalier::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Everything that is read and checked before the first step.
class Distilling {
 public:
  explicit Distilling(const DistillRequest& request)
      : request_(request),
        start_(request.teacher, "--teacher", request.data, request.training.max_length),
        teacher_(start_.bert()) {
    make_student();
    read_unlabelled_text();
    note("distilling " + base_name(request.teacher) + " (" +
         std::to_string(model::parameter_count(teacher_)) + " parameters) into " +
         std::to_string(model::parameter_count(student_)) + " parameters, on " +
         std::to_string(start_.training()->size()) + " examples with labels and " +
         std::to_string(unlabelled_.size()) + " without");
  }

  // The objective runs the teacher, so it is made where the teacher is to be.
  void make_objective(const fs::path& cache, at::Device device) {
    if (request_.without_teacher) return;
    train::move_to(teacher_, device);
    objective::DistillOptions options{.weights = objective::distill_preset(request_.preset).weights,
                                      .temperature = request_.temperature,
                                      .cache_folder = cache,
                                      .cache_name = cache_name(),
                                      .seed = request_.training.seed};
    Progress progress("tokens answered by the teacher",
                      start_.training()->data().tokens.n_tokens() + unlabelled_.tokens.n_tokens());
    options.on_progress = [&progress](std::size_t n_done, std::size_t) {
      throw_if_interrupted();
      progress.show(n_done);
    };
    if (request_.label_weight >= 0) options.weights.task = request_.label_weight;
    distilled_.emplace(*start_.training(), request_.unlabelled.empty() ? nullptr : &unlabelled_,
                       teacher_, student_.config, options);
    if (distilled_->answers_from_cache()) note("the teacher's answers were found in the cache");
  }

  model::Bert& student() { return student_; }
  [[nodiscard]] const objective::Objective& objective() const {
    if (distilled_) return *distilled_;
    return *start_.training();
  }
  [[nodiscard]] const objective::Judge* judge() const { return start_.judge(); }

  [[nodiscard]] Identity identity() const {
    Identity identity = identity_of("espalier distill", request_);
    train::Settings& settings = identity.settings;
    start_.add_settings(settings);
    if (own_student_) add_hashes(settings, "--student", own_student_->weight_paths());
    if (!request_.unlabelled.empty()) add_hashes(settings, "--unlabelled", {request_.unlabelled});
    return identity;
  }

  [[nodiscard]] Artefacts artefacts() const { return start_.artefacts(); }

  [[nodiscard]] Json facts() const {
    Json facts = {
        {"stage", "distill"}, {"task", start_.kind().name}, {"labels", teacher_.config.labels}};
    facts["teacher"] = base_name(request_.teacher);
    facts["student"] = {{"start", base_name(request_.student)},
                        {"layers", student_.config.n_layers},
                        {"hidden", student_.config.hidden},
                        {"choice", request_.layer_choice}};
    facts["train"] = input_facts(request_.data.train);
    if (judge() != nullptr) facts["eval"] = input_facts(request_.data.eval);
    if (!request_.unlabelled.empty()) facts["unlabelled"] = input_facts(request_.unlabelled);
    facts["options"] = option_facts(request_);
    return facts;
  }

 private:
  [[nodiscard]] std::string cache_name() const {
    const bool by_cls = start_.embedding().pooling == checkpoint::Pooling::cls;
    const std::string name(start_.kind().name);
    return name + (name == "embed" ? (by_cls ? "/cls" : "/mean") : "");
  }

  void make_student() {
    const std::uint32_t n_layers = request_.student_layers;
    if (request_.student.empty() && n_layers == 0 && request_.student_hidden == 0) {
      throw Error(ErrorCode::usage,
                  "what is the student? Give --student-layers, --student-hidden or --student DIR");
    }
    if (!request_.student.empty()) {
      if (n_layers > 0 || request_.student_hidden > 0) {
        throw Error(ErrorCode::usage,
                    "--student DIR has a shape of its own; leave --student-layers and "
                    "--student-hidden away");
      }
      own_student_.emplace(checkpoint::Checkpoint::open(request_.student));
      objective::check_same_tokens(start_.tokenizer_spec(), tokenizer_of(*own_student_));
      student_ = model::load_bert(*own_student_);
      const checkpoint::BertConfig& config = teacher_.config;
      if (!objective::has_head_for(student_.config, start_.kind()) ||
          student_.config.labels != config.labels) {
        model::replace_head(student_, config.architecture, config.problem_type, config.labels,
                            request_.training.seed);
      }
      return;
    }
    const std::size_t n_teacher = teacher_.layers.size();
    if (n_layers > n_teacher) {
      throw Error(ErrorCode::usage, "--student-layers " + std::to_string(n_layers) +
                                        ": the teacher has " + std::to_string(n_teacher) +
                                        ", and a student starts from some of them");
    }
    student_ = model::make_student(
        teacher_, model::choose_layers(n_teacher, n_layers == 0 ? n_teacher : n_layers,
                                       model::layer_choice(request_.layer_choice)));
    if (request_.student_hidden > 0) {
      student_ = model::narrow(student_, model::width_of(teacher_, request_.student_hidden));
    }
  }

  void read_unlabelled_text() {
    if (request_.unlabelled.empty()) return;
    if (request_.without_teacher) {
      throw Error(ErrorCode::usage,
                  "--unlabelled needs the teacher; leave one of it and --without-teacher away");
    }
    unlabelled_ = objective::read_sentences(
        read_unlabelled(request_.data, start_.kind(), request_.unlabelled), start_.tokenizing());
  }

  const DistillRequest& request_;
  FineTuned start_;
  model::Bert& teacher_;
  std::optional<checkpoint::Checkpoint> own_student_;
  model::Bert student_;
  objective::Examples unlabelled_;
  std::optional<objective::DistillObjective> distilled_;
};

Json read_card(const fs::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream, nullptr, /*allow_exceptions=*/false);
}

// Whether `card` is of the same student learning from the same labels without a teacher.
bool is_baseline(const Json& card, const Json& own) {
  if (!card.is_object() || card.value("stage", "") != "distill") return false;
  if (!card.contains("options") || !card.contains("scores")) return false;
  for (const char* key : {"student", "train", "eval"}) {
    if (card.value(key, Json()) != own.value(key, Json())) return false;
  }
  return card["options"].value("without-teacher", "no") == "yes";
}

// Distilling that does not pay should not go unnoticed: looks for a run without the teacher beside
// this one, in the folder that holds OUT.
void compare_with_baseline(const fs::path& output) {
  const Json own = read_card(output / "training.json");
  if (!own.contains("scores")) return;
  const auto own_score = own["scores"].begin();
  std::error_code ignored;  // a folder that cannot be looked into has nothing to compare with
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::canonical(output).parent_path(), ignored)) {
    if (!entry.is_directory(ignored)) continue;
    const Json card = read_card(entry.path() / "training.json");
    if (!is_baseline(card, own)) continue;
    const double without = card["scores"].value(own_score.key(), 0.0);
    const double with = own_score.value().get<double>();
    note(std::string(with < without ? "warning: worse than" : "note: at least as good as") +
         " the same student without its teacher ('" + entry.path().filename().string() +
         "'): " + own_score.key() + " " + fixed(with, 2) + " against " + fixed(without, 2));
  }
}

void run(const DistillRequest& request) {
  TrainingRun run(request.training, {request.teacher, request.student});
  Distilling job(request);
  const fs::path cache = request.cache.empty() ? fs::path(request.training.output) / "training"
                                               : fs::path(request.cache);
  const bool is_new = !fs::exists(request.training.output);
  make_folder(cache);
  try {
    job.make_objective(cache, run.device());
  } catch (...) {
    // What is refused leaves no folder in the way of the next try; one that holds answers stays.
    std::error_code ignored;
    if (is_new && request.cache.empty() && fs::remove(cache, ignored)) {
      fs::remove(request.training.output, ignored);
    }
    throw;
  }
  run.train(job.student(), job.objective(), job.judge(), job.identity());
  run.finish(job.student(), job.artefacts(), job.facts());
  if (!request.without_teacher) compare_with_baseline(request.training.output);
}

}  // namespace

Command distill_command() {
  return make_command<DistillRequest>(
      {.name = "distill",
       .summary = "train a smaller student on what its teacher answers",
       .examples =
           "espalier distill --teacher sst2 --student-layers 3 --train train.tsv --eval dev.tsv "
           "-o small\n"
           "espalier distill --teacher sst2 --student-layers 3 --train 2k.tsv --unlabelled "
           "more.txt -o small",
       .details =
           "Presets: logits (Hinton 2015), patient (hidden states, Sun 2019), tinybert (attention\n"
           "and hidden states, Jiao 2020), minilm (relations of the last layer, Wang 2021), "
           "hidden\n"
           "(hidden states of all layers, as prune recovers); each with the teacher's answers and "
           "the\n"
           "labels. --without-teacher trains the same student on labels alone; a distilled one in "
           "a\n"
           "folder beside it is compared with it."},
      run);
}

}  // namespace espalier::tools
