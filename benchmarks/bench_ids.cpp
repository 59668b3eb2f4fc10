// espalier's side of peers/: runs token ids that come on standard input, and times them. Through
// the public API alone, as a user's program would; peers/runtimes.py speaks the same protocol (one
// JSON object a line, one answer a line) and describes it.
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "espalier/espalier.hpp"
#include "measure/latency.hpp"

namespace {

using Json = nlohmann::json;

/// One call, and room for its answers.
struct Call {
  espalier::TokenBatch batch;
  std::vector<float> answers;
};

Call make_call(const espalier::Session& session, const Json& sentences) {
  Call call;
  call.batch.offsets.push_back(0);
  for (const Json& sentence : sentences) {
    for (const Json& id : sentence) {
      call.batch.ids.push_back(espalier::TokenId{id.get<std::int32_t>()});
    }
    call.batch.offsets.push_back(static_cast<std::uint32_t>(call.batch.ids.size()));
  }
  call.batch.segments.assign(call.batch.ids.size(), 0);
  call.answers.resize(session.output_size(call.batch));
  return call;
}

class Server {
 public:
  Server(const char* file, unsigned n_threads)
      : model_(espalier::Model::open(file)), session_(model_, {.n_threads = n_threads}) {}

  Json answer(const Json& request) {
    const auto op = request.at("op").get<std::string>();
    if (op == "about") return about();
    const auto name = request.at("name").get<std::string>();
    if (op == "set") return set(workloads_[name], request.at("calls"));
    if (op == "logits") return logits(workloads_.at(name));
    if (op == "time") return time(workloads_.at(name), request.at("repeats").get<int>());
    throw espalier::Error(espalier::ErrorCode::usage,
                          "'" + op + "' is no op; ask about, set, logits or time");
  }

 private:
  Json about() const {
    const std::string precision(name_of(model_.info().precision));
    return {{"runtime", "espalier"},
            {"precision", precision + ", " + std::string(session_.backend()) + ": " +
                              std::string(session_.backend_path())}};
  }

  Json set(std::vector<Call>& calls, const Json& sentences) {
    calls.clear();
    for (const Json& call : sentences) calls.push_back(make_call(session_, call));
    return {{"calls", calls.size()}};
  }

  Json logits(std::vector<Call>& calls) {
    Json rows = Json::array();
    for (Call& call : calls) {
      session_.run(call.batch, call.answers);
      const std::size_t width = call.answers.size() / call.batch.n_sentences();
      for (std::size_t begin = 0; begin < call.answers.size(); begin += width) {
        rows.push_back(
            std::vector<float>(call.answers.data() + begin, call.answers.data() + begin + width));
      }
    }
    return {{"logits", rows}};
  }

  Json time(std::vector<Call>& calls, int n_repeats) {
    std::vector<double> times_ms;
    for (int repeat = 0; repeat < n_repeats; ++repeat) {
      const espalier::measure::Stopwatch watch;
      for (Call& call : calls) session_.run(call.batch, call.answers);
      times_ms.push_back(watch.elapsed_ms());
    }
    return {{"ms", times_ms}};
  }

  espalier::Model model_;
  espalier::Session session_;
  std::map<std::string, std::vector<Call>> workloads_;
};

}  // namespace

int main(int argc, char** argv) {
  const int n_threads = argc == 3 ? std::atoi(argv[2]) : 0;
  if (argc != 3 || n_threads < 1) {
    std::fprintf(stderr, "usage: bench_ids MODEL.espl THREADS < REQUESTS\n");
    return 2;
  }
  try {
    Server server(argv[1], static_cast<unsigned>(n_threads));
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << server.answer(Json::parse(line)) << std::endl;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ids: %s\n", error.what());
    return 3;
  }
}
