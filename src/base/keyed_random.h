// Random numbers that are a function of a key and a counter, and of nothing else.
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11):
// ten rounds of multiplication and exclusive-or turn (key, counter) into 128 random bits. There is
// no state to carry, so the number for row r and column c is the same in every pass, on any thread,
// and in a resumed run.
#pragma once

#include <array>
#include <cstdint>

namespace rhohat {

// The raw generator: 128 bits of counter and 64 of key give 128 random bits.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What a stream of numbers is for; numbers of different purposes never share a counter.
enum class RandomPurpose : uint32_t {
  kInitialWeights = 1,
  kGradientSample = 2,
  kShuffleBucket = 3,  // which bucket a row goes to
  kShuffleOrder = 4,   // the order within a bucket
  kPatch = 5,          // where in a picture a patch is cut
  kDeadLeaves = 6,     // synthetic pictures
  kAscentStart = 7,    // where the search for what excites a unit begins
  kRowSample = 8,      // which rows are in a sample
  kBatchOrder = 9,     // the order in which an epoch visits the rows
  // Noise on the input: its counters also hold the row and the epoch (src/math/noise_kernels.inc).
  kNoise = 10,
  kBatchDelay = 11,  // how long a row waits for the batch it is in
};

// A stream of numbers keyed by (seed, purpose, index).
class KeyedRandom {
 public:
  KeyedRandom(uint64_t seed, RandomPurpose purpose) : seed_(seed), purpose_(purpose) {}

  // Uniform in [0, 1) with 53 random bits.
  double Uniform(uint64_t index) const;

  // Uniform over all 64-bit integers.
  uint64_t Bits(uint64_t index) const;

 private:
  uint64_t seed_;
  RandomPurpose purpose_;
};

}  // namespace rhohat
