#include "convert/copy_rows.h"

#include <algorithm>

namespace rhohat {

int64_t ForEachBlock(RowSource& source, RowRange range, int64_t block_rows,
                     const RunControl& control, const std::function<void(const RawRows&)>& use) {
  RawRows raw;
  int64_t begin = range.begin;
  while (begin < range.end && !control.stop_requested()) {
    const int64_t end = std::min(begin + block_rows, range.end);
    FetchAndUnpack(source, {begin, end}, raw);
    use(raw);
    begin = end;
  }
  return begin;
}

int64_t CopyRows(RowSource& source, int64_t block_rows, RowEncoder& encoder, Hdf5Writer& writer,
                 const RunControl& control, const std::function<void(int64_t)>& progress) {
  return ForEachBlock(source, {0, source.rows()}, block_rows, control, [&](const RawRows& raw) {
    writer.Append(encoder.Encode(source, raw));
    progress(raw.range.end);
  });
}

}  // namespace rhohat
