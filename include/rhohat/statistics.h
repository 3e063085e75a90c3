// What the numbers of a data set are like: range, mean and spread, column by column.
#pragma once

#include <cstdint>
#include <vector>

#include "rhohat/observer.h"
#include "rhohat/options.h"

namespace rhohat {

// Of the finite values alone; all four are NaN where there is none.
struct ColumnStatistics {
  double minimum = 0;
  double maximum = 0;
  double mean = 0;
  double deviation = 0;  // standard, of the population: divided by the count; infinite if too large
  int64_t nans = 0;
  int64_t infinities = 0;
  int64_t finite = 0;
};

struct DataStatistics {
  int64_t rows = 0;
  int64_t columns = 0;
  ColumnStatistics overall;
  std::vector<ColumnStatistics> of_column;
};

// One sweep over the rows. NaN and infinities are counted and left out of the rest. The result has
// the same bits on any number of threads, and however files and chunks cut the rows.
DataStatistics ComputeStatistics(const DataOptions& data, const ResourceOptions& resources,
                                 const RunControl& control);

}  // namespace rhohat
