#include "sweep/row_pass.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "rhohat/error.h"
#include "sweep/block_queue.h"

namespace rhohat {

// One pass while it runs. Tasks hold it, since the last of them may still be leaving when the pass
// has ended.
class RowPass::Running : public std::enable_shared_from_this<Running> {
 public:
  Running(RowPass& pass, const BlockFunction& function, int64_t readers)
      : pass_(pass),
        function_(function),
        first_block_(pass.position_),
        blocks_(pass.blocks()),
        queue_(pass.options_.lanes, pass.options_.blocks_ahead, pass.threads(), readers),
        next_block_(first_block_),
        rows_done_(first_block_ * pass.options_.block_rows) {}

  // When it has ended: the first block that was not computed.
  int64_t position() { return queue_.early_end().value_or(blocks_); }
  BlockQueue& queue() { return queue_; }

  // A reading thread; or, where nothing is to be read, whoever called.
  void ReadBlocks() {
    while (const std::optional<int64_t> block = FetchNext()) {
      try {
        ReadBlock(*block);
      } catch (...) {
        queue_.Fail(*block, std::current_exception());
      }
    }
    queue_.FinishReading();
  }

 private:
  RawRows& RowsOf(int64_t block) {
    return pass_.slots_[static_cast<size_t>(block % pass_.options_.blocks_ahead)];
  }

  RowRange RangeOf(int64_t block) const {
    const int64_t first = block * pass_.options_.block_rows;
    return {first, std::min(pass_.source_.rows(), first + pass_.options_.block_rows)};
  }

  // A block is filled once, while it is computed: what this says of one whose turn has come is the
  // same until then.
  bool IsKept(int64_t block) const { return pass_.cache_ != nullptr && pass_.cache_->Has(block); }

  // Fetches the next block that is to be read, in order, and hands over the kept ones before it;
  // nothing where there is none, or reading on is pointless.
  std::optional<int64_t> FetchNext() {
    const std::lock_guard lock(fetch_mutex_);
    while (next_block_ < blocks_ && queue_.WaitForSlot(next_block_)) {
      const int64_t block = next_block_++;
      if (block > first_block_) CheckPause();
      try {
        CheckStop();
        if (!IsKept(block)) {
          Fetch(block);
          return block;
        }
        RowsOf(block).Start(RangeOf(block));
        queue_.Announce(block, {}, 0);
        Drain(queue_.Arrived(block));
      } catch (...) {
        queue_.Fail(block, std::current_exception());
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  // Whoever wants a pause all the time still gets on by a block each time.
  void CheckPause() {
    PassPauses* const pauses = pass_.options_.pauses;
    if (pauses != nullptr && pauses->Wanted()) queue_.EndEarly(first_block_ + 1);
  }

  void CheckStop() const {
    const std::atomic<bool>* stop = pass_.options_.stop;
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) {
      throw Stopped("stopped on request");
    }
  }

  void Fetch(int64_t block) {
    RawRows& rows = RowsOf(block);
    pass_.source_.Fetch(RangeOf(block), rows);
    queue_.Announce(block, rows.parcels, rows.new_parcels);
  }

  // The parcels first, so that they can be unpacked meanwhile.
  void ReadBlock(int64_t block) {
    RawRows& rows = RowsOf(block);
    for (size_t i = rows.parcels.size() - rows.new_parcels; i < rows.parcels.size(); ++i) {
      if (!ReadParcel(rows.parcels[i], block, static_cast<int64_t>(i))) return;
    }
    pass_.source_.Read(rows);
    Drain(queue_.Arrived(block));
  }

  bool ReadParcel(const std::shared_ptr<Parcel>& parcel, int64_t block, int64_t part) {
    try {
      parcel->Read();
    } catch (...) {
      queue_.Fail(block, std::current_exception(), part);
      return false;
    }
    queue_.StartUnpacking();
    try {
      pass_.executor_.Enqueue(
          [self = shared_from_this(), parcel = parcel, block, part](int64_t) mutable {
            self->Unpack(std::move(parcel), block, part);
          });
    } catch (...) {
      queue_.Fail(block, std::current_exception(), part);
      Drain(queue_.FinishUnpacking(parcel));
      return false;
    }
    return true;
  }

  // `part` is the parcel's number in the first block that needs it.
  void Unpack(std::shared_ptr<Parcel> parcel, int64_t first_block, int64_t part) {
    try {
      const std::optional<int64_t> end = queue_.early_end();
      if (!end || first_block < *end) parcel->Unpack();
    } catch (...) {
      queue_.Fail(first_block, std::current_exception(), part);
    }
    Drain(queue_.FinishUnpacking(std::move(parcel)));
  }

  // Tasks take memory, and there may be none: the pass must come to an end all the same.
  void Drain(const BlockQueue::Lanes& lanes) {
    for (const int64_t lane : lanes) {
      try {
        pass_.executor_.Enqueue(
            [self = shared_from_this(), lane](int64_t worker) { self->DrainLane(lane, worker); });
      } catch (...) {
        queue_.Abandon(lane, std::current_exception());
      }
    }
  }

  // One block, then the lane gets in line again: blocks are computed roughly in order, so that few
  // are left to do below the last one begun when a pass is to pause.
  void DrainLane(int64_t lane, int64_t worker) {
    CheckPause();
    const std::optional<int64_t> block = queue_.Pop(lane);
    if (!block) return;
    RawRows& rows = RowsOf(*block);
    if (!queue_.IsDropped(*block)) {
      try {
        const bool is_kept = IsKept(*block);
        if (!is_kept) pass_.source_.Unpack(rows);
        function_({.index = *block,
                   .lane = lane,
                   .worker = worker,
                   .slot = *block % pass_.options_.blocks_ahead,
                   .rows = &rows,
                   .is_kept = is_kept});
        NoteDone(rows.range.size());
      } catch (...) {
        queue_.Fail(*block, std::current_exception());
      }
    }
    // Memory and open files are wanted for the blocks that follow.
    rows.parcels.clear();
    rows.keep_alive.reset();
    queue_.Finish(*block);
    Drain({lane});
  }

  void NoteDone(int64_t rows) {
    if (!pass_.rows_done_) return;
    const std::lock_guard lock(progress_mutex_);
    rows_done_ += rows;
    pass_.rows_done_(rows_done_);
  }

  RowPass& pass_;
  const BlockFunction& function_;
  const int64_t first_block_;
  const int64_t blocks_;
  BlockQueue queue_;
  std::mutex fetch_mutex_;
  int64_t next_block_;  // behind fetch_mutex_
  std::mutex progress_mutex_;
  int64_t rows_done_;  // behind progress_mutex_
};

RowPass::RowPass(RowSource& source, Executor& executor, const SweepOptions& options,
                 BlockCache* cache)
    : source_(source),
      executor_(executor),
      cache_(cache),
      options_(options),
      slots_(static_cast<size_t>(options.blocks_ahead)) {}

int64_t RowPass::blocks() const {
  return (source_.rows() + options_.block_rows - 1) / options_.block_rows;
}

int64_t RowPass::Run(const BlockFunction& function) {
  try {
    RunToPause(function);
    while (position_ < blocks()) {
      options_.pauses->Pause();
      RunToPause(function);
    }
  } catch (...) {
    position_ = 0;
    for (RawRows& rows : slots_) rows.Start({});
    if (cache_ != nullptr) cache_->Forget();
    throw;
  }
  position_ = 0;
  counts_.rows += source_.rows();
  return std::min(blocks(), options_.lanes);
}

// From position(), where at least one block is left, to a pause or the end.
void RowPass::RunToPause(const BlockFunction& function) {
  const uint64_t bytes_before = source_.bytes_read();
  const bool reads = cache_ == nullptr || !cache_->HasAll();
  // Two even beside one compute thread, so that one can wait for the disk.
  const int64_t readers = reads ? std::min(source_.readers(), std::max<int64_t>(2, threads())) : 1;
  const auto running = std::make_shared<Running>(*this, function, readers);
  if (reads) {
    ReadInThreads(*running, readers);
  } else {
    running->ReadBlocks();
    running->queue().WaitForEnd();
  }
  position_ = running->position();
  counts_.bytes_read += source_.bytes_read() - bytes_before;
  if (reads) counts_.wait_seconds += running->queue().wait_seconds();
}

void RowPass::Visit(State& state) {
  state.Number("block", position_, 0, std::max<int64_t>(0, blocks() - 1));
}

void RowPass::ReadInThreads(Running& running, int64_t readers) {
  std::vector<std::jthread> reading;  // join on every way out
  for (int64_t i = 0; i < readers; ++i) {
    try {
      reading.emplace_back([&] { running.ReadBlocks(); });
    } catch (...) {
      // One reading thread is enough.
      if (reading.empty()) running.queue().Fail(0, std::current_exception());
      running.queue().FinishReading();
    }
  }
  running.queue().WaitForEnd();
}

void RowPass::RunOrdered(const BlockFunction& compute, const WriteSlot& write) {
  const auto slots = static_cast<size_t>(options_.blocks_ahead);
  // A block's result waits in its slot until those before it are written. Whoever completes the
  // next one writes, and goes on writing what others complete meanwhile. Its own block counts as
  // unfinished for that time, so that no slot which waits to be written can be needed again:
  // blocks are fetched in order, and less than `slots` ahead of the first unfinished one.
  std::mutex mutex;
  std::vector<std::optional<RowRange>> ready(slots);
  size_t next = 0;
  bool writing = false;
  Run([&](const RawBlock& block) {
    compute(block);
    std::unique_lock lock(mutex);
    ready[static_cast<size_t>(block.slot)] = block.rows->range;
    if (writing) return;
    writing = true;
    for (; ready[next % slots]; ++next) {
      const RowRange range = *ready[next % slots];
      ready[next % slots].reset();
      lock.unlock();
      write(range, static_cast<int64_t>(next % slots));
      lock.lock();
    }
    writing = false;
  });
}

}  // namespace rhohat
