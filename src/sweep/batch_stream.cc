#include "sweep/batch_stream.h"

#include <algorithm>
#include <chrono>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// Rows that stay as they are stored, for a transform to find them in double.
bool KeepsStored(bool holds_all, bool transformed) { return transformed && !holds_all; }

// Rows that are transformed at a time.
constexpr int64_t kTransformRows = 128;
int64_t TransformRows(const SweepOptions& sweep) {
  return std::min(kTransformRows, sweep.block_rows);
}

// Unpacking takes a few threads' time where rows are compressed, and hardly any where not.
int64_t ReadingThreads(const RowSource& source, int64_t threads) {
  constexpr int64_t kMost = 8;
  return std::clamp<int64_t>(threads, 1, std::min(kMost, source.readers()));
}

BatchOrderOptions OrderOf(const RowSource& source, const BatchStreamOptions& options) {
  return {.rows = source.rows(),
          .unit_rows = UnitRows(source),
          .mix_rows = std::min(options.mix_rows, source.rows()),
          .seed = options.seed};
}

// What a store holds: the rows as they are stored, or transformed once for all.
template <class T>
ElementType TypeOf(const RowSource& source, bool holds_all, bool transformed) {
  return holds_all && transformed ? kNativeType<T> : source.type();
}

}  // namespace

// One of the transform's workers, for the while that it lives.
template <class T>
class BatchStream<T>::Worker {
 public:
  explicit Worker(BatchStream& stream) : stream_(stream) {
    const std::lock_guard lock(stream.workers_mutex_);
    if (stream.free_workers_.empty()) {
      throw Error(ErrorKind::kInternal, "more tasks than compute threads");
    }
    number_ = stream.free_workers_.back();
    stream.free_workers_.pop_back();
  }
  ~Worker() {
    const std::lock_guard lock(stream_.workers_mutex_);
    stream_.free_workers_.push_back(number_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  int64_t number() const { return number_; }

 private:
  BatchStream& stream_;
  int64_t number_ = 0;
};

template <class T>
BatchStream<T>::BatchStream(RowSource& source, Executor& executor,
                            const BatchStreamOptions& options, const SweepOptions& sweep,
                            RowTransform<T>* transform)
    : source_(source),
      executor_(executor),
      options_(options),
      sweep_(sweep),
      transform_(transform),
      holds_all_(options.mix_rows >= source.rows()),
      columns_(transform != nullptr ? transform->columns() : source.columns()),
      order_(OrderOf(source, options)),
      store_(holds_all_ ? source.rows() : BatchReader<T>::Slots(order_, options.batch_rows),
             holds_all_ ? columns_ : source.columns(),
             TypeOf<T>(source, holds_all_, transform != nullptr),
             KeepsStored(holds_all_, transform != nullptr)),
      held_rows_(source, store_, columns_),
      mixing_(order_.rows, order_.unit_rows),
      bytes_before_(source.bytes_read()) {
  if (transform == nullptr || holds_all_) return;
  for (int64_t worker = 0; worker < executor.threads(); ++worker) {
    decoded_.emplace_back(static_cast<size_t>(TransformRows(sweep) * source.columns()));
    free_workers_.push_back(worker);
  }
}

template <class T>
uint64_t BatchStream<T>::MemoryBytes(const RowSource& source, const BatchStreamOptions& options,
                                     int64_t transform_columns, int64_t threads) {
  const bool transformed = transform_columns > 0;
  const BatchOrderOptions order = OrderOf(source, options);
  const bool holds_all = options.mix_rows >= source.rows();
  const int64_t slots =
      holds_all ? source.rows() : BatchReader<T>::Slots(order, options.batch_rows);
  const size_t row = RowStore<T>::BytesPerRow(
      holds_all && transformed ? transform_columns : source.columns(),
      TypeOf<T>(source, holds_all, transformed), KeepsStored(holds_all, transformed));
  uint64_t bytes =
      static_cast<uint64_t>(slots) * row + MixingMeter::MemoryBytes(order.rows, order.unit_rows);
  if (holds_all) return bytes;
  const auto readers = static_cast<uint64_t>(ReadingThreads(source, threads));
  bytes += readers * (source.MaxRawBytes(order.unit_rows) + source.ParcelBytes(order.unit_rows) +
                      source.UnpackBytes());
  // A row's number and slot in the window, and in a batch, and its slot in the list of free ones.
  bytes += static_cast<uint64_t>(slots) * 5 * sizeof(int64_t);
  if (transformed) {
    bytes += static_cast<uint64_t>(threads * kTransformRows * source.columns()) * sizeof(double);
  }
  return bytes;
}

template <class T>
int64_t BatchStream<T>::MostMixRows(const RowSource& source, const BatchStreamOptions& options,
                                    int64_t transform_columns, int64_t threads, uint64_t bytes) {
  BatchStreamOptions trial = options;
  const auto fits = [&](int64_t mix_rows) {
    trial.mix_rows = mix_rows;
    return MemoryBytes(source, trial, transform_columns, threads) <= bytes;
  };
  if (fits(source.rows())) return source.rows();
  int64_t low = 1;
  int64_t high = std::max<int64_t>(1, source.rows() - 1);  // the least that may not fit, or one
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

template <class T>
void BatchStream<T>::ReadAll() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  if (transform_ != nullptr) {
    struct Nothing {
      void Clear() {}
      void Add(const Nothing&) {}
    };
    Sweep<T> sweep(source_, executor_, sweep_, transform_);
    std::vector<Nothing> lanes(static_cast<size_t>(sweep_.lanes));
    sweep.Run(std::span(lanes),
              [&](const Block<T>& block, Nothing&) { store_.Put(block.rows, block.range.begin); });
  } else {
    RowPass pass(source_, executor_, sweep_);
    pass.Run([&](const RawBlock& block) {
      std::vector<int64_t> slots;
      for (int64_t row = block.rows->range.begin; row < block.rows->range.end; ++row) {
        slots.push_back(row);
      }
      store_.Put(source_, *block.rows, slots);
    });
  }
  has_all_ = true;
  wait_seconds_ += std::chrono::duration<double>(Clock::now() - began).count();
}

template <class T>
void BatchStream<T>::Start(int64_t epoch, int64_t epochs, int64_t rows_done) {
  epoch_ = epoch;
  end_epoch_ = epoch + epochs;
  rows_done_ = rows_done;
  Stop();
  if (holds_all_) {
    if (!has_all_) ReadAll();
    permutation_.reset();
    return;
  }
  BatchOrderOptions order = order_;
  order.epoch = epoch;
  reader_.emplace(source_, store_,
                  BatchReaderOptions{.order = order,
                                     .epochs = epochs,
                                     .rows_done = rows_done,
                                     .batch_rows = options_.batch_rows,
                                     .threads = ReadingThreads(source_, executor_.threads()),
                                     .stop = sweep_.stop});
}

template <class T>
void BatchStream<T>::Stop() {
  wait_seconds_ = wait_seconds();
  reader_.reset();
  batch_ = {};
}

template <class T>
bool BatchStream<T>::Next() {
  if (rows_done_ == order_.rows) {
    ++epoch_;
    rows_done_ = 0;
    permutation_.reset();
    return false;
  }
  if (epoch_ == end_epoch_) throw Error(ErrorKind::kInternal, "no epoch is left");
  if (holds_all_) {
    PickRows();
  } else {
    reader_->Next(batch_);
  }
  rows_done_ += std::ssize(batch_.numbers);
  mixing_.AddBatch(batch_.numbers);
  return true;
}

template <class T>
void BatchStream<T>::PickRows() {
  if (sweep_.stop != nullptr && sweep_.stop->load(std::memory_order_relaxed)) {
    throw Stopped("stopped on request");
  }
  if (!permutation_) {
    permutation_.emplace(order_.seed, RandomPurpose::kBatchOrder, static_cast<uint64_t>(epoch_),
                         order_.rows);
  }
  batch_.numbers.clear();
  const int64_t end = std::min(order_.rows, rows_done_ + options_.batch_rows);
  for (int64_t i = rows_done_; i < end; ++i) batch_.numbers.push_back((*permutation_)(i));
}

template <class T>
void BatchStream<T>::CopyRows(RowRange range, std::span<T> out) {
  if (transform_ != nullptr && !holds_all_) return CopyTransformed(range, out);
  const auto columns = static_cast<size_t>(columns_);
  for (int64_t i = range.begin; i < range.end; ++i) {
    const int64_t number = batch_.numbers[static_cast<size_t>(i)];
    const int64_t slot = holds_all_ ? number : batch_.slots[static_cast<size_t>(i)];
    const size_t at = static_cast<size_t>(i - range.begin) * columns;
    store_.template Get<T>(source_, slot, number, out.subspan(at, columns));
  }
}

// As many tasks run at a time as the transform has workers.
template <class T>
void BatchStream<T>::CopyTransformed(RowRange range, std::span<T> out) {
  const Worker worker(*this);
  const std::span<double> decoded = decoded_[static_cast<size_t>(worker.number())].span();
  const auto columns = static_cast<size_t>(source_.columns());
  for (int64_t begin = range.begin; begin < range.end; begin += TransformRows(sweep_)) {
    const int64_t end = std::min(range.end, begin + TransformRows(sweep_));
    for (int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<size_t>(i);
      store_.template Get<double>(
          source_, batch_.slots[index], batch_.numbers[index],
          decoded.subspan(static_cast<size_t>(i - begin) * columns, columns));
    }
    const auto values = static_cast<size_t>(end - begin) * columns;
    std::ranges::copy(transform_->Apply(decoded.first(values), end - begin, worker.number()),
                      out.begin() + (begin - range.begin) * columns_);
  }
}

template class BatchStream<float>;
template class BatchStream<double>;

}  // namespace rhohat
