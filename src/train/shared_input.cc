#include "train/shared_input.h"

#include <fmt/core.h>

#include "train/fit_preparation.h"

namespace rhohat {

template <class T>
SharedInput<T>::SharedInput(DataSet& data, const MemoryPlan& plan, const ComputeOptions& compute,
                            int64_t models)
    : data_(data),
      executor_(plan.threads),
      sweep_{.block_rows = compute.block_rows,
             .lanes = compute.lanes,
             .blocks_ahead = plan.blocks_ahead,
             .cache_bytes = plan.cache_bytes},
      is_shared_(models > 1),
      models_(models) {}

template <class T>
Preparation SharedInput<T>::Fit(const PreparationOptions& options, Reporter& reporter,
                                const RunControl& control) {
  if (options.kind == PreparationKind::kNone) return {.options = options};
  return InTurn([&] {
    const std::string line = fmt::format("fitting --prepare to {} rows", data_.rows());
    if (fitted_) {
      reporter.Log(line);
      return *fitted_;
    }
    reporter.Note(line);
    Preparation fitted =
        FitPreparation(options, data_, executor_, sweep_.block_rows, sweep_.blocks_ahead, control);
    if (is_shared_) fitted_ = fitted;
    return fitted;
  });
}

template <class T>
void SharedInput<T>::Prepare(const Preparation& preparation) {
  InTurn([&] {
    if (rows_) return;
    rows_.emplace(preparation, data_.columns(), sweep_.block_rows, executor_.threads());
    if (!is_shared_) return;
    RowTransform<T>* const transform = rows_->does_nothing() ? nullptr : &*rows_;
    group_ = std::make_unique<SweepGroup<T>>(data_, executor_, sweep_, transform, models_);
  });
}

template <class T>
std::pair<double, double> SharedInput<T>::Range(
    const std::function<std::pair<double, double>()>& find) {
  if (!is_shared_) return find();
  return InTurn([&] {
    if (!range_) range_ = find();
    return *range_;
  });
}

template <class T>
std::shared_ptr<const HeldSample> SharedInput<T>::Sample(
    const std::function<HeldSample()>& gather) {
  return InTurn([&] {
    std::shared_ptr<const HeldSample> held;
    if (is_shared_) held = sample_.lock();
    if (!held) {
      held = std::make_shared<const HeldSample>(gather());
      sample_ = held;
    }
    return held;
  });
}

template <class T>
void SharedInput<T>::Leave() {
  const std::lock_guard lock(mutex_);
  --models_;
  if (group_) group_->Leave();
}

template class SharedInput<float>;
template class SharedInput<double>;

}  // namespace rhohat
