#include "base/keyed_permutation.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 62;

// A network of fewer bits can make few permutations, and none that is odd: tiny sizes walk longer.
constexpr int kMinBits = 6;

uint64_t CheckedLast(int64_t size) {
  if (size >= 1 && size <= kMaxSize) return static_cast<uint64_t>(size) - 1;
  throw Error(ErrorKind::kUsage,
              fmt::format("size of a permutation: expected 1 to {}, found {}", kMaxSize, size));
}

uint32_t Low(uint64_t word) { return static_cast<uint32_t>(word); }
uint32_t High(uint64_t word) { return static_cast<uint32_t>(word >> 32); }
uint64_t Join(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

}  // namespace

KeyedPermutation::KeyedPermutation(uint64_t seed, RandomPurpose purpose, uint64_t index,
                                   int64_t size)
    : size_(size) {
  const int bits = std::max(kMinBits, static_cast<int>(std::bit_width(CheckedLast(size))));
  low_bits_ = bits / 2;
  low_mask_ = (uint64_t{1} << low_bits_) - 1;
  high_mask_ = (uint64_t{1} << (bits - low_bits_)) - 1;
  // Sizes that take the same number of bits are to have nothing in common either.
  const std::array<uint32_t, 4> key =
      Philox4x32({Low(static_cast<uint64_t>(size)), High(static_cast<uint64_t>(size)),
                  static_cast<uint32_t>(purpose), 0},
                 {Low(seed), High(seed)});
  for (size_t round = 0; round < kRounds; ++round) {
    const std::array<uint32_t, 4> words = Philox4x32(
        {Low(index), High(index), static_cast<uint32_t>(round), key[2]}, {key[0], key[1]});
    keys_[round] = {.add = Join(words[0], words[1]), .multiply = Join(words[2], words[3]) | 1};
  }
}

// The first multiplication spreads the field, which may be a few bits, over the whole word; the
// second brings what it differs in back to every bit of the result.
inline uint64_t KeyedPermutation::Mix(uint64_t field, const RoundKey& key) {
  constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;
  const uint64_t spread = (field * kGoldenRatio) ^ key.add;
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(spread) * key.multiply;
  return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
}

uint64_t KeyedPermutation::Scramble(uint64_t value) const {
  uint64_t low = value & low_mask_;
  uint64_t high = value >> low_bits_;
  for (size_t round = 0; round < kRounds; round += 2) {
    high ^= Mix(low, keys_[round]) & high_mask_;
    low ^= Mix(high, keys_[round + 1]) & low_mask_;
  }
  return high << low_bits_ | low;
}

int64_t KeyedPermutation::operator()(int64_t i) const {
  uint64_t value = static_cast<uint64_t>(i);
  do {
    value = Scramble(value);
  } while (value >= static_cast<uint64_t>(size_));
  return static_cast<int64_t>(value);
}

}  // namespace rhohat
