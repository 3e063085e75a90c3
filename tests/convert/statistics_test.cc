#include "convert/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "base/keyed_random.h"
#include "rhohat/error.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr ElementType kFloat32{ElementKind::kFloat32, false};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rows in memory, handed out in one piece.
template <class T>
RawRows RowsOf(const std::vector<T>& values, int64_t columns, ElementType type) {
  RawRows raw;
  raw.range = {0, static_cast<int64_t>(values.size()) / columns};
  raw.bytes.resize(values.size() * sizeof(T));
  std::memcpy(raw.bytes.data(), values.data(), raw.bytes.size());
  raw.SetOnePiece(type, columns);
  return raw;
}

RawRows RowsOf(const std::vector<double>& values, int64_t columns) {
  return RowsOf(values, columns, {ElementKind::kFloat64, false});
}

DataStatistics StatisticsOf(const RawRows& raw, int64_t columns) {
  StatisticsSums sums;
  sums.AddRows(raw, columns);
  return sums.Finish();
}

ColumnStatistics OfOneColumn(const std::vector<double>& values) {
  return StatisticsOf(RowsOf(values, 1), 1).of_column[0];
}

std::vector<double> RandomValues(size_t count, uint64_t seed) {
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = random.Uniform(i) - 0.5;
  return values;
}

// The same, value by value, in long double and in two passes.
ColumnStatistics Reference(const std::vector<double>& values, int64_t columns, int64_t column) {
  ColumnStatistics result{.minimum = kInfinity, .maximum = -kInfinity};
  std::vector<long double> finite;
  for (size_t i = static_cast<size_t>(column); i < values.size();
       i += static_cast<size_t>(columns)) {
    result.nans += std::isnan(values[i]) ? 1 : 0;
    result.infinities += std::isinf(values[i]) ? 1 : 0;
    if (std::isfinite(values[i])) finite.push_back(values[i]);
  }
  result.finite = static_cast<int64_t>(finite.size());
  if (finite.empty()) return {kNaN, kNaN, kNaN, kNaN, result.nans, result.infinities, 0};
  const auto count = static_cast<long double>(finite.size());
  const long double mean = std::accumulate(finite.begin(), finite.end(), 0.0L) / count;
  long double squares = 0;
  for (const long double x : finite) squares += (x - mean) * (x - mean);
  result.minimum = static_cast<double>(*std::min_element(finite.begin(), finite.end()));
  result.maximum = static_cast<double>(*std::max_element(finite.begin(), finite.end()));
  result.mean = static_cast<double>(mean);
  result.deviation = static_cast<double>(std::sqrt(squares / count));
  return result;
}

void ExpectNear(const ColumnStatistics& found, const ColumnStatistics& expected, double tolerance) {
  EXPECT_EQ(found.nans, expected.nans);
  EXPECT_EQ(found.infinities, expected.infinities);
  EXPECT_EQ(found.finite, expected.finite);
  EXPECT_EQ(found.minimum, expected.minimum);
  EXPECT_EQ(found.maximum, expected.maximum);
  EXPECT_NEAR(found.mean, expected.mean, tolerance * std::abs(expected.mean) + 1e-15);
  EXPECT_NEAR(found.deviation, expected.deviation, tolerance * expected.deviation);
}

// All figures as bits, so that NaN equals itself.
std::vector<uint64_t> BitsOf(const DataStatistics& statistics) {
  std::vector<uint64_t> bits{static_cast<uint64_t>(statistics.rows)};
  std::vector<ColumnStatistics> columns = statistics.of_column;
  columns.push_back(statistics.overall);
  for (const ColumnStatistics& column : columns) {
    for (const double value : {column.minimum, column.maximum, column.mean, column.deviation}) {
      bits.push_back(std::bit_cast<uint64_t>(value));
    }
    for (const int64_t value : {column.nans, column.infinities, column.finite}) {
      bits.push_back(static_cast<uint64_t>(value));
    }
  }
  return bits;
}

TEST(StatisticsTest, AgreesWithTheDefinitionAtEveryWidthAroundATile) {
  for (const int64_t columns : {1, 2, 3, 12, 127, 128, 129, 300}) {
    for (const int64_t rows : {1, 2, 31, 32, 33, 300}) {
      const std::vector<double> values = RandomValues(static_cast<size_t>(rows * columns), 1);
      const DataStatistics found = StatisticsOf(RowsOf(values, columns), columns);
      EXPECT_EQ(found.rows, rows);
      EXPECT_EQ(found.columns, columns);
      ASSERT_EQ(found.of_column.size(), static_cast<size_t>(columns));
      for (int64_t column = 0; column < columns; ++column) {
        ExpectNear(found.of_column[static_cast<size_t>(column)], Reference(values, columns, column),
                   1e-12);
      }
      ExpectNear(found.overall, Reference(values, 1, 0), 1e-12);
    }
  }
}

TEST(StatisticsTest, NanAndInfinitiesAreCountedAndLeftOutOfTheRest) {
  std::vector<double> values = RandomValues(500 * 5, 2);
  const std::vector<double> unusual{kNaN, kInfinity, -kInfinity, -kNaN};
  for (size_t i = 0; i < values.size(); i += 7) values[i] = unusual[i % unusual.size()];
  for (size_t row = 0; row < 500; ++row) values[row * 5 + 3] = unusual[row % 2];  // no finite one
  for (size_t row = 0; row < 500; ++row) values[row * 5 + 4] = 0.25;              // only finite
  const DataStatistics found = StatisticsOf(RowsOf(values, 5), 5);
  for (int64_t column : {0, 1, 2, 4}) {
    ExpectNear(found.of_column[static_cast<size_t>(column)], Reference(values, 5, column), 1e-12);
  }
  ExpectNear(found.overall, Reference(values, 1, 0), 1e-12);
  const ColumnStatistics& none = found.of_column[3];
  EXPECT_EQ(none.finite, 0);
  EXPECT_EQ(none.nans, 250);
  EXPECT_EQ(none.infinities, 250);
  for (const double value : {none.minimum, none.maximum, none.mean, none.deviation}) {
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_EQ(found.of_column[4].deviation, 0);
}

TEST(StatisticsTest, ASmallSpreadSurvivesALargeMean) {
  std::vector<double> values = RandomValues(100'000, 3);
  for (double& value : values) value = 1e8 + 1e-3 * value;
  const ColumnStatistics expected = Reference(values, 1, 0);
  ExpectNear(OfOneColumn(values), expected, 1e-6);
  EXPECT_NEAR(OfOneColumn(values).mean, expected.mean, 1e-7);  // some units in the last place
}

TEST(StatisticsTest, EqualValuesHaveThatMeanAndNoDeviation) {
  for (const double value : {0.1, -1.0 / 3, 1e300, 5e-324, 1.7e308, 0.0}) {
    const ColumnStatistics found = OfOneColumn(std::vector<double>(1000, value));
    EXPECT_EQ(found.mean, value);
    EXPECT_EQ(found.deviation, 0);
  }
}

TEST(StatisticsTest, ValuesAtTheEndsOfTheRangeAreNotTakenForInfinite) {
  const double most = std::numeric_limits<double>::max();
  std::vector<double> values(600);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? most : -most / 2;
  const ColumnStatistics found = OfOneColumn(values);
  EXPECT_EQ(found.infinities, 0);
  EXPECT_EQ(found.finite, 600);
  EXPECT_EQ(found.minimum, -most / 2);
  EXPECT_EQ(found.maximum, most);
  EXPECT_NEAR(found.mean / most, 0.25, 1e-12);
  EXPECT_EQ(found.deviation, kInfinity);  // its square is too large

  const double least = std::numeric_limits<double>::denorm_min();
  const ColumnStatistics small = OfOneColumn({least, 3 * least, 5 * least, 7 * least});
  EXPECT_EQ(small.minimum, least);
  EXPECT_EQ(small.maximum, 7 * least);
  EXPECT_EQ(small.mean, 4 * least);
}

TEST(StatisticsTest, ExtremesOfIntegersOf64Bits) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  const int64_t most = std::numeric_limits<int64_t>::max();
  const DataStatistics found = StatisticsOf(
      RowsOf(std::vector<int64_t>{least, most, least, most, 0, 0}, 2, {ElementKind::kInt64, false}),
      2);
  EXPECT_EQ(found.of_column[0].minimum, -0x1p63);
  EXPECT_EQ(found.of_column[0].maximum, 0);
  EXPECT_EQ(found.of_column[1].maximum, 0x1p63);
  EXPECT_NEAR(found.of_column[0].deviation, 0x1p63 * std::sqrt(2.0) / 3, 0x1p63 * 1e-15);
  EXPECT_NEAR(found.overall.mean, 0, 0x1p63 * 1e-15);
}

TEST(StatisticsTest, EveryTypeIsDecoded) {
  const std::vector<uint16_t> big_endian{0x0100, 0x0200, 0xFFFF, 0x0400};  // 1, 2, -1, 4
  const DataStatistics found = StatisticsOf(RowsOf(big_endian, 2, {ElementKind::kInt16, true}), 2);
  EXPECT_EQ(found.of_column[0].mean, 0);
  EXPECT_EQ(found.of_column[1].mean, 3);
  EXPECT_EQ(found.of_column[1].deviation, 1);
  const std::vector<uint16_t> halves{0x3C00, 0x7C00, 0x7E00, 0x4000};  // 1, infinity, NaN, 2
  const DataStatistics of_halves =
      StatisticsOf(RowsOf(halves, 1, {ElementKind::kFloat16, false}), 1);
  EXPECT_EQ(of_halves.overall.mean, 1.5);
  EXPECT_EQ(of_halves.overall.nans, 1);
  EXPECT_EQ(of_halves.overall.infinities, 1);
}

// Cuts the one piece of `raw` into rectangles, in an order of no meaning.
RawRows CutIntoPieces(const RawRows& raw, int64_t columns, int64_t high, int64_t wide) {
  const RawRows::Piece whole = raw.pieces.at(0);
  RawRows cut;
  cut.range = raw.range;
  cut.bytes = raw.bytes;
  for (int64_t column = 0; column < columns; column += wide) {
    for (int64_t row = 0; row < whole.rows; row += high) {
      RawRows::Piece piece = whole;
      piece.first_row = row;
      piece.rows = std::min(high, whole.rows - row);
      piece.first_column = column;
      piece.columns = std::min(wide, columns - column);
      piece.data = cut.bytes.data() + static_cast<size_t>(row) * whole.row_stride +
                   static_cast<size_t>(column) * ElementBytes(whole.type);
      cut.pieces.push_back(piece);
    }
  }
  std::reverse(cut.pieces.begin(), cut.pieces.end());
  return cut;
}

TEST(StatisticsTest, PiecesChangeNoBit) {
  std::vector<double> values = RandomValues(150 * 200, 4);
  values[12345] = kNaN;
  const RawRows raw = RowsOf(values, 200);
  const std::vector<uint64_t> expected = BitsOf(StatisticsOf(raw, 200));
  const std::vector<std::pair<int64_t, int64_t>> sizes{{1, 200}, {150, 1},  {1, 1},
                                                       {7, 31},  {32, 128}, {100, 199}};
  for (const auto& [high, wide] : sizes) {
    EXPECT_EQ(BitsOf(StatisticsOf(CutIntoPieces(raw, 200, high, wide), 200)), expected)
        << high << " × " << wide;
  }
}

TEST(StatisticsTest, APieceMayRepeatOneRow) {
  RawRows raw = RowsOf({1, 2, 3}, 3);
  raw.range = {0, 500};
  raw.pieces[0].rows = 500;
  raw.pieces[0].row_stride = 0;
  const DataStatistics found = StatisticsOf(raw, 3);
  EXPECT_EQ(found.rows, 500);
  EXPECT_EQ(found.of_column[2].mean, 3);
  EXPECT_EQ(found.of_column[2].finite, 500);
  EXPECT_NEAR(found.overall.deviation, std::sqrt(2.0 / 3), 1e-15);
}

TEST(StatisticsTest, LanesAddUpToTheWhole) {
  VectorSource source(1000, 7, RandomValues(1000 * 7, 5));
  std::vector<StatisticsSums> lanes(4);
  RawRows raw;
  for (int64_t begin = 0, block = 0; begin < 1000; begin += 90, ++block) {
    FetchAndUnpack(source, {begin, std::min<int64_t>(begin + 90, 1000)}, raw);
    lanes[static_cast<size_t>(block % 3)].AddRows(raw, 7);  // the last lane stays empty
  }
  StatisticsSums all;  // an empty one takes in, and is taken in
  for (const StatisticsSums& lane : lanes) all.Add(lane);
  const DataStatistics found = all.Finish();
  EXPECT_EQ(found.rows, 1000);
  for (int64_t column = 0; column < 7; ++column) {
    ExpectNear(found.of_column[static_cast<size_t>(column)], Reference(source.values(), 7, column),
               1e-12);
  }
  all.Clear();
  EXPECT_EQ(all.Finish().rows, 0);
  EXPECT_TRUE(all.Finish().of_column.empty());
}

TEST(StatisticsTest, OfFilesThatHoldNanAndInfinity) {
  const TemporaryFolder folder;
  std::vector<float> values(9000 * 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  values[4] = std::numeric_limits<float>::quiet_NaN();
  values[5] = std::numeric_limits<float>::infinity();
  const std::string path = folder / "rows.h5";
  WriteRows(path, kFloat32, 3, values);
  const DataStatistics found = ComputeStatistics({.files = {path}}, {}, {});
  EXPECT_EQ(found.rows, 9000);
  EXPECT_EQ(found.of_column[1].nans, 1);
  EXPECT_EQ(found.of_column[2].infinities, 1);
  const std::vector<double> expected(values.begin(), values.end());
  for (int64_t column = 0; column < 3; ++column) {
    ExpectNear(found.of_column[static_cast<size_t>(column)], Reference(expected, 3, column), 1e-12);
  }
}

TEST(StatisticsTest, StopsWhenAsked) {
  const TemporaryFolder folder;
  const std::string path = folder / "rows.h5";
  WriteRows(path, kFloat32, 3, std::vector<float>(30, 1.0F));
  const std::atomic<bool> stop = true;
  EXPECT_THROW(ComputeStatistics({.files = {path}}, {}, {.stop = &stop}), Stopped);
}

}  // namespace
}  // namespace rhohat
