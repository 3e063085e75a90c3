// With words w₁…w_n, the checksum's halves are
//
//     low  = Σ w_i              high = Σ (n + 1 − i) w_i         both modulo 65535,
//
// the second being the sum of all the first's intermediate values. Both are linear, so words may be
// summed in 16 lanes side by side: with lane j holding w_j, w_{j+16}, …, its plain sum A_j and the
// sum B_j of its intermediate values give
//
//     low  = Σ_j A_j            high = Σ_j (16 B_j − j A_j)      j = 0…15.
//
// And since 2¹⁶ ≡ 1 modulo 65535, swapping the bytes of a word is multiplication by 256: sums over
// little-endian words have the bytes of the wanted ones, swapped.
//
// Zero has two representations, 0 and 65535. The library's way of folding carries never makes 0 of
// anything else, so its sums are 0 where every word is, and 65535 where they only come out so.
#include "data/fletcher32.h"

#include <bit>
#include <cstring>

namespace rhohat {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kLanes = 16;
constexpr size_t kStepBytes = kLanes * 2;
// Steps until a lane's second sum might overflow: 65535 · 360 · 361 / 2 < 2³².
constexpr size_t kMostSteps = 360;
constexpr uint64_t kModulus = 65535;

using Words = uint16_t __attribute__((vector_size(kStepBytes)));
using Sums = uint32_t __attribute__((vector_size(kLanes * 4)));

// Both sums modulo 65535; and whether a word was not zero.
struct Partial {
  uint64_t low = 0;
  uint64_t high = 0;
  bool any = false;

  void Add(uint64_t word) {
    low = (low + word) % kModulus;
    high = (high + low) % kModulus;
    any = any || word != 0;
  }
};

// Adds `steps` times kLanes words, steps ≤ kMostSteps.
[[gnu::always_inline]] inline void AddStepsInline(const std::byte* data, size_t steps,
                                                  Partial& partial) {
  Sums first = {};
  Sums second = {};
  for (size_t i = 0; i < steps; ++i) {
    Words words;
    std::memcpy(&words, data + i * kStepBytes, kStepBytes);
    first += __builtin_convertvector(words, Sums);
    second += first;
  }
  uint64_t low = 0;
  uint64_t high = 0;
  for (size_t j = 0; j < kLanes; ++j) {
    low += first[j];
    high += kLanes * uint64_t{second[j]} - j * uint64_t{first[j]};
  }
  // Each intermediate value of these words also has what came before.
  partial.high = (partial.high + partial.low * (steps * kLanes) + high) % kModulus;
  partial.low = (partial.low + low) % kModulus;
  partial.any = partial.any || low != 0;
}

using AddSteps = void (*)(const std::byte* data, size_t steps, Partial& partial);

void AddStepsPortable(const std::byte* data, size_t steps, Partial& partial) {
  AddStepsInline(data, steps, partial);
}

#if defined(__x86_64__)
// Lanes in one register: four times as fast.
[[gnu::target("avx512f,avx512bw,avx512vl")]] void AddStepsAvx512(const std::byte* data,
                                                                 size_t steps, Partial& partial) {
  AddStepsInline(data, steps, partial);
}
#endif

AddSteps BestAddSteps() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return AddStepsAvx512;
  }
#endif
  return AddStepsPortable;
}

// The representative of a little-endian sum, with its bytes in the order of a big-endian one.
uint32_t Finish(uint64_t sum, bool any) {
  if (sum == 0) return any ? kModulus : 0;
  return static_cast<uint32_t>((sum << 8 | sum >> 8) & 0xFFFF);
}

uint32_t SwapHalves(uint32_t sum) { return (sum & 0x00FF00FF) << 8 | (sum >> 8 & 0x00FF00FF); }

uint32_t Checksum(std::span<const std::byte> bytes, AddSteps add_steps) {
  Partial partial;
  const std::byte* data = bytes.data();
  size_t left = bytes.size();
  while (left >= kStepBytes) {
    const size_t steps = left / kStepBytes < kMostSteps ? left / kStepBytes : kMostSteps;
    add_steps(data, steps, partial);
    data += steps * kStepBytes;
    left -= steps * kStepBytes;
  }
  for (; left >= 2; data += 2, left -= 2) {
    partial.Add(std::to_integer<uint64_t>(data[0]) | std::to_integer<uint64_t>(data[1]) << 8);
  }
  if (left == 1) partial.Add(std::to_integer<uint64_t>(data[0]));
  return Finish(partial.high, partial.any) << 16 | Finish(partial.low, partial.any);
}

}  // namespace

uint32_t Fletcher32(std::span<const std::byte> bytes) {
  static const AddSteps best = BestAddSteps();
  return Checksum(bytes, best);
}

uint32_t PortableFletcher32(std::span<const std::byte> bytes) {
  return Checksum(bytes, AddStepsPortable);
}

bool MatchesFletcher32(std::span<const std::byte> bytes, uint32_t stored) {
  const uint32_t checksum = Fletcher32(bytes);
  return stored == checksum || stored == SwapHalves(checksum);
}

}  // namespace rhohat
