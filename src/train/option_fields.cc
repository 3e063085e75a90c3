// Every option's name, help and text form, in one place: add an option here, and flags, help,
// configuration files and models have it.
#include "rhohat/option_fields.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "train/field_list.h"
#include "train/optimizer_names.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

// The names in one of the public tables, of the rows that `choose` takes.
template <class E, class Info, size_t kSize, class Choose>
std::vector<Named<E>> NamesIn(std::span<const Info, kSize> table, const Choose& choose) {
  std::vector<Named<E>> names;
  for (const Info& info : table) {
    if (choose(info)) names.push_back({info.value, info.name});
  }
  return names;
}

const std::vector<Named<Schedule>> kSchedules = {{Schedule::kAuto, kAuto},
                                                 {Schedule::kTwoPass, "two-pass"},
                                                 {Schedule::kCached, "cached"},
                                                 {Schedule::kFused, "fused"}};

}  // namespace

std::string_view ScheduleName(Schedule schedule) {
  return std::ranges::find(kSchedules, schedule, &Named<Schedule>::value)->name;
}

std::vector<OptionField> Fields(DataOptions& options) {
  FieldList list("Data", false);
  list.AddText("dataset", "PATH", "Data set inside each file; needed where a file has several.",
               options.dataset);
  list.AddSwitch("follow-external", "Follow links, storage and virtual data sets into other files.",
                 options.follow_external);
  list.AddChoice<Reader>(
      "reader",
      "Who reads HDF5: rhohat itself on all threads, or the HDF5 library on "
      "one, with the same result. auto: the library only where it must.",
      options.reader,
      {{Reader::kAuto, kAuto}, {Reader::kDirect, "direct"}, {Reader::kLibrary, "library"}});
  return list.Take();
}

std::vector<OptionField> Fields(PreparationOptions& options) {
  FieldList list("Input", false);
  list.AddParsed<PreparationOptions>(
      "prepare", "none|range:LO:HI|standardize|global|zca:EPS|pca:EPS",
      "Preparation of the rows, kept in the model and done by every command that uses it: LO to HI "
      "becomes 0 to 1; each column to mean 0 and deviation 1; each row less its mean, within 3 "
      "deviations, to 0.1 to 0.9; or whitened, with EPS added to each variance.",
      options, PreparationText, ParsePreparation);
  return list.Take();
}

std::vector<OptionField> Fields(NetworkOptions& options) {
  FieldList list("Network", true);
  list.AddWholeList("hidden", "H[,H...]",
                    "Units of the hidden layer; several for a deep network, from the input to the "
                    "code, which the decoder mirrors.",
                    options.hidden);
  list.AddChoice<Activation>(
      "activation", "Activation function of the hidden units.", options.activation,
      NamesIn<Activation>(std::span(kActivations), [](const ActivationInfo&) { return true; }));
  list.AddChoice<Activation>(
      "decoder", "Activation function of the output units.", options.decoder,
      NamesIn<Activation>(std::span(kActivations),
                          [](const ActivationInfo& info) { return info.for_decoder; }));
  list.AddSwitch("tied", "The decoder's weights are the encoder's, transposed.", options.tied);
  return list.Take();
}

std::vector<OptionField> Fields(ObjectiveOptions& options) {
  FieldList list("Objective", true);
  list.AddChoice<Loss>("loss", "Distance between a row and its reconstruction.", options.loss,
                       NamesIn<Loss>(std::span(kLosses), [](const LossInfo&) { return true; }));
  list.AddNumberList("rho",
                     "Target mean activation of a hidden unit, between 0 and 1; one for all of the "
                     "encoder's layers, or one for each.",
                     options.rho);
  list.AddNumberList("beta",
                     "Weight of the sparsity penalty; 0 leaves it out. For all layers or for each.",
                     options.beta);
  list.AddNumber("lambda", "Weight decay; 0 leaves it out.", options.lambda);
  list.AddNumber("gamma", "Weight of the L1 penalty of the code; 0 leaves it out.", options.gamma);
  list.AddNumber(
      "kappa",
      "Weight of the contraction; 0 leaves it out. One hidden layer, or each step of --greedy.",
      options.kappa);
  list.AddParsed<NoiseOptions>("noise", "none|mask:P|gaussian:S|salt-pepper:P",
                               "Noise on the encoder's input, of which the clean row is to be "
                               "reconstructed: entries lost with probability P, normal deviates of "
                               "standard deviation S, or entries at either end of the data.",
                               options.noise, NoiseText, ParseNoise);
  return list.Take();
}

std::vector<OptionField> Fields(ComputeOptions& options) {
  FieldList list("Computation", true);
  list.AddChoice<Schedule>(
      "schedule",
      "How rows are read for one gradient: twice; twice, but for what fits into memory; or once, "
      "at "
      "the cost of more sums. auto: cached where everything fits, else fused where it can be had.",
      options.schedule, kSchedules);
  list.AddChoice<Precision>("precision", "Type of the numbers computed with.", options.precision,
                            {{Precision::kFloat32, "float32"}, {Precision::kFloat64, "float64"}});
  list.AddWholeOrAuto("lanes",
                      "Sums that rows are dealt to, a power of two; auto: by network size.",
                      options.lanes);
  list.AddWholeOrAuto("block-rows", "Rows computed at a time; auto: by network size.",
                      options.block_rows);
  list.AddWhole("seed", "Key of every random number.", options.seed);
  return list.Take();
}

std::vector<OptionField> Fields(OptimizerOptions& options) {
  FieldList list("Optimiser", true);
  list.AddChoiceList<OptimizerKind>(
      "optimizer",
      "L-BFGS on growing samples of the rows, and at last on all (progressive); over all rows: "
      "L-BFGS, nonlinear conjugate gradients, gradient descent with momentum; by mini-batches: SGD "
      "with momentum, Adam. Several run one after another.",
      options.methods,
      NamesIn<OptimizerKind>(std::span(kOptimizers), [](const OptimizerInfo&) { return true; }));
  list.AddWhole("iterations",
                "Stop each method, and each sample of progressive, after so many iterations.",
                options.iterations);
  list.AddNumber("tolerance",
                 "Stop when ten iterations lowered the cost by less than this fraction; 0: never.",
                 options.tolerance);
  list.AddNumber("gradient-tolerance", "Stop when the gradient's norm is at most this.",
                 options.gradient_tolerance);
  list.AddWhole("history", "lbfgs, progressive: pairs of steps and gradient changes kept.",
                options.history);
  list.AddWholeOrAuto("first-sample",
                      "progressive: rows of the first sample; auto: four a unit of the widest "
                      "hidden layer.",
                      options.first_sample);
  list.AddNumber("growth", "progressive: how many times larger each next sample is.",
                 options.growth);
  list.AddWholeOrAuto("sample-limit",
                      "progressive: most rows in a sample, which is held in memory; auto: half of "
                      "all rows, or as many as the memory allows.",
                      options.sample_limit);
  list.AddNumberOrAuto("learning-rate",
                       "gd, sgd, adam: step length; auto: 0.1, 0.01 for sgd, 0.005 for adam.",
                       options.learning_rate);
  list.AddNumber("momentum", "gd, sgd: fraction of the last step kept, from 0 to below 1.",
                 options.momentum);
  list.AddWhole("epochs", "sgd, adam: passes over all rows.", options.epochs);
  list.AddWhole("batch", "sgd, adam: rows of a mini-batch.", options.batch_rows);
  list.AddChoice<RateSchedule>(
      "rate-schedule", "sgd, adam: the learning rate stays, or falls to 0 along a cosine.",
      options.rate_schedule,
      {{RateSchedule::kConstant, "constant"}, {RateSchedule::kCosine, "cosine"}});
  list.AddNumber("warmup", "sgd, adam: epochs in which the learning rate rises from 0.",
                 options.warmup_epochs);
  list.AddChoice<RhoHatKind>(
      "rho-hat",
      "sgd, adam: the mean activations of the sparsity penalty: an exponential mean over batches, "
      "or those of all rows at the beginning of the epoch.",
      options.rho_hat, {{RhoHatKind::kRunning, "running"}, {RhoHatKind::kExact, "exact"}});
  list.AddWholeOrAuto("half-life",
                      "running: rows after which a batch counts half; auto: 512, or a batch.",
                      options.half_life_rows);
  list.AddWholeOrAuto("mix",
                      "sgd, adam: rows held in memory, among which their order is mixed; auto: as "
                      "many as fit.",
                      options.mix_rows);
  return list.Take();
}

std::vector<OptionField> Fields(ResourceOptions& options) {
  FieldList list("Resources", false);
  list.AddMemory("memory",
                 "Limit of resident memory, such as 192M or 4G; auto: 7/8 of what Slurm or a "
                 "control group allows, else half of the machine's.",
                 options.memory_bytes);
  list.AddWholeOrAuto(
      "threads",
      "Compute threads; auto: as many as the affinity, Slurm and a control group's quota "
      "let run at a time.",
      options.threads);
  return list.Take();
}

std::vector<OptionField> Fields(JobOptions& options) {
  FieldList list("Run", false);
  list.AddDuration("checkpoint-every",
                   "Time between checkpoints, such as 90s, 10m or 1h30m; 0s: as often as can be.",
                   options.checkpoint_seconds);
  list.AddWhole("keep", "Checkpoints that stay: the latest.", options.keep_checkpoints);
  list.AddDurationOrNone("max-time",
                         "Stop with a checkpoint before so long, such as 7h45m or 07:45:00.",
                         options.max_seconds);
  list.AddWhole("stop-code", "Exit code of a run that was stopped and can be gone on with.",
                options.stop_code);
  list.AddChoice<LogLevel>("log-level", "What run.log tells.", options.log_level,
                           {{LogLevel::kDebug, "debug"},
                            {LogLevel::kInfo, "info"},
                            {LogLevel::kWarning, "warning"},
                            {LogLevel::kError, "error"}});
  return list.Take();
}

std::vector<OptionField> Fields(TrainOptions& options) {
  std::vector<OptionField> fields;
  const auto append = [&](std::vector<OptionField> part) {
    std::move(part.begin(), part.end(), std::back_inserter(fields));
  };
  append(Fields(options.prepare));
  append(Fields(options.network));
  append(Fields(options.objective));
  append(Fields(options.compute));
  append(Fields(options.optimizer));
  append(Fields(options.resources));
  append(Fields(options.data));
  FieldList stack("Stacking", false);
  stack.AddSwitch("greedy",
                  "Train layer after layer, each on the codes of those below, then all together.",
                  options.greedy);
  stack.AddWholeOrAuto("fine-tune",
                       "greedy: iterations of all layers together, 0 for none; auto: --iterations.",
                       options.fine_tune, -1);
  append(stack.Take());
  FieldList run("Run", false);
  run.AddText("run", "DIR", "Folder for the model, metrics, log and configuration; created.",
              options.run_directory);
  run.AddText(
      "resume", "auto|never|DIR",
      "auto: go on with an unfinished run of the same configuration in --run, where there is "
      "one; DIR: with the run there, whose options need not be given again.",
      options.resume);
  append(run.Take());
  append(Fields(options.job));
  return fields;
}

}  // namespace rhohat
