#include "compress/train/trainer.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>

#include "base/random.hpp"
#include "compress/objective/task.hpp"
#include "compress/train/batches.hpp"
#include "compress/train/device.hpp"
#include "espalier/error.hpp"

namespace espalier::train {
namespace {

using Clock = std::chrono::steady_clock;
using objective::NamedTensor;

std::uint64_t steps_per_epoch(std::size_t n_examples, const TrainingOptions& options) {
  const std::uint64_t n_batches = (n_examples + options.batch_size - 1) / options.batch_size;
  return (n_batches + options.accumulation - 1) / options.accumulation;
}

// Products in bfloat16 while it lives.
class Autocast {
 public:
  Autocast(bool wanted, at::DeviceType device) : wanted_(wanted), device_(device) {
    if (!wanted_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() {
    if (!wanted_) return;
    at::autocast::set_autocast_enabled(device_, false);
    at::autocast::clear_cache();  // it holds casts of weights that the step is about to change
  }

 private:
  bool wanted_;
  at::DeviceType device_;
};

class Training {
 public:
  Training(model::Bert& bert, const objective::Objective& objective, const objective::Judge* judge,
           const TrainingOptions& options, const RunContext& run)
      : bert_(bert),
        objective_(objective),
        judge_(judge),
        options_(options),
        run_(run),
        device_(objective::device_of(bert)),
        steps_per_epoch_(steps_per_epoch(objective.size(), options)),
        n_steps_(count_steps(objective.size(), options)),
        kept_(model::all_units(bert)),
        parameters_(trainable()),
        optimizer_(parameters_, adamw_options()),
        schedule_{.peak = options.learning_rate,
                  .n_steps = n_steps_,
                  .n_warm_up = static_cast<std::uint64_t>(
                      std::llround(options.warm_up * static_cast<double>(n_steps_)))} {}

  TrainingResult run() {
    if (run_.resume) load();
    Clock::time_point saved = Clock::now();
    while (!position_.finished) {
      take_step();
      if (position_.step % steps_per_epoch_ == 0 || position_.step == n_steps_) end_epoch();
      const bool stop = !position_.finished && run_.stop_requested && run_.stop_requested();
      const std::chrono::duration<double> since = Clock::now() - saved;
      if (stop || position_.finished || since.count() >= run_.save_seconds) {
        save();
        saved = Clock::now();
      }
      if (stop) return result(Ending::stopped);
    }
    copy(best_, parameters_);
    release();
    return result(Ending::finished);
  }

 private:
  std::vector<NamedTensor> trainable() {
    std::vector<NamedTensor> parameters;
    for (NamedTensor& parameter : named_parameters(bert_)) {
      const bool frozen = options_.freeze_word_embeddings && parameter.value.is_same(bert_.word);
      parameter.value.requires_grad_(!frozen);
      if (!frozen) parameters.push_back(std::move(parameter));
    }
    for (NamedTensor& parameter : objective_.parameters()) {
      parameter.value.requires_grad_(true);
      parameters.push_back(std::move(parameter));
    }
    return parameters;
  }

  [[nodiscard]] AdamWOptions adamw_options() const {
    return {.weight_decay = options_.weight_decay};
  }

  void release() {
    optimizer_.zero_grad();
    for (NamedTensor& parameter : parameters_) parameter.value.requires_grad_(false);
  }

  // Everything random in a step comes from its number, so a resumed run needs no generator's state.
  void take_step() {
    const std::uint64_t step = position_.step;
    const std::uint64_t epoch = step / steps_per_epoch_;
    if (epoch != epoch_ || batches_.empty()) {
      epoch_ = epoch;
      batches_ = epoch_batches(objective_, options_.batch_size, options_.seed, epoch);
      epoch_loss_ = 0;
      n_epoch_steps_ = 0;
    }
    const std::uint64_t draw = mix(options_.seed, step);
    at::manual_seed(mix(draw));
    const std::size_t begin = (step % steps_per_epoch_) * options_.accumulation;
    const std::size_t end = std::min<std::size_t>(begin + options_.accumulation, batches_.size());
    std::size_t n_examples = 0;
    for (std::size_t index = begin; index < end; ++index) n_examples += batches_[index].size();

    StepReport report{.step = step + 1,
                      .n_steps = n_steps_,
                      .epoch = static_cast<std::uint32_t>(epoch),
                      .learning_rate = schedule_.rate(step)};
    for (std::size_t index = begin; index < end; ++index) {
      const double share =
          static_cast<double>(batches_[index].size()) / static_cast<double>(n_examples);
      report.loss += share * backward(batches_[index], mix(draw, index - begin + 1), share);
      for (const std::size_t example : batches_[index]) {
        report.n_tokens += objective_.length(example);
      }
    }
    report.gradient_norm = optimizer_.clip_gradients(options_.clip_norm);
    optimizer_.step(report.learning_rate);
    optimizer_.zero_grad();
    ++position_.step;
    epoch_loss_ += report.loss;
    ++n_epoch_steps_;
    for (Hook* hook : run_.hooks) hook->after_step(report);
    if (run_.shaper == nullptr) return;
    const auto kept = run_.shaper->after_step(bert_, position_.step, n_steps_);
    if (kept) cut(*kept);
  }

  // Parameters and their moments become smaller; what is left of them keeps its values.
  void cut(const std::vector<model::Kept>& kept) {
    release();
    const std::vector<NamedTensor> moments =
        cut_along(optimizer_.state(), {"first.", "second."}, bert_, kept);
    bert_ = model::cut(bert_, kept);
    parameters_ = trainable();
    optimizer_ = AdamW(parameters_, adamw_options());
    copy(moments, optimizer_.state());
    kept_ = kept_of(kept_, kept);
    run_.shaper->was_cut(kept);
    // An epoch of the larger model is no candidate for the best one.
    best_.clear();
    position_.best_epoch = -1;
    position_.best_score = 0;
    position_.epochs_since_best = 0;
  }

  // Adds `share` of a batch's gradient; returns its loss.
  double backward(const Examples& examples, std::uint64_t draw, double share) {
    const objective::Batch batch = objective::to_device(objective_.batch(examples, draw), device_);
    at::Tensor loss;
    {
      const Autocast autocast(options_.bf16, device_.type());
      loss = objective_.loss(bert_, batch,
                             {.hidden = options_.dropout,
                              .attention = options_.dropout,
                              .classifier = options_.dropout});
    }
    const double value = loss.item<double>();
    if (!std::isfinite(value)) fail_not_finite(examples, value);
    (loss * share).backward();
    return value;
  }

  [[noreturn]] void fail_not_finite(const Examples& examples, double value) const {
    throw Error(ErrorCode::failed,
                "the loss is " + std::to_string(value) + " at step " +
                    std::to_string(position_.step + 1) + " of " + std::to_string(n_steps_) +
                    " (epoch " + std::to_string(epoch_ + 1) + "), in the batch of " +
                    objective_.place(examples.front()) + " and " +
                    std::to_string(examples.size() - 1) +
                    " more; lower --learning-rate, or look for damage in the checkpoint");
  }

  void end_epoch() {
    EpochReport report{.epoch = static_cast<std::uint32_t>(epoch_),
                       .n_epochs = static_cast<std::uint32_t>((n_steps_ + steps_per_epoch_ - 1) /
                                                              steps_per_epoch_),
                       .step = position_.step,
                       .loss = epoch_loss_ / static_cast<double>(n_epoch_steps_)};
    position_.finished = position_.step == n_steps_;
    if (judge_ != nullptr) {
      report.scores = judge(*judge_, bert_);
      const double score = report.scores.front().value;
      report.is_best = position_.best_epoch < 0 || score > position_.best_score;
      ++position_.epochs_since_best;
      if (report.is_best) {
        position_.best_epoch = static_cast<std::int64_t>(epoch_);
        position_.best_score = score;
        position_.epochs_since_best = 0;
        if (best_.empty()) best_ = clones();
        copy(parameters_, best_);
      }
      if (options_.patience > 0 && position_.epochs_since_best >= options_.patience) {
        position_.finished = true;
      }
    }
    for (Hook* hook : run_.hooks) hook->after_epoch(report);
  }

  [[nodiscard]] std::vector<NamedTensor> clones() const {
    std::vector<NamedTensor> copies;
    for (const NamedTensor& parameter : parameters_) {
      copies.push_back({"best." + parameter.name, parameter.value.detach().clone()});
    }
    return copies;
  }

  static void copy(const std::vector<NamedTensor>& from, const std::vector<NamedTensor>& to) {
    const at::NoGradGuard no_grad;
    for (std::size_t index = 0; index < from.size(); ++index) {
      at::Tensor destination = to[index].value;
      destination.copy_(from[index].value);
    }
  }

  // What is saved, but for the best parameters.
  [[nodiscard]] std::vector<NamedTensor> state() const {
    std::vector<NamedTensor> tensors = parameters_;
    for (NamedTensor& moment : optimizer_.state()) {
      tensors.push_back({"optimizer." + moment.name, moment.value});
    }
    if (run_.shaper != nullptr) {
      for (NamedTensor& tensor : run_.shaper->state()) {
        tensors.push_back({"shaper." + tensor.name, tensor.value});
      }
    }
    return tensors;
  }

  void save() {
    if (run_.state_file.empty()) return;
    std::vector<NamedTensor> tensors = state();
    tensors.insert(tensors.end(), best_.begin(), best_.end());
    if (run_.shaper != nullptr) {
      const std::vector<NamedTensor> kept = tensors_of(kept_);
      tensors.insert(tensors.end(), kept.begin(), kept.end());
    }
    save_state(run_.state_file, position_, run_.settings, tensors);
  }

  void load() {
    const SavedState saved = SavedState::open(run_.state_file, run_.settings);
    if (run_.shaper != nullptr) {
      const auto integers = [&saved](const std::string& name) { return saved.integers(name); };
      cut(kept_from(kept_.size(), integers));
    }
    saved.copy_to(state());
    position_ = saved.position();
    if (position_.best_epoch >= 0) {
      best_ = clones();
      saved.copy_to(best_);
    }
  }

  [[nodiscard]] TrainingResult result(Ending ending) const {
    return {.ending = ending,
            .step = position_.step,
            .best_epoch = position_.best_epoch,
            .best_score = position_.best_score};
  }

  model::Bert& bert_;
  const objective::Objective& objective_;
  const objective::Judge* judge_;
  const TrainingOptions& options_;
  const RunContext& run_;
  at::Device device_;
  std::uint64_t steps_per_epoch_;
  std::uint64_t n_steps_;
  std::vector<model::Kept> kept_;        // of the model as it was given
  std::vector<NamedTensor> parameters_;  // those that are trained
  AdamW optimizer_;
  Schedule schedule_;
  Position position_;
  std::vector<NamedTensor> best_;  // empty until an epoch was judged
  std::uint64_t epoch_ = 0;
  std::vector<Examples> batches_;  // of epoch_
  double epoch_loss_ = 0;          // sum over the steps taken here
  std::uint64_t n_epoch_steps_ = 0;
};

}  // namespace

std::uint64_t count_steps(std::size_t n_examples, const TrainingOptions& options) {
  const std::uint64_t all = steps_per_epoch(n_examples, options) * options.epochs;
  return options.max_steps == 0 ? all : std::min(all, options.max_steps);
}

TrainingResult train(model::Bert& bert, const objective::Objective& objective,
                     const objective::Judge* judge, const TrainingOptions& options,
                     const RunContext& run) {
  return Training(bert, objective, judge, options, run).run();
}

std::vector<NamedTensor> named_parameters(const model::Bert& bert) {
  std::vector<NamedTensor> parameters;
  model::for_each_parameter(bert, [&](const std::string& name, const at::Tensor& value) {
    parameters.push_back({name, value});
  });
  return parameters;
}

}  // namespace espalier::train
