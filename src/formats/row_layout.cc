#include "formats/row_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {

LayoutBytes BytesOf(const RowLayout& layout, const std::string& path) {
  const std::string what = fmt::format("{}: the size of its rows", path);
  LayoutBytes bytes;
  bytes.row = CheckedProduct(layout.columns, static_cast<int64_t>(ElementBytes(layout.type)), what);
  bytes.elements = CheckedProduct(layout.rows, bytes.row, what);
  if (__builtin_add_overflow(bytes.elements, layout.header_bytes, &bytes.content)) {
    throw Error(ErrorKind::kBadData, fmt::format("{} is too large", what));
  }
  return bytes;
}

std::string PromiseOf(const RowLayout& layout, const std::string& path) {
  return fmt::format("{}: expected {} bytes, for {} rows × {} columns of {}", path,
                     BytesOf(layout, path).content, layout.rows, layout.columns,
                     ElementName(layout.type));
}

void CheckSize(const ByteStream& stream, const RowLayout& layout) {
  const auto expected = static_cast<uint64_t>(BytesOf(layout, stream.path()).content);
  const std::optional<uint64_t> found = stream.ContentBytes();
  if (found && *found != expected) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}, found {}: the file {}", PromiseOf(layout, stream.path()), *found,
                            *found < expected ? "is cut short" : "goes on after its rows"));
  }
  // The directory of an archive may lie in unison with the header.
  if (expected <= stream.MostContentBytes()) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}, found {} of packed data, which cannot hold them",
                          PromiseOf(layout, stream.path()), FormatBytes(stream.StoredBytes())));
}

void CheckTruthValues(const RowSource& source, const RawRows& rows) {
  const RawRows::Piece& piece = rows.pieces.front();
  const auto bytes = std::span(piece.data, static_cast<size_t>(piece.rows * piece.columns));
  const auto wrong = std::ranges::find_if(bytes, [](std::byte b) { return b > std::byte{1}; });
  if (wrong == bytes.end()) return;
  const int64_t position = wrong - bytes.begin();
  throw Error(ErrorKind::kBadData,
              fmt::format("{}, column {}: expected 0 or 1 of a boolean, found {}",
                          source.Locate(rows.range.begin + position / piece.columns),
                          position % piece.columns, std::to_integer<int>(*wrong)));
}

}  // namespace rhohat
