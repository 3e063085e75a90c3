// A short measurement: how fast the first rows of a data set are read, and how fast J and its
// gradient are computed of them, under the schedule of a training run and within its memory.
#pragma once

#include <cstdint>

#include "data/row_source.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"

namespace rhohat {

struct EvaluationRates {
  int64_t rows = 0;  // measured
  double compute_rows_per_second = 0;
  double reading_rows_per_second = 0;
  double seconds = 0;  // spent
};

// Takes two seconds, or what two evaluations of the fewest rows that keep all threads busy take.
// `compute` is resolved, `plan` is the run's own: what is allocated here is part of it. Rows are
// not prepared, and the loss is the squared one, which is defined for all of them. Throws what the
// readers and the objective throw.
template <class T>
EvaluationRates MeasureEvaluation(const TrainOptions& options, const ComputeOptions& compute,
                                  const MemoryPlan& plan, RowSource& source);

}  // namespace rhohat
