// All measures of quality in one include. Accuracies, precisions, recalls and F1 are percentages;
// correlations, MCC, KL and p-values are plain numbers.
#pragma once

#include "measure/classification.hpp"     // IWYU pragma: export
#include "measure/correlation.hpp"        // IWYU pragma: export
#include "measure/entities.hpp"           // IWYU pragma: export
#include "measure/fidelity.hpp"           // IWYU pragma: export
#include "measure/score_calibration.hpp"  // IWYU pragma: export
#include "measure/significance.hpp"       // IWYU pragma: export
#include "measure/slices.hpp"             // IWYU pragma: export
