#include "network/preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/keyed_random.h"
#include "math/blas.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

std::vector<double> RandomNumbers(int64_t count, double low, double high, uint64_t seed) {
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  std::vector<double> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = low + (high - low) * random.Uniform(i);
  return numbers;
}

// U diag(d) Uᵀ or diag(1/d) Uᵀ would do; any matrix that is far from singular is as good here.
void FillMatrices(int64_t n, Preparation& preparation) {
  preparation.matrix.assign(static_cast<size_t>(n * n), 0);
  preparation.inverse.assign(static_cast<size_t>(n * n), 0);
  // A Householder reflection H = I − 2 v vᵀ / ‖v‖² is its own inverse; rows are scaled by 1 + k.
  std::vector<double> v = RandomNumbers(n, 0.5, 1.5, 3);
  double squares = 0;
  for (const double entry : v) squares += entry * entry;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double entry = (i == j ? 1 : 0) - 2 * v[i] * v[j] / squares;
      preparation.matrix[i * n + j] = entry * static_cast<double>(1 + i);
      preparation.inverse[i * n + j] = entry / static_cast<double>(1 + j);
    }
  }
}

constexpr PreparationKind kKinds[] = {PreparationKind::kNone,        PreparationKind::kRange,
                                      PreparationKind::kStandardize, PreparationKind::kGlobal,
                                      PreparationKind::kZca,         PreparationKind::kPca};

bool IsWhitening(PreparationKind kind) {
  return kind == PreparationKind::kZca || kind == PreparationKind::kPca;
}

Preparation Fitted(PreparationKind kind, int64_t n) {
  Preparation preparation{.options = {.kind = kind, .low = -1, .high = 3, .epsilon = 0.1}};
  if (kind == PreparationKind::kRange) {
    preparation.shift.assign(static_cast<size_t>(n), -1);
    preparation.scale.assign(static_cast<size_t>(n), 4);
  }
  if (kind == PreparationKind::kStandardize || IsWhitening(kind)) {
    preparation.shift = RandomNumbers(n, -1, 1, 1);
  }
  if (kind == PreparationKind::kStandardize) preparation.scale = RandomNumbers(n, 0.1, 2, 2);
  if (kind == PreparationKind::kGlobal) preparation.deviation = 0.75;
  if (IsWhitening(kind)) FillMatrices(n, preparation);
  return preparation;
}

// What docs/math.md §8 says, entry by entry.
std::vector<double> PreparedByDefinition(const Preparation& preparation,
                                         const std::vector<double>& rows, int64_t n) {
  std::vector<double> prepared(rows.size());
  for (size_t first = 0; first < rows.size(); first += n) {
    double mean = 0;
    for (int64_t j = 0; j < n; ++j) mean += rows[first + j] / static_cast<double>(n);
    for (int64_t j = 0; j < n; ++j) {
      const double x = rows[first + j];
      double& out = prepared[first + j];
      switch (preparation.options.kind) {
        case PreparationKind::kNone:
          out = x;
          break;
        case PreparationKind::kRange:
          out = (x + 1) / 4;
          break;
        case PreparationKind::kStandardize:
          out = (x - preparation.shift[j]) / preparation.scale[j];
          break;
        case PreparationKind::kGlobal: {
          const double cut = 3 * preparation.deviation;
          out = (std::max(-cut, std::min(cut, x - mean)) / cut + 1) * 0.4 + 0.1;
          break;
        }
        case PreparationKind::kZca:
        case PreparationKind::kPca:
          for (int64_t k = 0; k < n; ++k) {
            out += preparation.matrix[j * n + k] * (rows[first + k] - preparation.shift[k]);
          }
          break;
      }
    }
  }
  return prepared;
}

MatrixView<const double> Wide(const std::vector<double>& values, int64_t columns) {
  return {values.data(), std::ssize(values) / columns, columns};
}

template <class T>
class PreparationTest : public testing::Test {
 protected:
  static std::vector<T> Rounded(const std::vector<double>& values) {
    std::vector<T> rounded(values.size());
    std::ranges::transform(values, rounded.begin(), [](double x) { return static_cast<T>(x); });
    return rounded;
  }
  static MatrixView<const T> View(const std::vector<T>& values, int64_t n) {
    return {values.data(), static_cast<int64_t>(values.size()) / n, n};
  }
  static MatrixView<T> View(std::vector<T>& values, int64_t n) {
    return {values.data(), static_cast<int64_t>(values.size()) / n, n};
  }
  static double Tolerance(int64_t n) {
    return static_cast<double>(20 * n) * static_cast<double>(std::numeric_limits<T>::epsilon());
  }
  void SetUp() override { UseOneThreadPerProduct(); }
};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(PreparationTest, Types);

TYPED_TEST(PreparationTest, EveryKindIsItsDefinition) {
  using T = TypeParam;
  for (const int64_t n : {1, 2, 7, 33}) {
    for (const int64_t rows : {1, 5, 300}) {
      const std::vector<double> values = RandomNumbers(n * rows, -2, 4, 10 + n);
      for (const PreparationKind kind : kKinds) {
        const Preparation fitted = Fitted(kind, n);
        const RowPreparation<T> preparation(fitted, n);
        std::vector<T> output(values.size());
        preparation.Apply(Wide(values, n), this->View(output, n));
        const std::vector<double> expected = PreparedByDefinition(fitted, values, n);
        for (size_t i = 0; i < output.size(); ++i) {
          const double scale = IsWhitening(kind) ? static_cast<double>(n) : 1;
          ASSERT_NEAR(output[i], expected[i], this->Tolerance(n) * (std::abs(expected[i]) + scale))
              << "kind " << static_cast<int>(kind) << " n " << n << " entry " << i;
        }
      }
    }
  }
}

TYPED_TEST(PreparationTest, WhatIsUndoneIsWhatWasPrepared) {
  using T = TypeParam;
  for (const int64_t n : {1, 3, 40}) {
    // Nothing so far from its row's mean that it is cut off.
    const std::vector<double> input = RandomNumbers(n * 270, -1, 1, 20 + n);
    for (const PreparationKind kind : kKinds) {
      const RowPreparation<T> preparation(Fitted(kind, n), n);
      std::vector<T> prepared(input.size());
      std::vector<T> undone(input.size());
      std::vector<double> means(270);
      preparation.Apply(Wide(input, n), this->View(prepared, n), means);
      preparation.Undo(this->View(std::as_const(prepared), n), means, this->View(undone, n));
      for (size_t i = 0; i < input.size(); ++i) {
        ASSERT_NEAR(undone[i], input[i], this->Tolerance(n)) << static_cast<int>(kind);
      }
    }
  }
}

TYPED_TEST(PreparationTest, EntryByEntryKindsAreUndoneInPlace) {
  using T = TypeParam;
  constexpr int64_t kColumns = 9;
  const std::vector<double> input = RandomNumbers(kColumns * 20, -5, 5, 30);
  for (const PreparationKind kind : kKinds) {
    const RowPreparation<T> preparation(Fitted(kind, kColumns), kColumns);
    EXPECT_EQ(preparation.whitens(), IsWhitening(kind));
    EXPECT_EQ(preparation.does_nothing(), kind == PreparationKind::kNone);
    if (preparation.whitens()) continue;
    std::vector<T> rows(input.size());
    std::vector<double> means(20);
    preparation.Apply(Wide(input, kColumns), this->View(rows, kColumns), means);
    std::vector<T> apart(input.size());
    preparation.Undo(this->View(std::as_const(rows), kColumns), means, this->View(apart, kColumns));
    preparation.Undo(this->View(std::as_const(rows), kColumns), means, this->View(rows, kColumns));
    EXPECT_EQ(rows, apart);
  }
}

TYPED_TEST(PreparationTest, GlobalCutsAtThreeDeviationsAndStaysWithinTheUnitInterval) {
  using T = TypeParam;
  Preparation fitted = Fitted(PreparationKind::kGlobal, 4);
  fitted.deviation = 1;
  const RowPreparation<T> preparation(fitted, 4);
  const std::vector<double> input = {-100, 0, 0, 100, 7, 7, 7, 7, 1, 4, 7, 4};
  std::vector<T> output(input.size());
  std::vector<double> means(3);
  preparation.Apply(Wide(input, 4), this->View(output, 4), means);
  const std::vector<double> expected = {0.1, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.5, 0.9, 0.5};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(output[i], expected[i], this->Tolerance(1)) << i;
  }
  // Undoing brings the mean of the row back, and of what was cut off the cut.
  std::vector<T> undone(input.size());
  preparation.Undo(this->View(std::as_const(output), 4), means, this->View(undone, 4));
  const std::vector<double> brought_back = {-3, 0, 0, 3, 7, 7, 7, 7, 1, 4, 7, 4};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(undone[i], brought_back[i], 10 * this->Tolerance(1)) << i;
  }
}

TYPED_TEST(PreparationTest, ASmallSpreadAroundALargeMeanSurvives) {
  using T = TypeParam;
  // Far beyond the whole numbers that float holds.
  constexpr double kMean = 4000000000.25;
  const std::vector<double> input = {4000000000, 4000000001.5, 4000000002, 3999999998};
  for (const PreparationKind kind : {PreparationKind::kStandardize, PreparationKind::kZca}) {
    Preparation fitted{.options = {.kind = kind, .epsilon = 0.1}};
    fitted.shift = {kMean, kMean};
    fitted.scale = {0.5, 0.5};
    fitted.matrix = {2, 0, 0, 2};
    fitted.inverse = {0.5, 0, 0, 0.5};
    const RowPreparation<T> preparation(fitted, 2);
    std::vector<T> output(input.size());
    preparation.Apply(Wide(input, 2), this->View(output, 2));
    for (size_t i = 0; i < input.size(); ++i) {
      EXPECT_NEAR(output[i], (input[i] - kMean) * 2, 1e-6);
    }
  }
}

TYPED_TEST(PreparationTest, ABlockIsPreparedAsItsRowsAre) {
  using T = TypeParam;
  constexpr int64_t kColumns = 5;
  const std::vector<double> input = RandomNumbers(kColumns * 600, -1, 1, 40);
  const RowPreparation<T> preparation(Fitted(PreparationKind::kPca, kColumns), kColumns);
  std::vector<T> whole(input.size());
  preparation.Apply(Wide(input, kColumns), this->View(whole, kColumns));
  for (int64_t row = 0; row < 600; row += 37) {
    std::vector<T> alone(kColumns);
    preparation.Apply({input.data() + row * kColumns, 1, kColumns}, this->View(alone, kColumns));
    for (int64_t j = 0; j < kColumns; ++j) {
      EXPECT_NEAR(alone[j], whole[row * kColumns + j], this->Tolerance(kColumns));
    }
  }
}

TYPED_TEST(PreparationTest, NumbersThatCannotBeUsedAreRefused) {
  using T = TypeParam;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto fault = [](PreparationKind kind, const auto& change, int64_t inputs) -> std::string {
    Preparation fitted = Fitted(kind, 3);
    change(fitted);
    try {
      const RowPreparation<T> preparation(fitted, inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      return error.what();
    }
    return "";
  };
  const auto nothing = [](Preparation&) {};
  for (const PreparationKind kind : kKinds) EXPECT_EQ(fault(kind, nothing, 3), "");
  for (const PreparationKind kind : {PreparationKind::kRange, PreparationKind::kStandardize,
                                     PreparationKind::kZca, PreparationKind::kPca}) {
    EXPECT_THAT(fault(kind, nothing, 4), HasSubstr("shift: expected 4 numbers, found 3"));
    EXPECT_THAT(fault(
                    kind, [&](Preparation& p) { p.shift[1] = kNaN; }, 3),
                HasSubstr("shift: expected finite numbers"));
  }
  for (const double scale : {0.0, -1.0}) {
    EXPECT_THAT(fault(
                    PreparationKind::kStandardize, [&](Preparation& p) { p.scale[2] = scale; }, 3),
                HasSubstr("scale: expected positive numbers"));
  }
  for (const double deviation : {0.0, -1.0, kNaN, 1e308}) {
    EXPECT_THAT(fault(
                    PreparationKind::kGlobal, [&](Preparation& p) { p.deviation = deviation; }, 3),
                HasSubstr("deviation: expected a number above 0"));
  }
  EXPECT_THAT(fault(
                  PreparationKind::kZca, [](Preparation& p) { p.matrix.pop_back(); }, 3),
              HasSubstr("matrix: expected 9 numbers, found 8"));
  EXPECT_THAT(fault(
                  PreparationKind::kZca, [](Preparation& p) { p.inverse.clear(); }, 3),
              HasSubstr("inverse: expected 9 numbers, found 0"));
  // 1e300 is a number in double alone.
  EXPECT_EQ(fault(
                PreparationKind::kZca, [](Preparation& p) { p.matrix[4] = 1e300; }, 3)
                .empty(),
            sizeof(T) == sizeof(double));
}

TYPED_TEST(PreparationTest, MemoryIsThatOfItsNumbers) {
  using T = TypeParam;
  using Rows = RowPreparation<T>;
  EXPECT_EQ(Rows::MemoryBytes(PreparationKind::kNone, 10), 0U);
  EXPECT_EQ(Rows::MemoryBytes(PreparationKind::kRange, 10), 20 * sizeof(double));
  EXPECT_EQ(Rows::MemoryBytes(PreparationKind::kZca, 10), 10 * sizeof(double) + 200 * sizeof(T));
  EXPECT_THROW(Rows::MemoryBytes(PreparationKind::kZca, int64_t{1} << 40), Error);
  EXPECT_EQ(Rows::ApplyBytes(PreparationKind::kGlobal, 10, 1000), 0U);
  EXPECT_EQ(Rows::ApplyBytes(PreparationKind::kPca, 10, 7), 70 * sizeof(T));
  EXPECT_EQ(Rows::ApplyBytes(PreparationKind::kPca, 10, 100000),
            Rows::ApplyBytes(PreparationKind::kPca, 10, 256));
}

}  // namespace
}  // namespace rhohat
