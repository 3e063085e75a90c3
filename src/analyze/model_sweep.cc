#include "analyze/model_sweep.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "math/blas.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"

namespace rhohat {
namespace {

template <class T>
void Copy(const std::vector<double>& from, std::span<T> to) {
  std::ranges::transform(from, to.begin(), [](double value) { return static_cast<T>(value); });
}

// The same ranges hold as in training.
void Validate(const Model& model, const AnalyzeOptions& options,
              const ObjectiveOptions& objective) {
  const TrainOptions together{.data = options.data,
                              .network = {.hidden = {model.hidden}},
                              .objective = objective,
                              .compute = options.compute,
                              .resources = options.resources};
  together.Validate();
}

}  // namespace

template <class T>
ModelSweep<T>::ModelSweep(const Model& model, const AnalyzeOptions& options,
                          const ObjectiveOptions& objective)
    : resources_(options.resources),
      data_(options.data),
      network_({model.inputs, model.hidden}, model.network),
      compute_(ResolveCompute(options.compute, shape())),
      flat_(static_cast<size_t>(shape().parameters())) {
  Validate(model, options, objective);
  if (data_.columns() != model.inputs) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} columns as in the model, found {}",
                            data_.files().front().where(), model.inputs, data_.columns()));
  }
  const Parameters<T> parameters = ViewParameters(shape(), flat_.span());
  Copy(model.encoder_weight, parameters.encoder_weight.flat());
  Copy(model.encoder_bias, parameters.encoder_bias);
  Copy(model.decoder_weight, parameters.decoder_weight.flat());
  Copy(model.decoder_bias, parameters.decoder_bias);
}

template <class T>
void ModelSweep<T>::Start(const AnalysisMemory& memory, const RunControl& control) {
  const ResolvedResources resources = Resolve(resources_);
  MemoryPlanner planner(data_, resources, compute_.block_rows);
  planner.AddDecoding(sizeof(T));
  planner.ReserveForEachThread(kProductBufferBytes);
  const auto add_each = [&](const std::string& name, const std::string& of, int64_t count,
                            uint64_t bytes) {
    planner.Add(name, static_cast<uint64_t>(count) * bytes,
                fmt::format("{} {} × {}", count, of, FormatBytes(bytes)));
  };
  planner.Add("model", flat_.size() * (sizeof(T) + sizeof(double)),
              "as read, and as computed with");
  add_each("lanes", "lanes", compute_.lanes, memory.lane_bytes);
  add_each("workspace", "threads", resources.threads, memory.workspace_bytes);
  if (memory.whole_bytes > 0) planner.Add("results", memory.whole_bytes, "held once");
  const MemoryPlan plan = planner.Finish(memory.block_bytes);
  executor_ = std::make_unique<Executor>(plan.threads);
  sweep_ = std::make_unique<Sweep<T>>(data_, *executor_,
                                      SweepOptions{.block_rows = compute_.block_rows,
                                                   .lanes = compute_.lanes,
                                                   .blocks_ahead = plan.blocks_ahead,
                                                   .stop = control.stop});
  if (control.observer != nullptr) {
    sweep_->set_rows_done([observer = control.observer, total = data_.rows()](int64_t done) {
      observer->OnRows(done, total);
    });
  }
}

template class ModelSweep<float>;
template class ModelSweep<double>;

}  // namespace rhohat
