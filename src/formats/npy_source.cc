#include "formats/npy_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "formats/column_major_source.h"
#include "formats/npy_type.h"
#include "formats/stream_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;
constexpr uint64_t kMostHeaderBytes = 64 << 10;

// Bytes of the field that holds the header's length.
size_t ReadLengthSize(ByteStream& stream) {
  std::array<std::byte, kMagic.size() + kVersionBytes> start = {};
  ReadHeaderBytes(stream, start);
  if (!LooksLikeNpy(start)) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: expected a NumPy .npy file, found other first bytes", stream.path()));
  }
  const int major = std::to_integer<int>(start[kMagic.size()]);
  const int minor = std::to_integer<int>(start[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected .npy version 1.0, 2.0 or 3.0, found {}.{}", stream.path(),
                            major, minor));
  }
  return major == 1 ? 2 : 4;
}

// The text of the header; `offset` becomes the number of bytes up to its end.
std::string ReadHeaderText(ByteStream& stream, uint64_t& offset) {
  const size_t length_size = ReadLengthSize(stream);
  std::array<std::byte, 4> length_bytes = {};
  ReadHeaderBytes(stream, std::span(length_bytes).first(length_size));
  uint64_t length = 0;
  for (size_t i = length_size; i-- > 0;) {
    length = length << 8 | std::to_integer<uint64_t>(length_bytes[i]);
  }
  if (length > kMostHeaderBytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a header of at most {} bytes, found a length of {}",
                            stream.path(), kMostHeaderBytes, length));
  }
  std::string text(length, '\0');
  ReadHeaderBytes(stream, std::as_writable_bytes(std::span(text)));
  offset = kMagic.size() + kVersionBytes + length_size + length;
  return text;
}

int64_t CountColumns(const NpyHeader& header, const std::string& path) {
  int64_t columns = 1;
  for (const int64_t length : std::span(header.shape).subspan(1)) {
    columns = CheckedProduct(columns, length, fmt::format("{}: the columns in its header", path));
  }
  return columns;
}

void CheckIsRows(const NpyHeader& header, const std::string& path) {
  const std::vector<int64_t>& shape = header.shape;
  if (shape.size() < 2) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows and columns, found an array of {}; give it a second "
                            "axis, as with array.reshape(rows, -1)",
                            path, shape.empty() ? "no axes" : "one axis"));
  }
  if (std::ranges::find(shape, 0) != shape.end()) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected at least one row and one column, "
                                                 "found an array with an axis of length 0",
                                                 path));
  }
}

// Where at most one axis is longer than 1, both orders are the same.
bool IsColumnMajor(const NpyHeader& header) {
  return header.fortran_order &&
         std::ranges::count_if(header.shape, [](int64_t length) { return length > 1; }) > 1;
}

}  // namespace

bool LooksLikeNpy(std::span<const std::byte> first_bytes) {
  const auto magic = std::as_bytes(std::span(kMagic));
  return first_bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), first_bytes.begin());
}

NpyHeader ReadNpyHeader(ByteStream& stream) {
  uint64_t bytes = 0;
  const std::string text = ReadHeaderText(stream, bytes);
  NpyHeader header = ParseNpyHeader(text, stream.path());
  header.bytes = bytes;
  return header;
}

std::unique_ptr<RowSource> OpenNpy(std::unique_ptr<ByteStream> stream,
                                   const std::string& spool_folder) {
  const NpyHeader header = ReadNpyHeader(*stream);
  RowLayout layout = {.type = NpyType(header.descr, stream->path()),
                      .header_bytes = header.bytes,
                      .truth_values = IsNpyBoolean(header.descr)};
  CheckIsRows(header, stream->path());
  layout.rows = header.shape[0];
  layout.columns = CountColumns(header, stream->path());
  if (!IsColumnMajor(header)) return std::make_unique<StreamSource>(std::move(stream), layout);
  return std::make_unique<ColumnMajorSource>(
      std::move(stream), layout, std::vector<int64_t>(header.shape.begin() + 1, header.shape.end()),
      spool_folder);
}

}  // namespace rhohat
