// Rows that lie one after another behind a header, as in IDX and most NumPy files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "formats/byte_stream.h"
#include "formats/row_layout.h"

namespace rhohat {

class StreamSource final : public RowSource {
 public:
  // `stream` stands at the end of the header. Throws Error(kBadData) where the stream's
  // size, as far as it tells, contradicts the layout.
  StreamSource(std::unique_ptr<ByteStream> stream, const RowLayout& layout);

  int64_t rows() const override { return layout_.rows; }
  int64_t columns() const override { return layout_.columns; }
  ElementType type() const override { return layout_.type; }
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override { return stream_->BufferBytes(); }
  // After the last row checks that the file ends there too, and with it the checksum of packed
  // data.
  void Fetch(RowRange range, RawRows& out) override;
  void Unpack(RawRows& rows) const override;
  std::string Locate(int64_t row) const override;
  uint64_t bytes_read() const override { return stream_->bytes_read(); }

 private:
  void StartPass();
  void SkipRows(int64_t count);
  void ReadRows(RowRange range, std::vector<std::byte>& bytes);
  // `element_bytes` were found behind the header.
  [[noreturn]] void ThrowCutShort(uint64_t element_bytes) const;
  void CheckEnd();

  std::unique_ptr<ByteStream> stream_;
  RowLayout layout_;
  int64_t row_bytes_ = 0;
  int64_t next_row_ = 0;
};

// A file's first bytes, for the parsers of headers. Throws Error(kBadData) where there are not that
// many.
void ReadHeaderBytes(ByteStream& stream, std::span<std::byte> out);

}  // namespace rhohat
