#include "tools/unused_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace rhohat {
namespace {

using enum OptimizerKind;

struct FlagUse {
  std::string_view name;
  std::vector<OptimizerKind> methods;  // that look at it
};

std::vector<FlagUse> FlagUses() {
  const std::vector<OptimizerKind> over_all_rows = {kProgressive, kLbfgs, kConjugateGradient,
                                                    kGradientDescent};
  const std::vector<OptimizerKind> by_batches = {kSgd, kAdam};
  return {{"iterations", over_all_rows},
          {"tolerance", over_all_rows},
          {"gradient-tolerance", over_all_rows},
          {"history", {kProgressive, kLbfgs}},
          {"first-sample", {kProgressive}},
          {"growth", {kProgressive}},
          {"sample-limit", {kProgressive}},
          {"learning-rate", {kGradientDescent, kSgd, kAdam}},
          {"momentum", {kGradientDescent, kSgd}},
          {"epochs", by_batches},
          {"batch", by_batches},
          {"rate-schedule", by_batches},
          {"warmup", by_batches},
          {"rho-hat", by_batches},
          {"half-life", by_batches},
          {"mix", by_batches}};
}

}  // namespace

std::string UnusedFlags(const OptimizerOptions& options,
                        const std::function<bool(const std::string& name)>& is_given) {
  std::vector<std::string> unused;
  for (const FlagUse& use : FlagUses()) {
    const bool used =
        std::ranges::find_first_of(options.methods, use.methods) != options.methods.end();
    if (!used && is_given(std::string(use.name))) unused.push_back(fmt::format("--{}", use.name));
  }
  if (unused.empty()) return "";
  return fmt::format("the chosen --optimizer does not use {}", JoinNames(unused));
}

}  // namespace rhohat
