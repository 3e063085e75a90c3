// A model and a data set brought together for passes over the rows: checked against each other,
// planned within the memory budget, ready to sweep.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/data_set.h"
#include "network/corruption.h"
#include "network/parameters.h"
#include "objective/prepared_rows.h"
#include "rhohat/analyze.h"
#include "rhohat/memory_plan.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"

namespace rhohat {

// Memory that an analysis takes, beside what every sweep does.
struct AnalysisMemory {
  uint64_t lane_bytes = 0;       // a lane's sums
  uint64_t workspace_bytes = 0;  // a thread's scratch memory
  uint64_t block_bytes = 0;      // held for each block in hand
  uint64_t whole_bytes = 0;      // once
};

// T is the type of the computation: the model's numbers are rounded to it.
template <class T>
class ModelSweep {
 public:
  // `memory(shape, compute)` says what the analysis needs; the sweep hands out rows prepared, which
  // is counted here. `model` must outlive the object. Throws Error(kBadData) where the data is not
  // as wide as the model's input, Error(kUsage) where an option is out of range or the memory
  // budget is too small.
  template <class MemoryOf>
  ModelSweep(const Model& model, const AnalyzeOptions& options, const ObjectiveOptions& objective,
             const RunControl& control, const MemoryOf& memory)
      : ModelSweep(model, options, objective) {
    Start(memory(shape_, compute_), control);
  }

  Sweep<T>& sweep() { return *sweep_; }
  const Model& model() const { return model_; }
  const NetworkShape& shape() const { return shape_; }
  std::span<T> flat() const { return flat_.span(); }
  Parameters<const T> parameters() const {
    return ViewParameters(shape_, std::span<const T>(flat_.span()));
  }
  // Of the corruption that training saw.
  const NoiseSource& noise() const { return noise_; }

  // Null where the model's rows are not prepared.
  const PreparedRows<T>* prepared() const { return prepared_ ? &*prepared_ : nullptr; }

  int64_t threads() const { return sweep_->threads(); }
  int64_t block_rows() const { return compute_.block_rows; }
  // For messages: "acts.h5:/layer6 row 17".
  std::string Locate(int64_t row) const { return data_.Locate(row); }

  // The data's first row, as the sweep hands it out. Not to be called during a pass.
  std::vector<T> FirstRow();

 private:
  ModelSweep(const Model& model, const AnalyzeOptions& options, const ObjectiveOptions& objective);
  MemoryPlan PlanMemory(const AnalysisMemory& memory) const;
  void Start(const AnalysisMemory& memory, const RunControl& control);

  const Model& model_;
  NetworkShape shape_;
  ResourceOptions resources_;
  DataSet data_;
  ComputeOptions compute_;
  NoiseSource noise_;
  AlignedBuffer<T> flat_;
  std::unique_ptr<Executor> executor_;
  std::optional<PreparedRows<T>> prepared_;
  std::unique_ptr<Sweep<T>> sweep_;
};

// function(T()) with the type that `precision` is the name of.
template <class Function>
auto WithPrecision(Precision precision, const Function& function) {
  if (precision == Precision::kFloat64) return function(double());
  return function(float());
}

}  // namespace rhohat
