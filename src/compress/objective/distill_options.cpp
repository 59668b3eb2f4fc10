// The presets, and what can be said about options and tokenizers before a model is there.
#include <cmath>

#include "base/printable.hpp"
#include "compress/objective/distill.hpp"
#include "espalier/error.hpp"

namespace espalier::objective {
namespace {

// Nine to one: Hinton et al. 2015, §3, found a considerably lower weight on the labels best.
constexpr DistillPreset kPresets[] = {
    {.name = "logits", .weights = {.task = 0.1, .logits = 0.9}},
    {.name = "patient", .weights = {.task = 0.1, .logits = 0.9, .patient = 1}},
    {.name = "tinybert", .weights = {.task = 0.1, .logits = 0.9, .hidden = 1, .attention = 1}},
    {.name = "minilm", .weights = {.task = 0.1, .logits = 0.9, .relations = 1}},
    {.name = "hidden", .weights = {.task = 0.1, .logits = 0.9, .hidden = 1}},
};

}  // namespace

std::span<const DistillPreset> distill_presets() {
  return kPresets;
}

const DistillPreset& distill_preset(std::string_view name) {
  std::string names;
  for (const DistillPreset& preset : kPresets) {
    if (preset.name == name) return preset;
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  }
  throw Error(ErrorCode::usage,
              "there is no preset '" + std::string(name) + "'; the presets are " + names);
}

void validate(const DistillOptions& options) {
  const DistillWeights& weights = options.weights;
  for (const double weight : {weights.task, weights.logits, weights.patient, weights.hidden,
                              weights.attention, weights.relations}) {
    if (std::isfinite(weight) && weight >= 0) continue;
    throw Error(ErrorCode::usage, "the weight of a part of the loss is " + std::to_string(weight) +
                                      "; it must be 0 or more");
  }
  if (weights.logits + weights.patient + weights.hidden + weights.attention + weights.relations <=
      0) {
    throw Error(ErrorCode::usage,
                "nothing is learnt from the teacher when only the task's loss has a weight; "
                "fine-tune instead");
  }
  if (!(options.temperature >= 0.1 && options.temperature <= 100)) {
    throw Error(ErrorCode::usage, "a temperature of " + std::to_string(options.temperature) +
                                      " is not between 0.1 and 100");
  }
}

void check_same_tokens(const text::TokenizerSpec& teacher, const text::TokenizerSpec& student) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::bad_input,
                "teacher and student cut texts differently: " + what +
                    "; a student needs its teacher's tokenizer, make it with --student-layers or "
                    "--student-hidden");
  };
  if (teacher.pieces.size() != student.pieces.size()) {
    refuse("the teacher knows " + std::to_string(teacher.pieces.size()) +
           " word pieces, the student " + std::to_string(student.pieces.size()));
  }
  for (std::size_t id = 0; id < teacher.pieces.size(); ++id) {
    if (teacher.pieces[id] == student.pieces[id]) continue;
    refuse("piece " + std::to_string(id) + " is " + printable(teacher.pieces[id]) +
           " for the teacher and " + printable(student.pieces[id]) + " for the student");
  }
  text::TokenizerSpec same_length = student;
  same_length.max_length = teacher.max_length;  // says how much is read, not how
  if (same_length == teacher) return;
  if (teacher.lowercase != student.lowercase) refuse("only one of them makes capitals small");
  refuse("their cleaning, special or added tokens are not the same");
}

}  // namespace espalier::objective
