// Checking a whole configuration at once: who starts a job in a queue should learn of all faults
// the first time, not of one an hour.
#include "rhohat/options.h"

#include <fmt/core.h>

#include <cmath>
#include <string>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kMostLanes = 4096;
constexpr int64_t kMostThreads = 4096;

// Collects faults as one line.
class Faults {
 public:
  // Notes "--name: expected `expected`, found `found`" unless `sound`.
  template <class Value>
  void Check(bool sound, std::string_view name, std::string_view expected, const Value& found) {
    if (!sound) Note(fmt::format("--{}: expected {}, found {}", name, expected, found));
  }

  void Note(const std::string& fault) { line_ += (line_.empty() ? "" : "; ") + fault; }

  void Throw() const {
    if (!line_.empty()) throw Error(ErrorKind::kUsage, line_);
  }

 private:
  std::string line_;
};

// False for NaN and infinity too.
bool AtLeastZero(double value) { return std::isfinite(value) && value >= 0; }

bool IsPowerOfTwo(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

void CheckNetwork(const NetworkOptions& options, Faults& faults) {
  if (options.hidden.empty()) {
    faults.Note("--hidden: missing: give the number of hidden units");
  } else if (options.hidden.size() > 1) {
    faults.Check(false, "hidden", "one hidden layer, all that this version trains",
                 options.hidden.size());
  }
  for (const int64_t units : options.hidden) {
    faults.Check(units >= 1, "hidden", "at least 1 unit", units);
  }
}

void CheckObjective(const ObjectiveOptions& options, Faults& faults) {
  faults.Check(options.rho > 0 && options.rho < 1, "rho", "a number between 0 and 1, both excluded",
               options.rho);
  faults.Check(AtLeastZero(options.beta), "beta", "a number of at least 0", options.beta);
  faults.Check(AtLeastZero(options.lambda), "lambda", "a number of at least 0", options.lambda);
}

void CheckCompute(const ComputeOptions& options, Faults& faults) {
  faults.Check(options.lanes == 0 || (IsPowerOfTwo(options.lanes) && options.lanes <= kMostLanes),
               "lanes", fmt::format("a power of two up to {}, or auto", kMostLanes), options.lanes);
  faults.Check(options.block_rows >= 0, "block-rows", "at least 1, or auto", options.block_rows);
}

void CheckOptimizer(const OptimizerOptions& options, Faults& faults) {
  faults.Check(options.iterations >= 0, "iterations", "at least 0", options.iterations);
  faults.Check(AtLeastZero(options.tolerance), "tolerance", "a number of at least 0",
               options.tolerance);
  faults.Check(AtLeastZero(options.gradient_tolerance), "gradient-tolerance",
               "a number of at least 0", options.gradient_tolerance);
  faults.Check(options.history >= 1, "history", "at least 1", options.history);
  faults.Check(options.learning_rate > 0 && std::isfinite(options.learning_rate), "learning-rate",
               "a number above 0", options.learning_rate);
  faults.Check(options.momentum >= 0 && options.momentum < 1, "momentum",
               "a number from 0 to below 1", options.momentum);
}

void CheckResources(const ResourceOptions& options, Faults& faults) {
  faults.Check(options.threads >= 0 && options.threads <= kMostThreads, "threads",
               fmt::format("1 to {}, or auto", kMostThreads), options.threads);
}

}  // namespace

void TrainOptions::Validate() const {
  Faults faults;
  if (data.files.empty()) faults.Note("no data: give at least one HDF5 file");
  CheckNetwork(network, faults);
  CheckObjective(objective, faults);
  CheckCompute(compute, faults);
  CheckOptimizer(optimizer, faults);
  CheckResources(resources, faults);
  faults.Throw();
}

}  // namespace rhohat
