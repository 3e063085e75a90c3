#include "sweep/sweep.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "data/decode.h"
#include "sweep/sweep_group.h"

namespace rhohat {
namespace {

// What is used where it was read to may lie anywhere.
template <class T>
bool IsAligned(const std::byte* data) {
  return reinterpret_cast<uintptr_t>(data) % alignof(T) == 0;
}

// Rows are kept as they are stored where that is smaller.
template <class T>
bool IsSmaller(ElementType stored) {
  return ElementBytes(stored) < sizeof(T);
}

template <class T>
std::unique_ptr<BlockCache> MakeCache(const RowSource& source, const SweepOptions& options,
                                      const RowTransform<T>* transform) {
  if (options.cache_bytes == 0) return nullptr;
  const int64_t transform_columns = transform != nullptr ? transform->columns() : 0;
  const CacheShape shape{
      .rows = source.rows(),
      .block_rows = options.block_rows,
      .parcel_rows = source.ParcelRows(),
      .row_bytes = Sweep<T>::KeptRowBytes(source.type(), source.columns(), transform_columns)};
  auto cache = std::make_unique<BlockCache>(shape, options.cache_bytes);
  if (cache->blocks().count() == 0) cache.reset();
  return cache;
}

}  // namespace

template <class T>
Sweep<T>::Sweep(RowSource& source, Executor& executor, const SweepOptions& options,
                RowTransform<T>* transform, SweepGroup<T>* group)
    : executor_(executor),
      transform_(transform),
      group_(group),
      cache_(group == nullptr ? MakeCache(source, options, transform) : nullptr),
      pass_(source, executor, options, cache_.get()),
      keeps_as_stored_(transform == nullptr && IsSmaller<T>(source.type())) {
  if (group != nullptr) return;
  const auto block_values =
      static_cast<size_t>(options.block_rows) * static_cast<size_t>(source.columns());
  for (int64_t worker = 0; worker < executor.threads(); ++worker) {
    if (transform != nullptr) {
      decoded_double_.emplace_back(block_values);
    } else {
      decoded_.emplace_back(block_values);
    }
  }
}

template <class T>
uint64_t Sweep<T>::KeptRowBytes(ElementType stored, int64_t columns, int64_t transform_columns) {
  if (transform_columns > 0) return static_cast<uint64_t>(transform_columns) * sizeof(T);
  return static_cast<uint64_t>(columns) * (IsSmaller<T>(stored) ? ElementBytes(stored) : sizeof(T));
}

template <class T>
bool Sweep<T>::keeps(int64_t block) const {
  if (group_ != nullptr) return group_->keeps(block);
  return cache_ != nullptr && cache_->blocks().Keeps(block);
}

template <class T>
template <class U>
std::span<const U> Sweep<T>::Decode(const RawBlock& raw, std::span<U> buffer) {
  const RawRows& rows = *raw.rows;
  const auto columns = static_cast<size_t>(pass_.source().columns());
  const size_t count = static_cast<size_t>(rows.range.size()) * columns;
  const RawRows::Piece& piece = rows.pieces.front();
  if (rows.pieces.size() == 1 && piece.type == kNativeType<U> &&
      piece.row_stride == columns * sizeof(U) && IsAligned<U>(piece.data)) {
    const std::span<const U> in_place(reinterpret_cast<const U*>(piece.data), count);
    if (AllFinite(in_place)) return in_place;
  }
  const std::span<U> decoded = buffer.first(count);
  DecodeRows(pass_.source(), rows, decoded);
  return decoded;
}

template <class T>
Block<T> Sweep<T>::MakeBlock(const RawBlock& raw) {
  const std::span<const T> rows = raw.is_kept        ? KeptRows(raw)
                                  : keeps(raw.index) ? ReadAndKeep(raw)
                                                     : ReadRows(raw);
  const RowRange range = raw.rows->range;
  return {.index = raw.index,
          .range = range,
          .rows = rows,
          .worker = raw.worker,
          .numbers = pass_.source().Numbers(range)};
}

template <class T>
std::span<const T> Sweep<T>::ReadRows(const RawBlock& raw) {
  const auto worker = static_cast<size_t>(raw.worker);
  if (transform_ == nullptr) return Decode(raw, decoded_[worker].span());
  return transform_->Apply(Decode(raw, decoded_double_[worker].span()), raw.rows->range.size(),
                           raw.worker);
}

template <class T>
std::span<const T> Sweep<T>::ReadAndKeep(const RawBlock& raw) {
  if (keeps_as_stored_) {
    const std::span<const T> rows = ReadRows(raw);
    if (KeepAsStored(raw)) cache_->SetFilled(raw.index);
    return rows;
  }
  const std::span<T> place = PlaceOf(raw);
  const std::span<const T> rows = transform_ != nullptr ? ReadRows(raw) : Decode(raw, place);
  if (rows.data() != place.data()) std::ranges::copy(rows, place.begin());
  cache_->SetFilled(raw.index);
  return rows;
}

template <class T>
std::span<const T> Sweep<T>::KeptRows(const RawBlock& raw) {
  if (!keeps_as_stored_) return PlaceOf(raw);
  const std::span<T> rows = decoded_[static_cast<size_t>(raw.worker)].span().first(
      static_cast<size_t>(raw.rows->range.size() * columns()));
  ConvertElements(pass_.source().type(), cache_->Place(raw.index), rows);
  return rows;
}

// Of numbers.
template <class T>
std::span<T> Sweep<T>::PlaceOf(const RawBlock& raw) const {
  return {reinterpret_cast<T*>(cache_->Place(raw.index)),
          static_cast<size_t>(raw.rows->range.size() * columns())};
}

// Puts the pieces together, without gaps. False where a source does not keep to its own type: such
// a block is read anew in each pass.
template <class T>
bool Sweep<T>::KeepAsStored(const RawBlock& raw) {
  const ElementType type = pass_.source().type();
  const size_t element = ElementBytes(type);
  const size_t row_bytes = static_cast<size_t>(columns()) * element;
  std::byte* const place = cache_->Place(raw.index);
  for (const RawRows::Piece& piece : raw.rows->pieces) {
    if (piece.type != type) return false;
    const size_t bytes = static_cast<size_t>(piece.columns) * element;
    std::byte* to = place + static_cast<size_t>(piece.first_row) * row_bytes +
                    static_cast<size_t>(piece.first_column) * element;
    const std::byte* from = piece.data;
    for (int64_t i = 0; i < piece.rows; ++i, to += row_bytes, from += piece.row_stride) {
      std::memcpy(to, from, bytes);
    }
  }
  return true;
}

template <class T>
int64_t Sweep<T>::RunBlocks(const BlockFunction& function) {
  if (group_ != nullptr) return group_->Run(pass_, function);
  return pass_.Run([&](const RawBlock& raw) { function(MakeBlock(raw), raw.lane); });
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

template class Sweep<float>;
template class Sweep<double>;

}  // namespace rhohat
