// A pass over the rows as numbers, adding up in lanes: what objectives and statistics are made of.
//
// Each block of a RowPass is decoded to T and given to a function that adds into its lane's sums;
// adding the lanes in a fixed tree then gives the same bits on any number of threads
// (docs/math.md §10).
//
// Where there is memory for it, blocks stay from one pass to the next: as they are stored where
// that is smaller, else as numbers, and of transformed rows what they became. The functions that
// get blocks see no difference, not in one bit; a kept block is neither read nor transformed again.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "sweep/block_cache.h"
#include "sweep/executor.h"
#include "sweep/row_pass.h"
#include "sweep/row_transform.h"

namespace rhohat {

// Rows of one block, decoded. `worker` is in [0, threads) and belongs to one running block at a
// time: index scratch memory with it.
template <class T>
struct Block {
  int64_t index = 0;
  RowRange range;
  std::span<const T> rows;  // range.size() × columns, row-major
  int64_t worker = 0;
  // Where the rows do not follow on one another in the data set, as in a sample, their numbers
  // there; else empty.
  std::span<const int64_t> numbers;

  // The number in the data set of row i of the block.
  int64_t Number(int64_t i) const {
    return numbers.empty() ? range.begin + i : numbers[static_cast<size_t>(i)];
  }
};

template <class T>
class SweepGroup;

// One pass at a time. T is float or double, the type that rows are decoded to.
template <class T>
class Sweep {
 public:
  using BlockFunction = std::function<void(const Block<T>&, int64_t lane)>;

  // `source`, `executor` and `transform`, where there is one, must outlive the sweep. All buffers
  // are allocated here. With `cache_bytes`, rows and transform must stay as they are, and no
  // function may rely on what the transform notes of a block beside its result.
  //
  // With a `group`, which was made from the same, passes are those of the group, for Run() alone;
  // this sweep adds its lanes, and the pauses of `options`.
  Sweep(RowSource& source, Executor& executor, const SweepOptions& options,
        RowTransform<T>* transform = nullptr, SweepGroup<T>* group = nullptr);

  // Hands every block of rows, once, to `function(block, sums)`, where `sums` is the block's
  // lane's, cleared before the lane's first block. Returns the lanes' sum, which is in lanes[0].
  // Sums has Clear() and Add(const Sums&). `lanes.size()` must be L.
  template <class Sums, class Function>
  Sums& Run(std::span<Sums> lanes, const Function& function) {
    const int64_t used = RunBlocks([&](const Block<T>& block, int64_t lane) {
      Sums& sums = lanes[static_cast<size_t>(lane)];
      if (block.index == lane) sums.Clear();
      function(block, sums);
    });
    CombineLanes(used, [&](int64_t into, int64_t from) {
      lanes[static_cast<size_t>(into)].Add(lanes[static_cast<size_t>(from)]);
    });
    return lanes[0];
  }

  // For results that are rows themselves, of numbers of type Out: `compute(block, out)` fills `out`
  // with `output_columns` values a row, on many threads; `write(range, out)` then gets them in
  // ascending order, one call at a time.
  // Holds blocks_ahead × B × output_columns values while it runs.
  template <class Out>
  using ComputeRows = std::function<void(const Block<T>&, std::span<Out> out)>;
  template <class Out>
  using WriteRows = std::function<void(RowRange, std::span<const Out>)>;
  template <class Out>
  void RunOrdered(int64_t output_columns, const ComputeRows<Out>& compute,
                  const WriteRows<Out>& write) {
    assert(group_ == nullptr);
    std::vector<AlignedBuffer<Out>> results;
    for (int64_t slot = 0; slot < pass_.options().blocks_ahead; ++slot) {
      results.emplace_back(static_cast<size_t>(block_rows() * output_columns));
    }
    const auto result_of = [&](int64_t slot, const RowRange& range) {
      return results[static_cast<size_t>(slot)].span().first(
          static_cast<size_t>(range.size() * output_columns));
    };
    pass_.RunOrdered(
        [&](const RawBlock& raw) { compute(MakeBlock(raw), result_of(raw.slot, raw.rows->range)); },
        [&](RowRange range, int64_t slot) { write(range, result_of(slot, range)); });
  }

  // Called with the rows done in the pass so far, after each block, by one thread at a time.
  void set_rows_done(RowPass::RowsDone callback) { pass_.set_rows_done(std::move(callback)); }

  int64_t rows() const { return pass_.source().rows(); }
  int64_t columns() const {
    return transform_ != nullptr ? transform_->columns() : pass_.source().columns();
  }
  // For messages: "acts.h5:/layer6 row 17".
  std::string Locate(int64_t row) const { return pass_.source().Locate(row); }
  int64_t lanes() const { return pass_.options().lanes; }
  int64_t block_rows() const { return pass_.options().block_rows; }
  int64_t threads() const { return pass_.threads(); }
  const SweepCounts& counts() const { return pass_.counts(); }

  // Of a pass that stands at a pause, and that another Sweep, of the same source, options and
  // lanes' sums, goes on with in its next Run().
  int64_t position() const { return pass_.position(); }
  // Lanes whose sums a pass that stands has begun.
  int64_t lanes_begun() const { return std::min(position(), lanes()); }
  void Visit(State& state) { pass_.Visit(state); }

  // Whether a block is among those that are kept: a function of source and options alone, the same
  // from the first pass on.
  bool keeps(int64_t block) const;

  // What keeping rows takes, never more than `cache_bytes`.
  uint64_t cache_bytes() const { return cache_ != nullptr ? cache_->bytes() : 0; }

  // Of a kept row: `stored` and `columns` are the source's, `transform_columns` those of the
  // transform's result, 0 where there is none.
  static uint64_t KeptRowBytes(ElementType stored, int64_t columns, int64_t transform_columns);

 private:
  friend class SweepGroup<T>;

  // The rows as numbers: in place where they are stored as U already, else converted into `buffer`.
  template <class U>
  std::span<const U> Decode(const RawBlock& raw, std::span<U> buffer);
  Block<T> MakeBlock(const RawBlock& raw);
  std::span<const T> ReadRows(const RawBlock& raw);  // as if nothing were kept
  std::span<const T> ReadAndKeep(const RawBlock& raw);
  std::span<const T> KeptRows(const RawBlock& raw);
  std::span<T> PlaceOf(const RawBlock& raw) const;
  bool KeepAsStored(const RawBlock& raw);

  // Returns the number of lanes that had a block.
  int64_t RunBlocks(const BlockFunction& function);
  // Adds lanes pairwise at distance 1, 2, 4, …: a tree of one shape for a number of lanes.
  void CombineLanes(int64_t used, const std::function<void(int64_t into, int64_t from)>& add);

  Executor& executor_;
  RowTransform<T>* transform_;
  SweepGroup<T>* group_;
  std::unique_ptr<BlockCache> cache_;  // null where nothing is kept
  RowPass pass_;
  bool keeps_as_stored_;
  std::vector<AlignedBuffer<T>> decoded_;              // one a worker
  std::vector<AlignedBuffer<double>> decoded_double_;  // the same, where there is a transform
};

}  // namespace rhohat
