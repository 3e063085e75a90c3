#include "convert/shuffle_memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "convert/bucket_file.h"
#include "convert/shuffled_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Buffers are as large as disks like them, if there is room, and never so small that writing them
// becomes a seek for every few rows.
constexpr uint64_t kMostBuffer = uint64_t{1} << 20;
constexpr uint64_t kComfortableBuffer = uint64_t{256} << 10;
constexpr uint64_t kLeastBuffer = uint64_t{8} << 10;
// One part in so many is for what is noted of each bucket.
constexpr uint64_t kNotesShare = 128;
static_assert(kLeastBuffer >= kNotesShare * BucketLayout::kBytesPerBucket);

uint64_t UsableBytes(const ShuffleSize& size, uint64_t memory_bytes) {
  const uint64_t left = memory_bytes > size.fixed_bytes ? memory_bytes - size.fixed_bytes : 0;
  return left - left / kNotesShare;
}

// The reverse, rounded up.
uint64_t MemoryFor(const ShuffleSize& size, uint64_t usable_bytes) {
  return size.fixed_bytes + usable_bytes + usable_bytes / (kNotesShare - 1) + 1;
}

int64_t MostRows(const ShuffleSize& size, uint64_t usable_bytes) {
  return static_cast<int64_t>(usable_bytes / ShuffledSource::BytesInHand(size.record_bytes));
}

// So many that the fullest has, but for a rare chance, no more than `most_rows`: rows in a bucket
// are Poisson-distributed, and a mean of m leaves six standard deviations, 6√m, to that number.
// As a double, since it may be beyond all bounds.
double LeastBuckets(int64_t rows, int64_t most_rows) {
  if (rows <= most_rows) return 1;
  const double root = std::sqrt(9 + static_cast<double>(most_rows)) - 3;
  return std::ceil(static_cast<double>(rows) / (root * root));
}

bool IsEnough(const ShuffleSize& size, uint64_t usable_bytes) {
  const int64_t most_rows = MostRows(size, usable_bytes);
  if (most_rows == 0) return false;
  const double buckets = LeastBuckets(size.rows, most_rows);
  const uint64_t most_buckets = usable_bytes / kLeastBuffer;
  return buckets == 1 || buckets <= static_cast<double>(most_buckets);
}

// By halving: what is enough stays enough with more.
uint64_t LeastUsableBytes(const ShuffleSize& size) {
  uint64_t too_little = 0;
  uint64_t enough = uint64_t{1} << 62;
  while (enough - too_little > 1) {
    const uint64_t middle = too_little + (enough - too_little) / 2;
    (IsEnough(size, middle) ? enough : too_little) = middle;
  }
  return enough;
}

[[noreturn]] void ThrowTooLittle(const ShuffleSize& size, uint64_t memory_bytes,
                                 uint64_t least_usable, const char* instead) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  const uint64_t least = (MemoryFor(size, least_usable) + kMebibyte - 1) / kMebibyte;
  throw Error(ErrorKind::kUsage,
              fmt::format("memory: {} is too little to shuffle {} rows of {}: at least {}M is "
                          "needed, {} of it for the program, its reader and its writer{}",
                          FormatBytes(memory_bytes), size.rows,
                          FormatBytes(size.record_bytes - sizeof(int64_t)), least,
                          FormatBytes(size.fixed_bytes), instead));
}

}  // namespace

ShuffleMemory::ShuffleMemory(const ShuffleSize& size, uint64_t memory_bytes)
    : size_(size),
      memory_bytes_(memory_bytes),
      usable_bytes_(UsableBytes(size, memory_bytes)),
      most_rows_(MostRows(size, usable_bytes_)) {
  if (!IsEnough(size_, usable_bytes_)) {
    ThrowTooLittle(size_, memory_bytes_, LeastUsableBytes(size_), "");
  }
}

size_t ShuffleMemory::FirstBuckets(uint64_t wanted_bytes) const {
  const double bytes = static_cast<double>(size_.rows) * static_cast<double>(size_.record_bytes);
  const double wanted = std::ceil(bytes / static_cast<double>(wanted_bytes));
  const uint64_t comfortable = usable_bytes_ / kComfortableBuffer;
  return static_cast<size_t>(std::max(LeastBuckets(size_.rows, most_rows_),
                                      std::min(wanted, static_cast<double>(comfortable))));
}

void ShuffleMemory::CheckFits(size_t buckets, int64_t rows_of_largest) const {
  const uint64_t in_hand =
      static_cast<uint64_t>(rows_of_largest) * ShuffledSource::BytesInHand(size_.record_bytes);
  const uint64_t least = std::max(in_hand, buckets * kBucketAlignment);
  if (least > usable_bytes_) {
    ThrowTooLittle(size_, memory_bytes_, least,
                   ", to go on from where an earlier run was interrupted; or start anew with "
                   "--restart");
  }
}

size_t ShuffleMemory::BufferBytes(size_t buckets, int64_t rows_of_largest) const {
  const uint64_t share = std::min(kMostBuffer, usable_bytes_ / buckets);
  const uint64_t largest = static_cast<uint64_t>(rows_of_largest) * size_.record_bytes;
  const uint64_t pages = std::min(share / kBucketAlignment, largest / kBucketAlignment + 1);
  return std::max<uint64_t>(1, pages) * kBucketAlignment;
}

}  // namespace rhohat
