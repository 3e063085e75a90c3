#include "sweep/sweep.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

#include "data/decode.h"
#include "rhohat/error.h"
#include "sweep/block_queue.h"

namespace rhohat {
namespace {

template <class T>
constexpr ElementType kNativeType{
    std::is_same_v<T, float> ? ElementKind::kFloat32 : ElementKind::kFloat64, false};

// The rows as numbers: in place where they are stored as T already, else converted to `buffer`.
template <class T>
std::span<const T> Decode(const RowSource& source, const RawRows& raw, std::span<T> buffer) {
  const auto count = static_cast<size_t>(raw.range.size()) * static_cast<size_t>(source.columns());
  const bool in_one_piece =
      raw.pieces.size() == 1 && raw.pieces.front().columns == source.columns() &&
      raw.pieces.front().row_stride == static_cast<size_t>(source.columns()) * sizeof(T);
  if (in_one_piece && raw.pieces.front().type == kNativeType<T>) {
    const std::span<const T> stored(reinterpret_cast<const T*>(raw.pieces.front().data), count);
    if (AllFinite(stored)) return stored;
  }
  DecodeRows(source, raw, buffer.first(count));
  return buffer.first(count);
}

}  // namespace

template <class T>
Sweep<T>::Sweep(RowSource& source, Executor& executor, const SweepOptions& options)
    : source_(source),
      executor_(executor),
      options_(options),
      slots_(static_cast<size_t>(options.blocks_ahead)) {
  const auto block_values =
      static_cast<size_t>(options.block_rows) * static_cast<size_t>(source.columns());
  for (int64_t worker = 0; worker < executor.threads(); ++worker) {
    decoded_.emplace_back(block_values);
  }
}

template <class T>
void Sweep<T>::Compute(const BlockFunction& function, RawRows& raw, int64_t index, int64_t worker) {
  const std::span<const T> rows =
      Decode(source_, raw, decoded_[static_cast<size_t>(worker)].span());
  function(Block<T>{index, raw.range, rows, worker}, index % options_.lanes);
}

template <class T>
int64_t Sweep<T>::RunBlocks(const BlockFunction& function) {
  const int64_t row_count = rows();
  const int64_t block_rows = options_.block_rows;
  const int64_t blocks = (row_count + block_rows - 1) / block_rows;
  const uint64_t bytes_before = source_.bytes_read();
  // Shared with the tasks, the last of which may still be leaving when the pass has ended.
  const auto queue =
      std::make_shared<BlockQueue>(options_.lanes, options_.blocks_ahead, executor_.threads());
  std::mutex progress_mutex;
  int64_t rows_done = 0;  // behind the mutex

  const auto drain_lane = [&, queue](int64_t lane, int64_t worker) {
    while (const std::optional<int64_t> block = queue->Pop(lane)) {
      if (!queue->IsDropped(*block)) {
        try {
          RawRows& raw = slots_[static_cast<size_t>(*block % options_.blocks_ahead)];
          Compute(function, raw, *block, worker);
          if (rows_done_) {
            const std::lock_guard lock(progress_mutex);
            rows_done += raw.range.size();
            rows_done_(rows_done);
          }
        } catch (...) {
          queue->Fail(*block, std::current_exception());
        }
      }
      queue->Finish(*block);
    }
  };
  const auto read = [&] {
    for (int64_t block = 0; block < blocks && queue->WaitForSlot(block); ++block) {
      try {
        if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
          throw Stopped("stopped on request");
        }
        const RowRange range{block * block_rows, std::min(row_count, (block + 1) * block_rows)};
        source_.Fetch(range, slots_[static_cast<size_t>(block % options_.blocks_ahead)]);
      } catch (...) {
        queue->Fail(block, std::current_exception());
        break;
      }
      if (queue->Push(block)) {
        const int64_t lane = block % options_.lanes;
        executor_.Enqueue([drain_lane, lane](int64_t worker) { drain_lane(lane, worker); });
      }
    }
    queue->FinishReading();
  };
  {
    const std::jthread reader(read);  // joins on every way out
    queue->WaitForEnd();
  }
  counts_.rows += row_count;
  counts_.bytes_read += source_.bytes_read() - bytes_before;
  counts_.wait_seconds += queue->wait_seconds();
  return std::min(blocks, options_.lanes);
}

template <class T>
void Sweep<T>::CombineLanes(int64_t used,
                            const std::function<void(int64_t into, int64_t from)>& add) {
  for (int64_t distance = 1; distance < used; distance *= 2) {
    // Lanes 0, 2d, 4d, … take in the one at distance d, where there is one.
    const int64_t pairs = (used - distance + 2 * distance - 1) / (2 * distance);
    executor_.RunAll(
        pairs, [&](int64_t pair) { add(2 * distance * pair, 2 * distance * pair + distance); });
  }
}

template <class T>
void Sweep<T>::RunOrdered(int64_t output_columns, const ComputeRows& compute,
                          const WriteRows& write) {
  const auto slots = static_cast<size_t>(options_.blocks_ahead);
  std::vector<AlignedBuffer<T>> results;
  for (size_t slot = 0; slot < slots; ++slot) {
    results.emplace_back(static_cast<size_t>(options_.block_rows * output_columns));
  }
  // A block's result waits in its slot until those before it are written. Its slot cannot be
  // needed again by then: blocks are fetched in order, and less than `slots` ahead of the first
  // unfinished one.
  std::mutex mutex;
  std::vector<std::optional<RowRange>> ready(slots);
  size_t next = 0;
  RunBlocks([&](const Block<T>& block, int64_t /*lane*/) {
    const size_t slot = static_cast<size_t>(block.index) % slots;
    const auto result_of = [&](size_t index, const RowRange& range) {
      return results[index].span().first(static_cast<size_t>(range.size() * output_columns));
    };
    compute(block, result_of(slot, block.range));
    const std::lock_guard lock(mutex);
    ready[slot] = block.range;
    for (; ready[next % slots]; ++next) {
      const RowRange range = *ready[next % slots];
      ready[next % slots].reset();
      write(range, result_of(next % slots, range));
    }
  });
}

template class Sweep<float>;
template class Sweep<double>;

}  // namespace rhohat
