// Start here: open a model, ask it, read the answers. README.md beside this file is the guide.
//
//   auto model = espalier::Model::open("sentiment.espl");
//   espalier::Session session(model);
//   for (const auto& answer : session.classify({"a charming journey", "bleak and desperate"})) {
//     std::cout << model.info().labels[answer.label] << ' ' << answer.score << '\n';
//   }
#pragma once

#include "espalier/error.hpp"
#include "espalier/model.hpp"
#include "espalier/session.hpp"
#include "espalier/tokenizer.hpp"
#include "espalier/types.hpp"
