#include "run_command.hpp"

#include <optional>

#include "answers.hpp"
#include "attribution.hpp"
#include "espalier/espalier.hpp"
#include "input_lines.hpp"
#include "interrupt.hpp"
#include "names.hpp"
#include "output.hpp"

namespace espalier::tools {
namespace {

// Texts are answered some at a time: memory stays bounded and Ctrl-C is heard within a moment.
constexpr std::size_t kChunkTexts = 64;
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

class Runner {
 public:
  Runner(const RunOptions& options, const Model& model)
      : options_(options),
        model_(model),
        session_(model, {.n_threads = options.threads,
                         .backend = options.backend,
                         .max_length = options.max_length}) {
    const ModelInfo& info = model.info();
    if (!options.pairs.empty() && (info.task == Task::tag || info.task == Task::fill_mask)) {
      throw Error(ErrorCode::usage,
                  "--pair is for models that read two texts; this one tags or fills in one");
    }
    if (options.attribute) check_attributable(info);
    note(first_line(model, session_));
    if (options.logits &&
        (info.task == Task::tag || info.task == Task::embed || info.task == Task::fill_mask)) {
      note("note: --logits adds nothing to the answers of task " + std::string(name_of(info.task)));
    }
  }

  void answer(const std::vector<Text>& texts) {
    throw_if_interrupted();
    if (options_.attribute) return explain(texts);
    std::vector<std::string_view> firsts;
    for (const Text& text : texts) firsts.push_back(text.first);
    switch (model_.info().task) {
      case Task::classify:
      case Task::multi_label:
      case Task::regress:
        write(session_.classify(texts), texts, [&](const Classification& answer, auto text) {
          table() ? append_table_line(line_, answer, model_.info(), text)
                  : append_json_line(line_, answer, model_.info(), options_.logits);
        });
        break;
      case Task::tag:
        write(session_.tag(firsts), texts, [&](const Tagging& answer, auto text) {
          table() ? append_table_line(line_, answer, text) : append_json_line(line_, answer, text);
        });
        break;
      case Task::embed:
        write(session_.embed(texts), texts, [&](const Embedding& answer, auto text) {
          table() ? append_table_line(line_, answer, text) : append_json_line(line_, answer);
        });
        break;
      case Task::fill_mask:
        write(session_.fill_mask(firsts, options_.top), texts,
              [&](const FilledMasks& answer, auto text) {
                table() ? append_table_line(line_, answer, text) : append_json_line(line_, answer);
              });
        break;
    }
    flush_out();
  }

  void report_truncated() const {
    if (n_truncated_ == 0) return;
    note(std::to_string(n_truncated_) + (n_truncated_ == 1 ? " text was" : " texts were") +
         " longer than the limit and cut (\"truncated\": true)");
  }

 private:
  // Each text is a batch of its own, as large as the square of its length.
  void explain(const std::vector<Text>& texts) {
    for (const Text& text : texts) {
      throw_if_interrupted();
      const Attribution attribution = attribute(model_, session_, text, options_.max_length);
      line_.clear();
      table() ? append_table_lines(line_, attribution, model_.info(), text)
              : append_json_line(line_, attribution, model_.info(), text, options_.logits);
      write_out(line_);
      n_truncated_ += attribution.answer.truncated ? 1 : 0;
      flush_out();
    }
  }

  [[nodiscard]] bool table() const { return options_.format == "table"; }

  template <typename Answer, typename Append>
  void write(const std::vector<Answer>& answers, const std::vector<Text>& texts, Append append) {
    for (std::size_t index = 0; index < answers.size(); ++index) {
      line_.clear();
      append(answers[index], texts[index].first);
      write_out(line_);
      n_truncated_ += answers[index].truncated ? 1 : 0;
    }
  }

  const RunOptions& options_;
  Model model_;
  Session session_;
  std::string line_;
  std::size_t n_truncated_ = 0;
};

void check(const RunOptions& options) {
  if (options.texts.empty() && options.input.empty()) {
    throw Error(ErrorCode::usage,
                "nothing to answer; give --text TEXT, or --input FILE (- is standard input)");
  }
  if (!options.pairs.empty() && options.pairs.size() != options.texts.size()) {
    throw Error(ErrorCode::usage, "every --text needs its --pair: got " +
                                      std::to_string(options.texts.size()) + " and " +
                                      std::to_string(options.pairs.size()));
  }
  if (!options.pairs.empty() && !options.input.empty()) {
    throw Error(ErrorCode::usage, "--pair goes with --text; a line of --input is always one text");
  }
}

void answer_arguments(const RunOptions& options, Runner& runner) {
  for (std::size_t begin = 0; begin < options.texts.size(); begin += kChunkTexts) {
    std::vector<Text> texts;
    const std::size_t end = std::min(begin + kChunkTexts, options.texts.size());
    for (std::size_t index = begin; index < end; ++index) {
      texts.push_back({.first = options.texts[index]});
      if (!options.pairs.empty()) texts.back().second = options.pairs[index];
    }
    runner.answer(texts);
  }
}

void answer_lines(const std::string& path, Runner& runner) {
  InputLines input(path);
  Progress progress("texts", 0);
  std::vector<std::string> lines;
  std::size_t n_done = 0;
  for (bool more = true; more;) {
    lines.clear();
    std::size_t n_bytes = 0;
    do {
      lines.emplace_back();
      more = input.next(lines.back());
      if (!more) lines.pop_back();
      if (more) n_bytes += lines.back().size();
    } while (more && lines.size() < kChunkTexts && n_bytes < kChunkBytes &&
             input.has_line_at_hand());
    if (lines.empty()) break;
    std::vector<Text> texts;
    for (const std::string& line : lines) texts.push_back({.first = line});
    runner.answer(texts);
    n_done += texts.size();
    progress.show(n_done);
  }
}

void run(const RunOptions& options) {
  check(options);
  if (options.quiet) silence_notes();
  const Model model = Model::open(options.model);
  Runner runner(options, model);
  answer_arguments(options, runner);
  if (!options.input.empty()) answer_lines(options.input, runner);
  runner.report_truncated();
}

}  // namespace

Command run_command(std::string_view program) {
  // The examples name the program that prints them.
  static const std::string examples =
      std::string(program) + " sentiment.espl --text 'a charming journey'\n" +
      std::string(program) + " entailment.espl --text 'It rains.' --pair 'It is dry.'\n" +
      "cat reviews.txt | " + std::string(program) + " sentiment.espl --input -";
  return make_command<RunOptions>(
      {.name = "run",
       .summary = "answer texts with a model, one result a line",
       .examples = examples,
       .details =
           "--text is answered before --input; a line of --input is one text, TABs included.\n"
           "--attribute: by how much the answer's log-odds (a number itself) fall without the "
           "part."},
      run);
}

}  // namespace espalier::tools
