// Made by make_golden.py; not edited by hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace espalier::measure::golden {

inline constexpr std::array<std::size_t, 60> kGold = {
    0, 0, 1, 3, 0, 0, 2, 0, 0, 2, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 2, 1, 0, 2, 0, 0, 3, 3, 2, 0,
    2, 2, 1, 0, 0, 0, 2, 0, 0, 1, 0, 2, 0, 2, 0, 2, 3, 0, 0, 2, 2, 3, 0, 0, 0, 2, 3, 0, 2, 0};
inline constexpr std::array<std::size_t, 60> kPredicted = {
    3, 3, 3, 3, 0, 0, 1, 0, 0, 2, 0, 2, 0, 0, 0, 1, 3, 0, 2, 0, 2, 1, 0, 2, 0, 0, 2, 3, 2, 0,
    0, 2, 1, 0, 0, 1, 3, 0, 0, 1, 0, 2, 0, 2, 0, 2, 3, 1, 0, 2, 0, 3, 0, 0, 0, 2, 3, 0, 0, 0};
inline constexpr double kAccuracy = 78.33333333333333;
inline constexpr double kMacroF1 = 71.74932617438179;
inline constexpr double kMcc = 0.6698270256831099;
inline constexpr double kBinaryF1 = 86.20689655172413;
inline constexpr double kBinaryMcc = 0.734968415259167;
inline constexpr std::array<std::uint8_t, 60> kGoldBits = {
    0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0};
inline constexpr std::array<std::uint8_t, 60> kPredictedBits = {
    0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
    1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0};
inline constexpr double kMicroF1 = 68.75;
inline constexpr double kExactMatch = 50.0;
inline constexpr std::array<double, 40> kScores = {
    1.5,  2.25, 4.0,  1.75, 4.5,  2.5,  2.0,  4.25, 3.25, 1.0, 0.25, 2.75, 3.5, 4.5,
    4.0,  3.25, 4.0,  1.0,  4.25, 1.0,  4.0,  4.0,  0.0,  3.5, 1.25, 4.75, 0.0, 1.0,
    1.25, 1.0,  3.75, 4.75, 0.75, 4.25, 0.25, 2.5,  4.0,  4.0, 4.25, 3.75};
inline constexpr std::array<double, 40> kPredictedScores = {
    1.6, 1.8, 3.3, 1.5, 4.2,  4.2, 0.7, 4.2, 3.4,  -1.2, -1.0, 3.2, 2.3, 4.5,
    3.6, 2.2, 2.9, 0.8, 5.7,  0.4, 5.7, 2.3, -0.1, 4.8,  3.0,  4.1, 0.3, 1.4,
    0.9, 1.1, 3.8, 5.1, -0.1, 2.7, 0.7, 2.2, 3.7,  2.6,  5.5,  5.4};
inline constexpr double kPearson = 0.8472128634819883;
inline constexpr double kSpearman = 0.8413530661044613;
inline constexpr std::array<double, 40> kRanks = {
    14.0, 15.0, 25.0, 13.0, 32.0, 32.0, 7.5,  32.0, 26.0, 1.0,  2.0,  24.0, 18.5, 34.0,
    27.0, 16.5, 22.0, 9.0,  39.5, 6.0,  39.5, 18.5, 3.5,  35.0, 23.0, 30.0, 5.0,  12.0,
    10.0, 11.0, 29.0, 36.0, 3.5,  21.0, 7.5,  16.5, 28.0, 20.0, 38.0, 37.0};
inline constexpr std::array<float, 30> kReferenceLogits = {
    2.069F,  -0.428F, 2.89F,   -0.889F, -9.063F, 0.727F, 0.882F,  -1.547F, -3.283F, 1.507F,
    -1.052F, 1.678F,  -2.004F, 4.363F,  3.784F,  0.466F, -0.533F, 0.209F,  -2.056F, 3.657F,
    -1.09F,  -0.084F, 5.264F,  -0.495F, 1.389F,  -0.25F, -0.083F, 0.849F,  0.432F,  -2.343F};
inline constexpr std::array<float, 30> kCandidateLogits = {
    3.148F,  0.714F,  5.245F,  -2.354F, -9.109F, 1.579F,  2.586F,  -2.496F, -3.482F, 0.889F,
    1.09F,   2.488F,  -2.523F, 4.626F,  5.754F,  -0.338F, -0.333F, -0.386F, -1.711F, 3.22F,
    -0.016F, -1.337F, 4.253F,  1.118F,  2.45F,   -0.777F, 1.18F,   2.181F,  0.484F,  -1.623F};
inline constexpr double kMeanKl = 0.15780134793559678;
inline constexpr double kFlips = 2.0;
inline constexpr double kMaxDifference = 2.3549997806549072;
inline constexpr double kMeanCosine = 0.7945534629044821;
inline constexpr double kMcnemar5And12 = 0.143463134765625;
inline constexpr double kMcnemar900And1000 = 0.023108845108901193;
inline constexpr double kPointOf5And12 = 0.047210693359375056;
inline constexpr double kPointOf6And6 = 0.2255859375000002;
inline constexpr double kWilsonLow = 87.97913721964458;
inline constexpr double kWilsonHigh = 91.94400331569138;
inline constexpr std::array<double, 37> kTimings = {
    3.88,   3.258, 4.127,  4.87,  4.819,  10.125, 4.712,  6.467, 3.979, 5.131,  3.092, 4.441, 3.077,
    9.604,  7.004, 4.05,   6.22,  16.639, 3.562,  11.544, 5.83,  6.416, 11.997, 5.497, 6.533, 8.82,
    23.211, 5.098, 11.927, 9.133, 8.053,  5.593,  5.135,  3.28,  3.695, 3.367,  9.752};
inline constexpr double kTimingP50 = 5.497;
inline constexpr double kTimingP90 = 11.697199999999999;
inline constexpr double kTimingP99 = 20.845080000000003;
inline constexpr double kTimingMean = 6.863189189189189;
inline constexpr double kTimingSd = 4.173281721178708;
inline constexpr std::array<std::string_view, 600> kGoldTags = {
    "B-X", "I-X", "O",   "O",   "O",   "B-Y", "I-Y", "I-X", "I-Y", "I-X", "B-Y", "B-X", "I-X",
    "O",   "B-Y", "B-X", "O",   "I-X", "O",   "O",   "B-X", "I-X", "O",   "B-X", "B-X", "B-X",
    "I-X", "B-X", "O",   "O",   "B-X", "O",   "B-X", "O",   "O",   "B-X", "I-X", "O",   "I-X",
    "B-X", "I-X", "B-Y", "O",   "O",   "I-X", "I-Y", "O",   "O",   "B-X", "I-Y", "O",   "O",
    "I-X", "I-X", "O",   "I-X", "O",   "B-X", "B-X", "B-Y", "O",   "O",   "I-X", "I-X", "I-Y",
    "I-Y", "O",   "B-Y", "B-Y", "I-Y", "I-X", "I-X", "I-Y", "B-X", "B-Y", "I-X", "O",   "B-X",
    "B-Y", "I-X", "B-Y", "O",   "O",   "I-Y", "I-Y", "B-Y", "I-X", "B-Y", "I-X", "B-Y", "B-Y",
    "I-Y", "I-X", "O",   "I-X", "I-Y", "I-X", "I-X", "I-Y", "I-Y", "I-Y", "O",   "I-Y", "B-Y",
    "I-X", "I-Y", "B-Y", "B-Y", "B-Y", "B-Y", "O",   "O",   "O",   "O",   "O",   "B-Y", "B-X",
    "O",   "I-X", "I-Y", "I-X", "I-X", "O",   "B-Y", "O",   "B-Y", "I-X", "B-Y", "O",   "I-X",
    "B-X", "O",   "I-X", "I-Y", "O",   "B-Y", "I-X", "I-X", "O",   "B-Y", "I-X", "O",   "B-Y",
    "B-Y", "I-X", "B-X", "I-Y", "O",   "I-Y", "B-X", "O",   "B-Y", "I-Y", "O",   "O",   "B-Y",
    "B-Y", "I-X", "I-X", "I-Y", "I-X", "O",   "I-X", "B-Y", "B-X", "I-Y", "O",   "I-X", "B-Y",
    "B-Y", "O",   "O",   "I-X", "O",   "B-X", "B-X", "B-Y", "B-Y", "B-Y", "B-X", "I-X", "I-X",
    "O",   "O",   "I-X", "O",   "I-X", "B-X", "B-Y", "O",   "B-Y", "O",   "B-Y", "I-X", "B-X",
    "B-Y", "I-X", "B-X", "I-X", "I-X", "I-X", "I-Y", "O",   "I-X", "O",   "B-X", "O",   "I-X",
    "O",   "B-X", "I-X", "O",   "I-Y", "I-X", "I-X", "B-X", "I-X", "O",   "O",   "O",   "I-X",
    "O",   "O",   "B-Y", "I-X", "B-X", "B-X", "O",   "I-X", "I-Y", "B-Y", "I-X", "B-X", "O",
    "B-Y", "B-X", "O",   "I-X", "I-X", "I-X", "O",   "O",   "O",   "I-X", "B-Y", "I-X", "I-X",
    "B-X", "B-Y", "O",   "I-X", "B-X", "I-X", "B-X", "O",   "I-Y", "B-X", "O",   "B-X", "I-Y",
    "B-X", "I-Y", "I-X", "O",   "O",   "B-Y", "O",   "B-Y", "B-X", "B-X", "B-X", "O",   "I-X",
    "I-X", "I-Y", "I-X", "O",   "B-X", "I-X", "I-Y", "B-X", "I-Y", "O",   "B-X", "O",   "O",
    "I-Y", "B-Y", "B-X", "B-Y", "O",   "O",   "B-X", "I-X", "I-X", "B-X", "O",   "I-Y", "B-X",
    "I-Y", "I-X", "O",   "I-Y", "I-Y", "B-Y", "I-X", "I-X", "I-X", "O",   "B-Y", "O",   "O",
    "B-Y", "I-X", "I-X", "I-X", "I-Y", "O",   "B-Y", "I-Y", "B-X", "I-X", "O",   "I-X", "O",
    "O",   "I-X", "I-X", "B-X", "B-X", "B-X", "B-X", "B-Y", "B-Y", "B-Y", "B-X", "I-X", "B-Y",
    "O",   "B-X", "I-X", "I-X", "B-Y", "I-X", "O",   "O",   "B-Y", "O",   "O",   "O",   "I-X",
    "I-Y", "I-X", "I-X", "O",   "I-X", "B-X", "I-Y", "I-X", "I-X", "O",   "I-X", "O",   "O",
    "O",   "O",   "B-X", "I-X", "O",   "B-X", "O",   "B-X", "B-X", "I-Y", "I-X", "O",   "O",
    "B-Y", "I-Y", "I-X", "I-X", "I-X", "B-Y", "I-X", "O",   "I-X", "B-X", "B-X", "I-Y", "O",
    "I-X", "B-X", "I-X", "B-X", "O",   "B-Y", "I-X", "I-X", "B-Y", "I-Y", "I-Y", "I-Y", "O",
    "O",   "B-X", "O",   "I-X", "I-X", "B-Y", "I-X", "I-X", "B-X", "I-Y", "I-Y", "I-Y", "O",
    "O",   "O",   "I-X", "B-Y", "I-Y", "I-Y", "I-X", "I-X", "I-X", "O",   "O",   "I-X", "I-Y",
    "I-X", "I-Y", "I-X", "I-X", "O",   "I-Y", "O",   "O",   "O",   "O",   "I-X", "B-Y", "O",
    "I-Y", "B-Y", "B-Y", "B-Y", "I-Y", "I-Y", "I-X", "O",   "I-X", "I-Y", "O",   "O",   "I-Y",
    "O",   "O",   "I-X", "O",   "B-Y", "B-Y", "B-X", "O",   "B-Y", "B-X", "I-X", "B-Y", "I-X",
    "B-Y", "I-Y", "O",   "O",   "O",   "B-X", "I-X", "I-X", "O",   "I-X", "B-X", "O",   "I-Y",
    "I-X", "O",   "O",   "I-X", "B-X", "I-X", "B-X", "B-X", "B-Y", "I-Y", "O",   "I-X", "I-X",
    "O",   "I-X", "O",   "O",   "I-X", "B-Y", "B-Y", "B-X", "O",   "O",   "O",   "I-X", "B-Y",
    "B-Y", "I-X", "O",   "B-X", "O",   "B-Y", "I-X", "B-X", "O",   "I-X", "O",   "B-Y", "B-X",
    "B-Y", "I-X", "B-X", "B-Y", "I-X", "O",   "O",   "I-Y", "B-X", "B-Y", "I-Y", "I-X", "O",
    "O",   "I-X", "O",   "B-X", "I-Y", "I-Y", "O",   "O",   "I-X", "O",   "B-X", "I-Y", "B-X",
    "O",   "I-X", "I-X", "I-X", "O",   "O",   "I-X", "I-X", "B-Y", "O",   "I-X", "O",   "I-X",
    "O",   "O",   "O",   "I-X", "O",   "I-X", "O",   "B-Y", "O",   "O",   "I-X", "I-X", "B-Y",
    "B-X", "B-Y", "O",   "O",   "O",   "B-X", "O",   "O",   "B-Y", "I-X", "B-Y", "I-X", "O",
    "B-X", "B-Y", "B-Y", "I-X", "I-Y", "B-X", "B-X", "I-X", "O",   "O",   "O",   "O",   "B-X",
    "O",   "B-X"};
inline constexpr std::array<std::string_view, 600> kPredictedTags = {
    "B-X", "I-X", "O",   "O",   "O",   "B-Y", "O",   "I-X", "I-Y", "I-X", "O",   "B-X", "I-X",
    "O",   "B-Y", "B-X", "O",   "I-X", "O",   "O",   "O",   "I-X", "O",   "B-X", "B-X", "B-X",
    "O",   "B-X", "O",   "O",   "B-X", "O",   "B-X", "B-Y", "O",   "B-X", "I-X", "O",   "I-Y",
    "B-X", "I-X", "B-Y", "O",   "O",   "I-X", "B-X", "I-Y", "O",   "B-X", "I-X", "O",   "O",
    "I-X", "I-X", "O",   "I-X", "O",   "B-X", "B-X", "B-Y", "O",   "B-X", "I-X", "I-X", "I-Y",
    "I-X", "O",   "B-Y", "B-Y", "O",   "I-X", "B-Y", "I-Y", "B-X", "B-Y", "I-X", "O",   "B-X",
    "B-Y", "I-X", "B-Y", "O",   "O",   "O",   "I-Y", "B-Y", "I-X", "B-Y", "I-X", "B-Y", "B-Y",
    "I-Y", "I-X", "O",   "B-X", "I-Y", "I-X", "I-X", "I-Y", "I-X", "I-Y", "O",   "I-Y", "B-Y",
    "I-X", "I-Y", "B-Y", "B-Y", "B-Y", "B-Y", "O",   "O",   "O",   "O",   "O",   "B-Y", "B-X",
    "O",   "I-X", "I-Y", "I-X", "I-X", "O",   "B-Y", "O",   "B-Y", "I-X", "B-Y", "O",   "I-X",
    "B-X", "O",   "I-X", "I-Y", "O",   "B-Y", "I-X", "B-X", "O",   "I-X", "I-X", "I-Y", "B-Y",
    "B-Y", "I-X", "B-X", "I-Y", "I-X", "I-Y", "B-X", "O",   "B-Y", "I-Y", "O",   "O",   "B-Y",
    "I-X", "I-X", "I-X", "I-Y", "I-X", "O",   "I-X", "B-Y", "O",   "I-Y", "O",   "I-X", "B-X",
    "B-Y", "I-X", "O",   "I-X", "O",   "B-X", "B-X", "B-Y", "B-Y", "B-Y", "B-X", "I-X", "I-Y",
    "O",   "O",   "I-X", "O",   "I-X", "B-X", "B-Y", "O",   "O",   "I-Y", "B-Y", "I-X", "O",
    "B-Y", "I-X", "I-Y", "I-X", "I-X", "I-X", "I-Y", "O",   "I-X", "O",   "B-X", "O",   "I-X",
    "O",   "B-X", "I-X", "O",   "I-Y", "I-X", "I-X", "B-X", "I-X", "O",   "O",   "O",   "I-X",
    "O",   "O",   "B-Y", "I-X", "B-X", "B-X", "O",   "I-X", "O",   "B-Y", "I-X", "B-X", "O",
    "B-Y", "B-X", "B-X", "I-Y", "I-X", "I-X", "O",   "I-X", "O",   "I-X", "B-X", "I-X", "I-X",
    "B-X", "O",   "O",   "I-X", "B-X", "I-X", "B-X", "O",   "I-Y", "B-X", "O",   "B-X", "I-Y",
    "B-X", "I-Y", "I-X", "I-Y", "O",   "B-Y", "O",   "B-X", "B-Y", "B-Y", "B-X", "O",   "I-X",
    "I-X", "I-Y", "I-X", "O",   "B-X", "B-X", "B-X", "B-X", "I-Y", "O",   "B-X", "O",   "O",
    "I-Y", "B-Y", "B-X", "B-Y", "O",   "O",   "B-X", "I-X", "I-X", "B-X", "O",   "I-Y", "B-X",
    "I-Y", "I-X", "O",   "I-Y", "I-Y", "O",   "I-X", "O",   "I-X", "O",   "B-Y", "O",   "O",
    "B-Y", "O",   "I-X", "B-X", "I-Y", "O",   "B-Y", "I-Y", "B-X", "I-X", "O",   "I-X", "O",
    "O",   "I-X", "O",   "B-X", "B-X", "O",   "B-X", "B-Y", "B-Y", "B-Y", "B-X", "I-X", "B-Y",
    "O",   "B-X", "B-Y", "I-X", "B-Y", "I-X", "B-Y", "O",   "B-Y", "O",   "O",   "O",   "I-X",
    "I-Y", "I-X", "I-X", "O",   "B-Y", "B-X", "I-Y", "I-X", "I-X", "B-X", "I-X", "O",   "O",
    "O",   "O",   "I-Y", "I-X", "B-Y", "O",   "B-X", "B-X", "B-X", "B-Y", "I-Y", "I-X", "O",
    "B-Y", "I-Y", "I-X", "O",   "I-X", "B-Y", "I-X", "O",   "I-X", "O",   "B-X", "I-Y", "O",
    "I-X", "B-Y", "I-X", "B-X", "O",   "B-Y", "I-X", "I-X", "B-Y", "I-Y", "I-Y", "I-Y", "O",
    "O",   "I-Y", "I-X", "I-X", "I-X", "B-Y", "I-X", "I-Y", "B-X", "I-Y", "I-Y", "I-Y", "O",
    "O",   "O",   "I-X", "B-Y", "I-Y", "I-Y", "I-X", "O",   "I-X", "O",   "O",   "I-X", "I-Y",
    "I-X", "I-Y", "I-X", "I-X", "O",   "I-Y", "O",   "O",   "O",   "O",   "I-X", "O",   "O",
    "I-Y", "B-Y", "B-Y", "B-Y", "I-Y", "I-Y", "I-X", "I-X", "I-X", "I-X", "O",   "B-X", "B-Y",
    "O",   "O",   "I-Y", "O",   "B-Y", "B-Y", "B-X", "O",   "B-Y", "B-X", "I-X", "O",   "I-X",
    "B-Y", "I-Y", "O",   "O",   "O",   "B-X", "B-Y", "I-X", "O",   "I-X", "B-X", "O",   "I-Y",
    "I-X", "O",   "O",   "B-Y", "B-X", "I-X", "B-X", "B-X", "B-Y", "I-Y", "O",   "I-X", "I-X",
    "O",   "I-X", "O",   "I-X", "I-X", "B-Y", "B-Y", "B-X", "O",   "O",   "O",   "I-X", "B-Y",
    "O",   "O",   "O",   "B-X", "O",   "B-Y", "I-X", "B-X", "O",   "B-X", "O",   "B-Y", "B-X",
    "B-Y", "I-X", "B-X", "B-Y", "I-X", "O",   "O",   "I-Y", "B-X", "B-Y", "I-X", "I-X", "O",
    "O",   "B-Y", "O",   "I-Y", "I-Y", "I-Y", "O",   "O",   "I-X", "O",   "B-X", "I-Y", "O",
    "O",   "I-X", "I-X", "I-X", "O",   "O",   "I-X", "I-X", "B-Y", "O",   "B-X", "O",   "I-X",
    "O",   "O",   "O",   "I-X", "O",   "O",   "O",   "B-Y", "O",   "O",   "I-X", "I-X", "B-Y",
    "I-X", "B-Y", "O",   "O",   "O",   "B-X", "O",   "O",   "B-X", "I-X", "B-Y", "I-X", "O",
    "B-X", "B-Y", "B-Y", "I-X", "I-Y", "B-X", "B-X", "I-X", "I-Y", "I-X", "O",   "O",   "B-X",
    "B-Y", "B-X"};
inline constexpr std::array<std::size_t, 3> kEntityCounts = {345, 353, 271};
inline constexpr std::array<float, 120> kProbabilities = {
    0.2582F, 0.3202F, 0.4216F, 0.0522F, 0.3622F, 0.5856F, 0.2072F, 0.0692F, 0.7236F, 0.3582F,
    0.2632F, 0.3786F, 0.2612F, 0.6312F, 0.1076F, 0.1892F, 0.1802F, 0.6306F, 0.3312F, 0.1922F,
    0.4766F, 0.5162F, 0.1432F, 0.3406F, 0.1912F, 0.3272F, 0.4816F, 0.0352F, 0.8992F, 0.0656F,
    0.3862F, 0.5192F, 0.0946F, 0.2042F, 0.0962F, 0.6996F, 0.3682F, 0.2062F, 0.4256F, 0.7752F,
    0.1702F, 0.0546F, 0.1612F, 0.4362F, 0.4026F, 0.7052F, 0.0752F, 0.2196F, 0.6722F, 0.1022F,
    0.2256F, 0.2662F, 0.3282F, 0.4056F, 0.6102F, 0.0152F, 0.3746F, 0.3682F, 0.4692F, 0.1626F,
    0.6802F, 0.2392F, 0.0806F, 0.5962F, 0.3632F, 0.0406F, 0.0522F, 0.2242F, 0.7236F, 0.3032F,
    0.3852F, 0.3116F, 0.6132F, 0.3132F, 0.0736F, 0.0742F, 0.3782F, 0.5476F, 0.1002F, 0.2212F,
    0.6786F, 0.4132F, 0.2112F, 0.3756F, 0.0482F, 0.8552F, 0.0966F, 0.1182F, 0.2652F, 0.6166F,
    0.0152F, 0.0342F, 0.9506F, 0.7972F, 0.1912F, 0.0116F, 0.2962F, 0.6342F, 0.0696F, 0.2632F,
    0.5882F, 0.1486F, 0.0622F, 0.6762F, 0.2616F, 0.3172F, 0.1702F, 0.5126F, 0.3212F, 0.4012F,
    0.2776F, 0.0652F, 0.4092F, 0.5256F, 0.1302F, 0.0772F, 0.7926F, 0.7602F, 0.1562F, 0.0836F};
inline constexpr std::array<std::size_t, 40> kProbableGold = {
    1, 1, 0, 2, 0, 2, 0, 2, 1, 1, 1, 2, 1, 0, 0, 2, 0, 2, 0, 1,
    0, 0, 1, 1, 1, 2, 0, 0, 1, 2, 2, 0, 1, 1, 1, 2, 0, 2, 1, 0};
inline constexpr std::array<std::uint8_t, 120> kProbableCells = {
    0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0,
    0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0,
    1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
    0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0};
inline constexpr double kClassBrier = 0.52415963;
inline constexpr double kClassEce = 18.014000000000024;
inline constexpr double kCellBrier = 0.1747198766666667;
inline constexpr double kCellEce = 8.462666666666653;

}  // namespace espalier::measure::golden
