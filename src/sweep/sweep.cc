#include "sweep/sweep.h"

#include <type_traits>

#include "data/decode.h"

namespace rhohat {
namespace {

template <class T>
constexpr ElementType kNativeType{
    std::is_same_v<T, float> ? ElementKind::kFloat32 : ElementKind::kFloat64, false};

}  // namespace

template <class T>
Sweep<T>::Sweep(RowSource& source, Executor& executor, const SweepOptions& options,
                RowTransform<T>* transform)
    : executor_(executor), pass_(source, executor, options), transform_(transform) {
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
template <class U>
std::span<const U> Sweep<T>::Decode(const RawBlock& raw, const AlignedBuffer<U>& buffer) {
  const RawRows& rows = *raw.rows;
  const auto columns = static_cast<size_t>(pass_.source().columns());
  const size_t count = static_cast<size_t>(rows.range.size()) * columns;
  const RawRows::Piece& piece = rows.pieces.front();
  if (rows.pieces.size() == 1 && piece.type == kNativeType<U> &&
      piece.row_stride == columns * sizeof(U)) {
    const std::span<const U> in_place(reinterpret_cast<const U*>(piece.data), count);
    if (AllFinite(in_place)) return in_place;
  }
  const std::span<U> decoded = buffer.span().first(count);
  DecodeRows(pass_.source(), rows, decoded);
  return decoded;
}

template <class T>
Block<T> Sweep<T>::MakeBlock(const RawBlock& raw) {
  const RowRange range = raw.rows->range;
  const auto worker = static_cast<size_t>(raw.worker);
  const std::span<const T> rows =
      transform_ != nullptr
          ? transform_->Apply(Decode(raw, decoded_double_[worker]), range.size(), raw.worker)
          : Decode(raw, decoded_[worker]);
  return {.index = raw.index,
          .range = range,
          .rows = rows,
          .worker = raw.worker,
          .numbers = pass_.source().Numbers(range)};
}

template <class T>
int64_t Sweep<T>::RunBlocks(const BlockFunction& function) {
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
