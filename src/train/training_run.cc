#include "train/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "train/checkpointer.h"
#include "train/config_text.h"
#include "train/reporter.h"
#include "train/run_stages.h"
#include "train/speed_verdict.h"

namespace rhohat {
namespace {

using Clock = std::chrono::steady_clock;

// The time that is kept for the end, as a multiple of what the last checkpoint took: another one
// may take longer, and the pass before it has to come to a stand.
constexpr double kReserve = 3;

// Before the first one: as if all that is planned had to be written, at the pace of a slow disk;
// but no more than a fifth of the time.
double FirstReserve(const MemoryPlan& plan, const JobOptions& job) {
  constexpr double kBytesPerSecond = 200e6;
  return std::min(static_cast<double>(plan.total_bytes) / kBytesPerSecond, job.max_seconds / 5);
}

SpeedContext SpeedContextOf(const TrainOptions& options, const MemoryPlan& plan,
                            const DataSet& data) {
  const NetworkShape shape(data.columns(), options.network);
  return {.file = data.files().front().file,
          .reads_twice = PassesOf(options.objective) == 2 &&
                         options.compute.schedule == Schedule::kTwoPass &&
                         WhyNotFused(options.objective, shape).empty(),
          .keeps_all_rows = plan.kept_rows == plan.rows};
}

template <class T>
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const MemoryPlan& plan, SharedInput<T>& input,
              const DataStamp& stamp, RunFolder& folder, const RunControl& control,
              TimeLimit& limit)
      : options_(options),
        plan_(plan),
        data_(input.data()),
        stamp_(stamp),
        folder_(folder),
        reporter_(folder, control.observer),
        limit_(limit),
        checkpoints_(options.job, control, [this] { Save(); }),
        stages_({.options = options,
                 .plan = plan,
                 .input = input,
                 .data = stamp.identity,
                 .folder = folder,
                 .reporter = reporter_,
                 .checkpoints = checkpoints_,
                 .control = control}) {
    limit_.Reserve(FirstReserve(plan, options.job));
  }

  // Goes on from `resume` where that is not null.
  TrainResult Run(std::unique_ptr<StateReader> resume) {
    TrainResult result{.model_path = folder_.model_path()};
    try {
      if (resume) Load(std::move(resume));
      result.model = stages_.Run();
    } catch (const Stopped&) {
      Stop();
    }
    result.last = stages_.last();
    folder_.CheckIsInPlace();
    SaveModel(result.model, result.model_path);
    reporter_.Note(SpeedVerdict(result.last, SpeedContextOf(options_, plan_, data_)));
    reporter_.Note(fmt::format("the model is in {}", result.model_path));
    return result;
  }

 private:
  void Load(std::unique_ptr<StateReader> reader) {
    is_loading_ = true;
    stages_.Load(*reader, folder_.LastMetrics());
    is_loading_ = false;
    const int64_t iteration = stages_.last().iteration;
    reporter_.Note(iteration < 0 ? "goes on with the first evaluation"
                                 : fmt::format("goes on after iteration {}", iteration));
  }

  void Save() {
    const auto began = Clock::now();
    StateWriter writer;
    stages_.Save(writer);
    CheckpointContent content{
        .config = ConfigText(options_), .data = stamp_, .metrics_bytes = folder_.SyncMetrics()};
    std::vector<T> flat;
    if (stages_.has_iterations()) {
      flat = stages_.Flat();
      content.model = stages_.ModelOf("under way");
      content.parameters = std::as_bytes(std::span(flat));
    }
    const std::string path = folder_.SaveCheckpoint(writer, content);
    const std::chrono::duration<double> took = Clock::now() - began;
    limit_.ReserveForEach(kReserve * took.count());
    reporter_.Log(fmt::format("checkpoint: {} ({:.2g} s)", path, took.count()));
  }

  // An interrupted run leaves a checkpoint, if there was anything to save that is not there
  // already.
  [[noreturn]] void Stop() {
    if (!is_loading_ && !checkpoints_.saved_to_stop()) Save();
    const std::string line =
        fmt::format("{}: a checkpoint is in {}: go on with 'rhohat train --resume {}'",
                    limit_.ran_out() ? "stopped in time for --max-time" : "stopped on request",
                    folder_.LatestCheckpoint(), options_.run_directory);
    reporter_.Log(line);
    throw Stopped(line, static_cast<int>(options_.job.stop_code));
  }

  const TrainOptions& options_;
  const MemoryPlan& plan_;
  const DataSet& data_;
  const DataStamp& stamp_;
  RunFolder& folder_;
  Reporter reporter_;
  TimeLimit& limit_;
  bool is_loading_ = false;
  Checkpointer checkpoints_;
  RunStages<T> stages_;
};

}  // namespace

template <class T>
TrainResult RunTraining(const TrainOptions& options, const MemoryPlan& plan, SharedInput<T>& input,
                        const DataStamp& stamp, RunFolder& folder,
                        std::unique_ptr<StateReader> resume, const RunControl& control,
                        TimeLimit& limit) {
  return TrainingRun<T>(options, plan, input, stamp, folder, control, limit).Run(std::move(resume));
}

#define RHOHAT_INSTANTIATE(T)                                                                     \
  template TrainResult RunTraining<T>(const TrainOptions&, const MemoryPlan&, SharedInput<T>&,    \
                                      const DataStamp&, RunFolder&, std::unique_ptr<StateReader>, \
                                      const RunControl&, TimeLimit&);
RHOHAT_INSTANTIATE(float)
RHOHAT_INSTANTIATE(double)
#undef RHOHAT_INSTANTIATE

}  // namespace rhohat
