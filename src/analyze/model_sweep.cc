#include "analyze/model_sweep.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "data/row_source.h"
#include "math/blas.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"

namespace rhohat {
namespace {

// The model's network, after checking that the options fit it as they would in training.
NetworkShape CheckedShape(const Model& model, const AnalyzeOptions& options,
                          const ObjectiveOptions& objective) {
  const TrainOptions together{.data = options.data,
                              .prepare = model.prepare.options,
                              .network = model.network,
                              .objective = objective,
                              .compute = options.compute,
                              .resources = options.resources};
  together.Validate();
  if (objective.noise.kind == NoiseKind::kSaltPepper &&
      model.objective.noise.kind != NoiseKind::kSaltPepper) {
    throw Error(ErrorKind::kUsage,
                "--noise salt-pepper: the model was trained without it, and does not know the ends "
                "of its data: use mask or gaussian");
  }
  NetworkShape shape(model.inputs, model.network);
  CheckShape(shape);
  return shape;
}

// What the preparation takes as the model has it, in double.
uint64_t PreparationBytes(const Preparation& preparation) {
  return (preparation.shift.size() + preparation.scale.size() + preparation.matrix.size() +
          preparation.inverse.size()) *
         sizeof(double);
}

}  // namespace

template <class T>
ModelSweep<T>::ModelSweep(const Model& model, const AnalyzeOptions& options,
                          const ObjectiveOptions& objective)
    : model_(model),
      shape_(CheckedShape(model, options, objective)),
      resources_(options.resources),
      data_(options.data),
      compute_(ResolveCompute(options.compute, shape_)),
      noise_{.seed = static_cast<uint64_t>(options.compute.seed),
             .low = model.input_low,
             .high = model.input_high},
      flat_(static_cast<size_t>(shape_.parameters())) {
  if (data_.columns() != model.inputs) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} columns as in the model, found {}",
                            data_.files().front().where(), model.inputs, data_.columns()));
  }
  if (model.parameters.size() != flat_.size()) {
    throw Error(ErrorKind::kBadData, fmt::format("the model: expected {} parameters, found {}",
                                                 flat_.size(), model.parameters.size()));
  }
  std::ranges::transform(model.parameters, flat_.span().begin(),
                         [](double value) { return static_cast<T>(value); });
}

template <class T>
MemoryPlan ModelSweep<T>::PlanMemory(const AnalysisMemory& memory) const {
  const ResolvedResources resources = Resolve(resources_);
  MemoryPlanner planner(data_, resources, compute_.block_rows);
  planner.AddDecoding(sizeof(T));
  planner.ReserveForEachThread(kProductBufferBytes);
  const auto add_each = [&](const std::string& name, const std::string& of, int64_t count,
                            uint64_t bytes) {
    planner.Add(name, static_cast<uint64_t>(count) * bytes,
                fmt::format("{} {} × {}", count, of, FormatBytes(bytes)));
  };
  planner.Add("model",
              flat_.size() * (sizeof(T) + sizeof(double)) + PreparationBytes(model_.prepare),
              "as read, and as computed with");
  if (model_.prepare.options.kind != PreparationKind::kNone) {
    const PreparationKind kind = model_.prepare.options.kind;
    const uint64_t workspace =
        PreparedRows<T>::WorkspaceBytes(kind, shape_.inputs, compute_.block_rows);
    planner.Add("preparation",
                PreparedRows<T>::MemoryBytes(kind, shape_.inputs) +
                    static_cast<uint64_t>(resources.threads) * workspace,
                fmt::format("once, and {} threads × {} of rows", resources.threads,
                            FormatBytes(workspace)));
  }
  add_each("lanes", "lanes", compute_.lanes, memory.lane_bytes);
  add_each("workspace", "threads", resources.threads, memory.workspace_bytes);
  if (memory.whole_bytes > 0) planner.Add("results", memory.whole_bytes, "held once");
  return planner.Finish(memory.block_bytes);
}

template <class T>
void ModelSweep<T>::Start(const AnalysisMemory& memory, const RunControl& control) {
  const MemoryPlan plan = PlanMemory(memory);
  UseOneThreadPerProduct();
  executor_ = std::make_unique<Executor>(plan.threads);
  if (model_.prepare.options.kind != PreparationKind::kNone) {
    prepared_.emplace(model_.prepare, shape_.inputs, compute_.block_rows, plan.threads);
  }
  sweep_ = std::make_unique<Sweep<T>>(data_, *executor_,
                                      SweepOptions{.block_rows = compute_.block_rows,
                                                   .lanes = compute_.lanes,
                                                   .blocks_ahead = plan.blocks_ahead,
                                                   .stop = control.stop},
                                      prepared_ ? &*prepared_ : nullptr);
  if (control.observer != nullptr) {
    sweep_->set_rows_done([observer = control.observer, total = data_.rows()](int64_t done) {
      observer->OnRows(done, total);
    });
  }
}

template <class T>
std::vector<T> ModelSweep<T>::FirstRow() {
  RawRows raw;
  FetchAndUnpack(data_, {0, 1}, raw);
  std::vector<T> row(static_cast<size_t>(shape_.inputs));
  if (prepared_) {
    std::vector<double> stored(row.size());
    DecodeRows(data_, raw, std::span(stored));
    std::ranges::copy(prepared_->Apply(stored, 1, 0), row.begin());
  } else {
    DecodeRows(data_, raw, std::span(row));
  }
  return row;
}

template class ModelSweep<float>;
template class ModelSweep<double>;

}  // namespace rhohat
