#include "formats/raw_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "formats/stream_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void Validate(const RawOptions& options, const std::string& path) {
  if (options.columns < 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: raw numbers need a number of columns of at least 1, found {}",
                            path, options.columns));
  }
  if (options.offset < 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: the offset of raw numbers must not be negative, found {}", path,
                            options.offset));
  }
}

uint64_t CountBytes(ByteStream& stream) {
  if (const auto known = stream.ContentBytes()) return *known;
  const uint64_t count = Skip(stream, UINT64_MAX);
  stream.Rewind();
  return count;
}

int64_t CountRows(uint64_t content, int64_t row_bytes, const RawOptions& options,
                  const std::string& path) {
  const auto offset = static_cast<uint64_t>(options.offset);
  const auto row = static_cast<uint64_t>(std::max<int64_t>(1, row_bytes));
  const uint64_t elements = content > offset ? content - offset : 0;
  if (elements >= row && elements % row == 0) return static_cast<int64_t>(elements / row);
  const std::string left = elements < row ? "fewer than one row"
                                          : fmt::format("{} rows and {} bytes left over",
                                                        elements / row, elements % row);
  throw Error(
      ErrorKind::kBadData,
      fmt::format("{}: expected rows of {} bytes, for {} columns of {}, after {} bytes, "
                  "found {} bytes in all: {}; check type, columns and offset",
                  path, row, options.columns, ElementName(options.type), offset, content, left));
}

}  // namespace

std::unique_ptr<RowSource> OpenRaw(std::unique_ptr<ByteStream> stream, const RawOptions& options) {
  Validate(options, stream->path());
  RowLayout layout = {.type = options.type,
                      .rows = 1,
                      .columns = options.columns,
                      .header_bytes = static_cast<uint64_t>(options.offset)};
  const int64_t row_bytes = BytesOf(layout, stream->path()).row;
  layout.rows = CountRows(CountBytes(*stream), row_bytes, options, stream->path());
  Skip(*stream, layout.header_bytes);
  return std::make_unique<StreamSource>(std::move(stream), layout);
}

}  // namespace rhohat
