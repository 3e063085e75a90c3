#include "sweep/row_store.h"

#include <cstring>
#include <type_traits>

#include "base/units.h"
#include "data/decode.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

template <class T>
bool IsDecoded(ElementType type, bool keep_stored) {
  return !keep_stored && ElementBytes(type) >= sizeof(T);
}

}  // namespace

template <class T>
size_t RowStore<T>::BytesPerRow(int64_t columns, ElementType type, bool keep_stored) {
  const bool decoded = IsDecoded<T>(type, keep_stored);
  return static_cast<size_t>(columns) * (decoded ? sizeof(T) : ElementBytes(type)) +
         (decoded ? 0 : sizeof(ElementType));
}

template <class T>
RowStore<T>::RowStore(int64_t slots, int64_t columns, ElementType type, bool keep_stored)
    : decoded_(IsDecoded<T>(type, keep_stored)),
      columns_(static_cast<size_t>(columns)),
      row_bytes_(columns_ * (decoded_ ? sizeof(T) : ElementBytes(type))),
      memory_(static_cast<size_t>(
          CheckedProduct(slots, static_cast<int64_t>(row_bytes_), "the rows in memory"))) {
  if (!decoded_) types_.resize(static_cast<size_t>(slots));
}

template <class T>
void RowStore<T>::Put(const RowSource& source, const RawRows& raw, std::span<const int64_t> slots) {
  RawRows one;  // a row of a piece, decoded in its place
  for (const RawRows::Piece& piece : raw.pieces) {
    const size_t element = ElementBytes(piece.type);
    for (int64_t i = 0; i < piece.rows; ++i) {
      const int64_t slot = slots[static_cast<size_t>(piece.first_row + i)];
      if (slot < 0) continue;
      const std::byte* stored = piece.data + static_cast<size_t>(i) * piece.row_stride;
      const auto first = static_cast<size_t>(piece.first_column);
      if (!decoded_) {
        if (element * columns_ > row_bytes_) {
          throw Error(ErrorKind::kInternal, "rows are wider than their source said");
        }
        std::memcpy(RowOf(slot) + first * element, stored,
                    static_cast<size_t>(piece.columns) * element);
        types_[static_cast<size_t>(slot)] = piece.type;
        continue;
      }
      one.Start({raw.range.begin + piece.first_row + i, raw.range.begin + piece.first_row + i + 1});
      one.pieces.push_back(piece);
      one.pieces.front().first_row = 0;
      one.pieces.front().rows = 1;
      one.pieces.front().data = stored;
      DecodeRows(source, one, std::span(reinterpret_cast<T*>(RowOf(slot)), columns_));
    }
  }
}

template <class T>
void RowStore<T>::Put(std::span<const T> rows, int64_t first_slot) {
  std::memcpy(RowOf(first_slot), rows.data(), rows.size_bytes());
}

template <class T>
template <class U>
void RowStore<T>::Get(const RowSource& source, int64_t slot, int64_t row, std::span<U> out) const {
  if (decoded_ && std::is_same_v<T, U>) {
    std::memcpy(out.data(), RowOf(slot), row_bytes_);
  } else if (!DecodeElements(type(slot), RowOf(slot), out)) {
    RawRows one;  // decoded once more, for its message
    one.Start({row, row + 1});
    one.pieces.push_back({.type = type(slot),
                          .rows = 1,
                          .columns = static_cast<int64_t>(columns_),
                          .data = RowOf(slot),
                          .row_stride = columns_ * ElementBytes(type(slot))});
    DecodeRows(source, one, out);
  }
}

template <class T>
void StoreSource<T>::Fetch(RowRange range, RawRows& out) {
  out.Start(range);
  for (int64_t row = range.begin; row < range.end; ++row) {
    // A row may take less than the widest type does.
    out.AddPiece({.type = store_.type(row),
                  .first_row = row - range.begin,
                  .rows = 1,
                  .columns = columns_,
                  .data = store_.data(row),
                  .row_stride = store_.row_bytes()});
  }
}

template class StoreSource<float>;
template class StoreSource<double>;
template class RowStore<float>;
template class RowStore<double>;
template void RowStore<float>::Get(const RowSource&, int64_t, int64_t, std::span<float>) const;
template void RowStore<float>::Get(const RowSource&, int64_t, int64_t, std::span<double>) const;
template void RowStore<double>::Get(const RowSource&, int64_t, int64_t, std::span<double>) const;

}  // namespace rhohat
