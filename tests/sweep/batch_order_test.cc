// The order of an epoch as numbers: each row once, and how well it is mixed.
#include "sweep/batch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

// The rows in the order they are visited.
std::vector<int64_t> Visits(const BatchOrderOptions& options) {
  const UnitOrder units(options);
  Scatter<int64_t> window(options);
  std::vector<int64_t> visits;
  for (int64_t position = 0; position < units.size(); ++position) {
    const RowRange unit = units(position);
    for (int64_t row = unit.begin; row < unit.end; ++row) {
      if (const auto visited = window.Arrive(row)) visits.push_back(*visited);
      EXPECT_LE(std::ssize(window.places()), options.mix_rows);
    }
  }
  while (const int64_t* visited = window.Drain()) visits.push_back(*visited);
  return visits;
}

TEST(BatchOrderTest, VisitsEveryRowOnce) {
  for (const int64_t mix_rows : {1, 2, 17, 99, 100}) {
    for (const int64_t unit_rows : {1, 7, 50, 100}) {
      std::vector<int64_t> visits = Visits({100, unit_rows, mix_rows, 3, 1});
      std::ranges::sort(visits);
      std::vector<int64_t> all(100);
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(visits, all) << mix_rows << " " << unit_rows;
    }
  }
}

TEST(BatchOrderTest, EpochsAndSeedsHaveOrdersOfTheirOwn) {
  const BatchOrderOptions options{5000, 64, 500, 3, 1};
  EXPECT_EQ(Visits(options), Visits(options));
  for (const BatchOrderOptions& other :
       {BatchOrderOptions{5000, 64, 500, 3, 2}, {5000, 64, 500, 4, 1}, {5000, 64, 400, 3, 1}}) {
    const std::vector<int64_t> a = Visits(options);
    const std::vector<int64_t> b = Visits(other);
    int64_t same = 0;
    for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
    EXPECT_LT(same, 50);
  }
}

// Half the sum of the differences between the classes' shares in a batch and 1 / classes: the mean
// over all batches. Rows are sorted by class.
double DistanceFromUniform(const std::vector<int64_t>& visits, int64_t batch_rows,
                           int64_t classes) {
  const auto rows = std::ssize(visits);
  double sum = 0;
  for (int64_t begin = 0; begin < rows; begin += batch_rows) {
    std::vector<double> counts(static_cast<size_t>(classes));
    for (int64_t i = begin; i < begin + batch_rows; ++i) {
      counts[static_cast<size_t>(visits[static_cast<size_t>(i)] * classes / rows)] += 1;
    }
    for (const double count : counts) {
      sum +=
          std::abs(count / static_cast<double>(batch_rows) - 1 / static_cast<double>(classes)) / 2;
    }
  }
  return sum * static_cast<double>(batch_rows) / static_cast<double>(rows);
}

// Rows sorted by class, 256 units, 100 classes, a batch as long as a unit.
double Distance(int64_t units_in_window) {
  constexpr int64_t kUnit = 1024;
  return DistanceFromUniform(Visits({256 * kUnit, kUnit, units_in_window * kUnit, 11, 1}), kUnit,
                             100);
}

TEST(BatchOrderTest, MixesSortedClassesAsAGeometricDelayDoes) {
  EXPECT_NEAR(Distance(1), 0.95, 0.03);
  EXPECT_NEAR(Distance(16), 0.59, 0.04);
  EXPECT_NEAR(Distance(32), 0.44, 0.04);
  EXPECT_LT(Distance(128), 0.30);
}

TEST(BatchOrderTest, MeterCountsDistinctUnits) {
  MixingMeter meter(100, 10);
  EXPECT_EQ(meter.UnitsPerBatch(), 0);
  meter.AddBatch(std::vector<int64_t>{0, 1, 9});
  EXPECT_EQ(meter.UnitsPerBatch(), 1);
  meter.AddBatch(std::vector<int64_t>{0, 10, 99, 11, 90});
  EXPECT_EQ(meter.UnitsPerBatch(), 2);
}

// A source of parcels of some rows.
class Parcels : public VectorSource {
 public:
  Parcels(int64_t rows, int64_t columns, int64_t parcel_rows)
      : VectorSource(rows, columns, {}), parcel_rows_(parcel_rows) {}
  int64_t ParcelRows() const override { return parcel_rows_; }

 private:
  int64_t parcel_rows_;
};

TEST(BatchOrderTest, UnitsAreWholeParcelsAndNotTiny) {
  EXPECT_EQ(UnitRows(Parcels(1'000'000, 32, 1)), 1024);     // 256 KiB
  EXPECT_EQ(UnitRows(Parcels(1'000'000, 32, 1000)), 2000);  // no less
  EXPECT_EQ(UnitRows(Parcels(1'000'000, 32, 5000)), 5000);
  EXPECT_EQ(UnitRows(Parcels(1'000'000, 1 << 20, 1)), 1);
  EXPECT_EQ(UnitRows(Parcels(100, 32, 1)), 100);
}

}  // namespace
}  // namespace rhohat
