// Checking a whole configuration at once: who starts a job in a queue should learn of all faults
// the first time, not of one an hour.
#include "rhohat/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/error.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

constexpr size_t kMostLayers = 1000;
constexpr int64_t kMostLanes = 4096;
constexpr int64_t kMostBlockRows = int64_t{1} << 32;
constexpr int64_t kMostThreads = 4096;
constexpr int64_t kMostEpochs = 1'000'000;

// Collects faults as one line.
class Faults {
 public:
  // Notes "--name: expected `expected`, found `found`" unless `sound`.
  template <class Value>
  void Check(bool sound, std::string_view name, std::string_view expected, const Value& found) {
    if (!sound) Note(fmt::format("--{}: expected {}, found {}", name, expected, found));
  }

  // An empty text is no fault.
  void Note(const std::string& fault) {
    if (!fault.empty()) line_ += (line_.empty() ? "" : "; ") + fault;
  }

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
  }
  faults.Check(options.hidden.size() <= kMostLayers, "hidden",
               fmt::format("at most {} layers", kMostLayers), options.hidden.size());
  const auto is_empty = [](int64_t units) { return units < 1; };
  const auto empty = std::ranges::find_if(options.hidden, is_empty);
  if (empty != options.hidden.end()) faults.Check(false, "hidden", "at least 1 unit", *empty);
  const ActivationInfo& decoder = InfoOf(options.decoder);
  faults.Check(decoder.for_decoder, "decoder", "an activation for the output", decoder.name);
}

// One number for all layers, or one for each. Of several faults in a list the first is told.
void CheckList(const std::vector<double>& values, size_t layers, std::string_view name,
               std::string_view expected, bool (*sound)(double), Faults& faults) {
  if (values.size() != 1 && values.size() != layers) {
    faults.Check(false, name,
                 layers <= 1 ? "one number, as there is one hidden layer"
                             : fmt::format("one number, or {}, one for each layer", layers),
                 values.size());
  }
  const auto fault = std::ranges::find_if_not(values, sound);
  if (fault != values.end()) faults.Check(false, name, expected, *fault);
}

// What mathematics does not define.
void CheckDefined(const ObjectiveOptions& options, const NetworkOptions& network, bool one_layer,
                  Faults& faults) {
  const ActivationInfo& activation = InfoOf(network.activation);
  const bool has_kl = std::ranges::any_of(options.beta, [](double beta) { return beta != 0; });
  if (has_kl && !activation.has_kl) {
    faults.Note(fmt::format(
        "--beta: the KL sparsity penalty is not defined for --activation {}, whose mean may leave "
        "the range from 0 to 1: give --beta 0, and --gamma for sparsity by L1",
        activation.name));
  }
  if (InfoOf(options.loss).from_logits && network.decoder != Activation::kSigmoid) {
    faults.Note(fmt::format("--loss {}: defined for --decoder sigmoid only, found {}",
                            InfoOf(options.loss).name, InfoOf(network.decoder).name));
  }
  if (options.kappa != 0 && !one_layer) {
    faults.Note(fmt::format(
        "--kappa: contraction is defined for one hidden layer, or for each step of --greedy, found "
        "{} hidden layers",
        network.hidden.size()));
  }
}

void CheckObjective(const ObjectiveOptions& options, size_t layers, Faults& faults) {
  CheckList(
      options.rho, layers, "rho", "a number between 0 and 1, both excluded",
      [](double rho) { return rho > 0 && rho < 1; }, faults);
  CheckList(options.beta, layers, "beta", "a number of at least 0", AtLeastZero, faults);
  faults.Check(AtLeastZero(options.lambda), "lambda", "a number of at least 0", options.lambda);
  faults.Check(AtLeastZero(options.gamma), "gamma", "a number of at least 0", options.gamma);
  faults.Check(AtLeastZero(options.kappa), "kappa", "a number of at least 0", options.kappa);
  faults.Note(FaultOf(options.noise));
}

void CheckStacking(const TrainOptions& options, Faults& faults) {
  if (options.greedy) {
    faults.Check(options.network.hidden.size() > 1, "greedy", "several hidden layers",
                 options.network.hidden.size());
  } else {
    faults.Check(options.fine_tune == -1, "fine-tune", "--greedy with it", "none");
  }
  faults.Check(options.fine_tune >= -1, "fine-tune", "at least 0, or auto", options.fine_tune);
}

void CheckCompute(const ComputeOptions& options, Faults& faults) {
  faults.Check(options.lanes == 0 || (IsPowerOfTwo(options.lanes) && options.lanes <= kMostLanes),
               "lanes", fmt::format("a power of two up to {}, or auto", kMostLanes), options.lanes);
  faults.Check(options.block_rows >= 0 && options.block_rows <= kMostBlockRows, "block-rows",
               fmt::format("1 to {}, or auto", kMostBlockRows), options.block_rows);
}

void CheckOptimizer(const OptimizerOptions& options, Faults& faults) {
  if (options.methods.empty()) faults.Note("--optimizer: missing: give at least one");
  faults.Check(options.iterations >= 0, "iterations", "at least 0", options.iterations);
  faults.Check(AtLeastZero(options.tolerance), "tolerance", "a number of at least 0",
               options.tolerance);
  faults.Check(AtLeastZero(options.gradient_tolerance), "gradient-tolerance",
               "a number of at least 0", options.gradient_tolerance);
  faults.Check(options.history >= 1, "history", "at least 1", options.history);
  faults.Check(options.first_sample >= 0, "first-sample", "at least 1, or auto",
               options.first_sample);
  faults.Check(std::isfinite(options.growth) && options.growth > 1, "growth", "a number above 1",
               options.growth);
  faults.Check(options.sample_limit >= 0, "sample-limit", "at least 1, or auto",
               options.sample_limit);
  faults.Check(AtLeastZero(options.learning_rate), "learning-rate", "a number above 0, or auto",
               options.learning_rate);
  faults.Check(options.momentum >= 0 && options.momentum < 1, "momentum",
               "a number from 0 to below 1", options.momentum);
  faults.Check(options.epochs >= 0 && options.epochs <= kMostEpochs, "epochs",
               fmt::format("0 to {}", kMostEpochs), options.epochs);
  faults.Check(options.batch_rows >= 1 && options.batch_rows <= kMostBlockRows, "batch",
               fmt::format("1 to {}", kMostBlockRows), options.batch_rows);
  faults.Check(AtLeastZero(options.warmup_epochs), "warmup", "a number of at least 0",
               options.warmup_epochs);
  faults.Check(options.half_life_rows >= 0, "half-life", "at least 1, or auto",
               options.half_life_rows);
  faults.Check(options.mix_rows >= 0, "mix", "at least 1, or auto", options.mix_rows);
}

void CheckResources(const ResourceOptions& options, Faults& faults) {
  faults.Check(options.threads >= 0 && options.threads <= kMostThreads, "threads",
               fmt::format("1 to {}, or auto", kMostThreads), options.threads);
}

void CheckJob(const JobOptions& options, Faults& faults) {
  faults.Check(options.keep_checkpoints >= 1, "keep", "at least 1", options.keep_checkpoints);
  faults.Check(options.stop_code >= 0 && options.stop_code <= 255, "stop-code", "0 to 255",
               options.stop_code);
}

}  // namespace

void TrainOptions::Validate() const {
  Faults faults;
  if (data.files.empty()) faults.Note("no data: give at least one HDF5 file");
  faults.Note(FaultOf(prepare));
  CheckNetwork(network, faults);
  CheckObjective(objective, network.hidden.size(), faults);
  CheckDefined(objective, network, network.hidden.size() == 1 || greedy, faults);
  CheckStacking(*this, faults);
  faults.Check(resume == "auto" || resume == "never", "resume", "auto or never", resume);
  CheckCompute(compute, faults);
  CheckOptimizer(optimizer, faults);
  CheckResources(resources, faults);
  CheckJob(job, faults);
  faults.Throw();
}

}  // namespace rhohat
