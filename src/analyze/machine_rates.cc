#include "analyze/machine_rates.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "math/blas.h"

namespace rhohat {
namespace {

constexpr double kLevelValue = 0.01;

// How often something goes into `seconds`, `trial` being the time it took once. At least once.
int64_t TimesIn(double seconds, double trial) {
  constexpr double kMost = 1e9;
  return std::llround(std::clamp(seconds / std::max(trial, 1e-9), 1.0, kMost));
}

template <class T>
AlignedBuffer<T> Filled(int64_t size, double value) {
  AlignedBuffer<T> buffer(static_cast<size_t>(size));
  std::ranges::fill(buffer.span(), static_cast<T>(value));
  return buffer;
}

// Products have the same shapes whether weights are shared or not.
NetworkShape Untied(const NetworkShape& shape) { return {shape.inputs, shape.hidden}; }

}  // namespace

double SecondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ProcessorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// ---- Products ----------------------------------------------------------------------------------

template <class T>
BareProducts<T>::BareProducts(const NetworkShape& shape, int64_t block_rows, Executor& executor)
    : shape_(Untied(shape)),
      block_rows_(block_rows),
      executor_(executor),
      workers_(static_cast<size_t>(executor.threads())) {
  UseOneThreadPerProduct();
  // Each by the thread that is likely to use it, so that its pages are near.
  executor_.RunAll(executor_.threads(), [&](int64_t i) {
    Worker& worker = workers_[static_cast<size_t>(i)];
    worker.parameters = Filled<T>(shape_.parameters(), 0);
    const Parameters<T> weights = ViewParameters(shape_, worker.parameters.span());
    // Levels keep their size from layer to layer: numbers too small for a normal one are slow.
    for (const LayerParameters<T>& layer : weights.layers) {
      std::ranges::fill(layer.weight.flat(), T(1) / static_cast<T>(layer.weight.columns));
    }
    worker.sums = Filled<T>(shape_.parameters(), 0);
    for (int64_t level = 0; level <= shape_.layers(); ++level) {
      worker.levels.push_back(Filled<T>(block_rows_ * shape_.width(level), kLevelValue));
    }
  });
}

template <class T>
size_t BareProducts<T>::MemoryBytes(const NetworkShape& shape, int64_t block_rows) {
  int64_t values = 2 * Untied(shape).parameters();
  for (int64_t level = 0; level <= shape.layers(); ++level) {
    values += block_rows * shape.width(level);
  }
  return static_cast<size_t>(values) * sizeof(T);
}

template <class T>
void BareProducts<T>::RunBlock(const std::vector<BlockProduct>& products, Worker& worker) const {
  const Parameters<const T> weights =
      ViewParameters(shape_, std::span<const T>(worker.parameters.span()));
  const Parameters<T> sums = ViewParameters(shape_, worker.sums.span());
  const auto level = [&](int64_t number) {
    return MatrixView<T>(worker.levels[static_cast<size_t>(number)].data(), block_rows_,
                         shape_.width(number));
  };
  for (const auto& [kind, layer] : products) {
    switch (kind) {
      case BlockProduct::kForward:
        MultiplyTransposed<T>(level(layer), weights[layer].weight, level(layer + 1));
        break;
      case BlockProduct::kBack:
        Multiply<T>(level(layer + 1), weights[layer].weight, level(layer));
        break;
      case BlockProduct::kWeightGradient:
        AddTransposedProduct<T>(level(layer + 1), level(layer), sums[layer].weight);
        break;
    }
  }
}

template <class T>
double BareProducts<T>::SecondsFor(const std::vector<BlockProduct>& products, int64_t blocks) {
  const double start = SecondsNow();
  executor_.RunAll(executor_.threads(), [&](int64_t i) {
    for (int64_t block = 0; block < blocks; ++block) {
      RunBlock(products, workers_[static_cast<size_t>(i)]);
    }
  });
  return SecondsNow() - start;
}

template <class T>
ProductRate BareProducts<T>::Measure(const std::vector<BlockProduct>& products, double seconds) {
  const int64_t blocks = TimesIn(seconds, SecondsFor(products, 1));
  const double before = ProcessorSeconds();
  const double taken = SecondsFor(products, blocks);
  const double used = ProcessorSeconds() - before;
  const auto threads = static_cast<double>(executor_.threads());
  const double flops =
      threads * static_cast<double>(blocks * block_rows_) * FlopsPerRow(shape_, products);
  return {.flops_per_second = flops / taken,
          .flops_per_processor_second = flops / used,
          .processor_share = used / taken / threads};
}

// ---- Memory ------------------------------------------------------------------------------------

MemoryStream::MemoryStream(uint64_t array_bytes, Executor& executor)
    : executor_(executor), workers_(static_cast<size_t>(executor.threads())) {
  const auto each = static_cast<int64_t>(array_bytes / sizeof(float)) / executor.threads();
  executor_.RunAll(executor_.threads(), [&](int64_t i) {
    workers_[static_cast<size_t>(i)] = {Filled<float>(each, 1), Filled<float>(each, 2),
                                        Filled<float>(each, 3)};
  });
}

double MemoryStream::SecondsFor(Kind kind, int64_t times) {
  const double start = SecondsNow();
  executor_.RunAll(executor_.threads(), [&](int64_t i) {
    const Worker& worker = workers_[static_cast<size_t>(i)];
    float* __restrict const a = worker.a.data();
    const float* __restrict const b = worker.b.data();
    const float* __restrict const c = worker.c.data();
    const size_t size = worker.a.size();
    for (int64_t time = 0; time < times; ++time) {
      if (kind == kCopy) {
        std::memcpy(a, b, size * sizeof(float));
      } else {
        for (size_t k = 0; k < size; ++k) a[k] = b[k] + 0.5F * c[k];
      }
    }
  });
  return SecondsNow() - start;
}

double MemoryStream::RateOf(Kind kind, double seconds) {
  const int64_t times = TimesIn(seconds, SecondsFor(kind, 1));
  double bytes = 0;
  for (const Worker& worker : workers_) {
    bytes += static_cast<double>(worker.a.size() * sizeof(float));
  }
  const double arrays = kind == kCopy ? 2 : 3;
  return arrays * bytes * static_cast<double>(times) / SecondsFor(kind, times);
}

double MemoryStream::BytesPerSecond(double seconds) {
  return std::max(RateOf(kCopy, seconds / 2), RateOf(kTriad, seconds / 2));
}

template class BareProducts<float>;
template class BareProducts<double>;

}  // namespace rhohat
