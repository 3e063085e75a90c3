// What a user can ask for, with defaults.
//
// Every aggregate below has one list of its fields (see option_fields.h) that drives the flags of
// the program, their help, and the copy of the configuration in a run's folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/activation.h"
#include "rhohat/loss.h"
#include "rhohat/preparation.h"

namespace rhohat {

// Who brings the rows: rhohat itself, past the HDF5 library's lock, or the library. Both give the
// same bytes; kAuto takes the library only for what needs it, and kDirect refuses that.
enum class Reader { kAuto, kDirect, kLibrary };

// Where the rows are.
struct DataOptions {
  // HDF5 files; their rows are one data set, in this order.
  std::vector<std::string> files;
  // Path of the data set inside each file; empty where each file holds just one.
  std::string dataset;
  // Follow external links, external storage and virtual data sets into other files.
  bool follow_external = false;
  Reader reader = Reader::kAuto;
};

// How often rows are read, and computed, for one gradient (docs/math.md §3). All give the same J
// and gradient to rounding; kTwoPass and kCached the same bits.
enum class Schedule { kAuto, kTwoPass, kCached, kFused };
std::string_view ScheduleName(Schedule schedule);  // as in flags: "two-pass"
enum class Precision { kFloat32, kFloat64 };

// docs/math.md §7. Batch methods evaluate J and its gradient over all rows at each step,
// kProgressive over samples that grow to all rows; kSgd and kAdam step after each mini-batch.
enum class OptimizerKind {
  kLbfgs,
  kProgressive,
  kConjugateGradient,
  kGradientDescent,
  kSgd,
  kAdam
};
enum class RateSchedule { kConstant, kCosine };
// Which mean the sparsity penalty of a mini-batch is taken of: an exponential mean over the batches
// before, or the mean over all rows at the beginning of the epoch.
enum class RhoHatKind { kRunning, kExact };

// The network n–h1–…–hk–…–h1–n: an encoder of k layers down to the code, and a decoder that mirrors
// it. The number of inputs n is the data's width.
struct NetworkOptions {
  std::vector<int64_t> hidden;                   // widths of the encoder's layers, at least 1 each
  Activation activation = Activation::kSigmoid;  // of every hidden layer, the decoder's too
  Activation decoder = Activation::kSigmoid;     // of the output
  bool tied = false;  // each decoder layer has the transposed weights of its mirror image

  friend bool operator==(const NetworkOptions&, const NetworkOptions&) = default;
};

// How the encoder's input is corrupted (docs/math.md §4).
enum class NoiseKind { kNone, kMask, kGaussian, kSaltPepper };

struct NoiseOptions {
  NoiseKind kind = NoiseKind::kNone;
  // kMask, kSaltPepper: probability of an entry, in (0, 1); kGaussian: standard deviation, > 0.
  double amount = 0;

  friend bool operator==(const NoiseOptions&, const NoiseOptions&) = default;
};

// The objective of docs/math.md §2.
struct ObjectiveOptions {
  Loss loss = Loss::kSquared;
  // One number for all of the encoder's layers, or one for each.
  std::vector<double> rho = {0.05};  // ρ, target mean activation of a hidden unit, in (0, 1)
  std::vector<double> beta = {3.0};  // β, weight of the sparsity penalty; 0 leaves it out
  double lambda = 1e-4;              // λ, weight decay
  double gamma = 0;                  // γ, L1 penalty of the code
  double kappa = 0;                  // κ, contraction; one hidden layer only
  NoiseOptions noise;

  friend bool operator==(const ObjectiveOptions&, const ObjectiveOptions&) = default;
};

// How J and its gradient are computed. Everything here may change the last bits of a result.
struct ComputeOptions {
  Schedule schedule = Schedule::kAuto;
  Precision precision = Precision::kFloat32;
  int64_t lanes = 0;  // accumulators that rows are dealt to, a power of two; 0: by network size
  int64_t block_rows = 0;  // rows computed at a time; 0: by network size
  int64_t seed = 1;        // key of every random number

  friend bool operator==(const ComputeOptions&, const ComputeOptions&) = default;
};

// How J is minimised.
struct OptimizerOptions {
  // One after another, each from where the one before came to.
  std::vector<OptimizerKind> methods = {OptimizerKind::kProgressive};
  int64_t iterations = 400;  // of each method that is not stochastic
  // Stop when ten iterations lowered J by less than this fraction of it; 0 never stops so.
  double tolerance = 1e-6;
  // Stop when the gradient's norm is at or below this; 0 stops only where it vanishes.
  double gradient_tolerance = 0;
  int64_t history = 20;  // L-BFGS: pairs of steps and gradient changes kept

  // Progressive: rows of the first sample, 0: by network size; and how many times larger each next
  // one is, > 1.
  int64_t first_sample = 0;
  double growth = 4;
  // Progressive: most rows in a sample, which is held in memory; 0: half of all rows, or as many as
  // the memory allows.
  int64_t sample_limit = 0;

  double learning_rate = 0;  // of kGradientDescent, kSgd and kAdam; 0: the method's own
  double momentum = 0.9;  // of kGradientDescent and kSgd: fraction of the last step kept, in [0, 1)

  // kSgd and kAdam.
  int64_t epochs = 10;       // passes over all rows
  int64_t batch_rows = 256;  // of a mini-batch
  RateSchedule rate_schedule = RateSchedule::kCosine;
  double warmup_epochs = 0;  // over which the learning rate rises linearly from 0
  RhoHatKind rho_hat = RhoHatKind::kRunning;
  int64_t half_life_rows = 0;  // kRunning: rows after which a batch counts half; 0: by batch size
  // Rows among which the order is mixed at a time, held in memory; 0: as many as the memory allows.
  int64_t mix_rows = 0;

  friend bool operator==(const OptimizerOptions&, const OptimizerOptions&) = default;
};

// What the process may use. Nothing here changes a single bit of a result, but where the schedule,
// the mixing or the samples are left to be chosen by the memory there is.
struct ResourceOptions {
  // Limit of the process's resident memory; 0: 7/8 of the tightest limit that Slurm or a control
  // group sets, half of the machine's where none does.
  uint64_t memory_bytes = 0;
  // Compute threads; 0: as many as the affinity, Slurm and a control group's quota let run.
  int64_t threads = 0;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// How a run gets along with who started it, such as a batch system. Changes no bit of a result.
struct JobOptions {
  double checkpoint_seconds = 600;       // between checkpoints; 0: as often as can be
  int64_t keep_checkpoints = 2;          // the latest ones that stay, at least 1
  double max_seconds = 0;                // stop by itself before so long; 0: never
  int64_t stop_code = 75;                // exit code where a checkpoint is left to go on from
  LogLevel log_level = LogLevel::kInfo;  // of run.log: this and all that is graver
};

struct TrainOptions {
  DataOptions data;
  PreparationOptions prepare;
  NetworkOptions network;
  ObjectiveOptions objective;
  ComputeOptions compute;
  OptimizerOptions optimizer;
  ResourceOptions resources;
  JobOptions job;
  // Train layer by layer, each on the codes of those below it, then all of them together.
  bool greedy = false;
  // Iterations of the last stage of `greedy`, all layers together; −1: as many as each layer's.
  int64_t fine_tune = -1;
  // Folder for everything the run leaves behind; created, must not hold a run already.
  std::string run_directory;
  // "auto": go on with an unfinished run of the same configuration where the folder holds one,
  // from its latest checkpoint; nothing is done where it is finished. "never" otherwise.
  std::string resume = "never";

  // Throws Error(kUsage) that lists every fault of the options at once. The run's folder is not
  // looked at: a plan needs none.
  void Validate() const;
};

}  // namespace rhohat
