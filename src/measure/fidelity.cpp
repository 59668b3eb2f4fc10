#include "measure/fidelity.hpp"

#include <algorithm>
#include <cmath>

#include "measure/check.hpp"

namespace espalier::measure {
namespace {

void check_finite(std::span<const float> values, std::size_t width) {
  for (std::size_t index = 0; index < values.size(); ++index) {
    if (std::isfinite(values[index])) continue;
    throw Error(ErrorCode::bad_input, "a model's answer is not finite in row " +
                                          std::to_string(index / width) + ", column " +
                                          std::to_string(index % width));
  }
}

void check(const LogitPair& logits) {
  check_pairs(logits.reference.size(), logits.candidate.size(), "reference logits",
              "candidate logits");
  check_rows(logits.reference.size(), logits.width);
  check_finite(logits.reference, logits.width);
  check_finite(logits.candidate, logits.width);
}

/// log(sum(exp(row))), stable: the largest logit is taken out first.
double log_sum_exp(std::span<const float> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0.0;
  for (const float logit : row) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

double row_kl(std::span<const float> reference, std::span<const float> candidate) {
  const double reference_norm = log_sum_exp(reference);
  const double candidate_norm = log_sum_exp(candidate);
  double kl = 0.0;
  for (std::size_t label = 0; label < reference.size(); ++label) {
    const double log_p = static_cast<double>(reference[label]) - reference_norm;
    const double log_q = static_cast<double>(candidate[label]) - candidate_norm;
    kl += std::exp(log_p) * (log_p - log_q);
  }
  return std::max(kl, 0.0);  // rounding may leave -1e-17
}

}  // namespace

double mean_kl(const LogitPair& logits) {
  check(logits);
  double sum = 0.0;
  for (std::size_t begin = 0; begin < logits.reference.size(); begin += logits.width) {
    sum += row_kl(logits.reference.subspan(begin, logits.width),
                  logits.candidate.subspan(begin, logits.width));
  }
  return sum / static_cast<double>(logits.reference.size() / logits.width);
}

double max_abs_difference(const LogitPair& logits) {
  check(logits);
  double largest = 0.0;
  for (std::size_t index = 0; index < logits.reference.size(); ++index) {
    const double difference =
        static_cast<double>(logits.reference[index]) - static_cast<double>(logits.candidate[index]);
    largest = std::max(largest, std::fabs(difference));
  }
  return largest;
}

std::size_t count_flips(const LogitPair& logits) {
  check(logits);
  const auto reference = argmax_rows(logits.reference, logits.width);
  const auto candidate = argmax_rows(logits.candidate, logits.width);
  std::size_t n_flips = 0;
  for (std::size_t row = 0; row < reference.size(); ++row) {
    n_flips += reference[row] != candidate[row] ? 1 : 0;
  }
  return n_flips;
}

double cosine(std::span<const float> first, std::span<const float> second) {
  return mean_cosine({first, second, first.size()});
}

double mean_cosine(const LogitPair& vectors) {
  check(vectors);
  const std::size_t n_rows = vectors.reference.size() / vectors.width;
  double sum = 0.0;
  for (std::size_t row = 0; row < n_rows; ++row) {
    double xy = 0.0;
    double xx = 0.0;
    double yy = 0.0;
    for (std::size_t index = row * vectors.width; index < (row + 1) * vectors.width; ++index) {
      // Squares of floats stay within double's range, from 1e-90 to 1e77.
      const double x = vectors.reference[index];
      const double y = vectors.candidate[index];
      xy += x * y;
      xx += x * x;
      yy += y * y;
    }
    if (xx == 0.0 || yy == 0.0) {
      throw Error(ErrorCode::bad_input,
                  "vector " + std::to_string(row) + " is all zeros and has no direction");
    }
    sum += std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
  }
  return sum / static_cast<double>(n_rows);
}

double relative_error(std::span<const float> reference, std::span<const float> candidate) {
  check({reference, candidate, 1});
  double signal = 0.0;
  double noise = 0.0;
  for (std::size_t index = 0; index < reference.size(); ++index) {
    const double value = reference[index];
    const double error = static_cast<double>(candidate[index]) - value;
    signal += value * value;
    noise += error * error;
  }
  return noise == 0.0 ? 0.0 : std::sqrt(noise / signal);
}

double sqnr_db(double relative_error) {
  return -20.0 * std::log10(relative_error);
}

std::vector<std::size_t> argmax_rows(std::span<const float> logits, std::size_t width) {
  check_rows(logits.size(), width);
  std::vector<std::size_t> places;
  places.reserve(logits.size() / width);
  for (std::size_t begin = 0; begin < logits.size(); begin += width) {
    const auto row = logits.subspan(begin, width);
    const auto largest = std::max_element(row.begin(), row.end());
    places.push_back(static_cast<std::size_t>(largest - row.begin()));
  }
  return places;
}

}  // namespace espalier::measure
