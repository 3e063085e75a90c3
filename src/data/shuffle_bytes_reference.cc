#include "data/shuffle_bytes_reference.h"

namespace rhohat {
namespace {

// Calls move(position in an array of elements, position in the shuffled one) for every byte.
template <class Move>
void ForEveryByte(size_t size, size_t element_bytes, const Move& move) {
  const size_t count = element_bytes == 0 ? 0 : size / element_bytes;
  const size_t whole = element_bytes > 1 && count > 1 ? count * element_bytes : 0;
  for (size_t i = 0; i < whole; ++i) {
    move(i, i % element_bytes * count + i / element_bytes);
  }
  for (size_t i = whole; i < size; ++i) move(i, i);
}

}  // namespace

void ShuffleReference(std::span<const std::byte> in, size_t element_bytes, std::byte* out) {
  ForEveryByte(in.size(), element_bytes,
               [&](size_t plain, size_t shuffled) { out[shuffled] = in[plain]; });
}

void UnshuffleReference(std::span<const std::byte> in, size_t element_bytes, std::byte* out) {
  ForEveryByte(in.size(), element_bytes,
               [&](size_t plain, size_t shuffled) { out[plain] = in[shuffled]; });
}

}  // namespace rhohat
