#include "formats/idx_source.h"

#include <fmt/core.h>

#include <array>
#include <utility>
#include <vector>

#include "base/units.h"
#include "formats/stream_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kMagicBytes = 4;
constexpr size_t kAxisBytes = 4;

ElementType TypeOf(std::byte code, const std::string& path) {
  switch (std::to_integer<int>(code)) {
    case 0x08:
      return {ElementKind::kUint8, false};
    case 0x09:
      return {ElementKind::kInt8, false};
    case 0x0B:
      return {ElementKind::kInt16, true};
    case 0x0C:
      return {ElementKind::kInt32, true};
    case 0x0D:
      return {ElementKind::kFloat32, true};
    case 0x0E:
      return {ElementKind::kFloat64, true};
    default:
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected an IDX type of 08, 09, 0b, 0c, 0d or 0e, found {:02x}",
                              path, std::to_integer<int>(code)));
  }
}

std::vector<int64_t> ReadAxes(ByteStream& stream, size_t count) {
  std::vector<std::byte> bytes(count * kAxisBytes);
  ReadHeaderBytes(stream, bytes);
  std::vector<int64_t> axes(count, 0);
  for (size_t i = 0; i < bytes.size(); ++i) {
    axes[i / kAxisBytes] = axes[i / kAxisBytes] << 8 | std::to_integer<int64_t>(bytes[i]);
  }
  return axes;
}

void CheckAxes(const std::vector<int64_t>& axes, const std::string& path) {
  if (axes.size() == 1) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows of numbers, found a single number for each of {} "
                            "rows: labels; give the file with the images instead",
                            path, axes[0]));
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == 0) {
      throw Error(ErrorKind::kBadData, fmt::format("{}: expected at least one row and one column, "
                                                   "found an IDX file whose axis {} has length 0",
                                                   path, i));
    }
  }
}

}  // namespace

bool LooksLikeIdx(std::span<const std::byte> first_bytes) {
  return first_bytes.size() >= kMagicBytes && first_bytes[0] == std::byte{0} &&
         first_bytes[1] == std::byte{0} && first_bytes[2] != std::byte{0} &&
         first_bytes[3] != std::byte{0};
}

std::unique_ptr<RowSource> OpenIdx(std::unique_ptr<ByteStream> stream) {
  std::array<std::byte, kMagicBytes> magic = {};
  ReadHeaderBytes(*stream, magic);
  if (!LooksLikeIdx(magic)) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: expected IDX (00 00, type, axes), found {:02x} {:02x} {:02x} {:02x}",
                    stream->path(), std::to_integer<int>(magic[0]), std::to_integer<int>(magic[1]),
                    std::to_integer<int>(magic[2]), std::to_integer<int>(magic[3])));
  }
  RowLayout layout = {.type = TypeOf(magic[2], stream->path())};
  const std::vector<int64_t> axes = ReadAxes(*stream, std::to_integer<size_t>(magic[3]));
  CheckAxes(axes, stream->path());
  layout.rows = axes[0];
  layout.columns = 1;
  for (size_t i = 1; i < axes.size(); ++i) {
    layout.columns = CheckedProduct(layout.columns, axes[i],
                                    fmt::format("{}: the columns in its header", stream->path()));
  }
  layout.header_bytes = kMagicBytes + axes.size() * kAxisBytes;
  return std::make_unique<StreamSource>(std::move(stream), layout);
}

}  // namespace rhohat
