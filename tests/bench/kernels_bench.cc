// Every kernel, for every instruction set this machine has and beside its naive twin: nanoseconds
// per value of a row in the first-level cache, and the best of them against copying the row.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "math/kernels.h"
#include "math/kernels_reference.h"
#include "rhohat/activation.h"
#include "rhohat/loss.h"

namespace rhohat {
namespace {

constexpr int64_t kCount = 784;

// Rows for a kernel to work on. Where it works in place, its operand is refreshed by `fresh`, whose
// cost is that of a copy and is left in.
template <class T>
struct Rows {
  std::vector<T> fresh = std::vector<T>(kCount);
  std::vector<T> operand = std::vector<T>(kCount, T(0.25));
  std::vector<T> zeros = std::vector<T>(kCount, T(0));
  std::vector<T> out = std::vector<T>(kCount);
  std::vector<double> sums = std::vector<double>(kCount);
  T low = T(0);
  T high = T(0);
  NoiseKey key;

  Rows() {
    for (int64_t j = 0; j < kCount; ++j) {
      fresh[static_cast<size_t>(j)] = static_cast<T>(j % 97) / T(12) - T(4);
    }
  }

  T* Refreshed() {
    std::memcpy(out.data(), fresh.data(), sizeof(T) * kCount);
    return out.data();
  }
};

template <class T>
using Body = std::function<void(const Kernels<T>&, Rows<T>&)>;

template <class T>
struct Entry {
  std::string name;
  Body<T> body;
};

template <class T>
std::vector<Entry<T>> ActivationEntries() {
  std::vector<Entry<T>> entries;
  for (const ActivationInfo& info : kActivations) {
    const auto index = static_cast<size_t>(info.value);
    const auto add = [&](const char* kernel, Body<T> body) {
      entries.push_back({fmt::format("{} {}", info.name, kernel), std::move(body)});
    };
    add("apply", [index](const Kernels<T>& kernels, Rows<T>& rows) {
      kernels.activations[index].apply(rows.Refreshed(), rows.zeros.data(), kCount);
    });
    add("times_slope", [index](const Kernels<T>& kernels, Rows<T>& rows) {
      T* out = rows.out.data();
      kernels.activations[index].times_slope(rows.fresh.data(), rows.operand.data(), out, kCount);
    });
    add("add_slope_squares", [index](const Kernels<T>& kernels, Rows<T>& rows) {
      kernels.activations[index].add_slope_squares(rows.operand.data(), rows.sums.data(), kCount);
    });
    add("add_curvature", [index](const Kernels<T>& kernels, Rows<T>& rows) {
      kernels.activations[index].add_curvature(rows.zeros.data(), rows.operand.data(),
                                               rows.out.data(), kCount);
    });
  }
  return entries;
}

template <class T>
std::vector<Entry<T>> LossEntries() {
  std::vector<Entry<T>> entries;
  for (const LossInfo& info : kLosses) {
    const auto index = static_cast<size_t>(info.value);
    entries.push_back(
        {fmt::format("{} loss", info.name),
         [index, delta = std::vector<T>(kCount)](const Kernels<T>& kernels, Rows<T>& rows) mutable {
           rows.sums[0] += kernels.losses[index].apply(rows.Refreshed(), rows.operand.data(),
                                                       delta.data(), kCount);
         }});
  }
  return entries;
}

template <class T>
std::vector<Entry<T>> OtherEntries() {
  using K = const Kernels<T>&;
  using R = Rows<T>&;
  return {
      {"add", [](K kernels, R rows) { kernels.add(rows.zeros.data(), rows.out.data(), kCount); }},
      {"add_to_sums",
       [](K kernels, R rows) { kernels.add_to_sums(rows.fresh.data(), rows.sums.data(), kCount); }},
      {"add_magnitudes",
       [](K kernels, R rows) {
         kernels.add_magnitudes(rows.fresh.data(), rows.sums.data(), kCount);
       }},
      {"add_signs",
       [](K kernels, R rows) {
         kernels.add_signs(T(1e-3), rows.fresh.data(), rows.out.data(), kCount);
       }},
      {"extend_range",
       [](K kernels, R rows) {
         kernels.extend_range(rows.fresh.data(), kCount, &rows.low, &rows.high);
       }},
      {"mask",
       [](K kernels, R rows) {
         ++rows.key.row;
         kernels.mask(rows.key, 0.3, rows.fresh.data(), rows.out.data(), kCount);
       }},
      {"mask in place",
       [](K kernels, R rows) {
         ++rows.key.row;
         kernels.mask(rows.key, 0.3, rows.Refreshed(), rows.out.data(), kCount);
       }},
      {"salt_and_pepper",
       [](K kernels, R rows) {
         ++rows.key.row;
         kernels.salt_and_pepper(rows.key, 0.3, T(0), T(1), rows.fresh.data(), rows.out.data(),
                                 kCount);
       }},
      {"add_gaussian",
       [](K kernels, R rows) {
         ++rows.key.row;
         kernels.add_gaussian(rows.key, 0.3, rows.fresh.data(), rows.out.data(), kCount);
       }},
  };
}

// Nanoseconds per value: the best of several rounds of about a millisecond.
double Measure(const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::infinity();
  int64_t runs = 1;
  for (int round = 0; round < 12; ++round) {
    const Clock::time_point begin = Clock::now();
    for (int64_t i = 0; i < runs; ++i) run();
    const double nanoseconds =
        std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    best = std::min(best, nanoseconds / static_cast<double>(runs * kCount));
    runs = std::max<int64_t>(1, static_cast<int64_t>(1e6 / (best * kCount)));
  }
  return best;
}

template <class T>
void Report(const char* type) {
  Rows<T> rows;
  const double copy = Measure([&] {
    rows.Refreshed();
    asm volatile("" ::: "memory");  // each copy counts
  });
  fmt::print("{}, {} values: ns per value (a copy takes {:.4f})\n", type, kCount, copy);
  fmt::print("{:28}{:>10}{:>10}{:>10}{:>10}{:>12}\n", "", "reference", "portable", "avx2", "avx512",
             "best/copy");
  std::vector<Entry<T>> entries = ActivationEntries<T>();
  std::ranges::move(LossEntries<T>(), std::back_inserter(entries));
  std::ranges::move(OtherEntries<T>(), std::back_inserter(entries));
  for (const Entry<T>& entry : entries) {
    fmt::print("{:28}", entry.name);
    const auto print = [&](const Kernels<T>* kernels) {
      const double time = kernels == nullptr ? 0 : Measure([&] { entry.body(*kernels, rows); });
      fmt::print("{:10.3f}", time);
      return time;
    };
    print(&ReferenceKernels<T>());
    double best = std::numeric_limits<double>::infinity();
    for (const char* set : {"portable", "avx2", "avx512"}) {
      if (const double time = print(FindKernels<T>(set)); time > 0) best = std::min(best, time);
    }
    fmt::print("{:11.1f}x\n", best / copy);
  }
}

}  // namespace
}  // namespace rhohat

int main() {
  rhohat::Report<float>("float32");
  rhohat::Report<double>("float64");
  return 0;
}
