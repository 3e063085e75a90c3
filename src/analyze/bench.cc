// From options to figures: what is asked for is checked, rows are found or made up, and then
// measured.
#include "rhohat/bench.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/bench_run.h"
#include "analyze/model_sweep.h"
#include "analyze/random_rows.h"
#include "base/units.h"
#include "data/data_set.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "sweep/resolved_resources.h"

namespace rhohat {
namespace {

constexpr int64_t kDefaultInputs = 784;

struct NamedSchedule {
  Schedule value;
  const char* name;
};
constexpr NamedSchedule kSchedules[] = {
    {Schedule::kTwoPass, "two-pass"}, {Schedule::kCached, "cached"}, {Schedule::kFused, "fused"}};

void Validate(const BenchOptions& options) {
  TrainOptions training;
  training.data = options.data;
  training.network = options.network;
  training.objective = options.objective;
  training.compute = options.compute;
  training.resources = options.resources;
  if (training.data.files.empty()) training.data.files = {"rows made up"};
  training.Validate();
  if (!(options.seconds > 0 && std::isfinite(options.seconds))) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--seconds: expected a number above 0, found {}", options.seconds));
  }
  if (options.inputs < 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--inputs: expected at least 1, found {}", options.inputs));
  }
  if (options.inputs > 0 && !options.data.files.empty()) {
    throw Error(ErrorKind::kUsage,
                "--inputs: expected no data with it: a file's rows have their own width");
  }
}

void CheckFused(const ObjectiveOptions& options, const NetworkShape& shape) {
  const std::string why_not = WhyNotFused(options, shape);
  if (!why_not.empty()) throw Error(ErrorKind::kUsage, "--schedule fused: " + why_not);
}

// Those that can be measured; the others say why they are refused.
std::vector<BenchCandidate> CandidatesOf(const BenchOptions& options, const NetworkShape& shape,
                                         std::vector<ScheduleMeasurement>& measurements) {
  std::vector<BenchCandidate> candidates;
  const Schedule asked = options.compute.schedule;
  for (const auto& [schedule, name] : kSchedules) {
    if (asked != Schedule::kAuto && asked != schedule) continue;
    const size_t place = measurements.size();
    measurements.push_back({.schedule = name});
    try {
      ComputeOptions compute = options.compute;
      compute.schedule = schedule;
      compute = ResolveCompute(compute, shape);
      if (schedule == Schedule::kFused) CheckFused(options.objective, shape);
      candidates.push_back({.measurement = place,
                            .compute = compute,
                            .work = WorkOf(shape, schedule, PassesOf(options.objective) == 2),
                            .rounds = {}});
    } catch (const Error& error) {
      // What no schedule can do, or the one that was asked for, is the user's to mend.
      if (error.kind() != ErrorKind::kUsage || schedule == Schedule::kTwoPass ||
          asked != Schedule::kAuto) {
        throw;
      }
      measurements[place].refusal = error.what();
    }
  }
  return candidates;
}

// As many rows as an evaluation could get through in the time, and no more than make a small file.
int64_t RowsToMakeUp(const BenchCandidate& candidate, const NetworkShape& shape, double slice,
                     int64_t threads) {
  constexpr double kMostFlopsPerThread = 4e11;
  constexpr double kMostBytes = 256 << 20;
  const double needed =
      slice * kMostFlopsPerThread * static_cast<double>(threads) / candidate.work.flops_per_row;
  const double fitting = kMostBytes / sizeof(float) / static_cast<double>(shape.inputs);
  const int64_t least = LeastBlocksEach(candidate.compute.lanes, threads) * threads;
  return std::max(CheckedProduct(least, candidate.compute.block_rows, "rows made up"),
                  static_cast<int64_t>(std::min(needed, fitting)));
}

std::string SourceText(const BenchOptions& options, const DataSet& data) {
  if (options.data.files.empty()) return "random numbers, in a temporary HDF5 file";
  const std::string first = data.files().front().where();
  const size_t more = data.files().size() - 1;
  return more == 0 ? first : fmt::format("{} and {} more files", first, more);
}

}  // namespace

BenchResult Bench(const BenchOptions& options, const RunControl& control) {
  Validate(options);
  BenchResult result;
  std::optional<DataSet> data;
  if (!options.data.files.empty()) data.emplace(options.data);
  const int64_t made_up = options.inputs > 0 ? options.inputs : kDefaultInputs;
  const NetworkShape shape(data ? data->columns() : made_up, options.network);
  std::vector<BenchCandidate> candidates = CandidatesOf(options, shape, result.schedules);

  std::optional<RandomRowsFile> file;
  if (!data) {
    const int64_t threads = Resolve(options.resources).threads;
    file.emplace(RowsToMakeUp(candidates.front(), shape,
                              SliceOf(options.seconds, candidates.size(), threads), threads),
                 shape.inputs);
    data.emplace(DataOptions{.files = {file->path()}, .reader = options.data.reader});
  }
  result.network = shape.Text();
  result.columns = shape.inputs;
  result.source = SourceText(options, *data);
  WithPrecision(options.compute.precision, [&](auto number) {
    result.precision = sizeof(number) == sizeof(double) ? "float64" : "float32";
    BenchRun<decltype(number)>(options, shape, std::move(candidates), *data, control).Run(result);
  });
  return result;
}

}  // namespace rhohat
