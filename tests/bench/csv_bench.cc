// Seconds to open a CSV file, to fetch all of its rows, and to unpack them on one thread:
// csv_bench.py sets them against numpy.loadtxt.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include "formats/csv_source.h"

namespace {

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: csv_bench FILE\n");
    return 64;
  }
  constexpr int64_t kBlockRows = 4096;
  const double start = Seconds();
  const auto source = rhohat::OpenCsv(std::make_unique<rhohat::FileStream>(argv[1]), {});
  const double opened = Seconds();
  double fetching = 0;
  double unpacking = 0;
  double sum = 0;  // to compare
  rhohat::RawRows raw;
  for (int64_t begin = 0; begin < source->rows(); begin += kBlockRows) {
    const double before = Seconds();
    source->Fetch({begin, std::min(begin + kBlockRows, source->rows())}, raw);
    const double between = Seconds();
    source->Unpack(raw);
    fetching += between - before;
    unpacking += Seconds() - between;
    const auto* values = reinterpret_cast<const double*>(raw.bytes.data());
    sum = std::accumulate(values, values + raw.range.size() * source->columns(), sum);
  }
  fmt::print("{} {} {} {} {} {:.17g}\n", source->rows(), source->columns(), opened - start,
             fetching, unpacking, sum);
  return 0;
}
