// What the models of a run get of the data, each thing made once, by the first that needs it: the
// preparation, the rows prepared, their range, a sample, and the passes over all of them.
//
// A run has one model, or those of a grid, each of which is trained by a thread of its own. One at
// a time reads, and what fails for one has failed for all: none of them would find other data.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "data/data_set.h"
#include "objective/prepared_rows.h"
#include "rhohat/error.h"
#include "rhohat/memory_plan.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "sweep/executor.h"
#include "sweep/row_sample.h"
#include "sweep/sweep_group.h"
#include "train/reporter.h"

namespace rhohat {

// Thread-safe, but for what single models alone may use.
template <class T>
class SharedInput {
 public:
  // `compute` is resolved, and all fit the plan; `data` outlives the object.
  SharedInput(DataSet& data, const MemoryPlan& plan, const ComputeOptions& compute, int64_t models);

  DataSet& data() { return data_; }
  Executor& executor() { return executor_; }

  // How all rows are passed over, but for pauses.
  const SweepOptions& sweep() const { return sweep_; }

  // What `read` returns, called while nobody else reads. Throws what it throws, or has thrown for
  // another model, Stopped excepted.
  template <class Read>
  auto InTurn(const Read& read) {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    try {
      return read();
    } catch (const Stopped&) {
      throw;
    } catch (...) {
      if (is_shared_) failure_ = std::current_exception();
      throw;
    }
  }

  // What the rows say of a preparation, which is the same for all models.
  Preparation Fit(const PreparationOptions& options, Reporter& reporter, const RunControl& control);

  // From now on rows() are prepared so. To be called by each model, with the same.
  void Prepare(const Preparation& preparation);
  PreparedRows<T>& rows() { return *rows_; }

  // The passes that all models make together, once rows are prepared; null where there is one
  // model.
  SweepGroup<T>* group() { return group_.get(); }

  // The ends of the prepared rows, as `find` finds them; each time anew where there is one model,
  // whose rows may change from stage to stage.
  std::pair<double, double> Range(const std::function<std::pair<double, double>()>& find);

  // A sample, which is the same for all models, as `gather` gathers it. It stays as long as one of
  // them holds it.
  std::shared_ptr<const HeldSample> Sample(const std::function<HeldSample()>& gather);

  // A model is done, however it ended: it makes no more passes.
  void Leave();

 private:
  DataSet& data_;
  Executor executor_;
  SweepOptions sweep_;
  const bool is_shared_;

  std::mutex mutex_;
  int64_t models_;  // that have not left
  std::exception_ptr failure_;
  std::optional<Preparation> fitted_;  // where others will ask for it
  std::optional<PreparedRows<T>> rows_;
  std::unique_ptr<SweepGroup<T>> group_;
  std::optional<std::pair<double, double>> range_;
  std::weak_ptr<const HeldSample> sample_;
};

}  // namespace rhohat
