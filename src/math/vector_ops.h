// Operations on long vectors of parameters, with sums in double.
//
// Every sum has one fixed order whatever the machine, so a result depends on the operands alone.
// T is float or double. Operands of one call have the same length.
#pragma once

#include <span>

namespace rhohat {

// Σ a_i b_i.
template <class T>
double Dot(std::span<const T> a, std::span<const T> b);

// ‖a‖₂.
template <class T>
double Norm(std::span<const T> a);

// y += factor · x.
template <class T>
void AddScaled(double factor, std::span<const T> x, std::span<T> y);

// out = x + factor · y; `out` may be x or y.
template <class T>
void SumScaled(std::span<const T> x, double factor, std::span<const T> y, std::span<T> out);

// x *= factor.
template <class T>
void Scale(double factor, std::span<T> x);

}  // namespace rhohat
