// A model and a data set brought together for passes over the rows: checked against each other,
// planned within the memory budget, ready to sweep.
#pragma once

#include <memory>
#include <string>

#include "base/aligned_buffer.h"
#include "data/data_set.h"
#include "network/autoencoder.h"
#include "network/parameters.h"
#include "rhohat/analyze.h"
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
  // `memory(shape, compute)` says what the analysis needs. Throws Error(kBadData) where the data is
  // not as wide as the model's input, Error(kUsage) where an option is out of range or the
  // memory budget is too small.
  template <class MemoryOf>
  ModelSweep(const Model& model, const AnalyzeOptions& options, const ObjectiveOptions& objective,
             const RunControl& control, const MemoryOf& memory)
      : ModelSweep(model, options, objective) {
    Start(memory(shape(), compute_), control);
  }

  Sweep<T>& sweep() { return *sweep_; }
  DataSet& data() { return data_; }
  const Autoencoder<T>& network() const { return network_; }
  const NetworkShape& shape() const { return network_.shape(); }
  std::span<T> flat() const { return flat_.span(); }
  Parameters<const T> parameters() const {
    return ViewParameters(shape(), std::span<const T>(flat_.span()));
  }

 private:
  ModelSweep(const Model& model, const AnalyzeOptions& options, const ObjectiveOptions& objective);
  void Start(const AnalysisMemory& memory, const RunControl& control);

  ResourceOptions resources_;
  DataSet data_;
  Autoencoder<T> network_;
  ComputeOptions compute_;
  AlignedBuffer<T> flat_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Sweep<T>> sweep_;
};

}  // namespace rhohat
