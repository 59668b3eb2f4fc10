// The smallest program on the public API: what a user of the installed library writes.
#include <espalier/espalier.hpp>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto model = espalier::Model::open(argv[1]);
  espalier::Session session(model);
  for (const auto& answer : session.classify({"a charming journey", "bleak and desperate"})) {
    std::cout << model.info().labels[answer.label] << ' ' << answer.score << '\n';
  }
}
