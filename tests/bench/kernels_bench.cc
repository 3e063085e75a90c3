// Every kernel, for every instruction set this machine has, beside its naive twin.
#include <benchmark/benchmark.h>

#include <vector>

#include "math/kernels.h"
#include "math/kernels_reference.h"

namespace rhohat {
namespace {

constexpr int64_t kCount = 784;

template <class T>
const Kernels<T>* SetNumber(int64_t number) {
  constexpr const char* kNames[] = {"portable", "avx2", "avx512"};
  return number == 0 ? &ReferenceKernels<T>() : FindKernels<T>(kNames[number - 1]);
}

// Runs `body(kernels)` on rows of kCount values and reports values per second.
template <class T, class Body>
void Run(benchmark::State& state, const Body& body) {
  const Kernels<T>* kernels = SetNumber<T>(state.range(0));
  if (kernels == nullptr) {
    state.SkipWithError("this machine does not have the instructions");
    return;
  }
  for (auto _ : state) body(*kernels);
  state.SetItemsProcessed(state.iterations() * kCount);
  state.SetLabel(kernels->name);
}

template <class T>
void Sigmoid(benchmark::State& state) {
  std::vector<T> z(kCount, T(0.5));
  const std::vector<T> bias(kCount, T(0.1));
  Run<T>(state, [&](const Kernels<T>& kernels) {
    kernels.add_bias_sigmoid(z.data(), bias.data(), kCount);
    benchmark::DoNotOptimize(z.data());
  });
}

template <class T>
void Slope(benchmark::State& state) {
  const std::vector<T> delta(kCount, T(0.5));
  const std::vector<T> a(kCount, T(0.1));
  std::vector<T> out(kCount);
  Run<T>(state, [&](const Kernels<T>& kernels) {
    kernels.times_sigmoid_slope(delta.data(), a.data(), out.data(), kCount);
    benchmark::DoNotOptimize(out.data());
  });
}

template <class T>
void SquaredError(benchmark::State& state) {
  const std::vector<T> reconstruction(kCount, T(0.5));
  const std::vector<T> target(kCount, T(0.1));
  std::vector<T> delta(kCount);
  Run<T>(state, [&](const Kernels<T>& kernels) {
    benchmark::DoNotOptimize(
        kernels.squared_error(reconstruction.data(), target.data(), delta.data(), kCount));
  });
}

template <class T>
void AddToSums(benchmark::State& state) {
  const std::vector<T> x(kCount, T(0.5));
  std::vector<double> sums(kCount);
  Run<T>(state, [&](const Kernels<T>& kernels) {
    kernels.add_to_sums(x.data(), sums.data(), kCount);
    benchmark::DoNotOptimize(sums.data());
  });
}

BENCHMARK(Sigmoid<float>)->DenseRange(0, 3);
BENCHMARK(Sigmoid<double>)->DenseRange(0, 3);
BENCHMARK(Slope<float>)->DenseRange(0, 3);
BENCHMARK(Slope<double>)->DenseRange(0, 3);
BENCHMARK(SquaredError<float>)->DenseRange(0, 3);
BENCHMARK(SquaredError<double>)->DenseRange(0, 3);
BENCHMARK(AddToSums<float>)->DenseRange(0, 3);
BENCHMARK(AddToSums<double>)->DenseRange(0, 3);

}  // namespace
}  // namespace rhohat
