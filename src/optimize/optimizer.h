// Minimising a function of a parameter vector, one evaluation at a time.
//
// An optimiser never calls the function. It says where it wants to know it (trial()), is told the
// value and the gradient there (Tell()), and so can be stopped, saved and continued between any two
// evaluations. The loop around it:
//
//   while (true) {
//     cost = function(optimizer.trial(), gradient);
//     if (optimizer.Tell(cost, gradient) == Step::kFailed) break;   // nothing better was found
//     // Step::kAccepted: one iteration is done, and trial() was its result when it was evaluated
//   }
//
// Optimisers know nothing of networks or data. Not thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "base/state.h"

namespace rhohat {

enum class Step {
  kSearching,  // evaluate trial() next; the iteration goes on
  kAccepted,   // an iteration has ended: point() and cost() have moved; evaluate trial() next
  kFailed,     // no lower point was found: point() is the best there is, and there is no trial()
};

template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Where to evaluate next. Before the first Tell() this is the starting point.
  virtual std::span<const T> trial() const = 0;

  // The function's value and gradient at trial(). The first call is about the starting point and
  // returns kAccepted (iteration 0), or kFailed where the gradient vanishes. A value that is not
  // finite means that the point is out of bounds: the optimiser comes nearer.
  virtual Step Tell(double cost, std::span<const T> gradient) = 0;

  // The result of the last iteration, and the function's value and gradient there.
  virtual std::span<const T> point() const = 0;
  virtual double cost() const = 0;
  virtual std::span<const T> gradient() const = 0;

  // Why Tell() returned kFailed, in words.
  virtual std::string_view failure() const = 0;

  // All that it knows, between any two evaluations. What loads it has been made with the same
  // options and as many parameters, and goes on with the same bits.
  virtual void Visit(State& state) = 0;
};

}  // namespace rhohat
