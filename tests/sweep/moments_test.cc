#include "sweep/moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/keyed_random.h"

namespace rhohat {
namespace {

std::vector<double> RandomValues(size_t count, uint64_t seed, double offset = 0) {
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = offset + random.Uniform(i) - 0.5;
  return values;
}

// Two passes over one column in long double.
Moments ByDefinition(const std::vector<double>& values, size_t column, size_t columns) {
  Moments moments;
  long double sum = 0;
  for (size_t i = column; i < values.size(); i += columns) {
    sum += values[i];
    ++moments.count;
    moments.minimum = std::min(moments.minimum, values[i]);
    moments.maximum = std::max(moments.maximum, values[i]);
  }
  const long double mean = sum / static_cast<long double>(moments.count);
  long double squares = 0;
  for (size_t i = column; i < values.size(); i += columns) {
    squares += (values[i] - mean) * (values[i] - mean);
  }
  moments.mean = static_cast<double>(mean);
  moments.squares = static_cast<double>(squares);
  return moments;
}

void ExpectNear(const Moments& moments, const Moments& expected, double tolerance) {
  EXPECT_EQ(moments.count, expected.count);
  EXPECT_EQ(moments.minimum, expected.minimum);
  EXPECT_EQ(moments.maximum, expected.maximum);
  EXPECT_NEAR(moments.mean, expected.mean, tolerance * (1 + std::abs(expected.mean)));
  EXPECT_NEAR(moments.squares, expected.squares, tolerance * expected.squares);
}

TEST(MomentsTest, AreTheirDefinitionForAnyShape) {
  for (const size_t columns : {1U, 2U, 127U, 128U, 129U, 300U}) {
    for (const size_t rows : {1U, 2U, 31U, 32U, 33U, 259U}) {
      const std::vector<double> values = RandomValues(rows * columns, columns + rows, 3);
      ColumnMoments moments(static_cast<int64_t>(columns));
      moments.AddRows(values);
      ASSERT_EQ(moments.columns().size(), columns);
      for (size_t j = 0; j < columns; ++j) {
        ExpectNear(moments.columns()[j], ByDefinition(values, j, columns), 1e-13);
      }
    }
  }
}

TEST(MomentsTest, OfPartsAddUpToThoseOfTheWhole) {
  const std::vector<double> values = RandomValues(900, 1, -7);
  ColumnMoments first(3);
  ColumnMoments second(3);
  ColumnMoments empty(3);
  first.AddRows(std::span(values).first(300));
  second.AddRows(std::span(values).subspan(300, 30));
  second.AddRows(std::span(values).subspan(330));
  first.Add(empty);
  empty.Add(first);
  empty.Add(second);
  for (size_t j = 0; j < 3; ++j) {
    ExpectNear(empty.columns()[j], ByDefinition(values, j, 3), 1e-13);
  }
  empty.Clear();
  for (const Moments& moments : empty.columns()) EXPECT_EQ(moments.count, 0);
}

TEST(MomentsTest, TilesReadOnlyTheirOwnColumns) {
  // Two columns out of five.
  const std::vector<double> values = RandomValues(50, 2);
  std::array<Moments, 2> moments;
  FindTileMoments(values.data() + 1, 10, 5, moments);
  for (size_t j = 0; j < 2; ++j) ExpectNear(moments[j], ByDefinition(values, j + 1, 5), 1e-13);
}

TEST(MomentsTest, ATileColumnWithoutAFiniteSumIsLeftToTheCaller) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {1, kNaN, kInfinity, 1e308, 3, 1, 1, 1e308};
  std::array<Moments, 4> moments;
  FindTileMoments(values.data(), 2, 4, moments);
  EXPECT_EQ(moments[0].count, 2);
  EXPECT_EQ(moments[0].mean, 2);
  EXPECT_EQ(moments[0].squares, 2);
  for (size_t j = 1; j < 4; ++j) EXPECT_EQ(moments[j].count, 0) << j;
}

TEST(MomentsTest, AMeanIsKnownWhereTheSumOverflows) {
  ColumnMoments moments(1);
  moments.AddRows(std::vector<double>{1.5e308, 1.5e308, 1.5e308});
  EXPECT_EQ(moments.columns()[0].count, 3);
  EXPECT_NEAR(moments.columns()[0].MeanInRange() / 1.5e308, 1, 1e-15);
  EXPECT_EQ(moments.columns()[0].Deviation(), 0);
}

TEST(MomentsTest, EqualValuesHaveNoDeviationWhateverIsRounded) {
  ColumnMoments moments(1);
  for (const size_t rows : {3U, 7U, 1000U}) moments.AddRows(std::vector<double>(rows, 0.1));
  EXPECT_EQ(moments.columns()[0].Deviation(), 0);
  EXPECT_EQ(moments.columns()[0].MeanInRange(), 0.1);
}

TEST(MomentsTest, OfNothingAreNoNumbers) {
  EXPECT_TRUE(std::isnan(Moments().Deviation()));
  EXPECT_TRUE(std::isnan(Moments().MeanInRange()));
}

}  // namespace
}  // namespace rhohat
