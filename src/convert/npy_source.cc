#include "convert/npy_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "convert/npy_header.h"
#include "convert/stream_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;
constexpr uint64_t kMostHeaderBytes = 64 << 10;

struct NamedKind {
  std::string_view name;
  ElementKind kind;
};

// NumPy's letter and size, without the byte order.
constexpr std::array<NamedKind, 12> kKinds = {{{"b1", ElementKind::kUint8},
                                               {"i1", ElementKind::kInt8},
                                               {"u1", ElementKind::kUint8},
                                               {"i2", ElementKind::kInt16},
                                               {"u2", ElementKind::kUint16},
                                               {"i4", ElementKind::kInt32},
                                               {"u4", ElementKind::kUint32},
                                               {"i8", ElementKind::kInt64},
                                               {"u8", ElementKind::kUint64},
                                               {"f2", ElementKind::kFloat16},
                                               {"f4", ElementKind::kFloat32},
                                               {"f8", ElementKind::kFloat64}}};

// For messages: nothing that a damaged header holds can break the line.
std::string Printable(std::string_view text) {
  constexpr size_t kMostShown = 60;
  std::string shown(text.substr(0, kMostShown));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMostShown ? shown + "…" : shown;
}

ElementType TypeOf(std::string_view descr, const std::string& path) {
  const bool has_order = !descr.empty() && std::string_view("<>=|").find(descr[0]) != descr.npos;
  if (has_order) {
    for (const NamedKind& named : kKinds) {
      if (named.name != descr.substr(1)) continue;
      // '=' is this machine's byte order, which is little-endian (data/element_type.cc); '|' is
      // none.
      return {named.kind, descr[0] == '>' && ElementBytes({named.kind, false}) > 1};
    }
  }
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected an array of integers or of 2-, 4- or 8-byte floats, found "
                          "dtype {}; convert it with array.astype('float32')",
                          path, Printable(descr)));
}

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

void CheckIsRows(const NpyHeader& header, const std::string& path) {
  const std::vector<int64_t>& shape = header.shape;
  if (shape.size() < 2) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows and columns, found an array of {}; give it a second "
                            "axis, as with array.reshape(rows, -1)",
                            path, shape.empty() ? "no axes" : "one axis"));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected at least one row and one column, "
                                                 "found an array with an axis of length 0",
                                                 path));
  }
  if (header.fortran_order) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows one after another, found an array in Fortran order; "
                            "save it again as numpy.ascontiguousarray(array)",
                            path));
  }
}

}  // namespace

bool LooksLikeNpy(std::span<const std::byte> first_bytes) {
  const auto magic = std::as_bytes(std::span(kMagic));
  return first_bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), first_bytes.begin());
}

std::unique_ptr<RowSource> OpenNpy(std::unique_ptr<ByteStream> stream) {
  RowLayout layout;
  const std::string text = ReadHeaderText(*stream, layout.header_bytes);
  const NpyHeader header = ParseNpyHeader(text, stream->path());
  layout.type = TypeOf(header.descr, stream->path());
  CheckIsRows(header, stream->path());
  layout.rows = header.shape[0];
  layout.columns = 1;
  for (size_t i = 1; i < header.shape.size(); ++i) {
    layout.columns = CheckedProduct(layout.columns, header.shape[i],
                                    fmt::format("{}: the columns in its header", stream->path()));
  }
  return std::make_unique<StreamSource>(std::move(stream), layout);
}

}  // namespace rhohat
