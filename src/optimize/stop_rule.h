// When enough is enough: the conditions that end a minimisation after an iteration.
//
// Any of: as many iterations as were asked for; a gradient as small as was asked for; a cost that
// ten iterations have lowered by less than a given fraction of itself. Ten, since a single
// iteration may gain little before one that gains much.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/state.h"

namespace rhohat {

struct StopRuleOptions {
  int64_t iterations = 400;
  double tolerance = 1e-6;        // least relative decrease in ten iterations; 0 never stops so
  double gradient_tolerance = 0;  // gradient norm; 0 stops only where the gradient vanishes
};

// Plain values: a copy goes on as the original would. A derived rule may have more conditions.
class StopRule {
 public:
  explicit StopRule(const StopRuleOptions& options) : options_(options) {}
  StopRule(const StopRule&) = default;
  StopRule& operator=(const StopRule&) = default;
  virtual ~StopRule() = default;

  // To be called once after every accepted iteration, first of all for the starting point, which is
  // iteration 0. Returns why to stop, in words, or nothing.
  virtual std::optional<std::string> Stop(double cost, double gradient_norm);

  // What it remembers of the costs, between any two calls.
  virtual void Visit(State& state);

 private:
  static constexpr int64_t kWindow = 10;

  std::optional<std::string> CheckGradient(double gradient_norm) const;
  std::optional<std::string> CheckDecrease(double cost);

  StopRuleOptions options_;
  int64_t iteration_ = -1;               // the last one that was told
  std::array<double, kWindow> costs_{};  // cost of iteration i at i mod kWindow
};

}  // namespace rhohat
