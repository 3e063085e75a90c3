#include "sweep/memory_planner.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/units.h"
#include "cluster/machine.h"
#include "rhohat/error.h"
#include "sweep/kept_blocks.h"

namespace rhohat {
namespace {

// What a damaged file asks for must not come round to little: more than this is this much. Two of
// them can be added.
constexpr uint64_t kMostBytes = uint64_t{1} << 62;

constexpr const char* kReadAhead = "read-ahead";

uint64_t CappedProduct(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMostBytes : std::min(product, kMostBytes);
}

uint64_t Sum(const std::vector<MemoryPlan::Item>& items) {
  uint64_t sum = 0;
  for (const MemoryPlan::Item& item : items) {
    sum = std::min(sum + std::min(item.bytes, kMostBytes), kMostBytes);
  }
  return sum;
}

// Least budgets are said in whole MiB, and rounded up so that what is said works.
uint64_t RoundUpToMebibyte(uint64_t bytes) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  return (bytes + kMebibyte - 1) / kMebibyte * kMebibyte;
}

}  // namespace

int64_t LeastBlocksAhead(int64_t threads) { return threads + 1; }

int64_t ComfortableBlocksAhead(const RowSource& source, int64_t block_rows, int64_t threads) {
  // Where many blocks share what is unpacked at once, each thread should have one of those.
  const int64_t blocks_in_parcel = (source.ParcelRows() + block_rows - 1) / block_rows;
  return std::max(2 * threads + 4, (threads + 1) * blocks_in_parcel + threads);
}

MemoryPlanner::MemoryPlanner(const RowSource& source, const ResolvedResources& resources,
                             int64_t block_rows)
    : source_(source) {
  plan_.budget_bytes = resources.memory_bytes;
  plan_.budget_source = resources.memory_source;
  plan_.threads_source = resources.threads_source;
  plan_.warnings = resources.warnings;
  plan_.rows = source.rows();
  plan_.columns = source.columns();
  plan_.threads = resources.threads;
  plan_.block_rows = block_rows;
  Add("process", kProcessBytes, "program, libraries, stacks");
  if (source.ReaderBytes() > 0) {
    Add("reader", source.ReaderBytes(), "indexes of chunks, and the HDF5 library's own buffers");
  }
  if (source.UnpackBytes() > 0) {
    Add("unpacking", static_cast<uint64_t>(resources.threads) * source.UnpackBytes(),
        fmt::format("{} threads × {}", resources.threads, FormatBytes(source.UnpackBytes())));
  }
}

void MemoryPlanner::Add(const std::string& name, uint64_t bytes, const std::string& note) {
  plan_.items.push_back({name, bytes, note});
  plan_.total_bytes = Sum(plan_.items);
}

void MemoryPlanner::AddDecoding(size_t element_bytes, int64_t sweeps) {
  const auto block = static_cast<uint64_t>(
      CheckedProduct(CheckedProduct(plan_.block_rows, plan_.columns, "a block of rows"),
                     static_cast<int64_t>(element_bytes), "a block of rows"));
  Add("decoding", CappedProduct(static_cast<uint64_t>(sweeps * plan_.threads), block),
      fmt::format("{}{} threads × {}: a block of {} rows",
                  sweeps > 1 ? fmt::format("{} × ", sweeps) : "", plan_.threads, FormatBytes(block),
                  plan_.block_rows));
}

// Of that many blocks in hand.
uint64_t MemoryPlanner::ReadAheadBytes(int64_t blocks, uint64_t bytes_per_block) const {
  const uint64_t rows = CappedProduct(static_cast<uint64_t>(blocks),
                                      source_.MaxRawBytes(plan_.block_rows) + bytes_per_block);
  return std::min(rows + source_.ParcelBytes(blocks * plan_.block_rows), kMostBytes);
}

bool MemoryPlanner::Fits(uint64_t bytes_per_block) const {
  return Sum(plan_.items) + ReadAheadBytes(LeastBlocksAhead(plan_.threads), bytes_per_block) <=
         plan_.budget_bytes;
}

MemoryPlan MemoryPlanner::Finish(uint64_t bytes_per_block) {
  bytes_per_block_ = bytes_per_block;
  const uint64_t fixed = Sum(plan_.items);
  const int64_t least = LeastBlocksAhead(plan_.threads);
  plan_.least_bytes = RoundUpToMebibyte(fixed + ReadAheadBytes(least, bytes_per_block));
  plan_.blocks_ahead = ComfortableBlocksAhead(source_, plan_.block_rows, plan_.threads);
  while (plan_.blocks_ahead > least &&
         fixed + ReadAheadBytes(plan_.blocks_ahead, bytes_per_block) > plan_.budget_bytes) {
    --plan_.blocks_ahead;
  }
  Add(kReadAhead, ReadAheadBytes(plan_.blocks_ahead, bytes_per_block), ReadAheadNote());
  if (plan_.budget_bytes < plan_.least_bytes) {
    CheckChunksFit(fixed + CappedProduct(static_cast<uint64_t>(least),
                                         source_.MaxRawBytes(plan_.block_rows) + bytes_per_block));
    const auto largest = std::ranges::max_element(plan_.items, {}, &MemoryPlan::Item::bytes);
    throw Error(
        ErrorKind::kUsage,
        fmt::format("memory: {} ({}) is too little: at least {}M is needed, most of it for "
                    "{} ({}: {})",
                    FormatBytes(plan_.budget_bytes), plan_.budget_source, plan_.least_bytes >> 20,
                    largest->name, FormatBytes(largest->bytes), largest->note));
  }
  CheckAddressSpace();
  return plan_;
}

uint64_t MemoryPlanner::SpareBytes() const {
  constexpr uint64_t kLeastMargin = uint64_t{8} << 20;
  const uint64_t used = plan_.total_bytes + std::max(kLeastMargin, plan_.budget_bytes / 32);
  const uint64_t left = plan_.budget_bytes > used ? plan_.budget_bytes - used : 0;
  const uint64_t address_space = AddressSpaceLeft();
  const uint64_t needed = AddressSpaceNeeded();
  return std::min(left, address_space > needed ? address_space - needed : 0);
}

void MemoryPlanner::AddFromSpare(const std::string& name, uint64_t bytes, const std::string& note) {
  Add(name, bytes, note);
  plan_.total_bytes = Sum(plan_.items);
}

MemoryPlan MemoryPlanner::AddCache(uint64_t row_bytes, uint64_t most_bytes) {
  const CacheShape shape{.rows = plan_.rows,
                         .block_rows = plan_.block_rows,
                         .parcel_rows = source_.ParcelRows(),
                         .row_bytes = row_bytes};
  uint64_t bytes = std::min(SpareBytes(), most_bytes);
  const uint64_t all = KeptBlocks::BytesForAll(shape);
  if (bytes < all) {
    // Not at the cost of much of the cache itself.
    ReadFurtherAhead(KeptBlocks::StretchBlocks(shape), bytes / 8);
    bytes = std::min(SpareBytes(), most_bytes);
  }
  bytes = std::min(bytes, all);
  const KeptBlocks kept(shape, bytes);
  if (kept.count() == 0) return plan_;
  plan_.cache_bytes = bytes;
  plan_.kept_rows = kept.rows();
  Add("cache", bytes, fmt::format("{} of {} rows stay in memory", kept.rows(), plan_.rows));
  return plan_;
}

void MemoryPlanner::ReadFurtherAhead(int64_t blocks, uint64_t most_bytes) {
  const auto item = std::ranges::find(plan_.items, kReadAhead, &MemoryPlan::Item::name);
  const uint64_t bytes = ReadAheadBytes(plan_.blocks_ahead + blocks, bytes_per_block_);
  if (bytes > item->bytes + most_bytes) return;
  plan_.blocks_ahead += blocks;
  item->bytes = bytes;
  item->note = ReadAheadNote();
  plan_.total_bytes = Sum(plan_.items);
}

std::string MemoryPlanner::ReadAheadNote() const {
  return fmt::format("{} blocks of {} rows, as stored and unpacked", plan_.blocks_ahead,
                     plan_.block_rows);
}

// Where chunks alone take more than all there is, a few bytes of a damaged file may have asked for
// it: that is the data's fault before it is the budget's.
void MemoryPlanner::CheckChunksFit(uint64_t bytes_without_chunks) const {
  if (bytes_without_chunks > plan_.budget_bytes) return;
  if (source_.ParcelBytes(1) <= plan_.budget_bytes) return;
  throw Error(
      ErrorKind::kBadData,
      fmt::format("{}: its compressed chunks of {} rows need {}, more than {} ({}) in all: at "
                  "least {}M is needed; 'rhohat convert' with more memory makes smaller chunks",
                  source_.Locate(0), source_.ParcelRows(), FormatBytes(source_.ParcelBytes(1)),
                  FormatBytes(plan_.budget_bytes), plan_.budget_source, plan_.least_bytes >> 20));
}

// A limit of the address space (ulimit -v; h_vmem of some schedulers) counts what is reserved,
// which is more than what is ever resident: every thread's stack, heap and buffers.
uint64_t MemoryPlanner::AddressSpaceNeeded() const {
  constexpr uint64_t kStackAndHeap = uint64_t{80} << 20;
  return plan_.total_bytes +
         static_cast<uint64_t>(plan_.threads + other_threads_) * (kStackAndHeap + reserved_bytes_);
}

void MemoryPlanner::CheckAddressSpace() const {
  const uint64_t needed = AddressSpaceNeeded();
  const uint64_t left = AddressSpaceLeft();
  if (left < needed) {
    throw Error(ErrorKind::kUsage,
                fmt::format("address space: {} is left under the limit (ulimit -v), and {} threads "
                            "need {} of it: raise the limit, or use --memory and fewer --threads",
                            FormatBytes(left), plan_.threads, FormatBytes(needed)));
  }
}

}  // namespace rhohat
