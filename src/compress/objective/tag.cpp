// A tag for each word: cross entropy on the first piece of every word, entity F1 as conlleval
// counts it. Sentences longer than a model takes are cut into windows of whole words, so no word is
// lost; tags are learnt as IOB2.
#include <algorithm>
#include <set>
#include <utility>

#include "compress/objective/padding.hpp"
#include "compress/objective/sentences.hpp"
#include "data/labels.hpp"
#include "measure/entities.hpp"

namespace espalier::objective {
namespace {

// Appends the windows of one sentence with the targets of their tokens.
class Windows {
 public:
  Windows(Examples& examples, std::vector<std::int64_t>& targets, const Tokenizing& with)
      : examples_(examples), targets_(targets), with_(with) {
    examples_.tokens.offsets.push_back(0);
  }

  void add(const text::WordPieces& pieces, std::span<const std::int64_t> word_targets,
           std::size_t row, std::size_t line) {
    open();
    for (std::size_t word = 0; word < word_targets.size(); ++word) {
      const std::uint32_t n_pieces =
          std::min(pieces.first[word + 1] - pieces.first[word], with_.max_length - 2);
      if (n_used_ + n_pieces > with_.max_length - 2) {
        close(row, line);
        open();
      }
      for (std::uint32_t piece = 0; piece < n_pieces; ++piece) {
        push(pieces.ids[pieces.first[word] + piece], piece == 0 ? word_targets[word] : kIgnored);
      }
      n_used_ += n_pieces;
    }
    close(row, line);
  }

 private:
  void push(TokenId id, std::int64_t target) {
    examples_.tokens.ids.push_back(id);
    examples_.tokens.segments.push_back(0);
    targets_.push_back(target);
  }
  void open() {
    n_used_ = 0;
    push(with_.tokenizer.cls(), kIgnored);
  }
  void close(std::size_t row, std::size_t line) {
    push(with_.tokenizer.sep(), kIgnored);
    examples_.tokens.offsets.push_back(static_cast<std::uint32_t>(examples_.tokens.ids.size()));
    examples_.lines.push_back(line);
    examples_.rows.push_back(row);
  }

  Examples& examples_;
  std::vector<std::int64_t>& targets_;
  const Tokenizing& with_;
  std::uint32_t n_used_ = 0;  // pieces of the window that is open
};

class Tag final : public Task {
 public:
  explicit Tag(const TaskOptions& options) : labels_(options.labels) {
    if (!options.class_weights.empty()) weights_ = tensor_of(options.class_weights);
    for (std::size_t label = 0; label < labels_.size(); ++label) {
      // Tags that mark no chunks, such as parts of speech, are chunks of their own kind.
      const std::string& name = labels_.name(label);
      scored_names_.push_back(measure::is_entity_tag(name) ? name : "S-" + name);
    }
  }

  Examples read(const LabelledRows& rows, const Tokenizing& with) const override {
    Examples examples;
    examples.file = rows.file;
    std::vector<std::int64_t> targets;
    Windows windows(examples, targets, with);
    text::WordPieces pieces;
    text::Scratch scratch;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      const data::Row& sentence = rows.rows[row];
      const std::vector<std::string_view> words(sentence.words.begin(), sentence.words.end());
      with.tokenizer.encode_words(words, pieces, scratch);
      std::vector<std::int64_t> word_targets;
      for (const std::string& tag : to_iob2(sentence.tags)) {
        word_targets.push_back(static_cast<std::int64_t>(labels_.index(tag, rows.place(row))));
      }
      windows.add(pieces, word_targets, row, sentence.line);
    }
    examples.targets = tensor_of(targets);
    return examples;
  }

  at::Tensor targets(const Examples& data, std::span<const std::size_t> examples) const override {
    return pad_values({data.targets.const_data_ptr<std::int64_t>(),
                       static_cast<std::size_t>(data.targets.numel())},
                      data.tokens, examples, kIgnored);
  }

  at::Tensor loss(const at::Tensor& answers, const at::Tensor& targets) const override {
    const at::Tensor weights = weights_.defined() ? weights_.to(answers.device()) : weights_;
    return mean_cross_entropy(answers.flatten(0, 1), targets.flatten(), weights);
  }

  Scores judge(const model::Bert& bert, const Examples& data) const override {
    const at::Tensor best = answer_all(*this, bert, data, /*by_token=*/true).argmax(-1);
    const auto* predicted = best.const_data_ptr<std::int64_t>();
    const auto* gold = data.targets.const_data_ptr<std::int64_t>();
    measure::EntityScorer scorer;
    std::vector<std::string_view> found;
    std::vector<std::string_view> wanted;
    for (std::size_t window = 0; window < data.size(); ++window) {
      for (std::size_t token = data.tokens.offsets[window]; token < data.tokens.offsets[window + 1];
           ++token) {
        if (gold[token] == kIgnored) continue;
        found.push_back(scored_names_[static_cast<std::size_t>(predicted[token])]);
        wanted.push_back(scored_names_[static_cast<std::size_t>(gold[token])]);
      }
      // The windows of a sentence are judged together: an entity may cross from one to the next.
      if (window + 1 < data.size() && data.rows[window + 1] == data.rows[window]) continue;
      scorer.add(found, wanted);
      found.clear();
      wanted.clear();
    }
    return {{"entity_f1", scorer.all().f1()},
            {"precision", scorer.all().precision()},
            {"recall", scorer.all().recall()},
            {"tag_accuracy", scorer.tag_accuracy()}};
  }

 private:
  data::LabelMap labels_;
  at::Tensor weights_;                     // (labels), or undefined
  std::vector<std::string> scored_names_;  // (labels), as the scorer reads them
};

}  // namespace

std::unique_ptr<Task> make_tag(const TaskOptions& options) {
  return std::make_unique<Tag>(options);
}

std::vector<std::string> tags_in(const LabelledRows& rows) {
  std::set<std::string> names;
  for (const data::Row& row : rows.rows) {
    for (const std::string& tag : to_iob2(row.tags)) names.insert(tag);
  }
  // O first, then B-X beside I-X, so that a list of labels reads well.
  std::vector<std::string> tags(names.begin(), names.end());
  const auto key = [](const std::string& tag) {
    if (!measure::is_entity_tag(tag)) return std::pair(tag, tag);
    return std::pair(tag.substr(std::min(tag.size(), std::size_t{2})), tag == "O" ? "" : tag);
  };
  std::stable_sort(tags.begin(), tags.end(), [&key](const auto& first, const auto& second) {
    return key(first) < key(second);
  });
  return tags;
}

}  // namespace espalier::objective
