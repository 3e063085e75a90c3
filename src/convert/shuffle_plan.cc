#include "convert/shuffle_plan.h"

#include <algorithm>

namespace rhohat {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr int64_t kRowsBetweenLooks = int64_t{1} << 20;

}  // namespace

bool ShuffleKeys::TieBefore(int64_t a, int64_t b) const {
  const uint64_t key_a = second_.Bits(static_cast<uint64_t>(a));
  const uint64_t key_b = second_.Bits(static_cast<uint64_t>(b));
  return key_a != key_b ? key_a < key_b : a < b;
}

size_t BucketOf(uint64_t key, size_t buckets) {
  return static_cast<size_t>(static_cast<Uint128>(key) * buckets >> 64);
}

bool CountRows(const ShuffleKeys& keys, RowRange rows, std::vector<int64_t>& counts,
               const std::function<bool()>& stopped) {
  for (int64_t begin = rows.begin; begin < rows.end; begin += kRowsBetweenLooks) {
    if (stopped()) return false;
    const int64_t end = std::min(begin + kRowsBetweenLooks, rows.end);
    for (int64_t row = begin; row < end; ++row) {
      ++counts[BucketOf(keys.Key(row), counts.size())];
    }
  }
  return true;
}

}  // namespace rhohat
