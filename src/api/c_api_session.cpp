// The C API's sessions, and the calls whose answers have a fixed size.
#include "api/c_api.hpp"

espalier_session::espalier_session(const espalier::Model& of,
                                   const espalier::SessionOptions& options)
    : model(of),
      session(of, options),
      device(session.backend()),
      code_path(session.backend_path()),
      max_length(options.max_length == 0 ? of.info().max_length : options.max_length) {}

namespace espalier::c_api {

Claim::Claim(espalier_session* session) : owner_(required(session, "session")) {
  if (owner_.busy.exchange(true, std::memory_order_acquire)) {
    refuse("the session is answering another call; make one session for each thread");
  }
}

namespace {

/// The caller's floats. Throws Error(usage) when they are fewer than the answers.
struct Floats {
  float* values;
  std::size_t size;
  const char* name;

  void require(std::size_t n_texts, std::size_t n_answers) const {
    required(values, name);
    // By division: the product of what a caller says may not fit.
    if (n_answers == 0 || size / n_answers >= n_texts) return;
    refuse("room for " + std::to_string(size) + " " + name + ", but " + std::to_string(n_texts) +
           " texts have " + std::to_string(n_answers) + " each");
  }
};

/// Runs `ask(session, texts, limits)` and copies `values_of(answer)` of each answer.
template <typename Ask, typename ValuesOf>
void answer(espalier_session* session, std::span<const Text> texts, const Call& call,
            const Floats& dst, std::uint8_t* truncated, Ask&& ask, ValuesOf&& values_of) {
  const Claim claim(session);
  dst.require(texts.size(), n_answers(claim.model()));
  const auto answers = ask(claim.session(), texts, call.limits);
  float* next = dst.values;
  for (std::size_t text = 0; text < answers.size(); ++text) {
    const std::vector<float>& values = values_of(answers[text]);
    next = std::copy(values.begin(), values.end(), next);
    if (truncated != nullptr) truncated[text] = answers[text].truncated ? 1 : 0;
  }
}

}  // namespace
}  // namespace espalier::c_api

using namespace espalier::c_api;

extern "C" {

espalier_status espalier_session_open(const espalier_model* model,
                                      const espalier_session_options* options,
                                      espalier_session** session, espalier_error* error) {
  return guard(error, [&] {
    required(session, "session") = nullptr;
    *session =
        std::make_unique<espalier_session>(required(model, "model").model, session_options(options))
            .release();
  });
}

void espalier_session_free(espalier_session* session) {
  delete session;
}

espalier_status espalier_session_get_info(const espalier_session* session,
                                          espalier_session_info* info, espalier_error* error) {
  return guard(error, [&] {
    required(session, "session");
    espalier_session_info filled{};
    filled.device = session->device.c_str();
    filled.code_path = session->code_path.c_str();
    filled.n_threads = session->session.n_threads();
    filled.max_length = session->max_length;
    write_info(filled, info, "info");
  });
}

espalier_status espalier_classify(espalier_session* session, const espalier_text* texts,
                                  std::size_t n_texts, const espalier_call_options* options,
                                  float* scores, std::size_t n_scores, std::uint8_t* truncated,
                                  espalier_error* error) {
  return guard(error, [&] {
    const Call call(options);
    const auto views =
        read_texts(texts, n_texts, {.replace_invalid_utf8 = call.replace_invalid_utf8});
    answer(
        session, views, call, {scores, n_scores, "scores"}, truncated,
        [](auto& asked, auto inputs, auto& limits) { return asked.classify(inputs, limits); },
        [](const espalier::Classification& result) -> auto& { return result.scores; });
  });
}

espalier_status espalier_embed(espalier_session* session, const espalier_text* texts,
                               std::size_t n_texts, const espalier_call_options* options,
                               float* values, std::size_t n_values, std::uint8_t* truncated,
                               espalier_error* error) {
  return guard(error, [&] {
    const Call call(options);
    const auto views =
        read_texts(texts, n_texts, {.replace_invalid_utf8 = call.replace_invalid_utf8});
    answer(
        session, views, call, {values, n_values, "values"}, truncated,
        [](auto& asked, auto inputs, auto& limits) { return asked.embed(inputs, limits); },
        [](const espalier::Embedding& result) -> auto& { return result.values; });
  });
}

}  // extern "C"
