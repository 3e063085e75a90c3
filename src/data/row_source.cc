#include "data/row_source.h"

namespace rhohat {

void RawRows::SetOnePiece(ElementType type, int64_t columns) {
  pieces.assign(1, {.type = type,
                    .rows = range.size(),
                    .columns = columns,
                    .data = bytes.data(),
                    .row_stride = static_cast<size_t>(columns) * ElementBytes(type)});
}

void FetchAndUnpack(RowSource& source, RowRange range, RawRows& out) {
  source.Fetch(range, out);
  for (size_t i = out.parcels.size() - out.new_parcels; i < out.parcels.size(); ++i) {
    out.parcels[i]->Read();
    out.parcels[i]->Unpack();
  }
  source.Read(out);
  source.Unpack(out);
}

}  // namespace rhohat
