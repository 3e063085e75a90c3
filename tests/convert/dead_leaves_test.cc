#include "convert/dead_leaves.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <set>
#include <vector>

namespace rhohat {
namespace {

constexpr uint64_t kSeed = 7;

DeadLeavesOptions Painted(int64_t height, int64_t width, double min_radius = 1,
                          double max_radius = 64) {
  return {.height = height,
          .width = width,
          .min_radius = min_radius,
          .max_radius = max_radius,
          .normalize = false};
}

std::vector<float> Patch(const DeadLeavesOptions& options, uint64_t row, uint64_t seed = kSeed) {
  LeafCanvas canvas(options.height, options.width);
  std::vector<float> pixels(static_cast<size_t>(options.height * options.width));
  DeadLeaves(options, seed).Render(row, canvas, pixels);
  return pixels;
}

std::vector<float> Patches(const DeadLeavesOptions& options, uint64_t rows) {
  const DeadLeaves leaves(options, kSeed);
  LeafCanvas canvas(options.height, options.width);
  const auto size = static_cast<size_t>(options.height * options.width);
  std::vector<float> pixels(rows * size);
  for (uint64_t row = 0; row < rows; ++row) {
    leaves.Render(row, canvas, std::span(pixels).subspan(row * size, size));
  }
  return pixels;
}

bool Covers(const Disc& disc, double x, double y) {
  return (x - disc.x) * (x - disc.x) + (y - disc.y) * (y - disc.y) <= disc.radius * disc.radius;
}

// The naive twin: every point looks through the discs by itself.
std::vector<float> NaivePatch(const DeadLeavesOptions& options, uint64_t row) {
  const DiscLaw law(options);
  const KeyedRandom random(kSeed, RandomPurpose::kDeadLeaves);
  constexpr int64_t kSamples = LeafCanvas::kSamples;
  std::vector<Disc> discs;
  std::vector<float> pixels;
  for (int64_t pixel = 0; pixel < options.height * options.width; ++pixel) {
    float sum = 0;
    for (int64_t point = 0; point < kSamples * kSamples; ++point) {
      const double x = static_cast<double>(pixel % options.width) +
                       (static_cast<double>(point % kSamples) + 0.5) / kSamples;
      const double y = static_cast<double>(pixel / options.width) +
                       (static_cast<double>(point / kSamples) + 0.5) / kSamples;
      size_t i = 0;
      do {
        if (i == discs.size()) discs.push_back(law.Draw(random, row, i));
      } while (!Covers(discs[i++], x, y));
      sum += discs[i - 1].grey;
    }
    pixels.push_back(0.1F + 0.8F * (sum / (kSamples * kSamples)));
  }
  return pixels;
}

TEST(DeadLeavesTest, PaintsWhatTheNaiveTwinPaints) {
  struct Case {
    int64_t height, width;
    double min_radius, max_radius;
  };
  for (const Case& c : {Case{1, 1, 1, 4}, Case{3, 5, 0.5, 20}, Case{16, 16, 1, 64},
                        Case{7, 17, 1, 8}, Case{20, 33, 2, 500}, Case{5, 64, 3, 3.01}}) {
    const DeadLeavesOptions options = Painted(c.height, c.width, c.min_radius, c.max_radius);
    for (const uint64_t row : {uint64_t{0}, uint64_t{5}, (uint64_t{1} << 42) - 1}) {
      const std::vector<float> fast = Patch(options, row);
      const std::vector<float> naive = NaivePatch(options, row);
      for (size_t i = 0; i < fast.size(); ++i) {
        ASSERT_NEAR(fast[i], naive[i], 1e-6) << c.height << "x" << c.width << " row " << row;
      }
    }
  }
}

TEST(DeadLeavesTest, WhatIsOnTheCanvasDoesNotMatter) {
  const DeadLeaves leaves(Painted(9, 6), kSeed);
  LeafCanvas used(9, 6);
  std::vector<float> first(54);
  std::vector<float> again(54);
  leaves.Render(3, used, first);
  leaves.Render(4, used, again);
  EXPECT_NE(first, again);
  leaves.Render(3, used, again);
  EXPECT_EQ(first, again);
}

TEST(LeafCanvasTest, DiscsInFrontHideThoseBehindAndFillTakesTheRest) {
  LeafCanvas canvas(2, 40);
  std::vector<float> pixels(80);
  canvas.Clear();
  canvas.Paint({.x = 20, .y = 1, .radius = 5, .grey = 0.25F});
  canvas.Paint({.x = 0, .y = 1, .radius = 20, .grey = 0.75F});
  canvas.Paint({.x = -3, .y = -3, .radius = 2, .grey = 9});    // beyond the corner
  canvas.Paint({.x = 300, .y = 1, .radius = 200, .grey = 9});  // beyond the side
  EXPECT_FALSE(canvas.covered());
  canvas.Fill(0.5F);
  EXPECT_TRUE(canvas.covered());
  canvas.Paint({.x = 20, .y = 1, .radius = 100, .grey = 9});
  canvas.Average(pixels);
  EXPECT_EQ(pixels[0], 0.75F);
  EXPECT_EQ(pixels[14], 0.75F);
  EXPECT_EQ(pixels[18], 0.25F);
  EXPECT_EQ(pixels[22], 0.25F);
  EXPECT_EQ(pixels[39], 0.5F);
  EXPECT_EQ(pixels[79], 0.5F);
}

TEST(LeafCanvasTest, EdgesAreSoft) {
  LeafCanvas canvas(4, 4);
  std::vector<float> pixels(16);
  canvas.Clear();
  canvas.Paint({.x = -1e6 + 1.5, .y = 2, .radius = 1e6, .grey = 1});  // all left of 1.5
  canvas.Fill(0);
  canvas.Average(pixels);
  for (size_t row = 0; row < 4; ++row) {
    EXPECT_EQ(pixels[4 * row], 1);
    EXPECT_EQ(pixels[4 * row + 1], 0.5F);
    EXPECT_EQ(pixels[4 * row + 2], 0);
  }
}

// How far a point is from the patch.
double DistanceToPatch(const Disc& disc, double height, double width) {
  const double dx = std::max({0.0, -disc.x, disc.x - width});
  const double dy = std::max({0.0, -disc.y, disc.y - height});
  return std::hypot(dx, dy);
}

TEST(DiscLawTest, EveryDiscTouchesThePatchAndHasARadiusInBounds) {
  const DiscLaw law(Painted(5, 9, 0.5, 30));
  const KeyedRandom random(kSeed, RandomPurpose::kDeadLeaves);
  for (uint64_t i = 0; i < 50'000; ++i) {
    const Disc disc = law.Draw(random, 1, i);
    EXPECT_GE(disc.radius, 0.5 * (1 - 1e-9));
    EXPECT_LE(disc.radius, 30 * (1 + 1e-9));
    EXPECT_LE(DistanceToPatch(disc, 5, 9), disc.radius * (1 + 1e-9));
    EXPECT_GE(disc.grey, 0);
    EXPECT_LT(disc.grey, 1);
  }
}

// Against the law as it is defined: discs of density r⁻³ with centres uniform in a large square,
// of which those that touch the patch are kept.
TEST(DiscLawTest, AgreesWithDrawingEverywhereAndKeepingWhatTouches) {
  constexpr double kHeight = 6;
  constexpr double kWidth = 10;
  constexpr double kMin = 2;
  constexpr double kMax = 12;
  constexpr size_t kBins = 8;
  const auto bin_of = [](const Disc& disc) {
    const size_t large = disc.radius > 4 ? 1 : 0;
    const size_t inside = DistanceToPatch(disc, kHeight, kWidth) == 0 ? 1 : 0;
    const size_t left = disc.x < 3 && disc.y < 4 ? 1 : 0;
    return 4 * large + 2 * inside + left;
  };
  std::vector<double> direct(kBins);
  std::vector<double> rejected(kBins);
  const DiscLaw law(Painted(6, 10, kMin, kMax));
  const KeyedRandom random(kSeed, RandomPurpose::kDeadLeaves);
  const KeyedRandom other(kSeed, RandomPurpose::kGradientSample);
  constexpr int kDiscs = 40'000;
  for (uint64_t i = 0; i < kDiscs; ++i) direct[bin_of(law.Draw(random, 0, i))] += 1;
  uint64_t draw = 0;
  for (int kept = 0; kept < kDiscs;) {
    const double u = other.Uniform(draw++);
    Disc disc;
    disc.radius = 1 / std::sqrt(1 / (kMin * kMin) - u * (1 / (kMin * kMin) - 1 / (kMax * kMax)));
    disc.x = (kWidth + 2 * kMax) * other.Uniform(draw++) - kMax;
    disc.y = (kHeight + 2 * kMax) * other.Uniform(draw++) - kMax;
    if (DistanceToPatch(disc, kHeight, kWidth) > disc.radius) continue;
    rejected[bin_of(disc)] += 1;
    ++kept;
  }
  for (size_t bin = 0; bin < kBins; ++bin) {
    EXPECT_GT(direct[bin], 300);
    EXPECT_NEAR(direct[bin], rejected[bin], 4 * std::sqrt(direct[bin] + rejected[bin])) << bin;
  }
}

// ∫ r⁻³ × (area common to two discs of radius r, d apart) dr.
double CommonCover(double d, double min_radius, double max_radius) {
  constexpr int kSteps = 2000;
  const double log_step = std::log(max_radius / min_radius) / kSteps;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double r = min_radius * std::exp((i + 0.5) * log_step);
    if (d >= 2 * r) continue;
    const double lens = 2 * r * r * std::acos(d / (2 * r)) - d / 2 * std::sqrt(4 * r * r - d * d);
    sum += lens / (r * r) * log_step;
  }
  return sum;
}

// The front-most disc at each of two points is the same with probability B(d) / (2 B(0) − B(d)),
// B the common cover: the theory's one formula, and the picture's correlation. It must hold at the
// patch's corners as in its middle.
TEST(DiscLawTest, PointsShareADiscAsOftenAsTheTheorySaysUpToTheBorder) {
  const DiscLaw law(Painted(16, 16, 1, 64));
  const KeyedRandom random(kSeed, RandomPurpose::kDeadLeaves);
  struct Pair {
    double x0, y0, x1, y1;
  };
  constexpr int kPictures = 4000;
  uint64_t row = 0;
  for (const Pair& p : {Pair{7, 8, 9, 8}, Pair{0, 0, 2, 0}, Pair{16, 14, 16, 16},
                        Pair{0, 0, 16, 16}, Pair{4, 4, 4, 12}}) {
    int shared = 0;
    for (int i = 0; i < kPictures; ++i, ++row) {
      for (uint64_t number = 0;; ++number) {
        const Disc disc = law.Draw(random, row, number);
        const bool first = Covers(disc, p.x0, p.y0);
        const bool second = Covers(disc, p.x1, p.y1);
        shared += first && second ? 1 : 0;
        if (first || second) break;
      }
    }
    const double common = CommonCover(std::hypot(p.x1 - p.x0, p.y1 - p.y0), 1, 64);
    const double expected = common / (2 * CommonCover(0, 1, 64) - common);
    const double error = std::sqrt(expected * (1 - expected) / kPictures);
    EXPECT_NEAR(static_cast<double>(shared) / kPictures, expected, 4 * error);
  }
}

TEST(DeadLeavesTest, ValuesAreInReachOfASigmoid) {
  for (const bool normalize : {false, true}) {
    DeadLeavesOptions options = Painted(8, 8);
    options.normalize = normalize;
    const std::vector<float> values = Patches(options, 2000);
    const auto [least, most] = std::ranges::minmax(values);
    EXPECT_GE(least, 0.1F - 1e-6F);
    EXPECT_LE(most, 0.9F + 1e-6F);
    EXPECT_LT(least, 0.12F);
    EXPECT_GT(most, 0.88F);
  }
}

TEST(DeadLeavesTest, MeanAndVarianceAreTheSameEverywhereInThePatch) {
  constexpr uint64_t kPatches = 5000;
  const std::vector<float> values = Patches(Painted(6, 6), kPatches);
  std::vector<double> variances;
  for (size_t pixel = 0; pixel < 36; ++pixel) {
    double sum = 0;
    double squares = 0;
    for (size_t i = pixel; i < values.size(); i += 36) {
      sum += values[i];
      squares += values[i] * values[i];
    }
    const double mean = sum / kPatches;
    variances.push_back(squares / kPatches - mean * mean);
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(variances.back() / kPatches)) << pixel;
  }
  const auto [least, most] = std::ranges::minmax(variances);
  EXPECT_LT(most, 1.1 * least);
}

TEST(DeadLeavesTest, NormalizingTakesEachPatchsMeanAndStandardizesContrast) {
  DeadLeavesOptions options = Painted(12, 10);
  const std::vector<float> painted = Patches(options, 500);
  options.normalize = true;
  const std::vector<float> normalized = Patches(options, 500);
  int cut = 0;
  double squares = 0;
  for (size_t patch = 0; patch < painted.size(); patch += 120) {
    double mean = 0;
    for (size_t i = patch; i < patch + 120; ++i) mean += painted[i] / 120;
    for (size_t i = patch; i < patch + 120; ++i) {
      const double contrast = (painted[i] - mean) / (0.8 * 0.6);
      EXPECT_NEAR(normalized[i], 0.5 + 0.4 * std::clamp(contrast, -1.0, 1.0), 1e-5);
      cut += std::abs(contrast) > 1 ? 1 : 0;
      squares += std::pow(normalized[i] - 0.5, 2);
    }
  }
  EXPECT_GT(cut, 0);
  EXPECT_LT(cut, static_cast<int>(painted.size() / 50));
  // A third of the way from the middle to the limits.
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(painted.size())), 0.4 / 3, 0.02);
}

TEST(DeadLeavesTest, DerivativesHaveHeavyTails) {
  const std::vector<float> values = Patches(Painted(16, 16), 500);
  double second = 0;
  double fourth = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 16 == 15) continue;
    const double square = std::pow(values[i + 1] - values[i], 2);
    second += square;
    fourth += square * square;
  }
  const double count = static_cast<double>(values.size()) * 15 / 16;
  const double kurtosis = fourth / count / std::pow(second / count, 2);
  EXPECT_GT(kurtosis, 6);  // a normal distribution's is 3
}

// Discrete Fourier transform of every row of a side × side matrix, which is then transposed.
std::vector<std::complex<double>> TransformRows(const std::vector<std::complex<double>>& in,
                                                size_t side) {
  std::vector<std::complex<double>> turns(side);
  for (size_t k = 0; k < side; ++k) {
    turns[k] =
        std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(side));
  }
  std::vector<std::complex<double>> out(side * side);
  for (size_t i = 0; i < side; ++i) {
    for (size_t k = 0; k < side; ++k) {
      for (size_t j = 0; j < side; ++j) {
        out[k * side + i] += in[i * side + j] * turns[k * j % side];
      }
    }
  }
  return out;
}

// Mean power at each distance from frequency zero, in cycles a patch, under a window without edges.
std::vector<double> RadialPower(const std::vector<float>& values, size_t side) {
  std::vector<double> window(side);
  for (size_t i = 0; i < side; ++i) {
    window[i] = std::pow(
        std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(side)), 2);
  }
  std::vector<double> power(side);
  std::vector<double> counts(side);
  std::vector<std::complex<double>> patch(side * side);
  for (size_t first = 0; first < values.size(); first += side * side) {
    for (size_t i = 0; i < side * side; ++i) {
      patch[i] = (values[first + i] - 0.5) * window[i / side] * window[i % side];
    }
    const auto spectrum = TransformRows(TransformRows(patch, side), side);
    for (size_t i = 0; i < side * side; ++i) {
      const auto u = static_cast<double>(std::min(i / side, side - i / side));
      const auto v = static_cast<double>(std::min(i % side, side - i % side));
      const auto f = static_cast<size_t>(std::lround(std::hypot(u, v)));
      power[f] += std::norm(spectrum[i]);
      counts[f] += 1;
    }
  }
  for (size_t f = 0; f < side; ++f) power[f] /= std::max(1.0, counts[f]);
  return power;
}

TEST(DeadLeavesTest, PowerFallsAboutAsTheInverseSquareOfFrequency) {
  constexpr size_t kSide = 32;
  const std::vector<float> values = Patches(Painted(kSide, kSide, 1, 128), 300);
  const std::vector<double> power = RadialPower(values, kSide);
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, count = 0;
  for (size_t f = 2; f <= kSide / 4; ++f) {
    const double x = std::log(static_cast<double>(f));
    const double y = std::log(power[f]);
    sum_x += x, sum_y += y, sum_xx += x * x, sum_xy += x * y, count += 1;
  }
  const double slope = (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x);
  EXPECT_GT(slope, -2.6);
  EXPECT_LT(slope, -1.8);
}

double Correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - 0.5) * (b[i] - 0.5);
    aa += (a[i] - 0.5) * (a[i] - 0.5);
    bb += (b[i] - 0.5) * (b[i] - 0.5);
  }
  return ab / std::sqrt(aa * bb);
}

TEST(DeadLeavesTest, RowsAreAllDifferentAndUncorrelatedWithTheRowsAfterThem) {
  constexpr uint64_t kPatches = 4000;
  const std::vector<float> values = Patches(Painted(4, 4), kPatches);
  std::set<std::vector<float>> seen;
  for (size_t i = 0; i < values.size(); i += 16) {
    seen.emplace(values.begin() + static_cast<ptrdiff_t>(i),
                 values.begin() + static_cast<ptrdiff_t>(i + 16));
  }
  EXPECT_EQ(seen.size(), kPatches);
  for (const ptrdiff_t lag : {1, 2, 2000}) {
    const std::vector<float> earlier(values.begin(), values.end() - 16 * lag);
    const std::vector<float> later(values.begin() + 16 * lag, values.end());
    // Pixels of a patch go together, so a patch counts as one observation.
    const double error = 1 / std::sqrt(static_cast<double>(earlier.size() / 16));
    EXPECT_NEAR(Correlation(earlier, later), 0, 4 * error) << lag;
  }
}

TEST(DeadLeavesTest, SeedsGiveDifferentPatches) {
  EXPECT_NE(Patch(Painted(4, 4), 0, 1), Patch(Painted(4, 4), 0, 2));
  EXPECT_EQ(Patch(Painted(4, 4), 0, 1), Patch(Painted(4, 4), 0, 1));
}

}  // namespace
}  // namespace rhohat
