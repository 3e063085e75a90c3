// A tile is 16 elements of S bytes, in S registers of 16 bytes. Shuffled, register b holds byte b
// of all 16. With S a power of two, going from one to the other rotates the bits of a byte's index
// in the tile: element·S + b ↔ b·16 + element. One round of interleaving the first half of the
// registers with the second sends index p to 2p, modulo the carry: a rotation by one bit. So
// log₂ S rounds unshuffle a tile, and log₂ 16 = 4 rounds shuffle it.
//
// Vectors are the compiler's own, in portable notation: on x86 each interleaving is one SSE2
// instruction. That is faster than memory is, so there is no need of wider registers.
#include "data/shuffle_bytes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace rhohat {
namespace {

constexpr size_t kTileElements = 16;

using Register = uint8_t __attribute__((vector_size(16)));

Register InterleaveLower(Register a, Register b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

Register InterleaveUpper(Register a, Register b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

template <size_t S>
std::array<Register, S> Interleave(const std::array<Register, S>& tile) {
  std::array<Register, S> out;
  for (size_t i = 0; i < S / 2; ++i) {
    out[2 * i] = InterleaveLower(tile[i], tile[i + S / 2]);
    out[2 * i + 1] = InterleaveUpper(tile[i], tile[i + S / 2]);
  }
  return out;
}

// Moves one tile from S registers that are `in_stride` bytes apart to such that are `out_stride`.
template <size_t S, int kRounds>
void MoveTile(const std::byte* in, size_t in_stride, std::byte* out, size_t out_stride) {
  std::array<Register, S> tile;
  for (size_t b = 0; b < S; ++b) std::memcpy(&tile[b], in + b * in_stride, sizeof(Register));
  for (int round = 0; round < kRounds; ++round) tile = Interleave(tile);
  for (size_t b = 0; b < S; ++b) std::memcpy(out + b * out_stride, &tile[b], sizeof(Register));
}

constexpr int Log2(size_t power) { return power == 1 ? 0 : 1 + Log2(power / 2); }

// Elements [begin, end) of `count`, byte by byte: bands of elements stay in the first-level cache
// while their bytes are gathered.
void ShuffleSlowly(const std::byte* in, size_t count, size_t element_bytes, size_t begin,
                   size_t end, std::byte* out) {
  const size_t band = std::max<size_t>(16, 16384 / element_bytes);
  for (size_t from = begin; from < end; from += band) {
    const size_t to = std::min(end, from + band);
    for (size_t b = 0; b < element_bytes; ++b) {
      for (size_t i = from; i < to; ++i) out[b * count + i] = in[i * element_bytes + b];
    }
  }
}

void UnshuffleSlowly(const std::byte* in, size_t count, size_t element_bytes, size_t begin,
                     size_t end, std::byte* out) {
  const size_t band = std::max<size_t>(16, 16384 / element_bytes);
  for (size_t from = begin; from < end; from += band) {
    const size_t to = std::min(end, from + band);
    for (size_t b = 0; b < element_bytes; ++b) {
      for (size_t i = from; i < to; ++i) out[i * element_bytes + b] = in[b * count + i];
    }
  }
}

// All whole tiles; returns the elements done.
template <size_t S>
size_t ShuffleTiles(const std::byte* in, size_t count, std::byte* out) {
  const size_t whole = count - count % kTileElements;
  for (size_t i = 0; i < whole; i += kTileElements) {
    MoveTile<S, Log2(kTileElements)>(in + i * S, sizeof(Register), out + i, count);
  }
  return whole;
}

template <size_t S>
size_t UnshuffleTiles(const std::byte* in, size_t count, std::byte* out) {
  const size_t whole = count - count % kTileElements;
  for (size_t i = 0; i < whole; i += kTileElements) {
    MoveTile<S, Log2(S)>(in + i, count, out + i * S, sizeof(Register));
  }
  return whole;
}

// Bytes of the elements to shuffle; the rest is copied.
size_t WholeBytes(size_t size, size_t element_bytes) {
  if (element_bytes <= 1 || size / element_bytes <= 1) return 0;
  return size - size % element_bytes;
}

void CopyRest(std::span<const std::byte> in, size_t from, std::byte* out) {
  if (from < in.size()) std::memcpy(out + from, in.data() + from, in.size() - from);
}

}  // namespace

void Shuffle(std::span<const std::byte> in, size_t element_bytes, std::byte* out) {
  const size_t whole = WholeBytes(in.size(), element_bytes);
  CopyRest(in, whole, out);
  if (whole == 0) return;
  const size_t count = whole / element_bytes;
  size_t done = 0;
  if (element_bytes == 2) done = ShuffleTiles<2>(in.data(), count, out);
  if (element_bytes == 4) done = ShuffleTiles<4>(in.data(), count, out);
  if (element_bytes == 8) done = ShuffleTiles<8>(in.data(), count, out);
  if (element_bytes == 16) done = ShuffleTiles<16>(in.data(), count, out);
  ShuffleSlowly(in.data(), count, element_bytes, done, count, out);
}

void Unshuffle(std::span<const std::byte> in, size_t element_bytes, std::byte* out) {
  const size_t whole = WholeBytes(in.size(), element_bytes);
  CopyRest(in, whole, out);
  if (whole == 0) return;
  const size_t count = whole / element_bytes;
  size_t done = 0;
  if (element_bytes == 2) done = UnshuffleTiles<2>(in.data(), count, out);
  if (element_bytes == 4) done = UnshuffleTiles<4>(in.data(), count, out);
  if (element_bytes == 8) done = UnshuffleTiles<8>(in.data(), count, out);
  if (element_bytes == 16) done = UnshuffleTiles<16>(in.data(), count, out);
  UnshuffleSlowly(in.data(), count, element_bytes, done, count, out);
}

}  // namespace rhohat
