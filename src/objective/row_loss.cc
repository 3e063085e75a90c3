#include "objective/row_loss.h"

#include <fmt/core.h>

#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

template <class T>
bool AreProbabilities(const T* target, int64_t columns) {
  T low = target[0];
  T high = target[0];
  BestKernels<T>().extend_range(target, columns, &low, &high);
  return low >= 0 && high <= 1;
}

template <class T>
[[noreturn]] void ThrowNotProbabilities(const std::string& place, const T* target) {
  int64_t column = 0;
  while (target[column] >= 0 && target[column] <= 1) ++column;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}, column {}: --loss cross-entropy is defined for values from 0 to "
                          "1, found {:g}: bring the rows there ('train --prepare range:LO:HI') or "
                          "take --loss squared",
                          place, column, static_cast<double>(target[column])));
}

}  // namespace

template <class T>
RowLoss<T>::RowLoss(Loss loss, std::function<std::string(int64_t)> locate)
    : kernels_(BestKernels<T>().losses[static_cast<int>(loss)]),
      from_logits_(InfoOf(loss).from_logits),
      locate_(std::move(locate)) {}

template <class T>
void RowLoss<T>::CheckTargets(int64_t row, const T* target, int64_t columns, int64_t count) const {
  if (!from_logits_ || AreProbabilities(target, count)) return;
  while (AreProbabilities(target, columns)) {
    ++row;
    target += columns;
  }
  ThrowNotProbabilities(locate_(row), target);
}

template <class T>
double RowLoss<T>::Apply(int64_t row, T* output, const T* target, T* delta, int64_t columns) const {
  return ApplyToRows(row, output, target, delta, columns, columns);
}

template <class T>
double RowLoss<T>::ApplyToRows(int64_t row, T* output, const T* target, T* delta, int64_t columns,
                               int64_t count) const {
  CheckTargets(row, target, columns, count);
  return kernels_.apply(output, target, delta, count);
}

template <class T>
double RowLoss<T>::Back(int64_t row, Activation decoder, T* z, const T* bias, const T* target,
                        double* sums, int64_t columns, int64_t count) const {
  CheckTargets(row, target, columns, count);
  return kernels_.back[static_cast<int>(decoder)](z, bias, target, sums, count);
}

template class RowLoss<float>;
template class RowLoss<double>;

}  // namespace rhohat
