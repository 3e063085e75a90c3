#include "sweep/batch_reader.h"

#include <algorithm>
#include <chrono>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kGone = -1;  // the number of a row that was visited

}  // namespace

template <class T>
int64_t BatchReader<T>::Slots(const BatchOrderOptions& order, int64_t batch_rows) {
  // One batch is computed, one is ready, one grows; and a unit arrives.
  constexpr int64_t kBatches = 3;
  return order.mix_rows + order.unit_rows + kBatches * batch_rows;
}

template <class T>
BatchReader<T>::BatchReader(RowSource& source, RowStore<T>& store,
                            const BatchReaderOptions& options)
    : source_(source),
      store_(store),
      options_(options),
      units_in_epoch_(UnitOrder(options.order).size()),
      units_(units_in_epoch_ * options.epochs),
      unit_epoch_(options.order.epoch),
      unit_order_(options.order) {
  const int64_t slots = Slots(options.order, options.batch_rows);
  for (int64_t slot = slots - 1; slot >= 0; --slot) free_slots_.push_back(slot);
  window_.emplace(options.order);
  if (options.rows_done > 0) GoTo(options.rows_done);
  for (int64_t i = 0; i < options.threads; ++i) {
    try {
      threads_.emplace_back([this] { Run(); });
    } catch (...) {
      if (threads_.empty()) throw;
    }
  }
}

template <class T>
BatchReader<T>::~BatchReader() {
  const std::lock_guard lock(mutex_);
  quitting_ = true;
  changed_.notify_all();
}

template <class T>
BatchOrderOptions BatchReader<T>::OrderOf(int64_t epoch) const {
  BatchOrderOptions order = options_.order;
  order.epoch = epoch;
  return order;
}

// ---- Going on in the middle --------------------------------------------------------------------

// Once the window is full, every row that arrives has another one visited.
template <class T>
void BatchReader<T>::GoTo(int64_t rows_done) {
  const BatchOrderOptions& order = options_.order;
  const int64_t drained = PassOver(std::min(order.rows, order.mix_rows + rows_done));
  for (int64_t i = drained; i < rows_done; ++i) window_->Drain()->number = kGone;
  visited_ = rows_done;
  next_unit_ = turn_ = copied_until_ = first_unit_;
  ReadResidents();
}

// Lets the first rows of the epoch arrive without reading them. Returns how many were visited.
template <class T>
int64_t BatchReader<T>::PassOver(int64_t arrivals) {
  int64_t visited = 0;
  for (first_unit_ = 0; first_unit_ < units_in_epoch_; ++first_unit_) {
    const RowRange range = (*unit_order_)(first_unit_);
    skipped_rows_ = std::min(range.size(), arrivals);
    for (int64_t row = range.begin; row < range.begin + skipped_rows_; ++row) {
      if (window_->Arrive({row, -1})) ++visited;
    }
    arrivals -= skipped_rows_;
    if (skipped_rows_ < range.size()) return visited;
  }
  --first_unit_;  // all of it is passed over, and what is left of the epoch is in the window
  return visited;
}

// Brings the rows that stand in the window, unit by unit.
template <class T>
void BatchReader<T>::ReadResidents() {
  std::vector<Entry*> residents;
  for (Entry& entry : window_->places()) {
    if (entry.number != kGone) residents.push_back(&entry);
  }
  std::ranges::sort(residents, {}, &Entry::number);
  RawRows raw;
  std::vector<int64_t> slots;
  for (auto next = residents.begin(); next != residents.end();) {
    const int64_t begin = (*next)->number / options_.order.unit_rows * options_.order.unit_rows;
    const RowRange range{begin, std::min(source_.rows(), begin + options_.order.unit_rows)};
    slots.assign(static_cast<size_t>(range.size()), -1);
    for (; next != residents.end() && (*next)->number < range.end; ++next) {
      (*next)->slot = free_slots_.back();
      free_slots_.pop_back();
      slots[static_cast<size_t>((*next)->number - begin)] = (*next)->slot;
    }
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      throw Stopped("stopped on request");
    }
    FetchAndUnpack(source_, range, raw);
    store_.Put(source_, raw, slots);
  }
}

// ---- The background threads --------------------------------------------------------------------

template <class T>
void BatchReader<T>::Run() {
  RawRows raw;
  while (const std::optional<Unit> unit = FetchNext(raw)) {
    try {
      Process(*unit, raw);
    } catch (...) {
      Fail(*unit);
    }
    raw.Start({});  // lets go of parcels and files
  }
}

template <class T>
std::optional<typename BatchReader<T>::Unit> BatchReader<T>::FetchNext(RawRows& raw) {
  const std::lock_guard fetch_lock(fetch_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (quitting_ || failure_ != nullptr || next_unit_ == units_) return std::nullopt;
  }
  Unit unit{.index = next_unit_++, .range = {}};
  try {
    const int64_t epoch = options_.order.epoch + unit.index / units_in_epoch_;
    if (epoch != unit_epoch_) unit_order_.emplace(OrderOf(epoch));
    unit_epoch_ = epoch;
    unit.range = (*unit_order_)(unit.index % units_in_epoch_);
    source_.Fetch(unit.range, raw);
  } catch (...) {
    Fail(unit);
    return std::nullopt;
  }
  return unit;
}

template <class T>
void BatchReader<T>::Process(const Unit& unit, RawRows& raw) {
  for (size_t i = raw.parcels.size() - raw.new_parcels; i < raw.parcels.size(); ++i) {
    raw.parcels[i]->Read();
    raw.parcels[i]->Unpack();
  }
  source_.Read(raw);
  // A parcel that is not new is unpacked by the thread of a unit before, and is there when that
  // unit has had its turn.
  const std::optional<std::vector<int64_t>> slots = Place(unit);
  if (!slots) return;
  source_.Unpack(raw);
  store_.Put(source_, raw, *slots);
  NoteCopied(unit);
}

// Waits for the unit's turn and for slots, and gives its rows places in the window. Nothing where
// there is no point in going on.
template <class T>
std::optional<std::vector<int64_t>> BatchReader<T>::Place(const Unit& unit) {
  std::unique_lock lock(mutex_);
  const auto hopeless = [&] { return quitting_ || failed_unit_ < unit.index; };
  changed_.wait(lock, [&] {
    return hopeless() || (turn_ == unit.index && std::ssize(free_slots_) >= unit.range.size());
  });
  if (hopeless()) return std::nullopt;
  if (unit.index > 0 && unit.index % units_in_epoch_ == 0) {
    window_.emplace(OrderOf(options_.order.epoch + unit.index / units_in_epoch_));
    visited_ = 0;
  }
  std::vector<int64_t> slots(static_cast<size_t>(unit.range.size()), -1);
  const int64_t skipped = unit.index == first_unit_ ? skipped_rows_ : 0;
  for (int64_t i = skipped; i < unit.range.size(); ++i) {
    const int64_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots[static_cast<size_t>(i)] = slot;
    if (const auto entry = window_->Arrive({unit.range.begin + i, slot})) Visit(unit, *entry);
  }
  if ((unit.index + 1) % units_in_epoch_ == 0) {
    while (const Entry* entry = window_->Drain()) Visit(unit, *entry);
  }
  ++turn_;
  changed_.notify_all();
  return slots;
}

// Behind mutex_.
template <class T>
void BatchReader<T>::Visit(const Unit& unit, const Entry& entry) {
  if (batches_.empty() || batches_.back().complete) batches_.emplace_back();
  Pending& batch = batches_.back();
  batch.rows.numbers.push_back(entry.number);
  batch.rows.slots.push_back(entry.slot);
  batch.last_unit = unit.index;
  ++visited_;
  batch.complete = visited_ % options_.batch_rows == 0 || visited_ == options_.order.rows;
}

template <class T>
void BatchReader<T>::NoteCopied(const Unit& unit) {
  const std::lock_guard lock(mutex_);
  copied_.insert(unit.index);
  while (!copied_.empty() && *copied_.begin() == copied_until_) {
    copied_.erase(copied_.begin());
    ++copied_until_;
  }
  changed_.notify_all();
}

template <class T>
void BatchReader<T>::Fail(const Unit& unit) {
  const std::lock_guard lock(mutex_);
  if (unit.index < failed_unit_) {
    failed_unit_ = unit.index;
    failure_ = std::current_exception();
  }
  changed_.notify_all();
}

// ---- The computing side ------------------------------------------------------------------------

template <class T>
bool BatchReader<T>::Next(BatchRows& batch) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kStopInterval{100};
  const Clock::time_point began = Clock::now();
  const auto throw_if_stopped = [&] {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      throw Stopped("stopped on request");
    }
  };
  throw_if_stopped();  // also where there is always a batch in time
  std::unique_lock lock(mutex_);
  free_slots_.insert(free_slots_.end(), batch.slots.begin(), batch.slots.end());
  batch.numbers.clear();
  batch.slots.clear();
  changed_.notify_all();
  const auto is_complete = [&] {
    return !batches_.empty() && batches_.front().complete &&
           copied_until_ > batches_.front().last_unit;
  };
  while (!is_complete()) {
    if (failure_ != nullptr && copied_until_ >= failed_unit_) std::rethrow_exception(failure_);
    if (batches_.empty() && copied_until_ == units_) return false;
    throw_if_stopped();
    changed_.wait_for(lock, kStopInterval);
  }
  std::swap(batch, batches_.front().rows);
  batches_.pop_front();
  wait_seconds_ += std::chrono::duration<double>(Clock::now() - began).count();
  return true;
}

template class BatchReader<float>;
template class BatchReader<double>;

}  // namespace rhohat
