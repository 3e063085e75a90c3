// What is wrong with what a method came to, where something is: J rose instead of falling, or the
// units no longer tell one row from another. And what is thrown where a method ran away.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rhohat/activation.h"
#include "rhohat/observer.h"

namespace rhohat {

// Throws the Error of a method that diverged: of the options, since its learning rate is at fault.
[[noreturn]] void ThrowDiverged(std::string_view where, const std::string& fault);

// Rises of J since a method began, as fractions of it: less than the one is what it may lose near a
// minimum, more than the other is divergence.
inline constexpr double kNoticeableRise = 0.01;
inline constexpr double kDivergingRise = 1;

// How J rose between the two lines, in words; empty where it did not by more than that fraction, or
// where they are not both about all rows.
std::string RiseBetween(const IterationMetrics& began, const IterationMetrics& ended,
                        double fraction);

// How all units saturate, in words; empty where one does not, or where means of the activation have
// no bounds.
std::string Saturation(std::span<const double> rho_hat, Activation activation);

}  // namespace rhohat
