// The checks of the C API, its version and its model functions.
#include "api/c_api.hpp"

#include <chrono>
#include <limits>

#include "api/model_impl.hpp"
#include "format/scan.hpp"
#include "runtime/heads.hpp"

namespace espalier::c_api {

static_assert(sizeof(std::size_t) == 8, "structs of the C API are laid out in slots of 8 bytes");
static_assert(static_cast<int>(ErrorCode::failed) == ESPALIER_FAILED);
static_assert(static_cast<int>(ErrorCode::usage) == ESPALIER_USAGE);
static_assert(static_cast<int>(ErrorCode::bad_input) == ESPALIER_BAD_INPUT);
static_assert(static_cast<int>(ErrorCode::unavailable) == ESPALIER_UNAVAILABLE);
static_assert(static_cast<int>(ErrorCode::verification) == ESPALIER_VERIFICATION);
static_assert(static_cast<int>(ErrorCode::resource) == ESPALIER_RESOURCE);
static_assert(static_cast<int>(ErrorCode::cancelled) == ESPALIER_CANCELLED);
static_assert(static_cast<int>(ErrorCode::deadline) == ESPALIER_DEADLINE);
static_assert(static_cast<int>(Task::classify) == ESPALIER_TASK_CLASSIFY);
static_assert(static_cast<int>(Task::multi_label) == ESPALIER_TASK_MULTI_LABEL);
static_assert(static_cast<int>(Task::regress) == ESPALIER_TASK_REGRESS);
static_assert(static_cast<int>(Task::tag) == ESPALIER_TASK_TAG);
static_assert(static_cast<int>(Task::embed) == ESPALIER_TASK_EMBED);
static_assert(static_cast<int>(Task::fill_mask) == ESPALIER_TASK_FILL_MASK);
static_assert(static_cast<int>(Precision::fp32) == ESPALIER_PRECISION_FP32);
static_assert(static_cast<int>(Precision::int8) == ESPALIER_PRECISION_INT8);
static_assert(static_cast<int>(Precision::bf16) == ESPALIER_PRECISION_BF16);
static_assert(static_cast<int>(LogLevel::info) == ESPALIER_LOG_INFO);
static_assert(static_cast<int>(LogLevel::warning) == ESPALIER_LOG_WARNING);

espalier_status report(espalier_error* error, espalier_status code,
                       std::string_view message) noexcept {
  if (error == nullptr) return code;
  error->code = code;
  std::size_t size = std::min(message.size(), sizeof error->message - 1);
  if (size < message.size()) {
    while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  }
  if (size > 0) std::memcpy(error->message, message.data(), size);
  error->message[size] = '\0';
  return code;
}

void refuse(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

std::size_t checked_struct_size(const void* given, const char* name) {
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  // The most that a struct of options will ever take: what is more was never set.
  constexpr std::size_t kMost = 4096;
  if (size >= sizeof size && size <= kMost && size % 8 == 0) return size;
  throw Error(ErrorCode::usage, std::string(name) + "->struct_size is " + std::to_string(size) +
                                    "; set it to the sizeof of the struct");
}

namespace {

std::string_view text_of(const char* bytes, std::size_t n_bytes) {
  return n_bytes == ESPALIER_UNTIL_NUL ? std::string_view(bytes) : std::string_view(bytes, n_bytes);
}

void check_utf8(std::string_view text, std::size_t index, const char* part) {
  const format::BadIndex bad = format::find_invalid_utf8(text);
  if (!bad) return;
  throw Error(ErrorCode::bad_input, "text " + std::to_string(index) + part +
                                        " is no UTF-8 at byte " + std::to_string(*bad) +
                                        "; convert it, or set replace_invalid_utf8");
}

}  // namespace

std::vector<Text> read_texts(const espalier_text* texts, std::size_t n_texts,
                             const TextRules& rules) {
  required(texts, "texts");
  if (n_texts == 0) refuse("n_texts is 0; give at least one text");
  std::vector<Text> views;
  views.reserve(n_texts);
  for (std::size_t index = 0; index < n_texts; ++index) {
    const espalier_text& given = texts[index];
    if (given.first == nullptr) {
      refuse("text " + std::to_string(index) + " is NULL; an empty text is \"\" with 0 bytes");
    }
    Text view{.first = text_of(given.first, given.first_bytes), .second = std::nullopt};
    if (!rules.replace_invalid_utf8) check_utf8(view.first, index, "");
    if (given.second != nullptr) {
      if (!rules.pairs) {
        refuse("text " + std::to_string(index) +
               " is a pair, and this call takes single texts only; set second to NULL");
      }
      view.second = text_of(given.second, given.second_bytes);
      if (!rules.replace_invalid_utf8) check_utf8(*view.second, index, ", second part,");
    }
    views.push_back(view);
  }
  return views;
}

std::vector<std::string_view> first_texts(std::span<const Text> texts) {
  std::vector<std::string_view> firsts;
  firsts.reserve(texts.size());
  for (const Text& text : texts) firsts.push_back(text.first);
  return firsts;
}

Call::Call(const espalier_call_options* options) {
  const auto given = read_options(options, "options");
  if (given.reserved != 0) refuse("options->reserved is not 0");
  limits.cancel = const_cast<const std::int32_t*>(given.cancel);
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<std::uint64_t, std::milli>;
  // A deadline beyond what the clock can say is none.
  const auto last = std::chrono::duration_cast<Milliseconds>(Clock::duration::max()).count();
  if (given.deadline_ms != 0 && given.deadline_ms < last) {
    limits.deadline = Clock::time_point(Milliseconds(given.deadline_ms));
  }
  replace_invalid_utf8 = given.replace_invalid_utf8 != 0;
}

SessionOptions session_options(const espalier_session_options* options) {
  const auto given = read_options(options, "options");
  SessionOptions wanted;
  if (given.device != nullptr) wanted.backend = given.device;
  wanted.n_threads = given.n_threads;
  wanted.max_length = given.max_length;
  if (given.log != nullptr) {
    wanted.log = [tell = given.log, user = given.log_user](LogLevel level,
                                                           std::string_view message) {
      tell(user, static_cast<espalier_log_level>(level), std::string(message).c_str());
    };
  }
  return wanted;
}

std::uint32_t n_answers(const Model& model) noexcept {
  switch (model.info().task) {
    case Task::classify:
    case Task::multi_label:
    case Task::regress:
    case Task::embed:
      return runtime::head_plan(model.impl().spec()).width;
    case Task::tag:
    case Task::fill_mask:
      break;
  }
  return 0;
}

namespace {

espalier_model* handle_of(Model model) {
  auto handle = std::make_unique<espalier_model>(espalier_model{std::move(model), {}});
  for (const std::string& label : handle->model.info().labels) {
    handle->labels.push_back(label.c_str());
  }
  return handle.release();
}

}  // namespace
}  // namespace espalier::c_api

using namespace espalier::c_api;

extern "C" {

std::uint32_t espalier_abi_version(void) {
  return ESPALIER_ABI_VERSION;
}

const char* espalier_version(void) {
  return ESPALIER_VERSION;
}

std::uint64_t espalier_now_ms(void) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto n_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return n_ms > 0 ? static_cast<std::uint64_t>(n_ms) : 1;
}

espalier_status espalier_model_open(const char* path, const espalier_open_options* options,
                                    espalier_model** model, espalier_error* error) {
  return guard(error, [&] {
    required(model, "model") = nullptr;
    required(path, "path");
    const auto given = read_options(options, "options");
    if (given.reserved != 0) refuse("options->reserved is not 0");
    *model = handle_of(espalier::Model::open(path, {.map_file = given.map_file != 0}));
  });
}

espalier_status espalier_model_open_memory(const void* bytes, std::size_t n_bytes,
                                           espalier_model** model, espalier_error* error) {
  return guard(error, [&] {
    required(model, "model") = nullptr;
    if (bytes == nullptr) refuse("bytes is NULL");
    *model =
        handle_of(espalier::Model::open(std::span(static_cast<const std::byte*>(bytes), n_bytes)));
  });
}

void espalier_model_free(espalier_model* model) {
  delete model;
}

espalier_status espalier_model_get_info(const espalier_model* model, espalier_model_info* info,
                                        espalier_error* error) {
  return guard(error, [&] {
    const espalier::ModelInfo& known = required(model, "model").model.info();
    espalier_model_info filled{};
    filled.task = static_cast<espalier_task>(known.task);
    filled.precision = static_cast<espalier_precision>(known.precision);
    filled.n_answers = n_answers(model->model);
    filled.hidden = known.hidden;
    filled.n_layers = known.n_layers;
    filled.vocabulary_size = known.vocabulary_size;
    filled.max_length = known.max_length;
    filled.n_labels = static_cast<std::uint32_t>(model->labels.size());
    filled.labels = model->labels.data();
    filled.n_parameters = known.n_parameters;
    filled.file_bytes = known.file_bytes;
    filled.checksum = known.checksum;
    write_info(filled, info, "info");
  });
}

espalier_status espalier_model_self_test(const espalier_model* model, const char* device,
                                         espalier_self_test_report* report, espalier_error* error) {
  return guard(error, [&] {
    required(model, "model");
    write_info(espalier_self_test_report{}, report, "report");  // refuses before it works
    const espalier::SelfTestReport result =
        model->model.self_test(device == nullptr ? "auto" : device);
    espalier_self_test_report filled{};
    filled.passed = result.passed ? 1 : 0;
    filled.n_cases = static_cast<std::uint32_t>(result.n_cases);
    filled.worst_difference = result.worst_difference;
    filled.tolerance = result.tolerance;
    write_info(filled, report, "report");
  });
}

}  // extern "C"
