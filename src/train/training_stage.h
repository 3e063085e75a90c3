// The minimisation of one objective: its methods, one after another.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "train/phase.h"

namespace rhohat {

template <class T>
class TrainingStage {
 public:
  // `around.progress` is the stage's own.
  TrainingStage(const PhaseSurroundings<T>& around, std::span<const T> start);

  // Returns why it ended. Throws Error, or Stopped.
  std::string Minimise();

  // What the last line of metrics is about.
  std::span<const T> point() const { return point_; }

 private:
  std::string RunPhase(OptimizerKind kind);
  std::unique_ptr<Phase<T>> MakePhase(OptimizerKind kind) const;
  void WarnIfStuck(OptimizerKind kind, int64_t iteration_before);

  PhaseSurroundings<T> around_;
  std::vector<T> point_;
};

}  // namespace rhohat
