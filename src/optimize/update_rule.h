// How stochastic training moves the parameters, given a gradient: SGD with momentum and Adam.
//
// A rule is applied to ranges of the flat vector, so that the thread which has just made a panel of
// the gradient moves the same panel of the parameters while it is in its cache. Ranges of one step
// are independent: their number, order and threads change no bit of the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/state.h"
#include "math/kernels.h"

namespace rhohat {

// T is float or double: the type of all vectors.
template <class T>
class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  // Begins the next step, of learning rate `rate`. Not while a range is being updated.
  void BeginStep(double rate);

  // Moves parameters [begin, begin + gradient.size()), which are `point`. Each parameter is in one
  // range of a step. Thread-safe for disjoint ranges. Returns Σ gradient².
  virtual double Update(size_t begin, std::span<const T> gradient, std::span<T> point) = 0;

  // The steps begun.
  int64_t steps() const { return steps_; }

  // All that it knows between two steps.
  virtual void Visit(State& state);

 protected:
  virtual void PrepareStep(double rate, int64_t step /* from 1 */) = 0;

 private:
  int64_t steps_ = 0;
};

// The heavy ball of B. T. Polyak (1964): velocity ← momentum · velocity − rate · ∇, then
// point ← point + velocity.
template <class T>
class Sgd : public UpdateRule<T> {
 public:
  // Throws Error(kUsage) unless 0 ≤ momentum < 1.
  Sgd(size_t parameters, double momentum);
  static size_t MemoryBytes(size_t parameters);

  double Update(size_t begin, std::span<const T> gradient, std::span<T> point) override;
  void Visit(State& state) override;

 private:
  void PrepareStep(double rate, int64_t step) override;

  T momentum_;
  T rate_ = 0;
  AlignedBuffer<T> velocity_;
};

struct AdamOptions {
  double mean_decay = 0.9;      // β1, in [0, 1)
  double square_decay = 0.999;  // β2, in [0, 1)
  double epsilon = 1e-8;        // > 0
};

// Adam, with its estimates corrected for their start at zero: D. P. Kingma, J. Ba, "Adam: a method
// for stochastic optimization", ICLR 2015, algorithm 1.
template <class T>
class Adam : public UpdateRule<T> {
 public:
  // Throws Error(kUsage) where an option is out of range.
  explicit Adam(size_t parameters, const AdamOptions& options = {});
  static size_t MemoryBytes(size_t parameters);

  double Update(size_t begin, std::span<const T> gradient, std::span<T> point) override;
  void Visit(State& state) override;

 private:
  void PrepareStep(double rate, int64_t step) override;

  AdamOptions options_;
  AdamStep<T> step_ = {};
  AlignedBuffer<T> mean_;
  AlignedBuffer<T> square_;
};

}  // namespace rhohat
