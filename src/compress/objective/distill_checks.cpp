// Whether a student can learn from a teacher at all, asked once before the first batch.
#include <algorithm>

#include "compress/objective/distill.hpp"
#include "espalier/error.hpp"

namespace espalier::objective {
namespace {

[[noreturn]] void refuse_input(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

void check_same(const char* what, std::size_t teacher, std::size_t student) {
  if (teacher == student) return;
  refuse_input("the teacher has " + std::to_string(teacher) + " " + what + ", the student " +
               std::to_string(student) + "; both must be for the same vocabulary and labels");
}

}  // namespace

void DistillObjective::check_models(const checkpoint::BertConfig& student) const {
  const checkpoint::BertConfig& teacher = teacher_.config;
  check_same("word pieces", teacher.vocab, student.vocab);
  check_same("as the id of [PAD]", teacher.pad_id, student.pad_id);
  if (teacher.architecture != student.architecture ||
      teacher.problem_type != student.problem_type) {
    refuse_input("the teacher is a " + class_name(teacher.family, teacher.architecture) +
                 ", the student a " + class_name(student.family, student.architecture) +
                 (teacher.architecture == student.architecture ? " of another problem type" : "") +
                 "; fine-tune the teacher for the student's task first");
  }
  check_same("labels", teacher.labels.size(), student.labels.size());
  for (std::size_t label = 0; label < teacher.labels.size(); ++label) {
    if (teacher.labels[label] == student.labels[label]) continue;
    refuse_input("label " + std::to_string(label) + " is '" + teacher.labels[label] +
                 "' for the teacher and '" + student.labels[label] +
                 "' for the student; give the student the teacher's labels in their order");
  }
  if (teacher.architecture == checkpoint::Architecture::masked_lm) {
    throw Error(ErrorCode::usage,
                "a teacher that fills masks answers no task; fine-tune it for one first");
  }
  if (unlabelled_ != nullptr && unlabelled_->texts_each != 1) {
    throw Error(ErrorCode::usage, "an unlabelled example is one sentence, not a pair of them");
  }
  for (std::size_t example = 0; example < size(); ++example) {
    if (length(example) <= teacher.positions) continue;
    refuse_input(place(example) + " has " + std::to_string(length(example)) +
                 " tokens, the teacher takes " + std::to_string(teacher.positions) +
                 "; lower --max-length");
  }
  const std::vector<std::uint8_t>& segments = all_.tokens.segments;
  const auto largest = std::max_element(segments.begin(), segments.end());
  if (teacher.token_types > 0 && largest != segments.end() && *largest >= teacher.token_types) {
    refuse_input(
        "the examples are pairs of texts and the teacher tells no two texts apart; take "
        "another teacher");
  }
}

void DistillObjective::check_comparisons(const checkpoint::BertConfig& student) const {
  const checkpoint::BertConfig& teacher = teacher_.config;
  const DistillWeights& weights = options_.weights;
  const std::vector<std::size_t>& map = options_.layer_map;
  const auto refuse = [](const std::string& what) { throw Error(ErrorCode::usage, what); };
  if (map.size() != student.n_layers || !std::is_sorted(map.begin(), map.end()) ||
      map.back() >= teacher.n_layers) {
    refuse("a layer map has for each of the student's " + std::to_string(student.n_layers) +
           " layers one of the teacher's " + std::to_string(teacher.n_layers) +
           ", counted from 0, in rising order");
  }
  if (weights.patient > 0 && student.n_layers < 2) {
    refuse(
        "patient distillation looks at the layers below the last, and the student has one "
        "layer; take another preset");
  }
  for (std::size_t layer = 0; weights.attention > 0 && layer < map.size(); ++layer) {
    const std::size_t own = student.layers[layer].heads.size();
    const std::size_t wanted = teacher.layers[map[layer]].heads.size();
    if (own == wanted && own > 0) continue;
    refuse("attention is compared head by head, but layer " + std::to_string(layer) +
           " of the student has " + std::to_string(own) + " heads and layer " +
           std::to_string(map[layer]) + " of the teacher " + std::to_string(wanted) +
           "; take the preset minilm");
  }
  if (weights.relations > 0 &&
      (student.layers.back().heads.empty() || teacher.layers.back().heads.empty())) {
    refuse(
        "relations are compared in the last layers, and one of them has no heads left; take "
        "the preset logits");
  }
}

}  // namespace espalier::objective
