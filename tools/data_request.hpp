// Which labelled rows a verb trains on and judges itself by. Names no LibTorch: recipes are read by
// programs without it.
#pragma once

#include <string>

#include "column_request.hpp"

namespace espalier::tools {

struct DataRequest {
  std::string train;
  std::string eval;
  ColumnRequest columns;
};

template <typename Visitor>
void visit_data(DataRequest& request, Visitor&& visitor, bool needs_train = true) {
  visitor({.name = "--train",
           .help = "labelled rows, .gz too",
           .value = "FILE",
           .required = needs_train},
          request.train);
  visitor({.name = "--eval", .help = "rows to choose the best epoch by", .value = "FILE"},
          request.eval);
  visit_columns(request.columns, visitor);
}

}  // namespace espalier::tools
