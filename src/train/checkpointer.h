// When a run's state is saved: every so often, at the borders between methods and stages, and
// before the run stops because it was asked to or its time is up.
//
// Passes over the rows ask between blocks (PassPauses), everything else offers a moment between
// steps. What is saved, and where, is the business of whoever made this.
#pragma once

#include <chrono>
#include <functional>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "sweep/row_pass.h"

namespace rhohat {

// Not thread-safe, but for what a pass asks.
class Checkpointer final : public PassPauses {
 public:
  // `save` writes a checkpoint of the run as it stands whenever it is called.
  Checkpointer(const JobOptions& job, const RunControl& control, std::function<void()> save);

  // A moment at which the run could be gone on with: saves where it is time to. Throws Stopped,
  // having saved, where the run is to stop.
  void Offer();

  // The same, but saves in any case: a border was reached.
  void SaveNow();

  // The runs of a grid pause together: who would soon want to saves along with the others.
  bool Wanted() override;
  void Pause() override;

  // Whether the run was saved because it is to stop, so that there is nothing more to save.
  bool saved_to_stop() const { return saved_to_stop_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool IsDue(Clock::duration ahead) const;

  const RunControl& control_;
  std::function<void()> save_;
  Clock::duration interval_;
  Clock::time_point due_;
  bool saved_to_stop_ = false;
};

}  // namespace rhohat
