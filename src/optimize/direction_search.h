// What the methods share that choose a direction and then search along it.
//
// An iteration is: choose a direction d from point(), find a step along it by the line search, and
// make the trial point found the new point. The methods differ in the direction alone, and say so
// in four hooks. Here is the rest of it: the starting point, the search, and what to do where it
// finds nothing.
//
// The function may be changed for another that resembles it, such as the same mean over more rows:
// the point stays, and so does what the method has learnt, where it is worth keeping. Nothing is
// learnt from the difference between the two functions.
//
// Where no lower point is found along the direction, the method forgets what it has learnt and the
// search is repeated once along −∇f; if that does not help either, Tell() returns kFailed. Near a
// minimum this is the normal end: rounding hides what is left to gain.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/line_search.h"
#include "optimize/optimizer.h"

namespace rhohat {

// T is float or double: the type of all vectors. Values, slopes and steps are double. An object can
// be copied between any two evaluations, and the copy goes on as the original would.
template <class T>
class DirectionSearch : public Optimizer<T> {
 public:
  std::span<const T> trial() const final { return trial_; }
  Step Tell(double cost, std::span<const T> gradient) final;
  std::span<const T> point() const final { return point_; }
  double cost() const final { return cost_; }
  std::span<const T> gradient() const final { return gradient_; }
  std::string_view failure() const final { return failure_; }
  // For the methods to add to.
  void Visit(State& state) override;

  // From now on another function is minimised, beginning at point(), which is trial() too: the next
  // Tell() is about the new function there and returns kAccepted, or kFailed where its gradient
  // vanishes. Also goes on after a failure: the new function may have lower points.
  void ChangeFunction();

 protected:
  // Vectors of T, of the parameters' length, that are allocated here.
  static constexpr int64_t kVectors = 4;

  // `curvature` is the line search's c2.
  DirectionSearch(std::span<const T> start, double curvature);

  // An iteration is about to end at trial(), where the gradient is `gradient`. point() is still
  // where the iteration began, `last_gradient` is the gradient there and `direction` was searched
  // along. Both may be overwritten.
  virtual void Learn(std::span<const T> gradient, std::span<T> last_gradient,
                     std::span<T> direction) = 0;
  // Writes the direction to search along from point(), over what Learn() left there. Whether it is
  // another one than −∇f.
  virtual bool Turn(std::span<T> direction) = 0;
  // The first step to try along the direction, whose slope at point() is `slope`.
  virtual double FirstStep(double slope) const = 0;
  // The direction from Turn() does not descend, or nothing was found along it; −∇f is next.
  virtual void Forget() = 0;
  // Another function takes the place of this one. What was learnt is kept where it stays useful.
  virtual void ForgetFunction() { Forget(); }

  // A first step along −∇f where nothing is known of the scale: moves by no more than 1.
  double UnscaledStep() const;
  // For Learn(): the step just taken, and the slope at point() of the direction it was taken along.
  double step() const { return search_.step(); }
  double slope() const { return slope_; }

 private:
  enum class Phase {
    kStart,      // trial() is the starting point, or point() of a function that is new
    kSearching,  // trial() is a trial point of search_
    kExhausted,  // there is no direction to search in: the next Tell() fails
    kFailed,
  };

  Step TellStart(double cost, std::span<const T> gradient);
  Step Accept(double cost, std::span<const T> gradient);
  Step Recover();
  Step Fail(std::string_view why);

  void BeginIteration();
  bool StartSearch();
  bool SearchSteepest();
  bool MoveTrial(double last_step);

  Phase phase_ = Phase::kStart;
  std::string failure_;

  double cost_ = 0;
  std::vector<T> point_;
  std::vector<T> gradient_;
  std::vector<T> direction_;
  std::vector<T> trial_;
  bool steepest_ = true;  // direction_ is −∇f
  double slope_ = 0;      // φ'(0) of search_
  LineSearch search_;
};

}  // namespace rhohat
