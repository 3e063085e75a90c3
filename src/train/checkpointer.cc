#include "train/checkpointer.h"

#include <utility>

#include "rhohat/error.h"

namespace rhohat {

Checkpointer::Checkpointer(const JobOptions& job, const RunControl& control,
                           std::function<void()> save)
    : control_(control),
      save_(std::move(save)),
      interval_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(job.checkpoint_seconds))),
      due_(Clock::now() + interval_) {}

bool Checkpointer::IsDue(Clock::duration ahead) const {
  return control_.stop_requested() || Clock::now() + ahead >= due_;
}

bool Checkpointer::Wanted() { return IsDue({}); }

void Checkpointer::Pause() {
  if (IsDue(interval_ / 4)) SaveNow();
}

void Checkpointer::Offer() {
  if (IsDue({})) SaveNow();
}

void Checkpointer::SaveNow() {
  const bool stops = control_.stop_requested();
  save_();
  due_ = Clock::now() + interval_;
  if (!stops) return;
  saved_to_stop_ = true;
  throw Stopped("stopped on request");
}

}  // namespace rhohat
