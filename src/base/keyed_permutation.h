// A random order of the numbers [0, size) that takes no memory: a keyed bijection.
//
// A Feistel network scrambles pairs of bit fields: one field is changed by a function of the other,
// then the other by a function of the first, and so on. Whatever that function is, every round can
// be undone, so the whole is a bijection of [0, 2^bits). For any other size, values outside [0,
// size) are scrambled again until they fall inside (cycle walking: J. Black and P. Rogaway,
// "Ciphers with arbitrary finite domains", CT-RSA 2002), which takes fewer than two attempts on
// average for all but tiny sizes. The keys of the rounds come from Philox; the function of a round
// is two multiplications, so that a number takes some tens of nanoseconds.
//
// It is for choosing and mixing rows, not for secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/keyed_random.h"

namespace rhohat {

// A copy is a few hundred bytes. Thread-safe.
class KeyedPermutation {
 public:
  // The permutation number `index` of all those for (seed, purpose), of [0, size). Throws
  // Error(kUsage) unless 1 ≤ size ≤ 2^62.
  KeyedPermutation(uint64_t seed, RandomPurpose purpose, uint64_t index, int64_t size);

  int64_t size() const { return size_; }

  // Where i, in [0, size), goes.
  int64_t operator()(int64_t i) const;

 private:
  static constexpr size_t kRounds = 8;
  struct RoundKey {
    uint64_t add = 0;
    uint64_t multiply = 0;
  };

  static uint64_t Mix(uint64_t field, const RoundKey& key);
  uint64_t Scramble(uint64_t value) const;

  int64_t size_;
  int low_bits_;  // the low field; the rest is the high one
  uint64_t low_mask_;
  uint64_t high_mask_;
  std::array<RoundKey, kRounds> keys_;
};

}  // namespace rhohat
