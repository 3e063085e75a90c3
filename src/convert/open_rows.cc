#include "convert/open_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "convert/byte_stream.h"
#include "convert/idx_source.h"
#include "convert/npy_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

struct KnownFormat {
  std::string_view magic;
  std::string_view found;  // ends the message
};

// Formats that people may well try, and what to do instead.
constexpr std::array<KnownFormat, 5> kForeign = {{
    {"\x89HDF\r\n\x1a\n", "HDF5, which needs no conversion: give it to train as it is"},
    {"PK\x03\x04", "a zip archive; of an .npz, save each array on its own with numpy.save"},
    {"\x89PNG", "a PNG picture; load it in Python and save the array with numpy.save"},
    {"\x28\xb5\x2f\xfd", "Zstandard data; unpack it first"},
    {"BZh", "bzip2 data; unpack it first"},
}};

[[noreturn]] void ThrowUnknown(std::string_view first_bytes, const std::string& path) {
  std::string_view found = "none of these";
  if (first_bytes.empty()) found = "an empty file";
  for (const KnownFormat& format : kForeign) {
    if (first_bytes.starts_with(format.magic)) found = format.found;
  }
  throw Error(ErrorKind::kBadData, fmt::format("{}: expected IDX or NumPy .npy, either of them "
                                               "gzipped or not, found {}",
                                               path, found));
}

}  // namespace

std::unique_ptr<RowSource> OpenRows(const std::string& path) {
  auto stream = std::make_unique<FileStream>(path);
  std::array<char, 8> buffer = {};
  const size_t got = stream->Read(std::as_writable_bytes(std::span(buffer)));
  const auto first_bytes = std::span(buffer).first(got);
  stream->Rewind();
  if (LooksLikeIdx(std::as_bytes(first_bytes))) return OpenIdx(std::move(stream));
  if (LooksLikeNpy(std::as_bytes(first_bytes))) return OpenNpy(std::move(stream));
  ThrowUnknown({first_bytes.data(), first_bytes.size()}, path);
}

}  // namespace rhohat
