#include "train/fit_preparation.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/units.h"
#include "rhohat/error.h"
#include "sweep/moments.h"
#include "train/fit_passes.h"
#include "train/fit_whitening.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

void FitRange(int64_t inputs, Preparation& preparation) {
  const PreparationOptions& options = preparation.options;
  preparation.shift.assign(static_cast<size_t>(inputs), options.low);
  preparation.scale.assign(static_cast<size_t>(inputs), options.high - options.low);
}

void NoteConstantColumns(int64_t constant, int64_t columns, const RunControl& control) {
  if (constant == 0 || control.observer == nullptr) return;
  control.observer->OnNote(
      fmt::format("standardize: {} of {} columns {} constant: less the mean, "
                  "and not scaled",
                  constant, columns, constant == 1 ? "is" : "are"));
}

void FitStandardize(FitPasses& passes, Preparation& preparation) {
  const int64_t n = passes.source().columns();
  const auto sums = passes.Run<ColumnMoments>(
      ColumnMoments::MemoryBytes(n), [n] { return ColumnMoments(n); },
      [](const Block<double>& block, ColumnMoments& lane) { lane.AddRows(block.rows); });
  preparation.shift.reserve(static_cast<size_t>(n));
  preparation.scale.reserve(static_cast<size_t>(n));
  int64_t constant = 0;
  for (const Moments& moments : sums.columns()) {
    const double deviation = moments.Deviation();
    if (!std::isfinite(deviation)) {
      const auto column = static_cast<int64_t>(preparation.shift.size());
      throw Error(
          ErrorKind::kBadData,
          fmt::format("--prepare: {}: expected a standard deviation that fits a double, "
                      "found values from {} to {}: scale the data down first",
                      passes.source().ColumnName(column), moments.minimum, moments.maximum));
    }
    if (deviation == 0) ++constant;
    preparation.shift.push_back(moments.MeanInRange());
    preparation.scale.push_back(deviation == 0 ? 1 : deviation);
  }
  NoteConstantColumns(constant, n, passes.control());
}

// Σ (x − mean of the row)²: what a lane adds up, block by block.
struct DeviationSum {
  double squares = 0;
  void Clear() { squares = 0; }
  void Add(const DeviationSum& other) { squares += other.squares; }
};

// Σ_j (x_j − mean)² of one row; not finite where it does not fit a double.
double SquaresAboutMean(std::span<const double> row) {
  const double count = static_cast<double>(row.size());
  double sum = 0;
  double least = row[0];
  double greatest = row[0];
  for (const double x : row) {
    sum += x;
    least = std::min(least, x);
    greatest = std::max(greatest, x);
  }
  // Equal values are told from their range: rounding may leave a trace in the squares.
  if (least == greatest) return 0;
  const double mean = sum / count;
  double rest = 0;  // what rounding left of the mean
  double squares = 0;
  for (const double x : row) {
    const double deviation = x - mean;
    rest += deviation;
    squares += deviation * deviation;
  }
  if (!std::isfinite(squares)) return std::numeric_limits<double>::infinity();
  return std::max(0.0, squares - rest * (rest / count));
}

void FitGlobal(FitPasses& passes, Preparation& preparation) {
  const auto n = static_cast<size_t>(passes.source().columns());
  const auto sum = passes.Run<DeviationSum>(
      sizeof(DeviationSum), [] { return DeviationSum(); },
      [n](const Block<double>& block, DeviationSum& lane) {
        double squares = 0;
        for (size_t first = 0; first < block.rows.size(); first += n) {
          squares += SquaresAboutMean(block.rows.subspan(first, n));
        }
        lane.squares += squares;
      });
  const double count = static_cast<double>(passes.source().rows()) * static_cast<double>(n);
  preparation.deviation = std::sqrt(sum.squares / count);
  if (preparation.deviation == 0) {
    throw Error(ErrorKind::kBadData,
                "--prepare global: expected entries that differ from their row's mean, found only "
                "rows that are constant");
  }
  // Three of them are cut at.
  if (!std::isfinite(3 * preparation.deviation)) {
    throw Error(ErrorKind::kBadData,
                "--prepare global: expected a standard deviation that fits a double, found values "
                "too far apart: scale the data down first");
  }
}

int64_t PassesOf(PreparationKind kind) {
  return kind == PreparationKind::kZca || kind == PreparationKind::kPca ? kWhiteningPasses : 1;
}

}  // namespace

Preparation FitPreparation(const PreparationOptions& options, RowSource& source, Executor& executor,
                           int64_t block_rows, int64_t blocks_ahead, const RunControl& control) {
  if (const std::string fault = FaultOf(options); !fault.empty()) {
    throw Error(ErrorKind::kUsage, fault);
  }
  Preparation preparation{.options = options};
  if (options.kind == PreparationKind::kNone) return preparation;
  if (options.kind == PreparationKind::kRange) {
    FitRange(source.columns(), preparation);
    return preparation;
  }
  if (source.rows() == 0) {
    throw Error(ErrorKind::kBadData, "--prepare: expected at least one row to learn from, found 0");
  }
  FitPasses passes(source, executor, block_rows, blocks_ahead, control, PassesOf(options.kind));
  if (options.kind == PreparationKind::kStandardize) {
    FitStandardize(passes, preparation);
  } else if (options.kind == PreparationKind::kGlobal) {
    FitGlobal(passes, preparation);
  } else {
    FitWhitening(passes, preparation);
  }
  return preparation;
}

size_t FitPreparationBytes(PreparationKind kind, int64_t inputs, int64_t block_rows,
                           int64_t threads) {
  const auto n = static_cast<size_t>(inputs);
  if (kind == PreparationKind::kNone) return 0;
  if (kind == PreparationKind::kRange) return 2 * n * sizeof(double);
  const auto block_values = static_cast<size_t>(
      CheckedProduct(block_rows, inputs, "values in a block to fit a preparation"));
  const size_t decoded = static_cast<size_t>(threads) * block_values * sizeof(double);
  if (kind == PreparationKind::kStandardize) {
    const size_t lane = ColumnMoments::MemoryBytes(inputs);
    return decoded + static_cast<size_t>(FitLanes(lane)) * lane + 2 * n * sizeof(double);
  }
  if (kind == PreparationKind::kGlobal) return decoded;
  return decoded + FitWhiteningBytes(inputs, block_rows, threads);
}

}  // namespace rhohat
