// rhohat train: minimises the objective over all rows.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/units.h"
#include "rhohat/config.h"
#include "rhohat/error.h"
#include "rhohat/grid.h"
#include "rhohat/train.h"
#include "tools/command.h"
#include "tools/cost_lines.h"
#include "tools/grid_display.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"
#include "tools/unused_flags.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "train",
      .description =
          "Trains an autoencoder (sparse, denoising, contractive, deep) on all rows of the data, "
          "which may be larger than memory, and leaves a run folder with the model, its metrics, "
          "its log and its configuration. The result is the same to the bit for any "
          "--threads. What --memory allows may shape it where it is left to choose --schedule, "
          "--mix or "
          "--sample-limit; what was chosen is recorded. "
          "It saves its state every so often, and when it is asked to stop (SIGINT, SIGTERM, "
          "SIGHUP, SIGUSR1), which it then does with exit code 75; --resume goes on from there "
          "with the "
          "same "
          "bits.",
      .arguments = {{"DATA...", "HDF5 files; their rows are one data set, in this order."}},
      .required = {"hidden", "run"},
      .examples = {
          {"rhohat train data.h5 --hidden 196 --run run", "The defaults, for values from 0 to 1."},
          {"rhohat train mnist.h5 --hidden 196 --rho 0.1 --lambda 3e-3 --iterations 400 --run run",
           "The classic setting for handwritten digits."},
          {"rhohat train part*.h5 --dataset /images --hidden 400 --memory 4G --run run",
           "Several files with more than one data set in each, within 4 GiB of memory."},
          {"rhohat train data.h5 --hidden 256,64 --greedy --prepare standardize --decoder linear "
           "--run deep",
           "Two layers, one after the other and then together, on standardised columns."},
          {"rhohat train data.h5 --hidden 400 --tied --beta 0 --noise mask:0.3 --run denoising",
           "A denoising autoencoder with tied weights."},
          {"rhohat train data.h5 --hidden 196 --optimizer lbfgs --iterations 400 --run lbfgs",
           "L-BFGS over all rows from the first step on."},
          {"rhohat train data.h5 --hidden 196 --optimizer adam --epochs 20 --run adam",
           "Adam by mini-batches."},
          {"rhohat train --resume run", "Goes on with a run that was stopped or killed."},
          {"rhohat train data.h5 --hidden 196 --run run --resume auto --max-time 7h45m",
           "For a batch job that is submitted again until it is done."},
          {"rhohat train data.h5 --hidden 196 --grid rho=0.05,0.1 --grid beta=1,3 --run grid",
           "Four models from one read of the data, in grid/rho=0.05,beta=1 and so on."},
          {"rhohat train --config run/config.toml --rho 0.1 --run other",
           "As that run, data included, but for one number."}}};
}

// The configuration of the run that --resume names; empty for its other values.
std::string ConfigOfResumed(const std::string& resume) {
  if (resume.empty() || resume == "auto" || resume == "never") return "";
  const std::filesystem::path path = std::filesystem::path(resume) / "config.toml";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    if (IsGridFolder(resume)) {
      throw Error(
          ErrorKind::kNoInput,
          fmt::format("--resume: {} holds the models of a grid: give the command that began "
                      "it, with --resume auto, or the folder of one model",
                      resume));
    }
    throw Error(ErrorKind::kNoInput,
                fmt::format("--resume: {} holds no run: it has no config.toml", resume));
  }
  return path.string();
}

std::string Summary(const TrainResult& result) {
  const IterationMetrics& last = result.last;
  const double rows = last.data_passes * static_cast<double>(result.model.data.rows);
  const double pace = last.seconds > 0 ? rows / last.seconds : 0;
  Lines lines = {{"stopped", result.model.stop_reason},
                 {"iterations", fmt::format("{}, {:.6g} passes over the data", last.iteration,
                                            last.data_passes)}};
  AddCostLines(last, lines);
  lines.emplace_back(
      "time", fmt::format("{}, {:.0f} % of it waiting for data, {:.3g} rows/s",
                          FormatSeconds(last.seconds), 100 * (1 - last.compute_fraction()), pace));
  lines.emplace_back("peak memory", FormatBytes(last.peak_rss_bytes));
  lines.emplace_back("model", result.model_path);
  return AlignedLines(lines);
}

// A line for each model.
std::string GridTable(const std::vector<TrainResult>& results) {
  std::vector<std::string> names = {"model"};
  for (const TrainResult& result : results) {
    names.push_back(std::filesystem::path(result.model_path).parent_path().filename().string());
  }
  size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string table = fmt::format("{:<{}}  {:>12}  iterations\n", names[0], width, "J");
  for (size_t i = 0; i < results.size(); ++i) {
    table += fmt::format("{:<{}}  {:>12}  {:>10}\n", names[i + 1], width,
                         Number(results[i].last.cost.total()), results[i].last.iteration);
  }
  return table;
}

void RunGrid(const TrainOptions& options, const std::vector<GridAxis>& axes,
             const std::string& note, const std::atomic<bool>& stop) {
  GridDisplay display;
  if (!note.empty()) display.OnNote(note);
  const std::vector<TrainResult> results = TrainGrid(options, axes, {&display, &stop});
  display.Finish();
  Print(GridTable(results));
}

}  // namespace

void RunTrain(const Arguments& arguments, const std::atomic<bool>& stop) {
  TrainOptions options;
  std::vector<GridAxis> axes;
  OptionFlags flags(Help());
  flags.Add(Fields(options));
  flags.Add({GridField(axes)});
  flags.AddConfig("Run", [&](const std::string& path) { return ReadConfig(path, options); });
  flags.AlsoConfig("resume", ConfigOfResumed);
  if (!flags.Parse(arguments)) return;

  if (!ConfigOfResumed(options.resume).empty()) {
    if (flags.IsFlagGiven("run") && options.run_directory != options.resume) {
      throw Error(ErrorKind::kUsage, fmt::format("--run {}: not with --resume {}, whose run it is",
                                                 options.run_directory, options.resume));
    }
    options.run_directory = options.resume;
    options.resume = "auto";
  }
  if (!flags.positionals().empty()) options.data.files = flags.positionals();
  const std::string unused = UnusedFlags(
      options.optimizer, [&](const std::string& name) { return flags.IsFlagGiven(name); });
  if (!axes.empty()) return RunGrid(options, axes, unused, stop);
  ProgressDisplay display(LastIteration(options).value_or(ProgressDisplay::kUnknownIterations));
  if (!unused.empty()) display.OnNote(unused);
  const TrainResult result = Train(options, {&display, &stop});
  display.Finish();
  Print(Summary(result));
}

}  // namespace rhohat
