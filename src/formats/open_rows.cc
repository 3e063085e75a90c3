#include "formats/open_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "data/data_set.h"
#include "formats/byte_stream.h"
#include "formats/csv_source.h"
#include "formats/idx_source.h"
#include "formats/matlab_source.h"
#include "formats/npy_source.h"
#include "formats/npz_source.h"
#include "formats/patch_source.h"
#include "formats/picture_source.h"
#include "formats/raw_source.h"
#include "formats/safetensors_source.h"
#include "formats/zip_stream.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using FirstBytes = std::span<const std::byte>;

constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1a\n";

bool LooksLikeHdf5(FirstBytes bytes) {
  // At the start, or behind a user block of a power of two.
  const auto signature = std::as_bytes(std::span(kHdf5Signature));
  for (size_t offset = 0; offset + signature.size() <= bytes.size();
       offset = offset == 0 ? 512 : 2 * offset) {
    if (std::ranges::equal(bytes.subspan(offset, signature.size()), signature)) return true;
  }
  return false;
}

struct KnownFormat {
  Format format;
  std::string_view name;
  bool (*looks_like)(FirstBytes);
};

// In the order in which they are tried: the most particular first.
constexpr std::array<KnownFormat, 9> kFormats = {{
    {Format::kPicture, "picture", LooksLikePicture},
    {Format::kNpz, "npz", LooksLikeZip},
    {Format::kMatlab, "matlab", LooksLikeMatlab},
    {Format::kHdf5, "hdf5", LooksLikeHdf5},
    {Format::kNpy, "npy", LooksLikeNpy},
    {Format::kIdx, "idx", LooksLikeIdx},
    {Format::kSafetensors, "safetensors", LooksLikeSafetensors},
    {Format::kCsv, "csv", LooksLikeCsv},
    {Format::kRaw, "raw", [](FirstBytes) { return false; }},
}};

// Formats that people may well try, and what to do instead.
struct Foreign {
  std::string_view magic;
  std::string_view found;
};
constexpr std::array<Foreign, 6> kForeign = {{
    {"\x28\xb5\x2f\xfd", "Zstandard data; unpack it first"},
    {"BZh", "bzip2 data; unpack it first"},
    {"\xfd\x37zXZ", "xz data; unpack it first"},
    {"PAR1", "Parquet; save the columns with pandas' to_numpy() and numpy.save"},
    {"GIF8", "a GIF picture; save it as PNG"},
    {"II*", "a TIFF picture; save it as PNG"},
}};

const Foreign* FindForeign(FirstBytes first) {
  const std::string_view bytes(reinterpret_cast<const char*>(first.data()), first.size());
  const auto* found = std::ranges::find_if(
      kForeign, [&](const Foreign& foreign) { return bytes.starts_with(foreign.magic); });
  return found == kForeign.end() ? nullptr : found;
}

[[noreturn]] void ThrowUnknown(std::string_view found, const std::string& path) {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected HDF5, NumPy .npy or .npz, CSV, IDX, PNG, JPEG, safetensors "
                          "or MATLAB (headerless binary: --format raw), found {}",
                          path, found));
}

Format ParseFormat(std::string_view name) {
  std::vector<std::string> names = {"auto"};
  for (const KnownFormat& known : kFormats) {
    if (known.name == name) return known.format;
    names.emplace_back(known.name);
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("--format: expected one of {}, found '{}'", JoinNames(names), name));
}

// An option, whether it was given, and whose it is.
struct OptionUse {
  std::string_view name;
  bool given;
  std::vector<Format> formats;
};

std::vector<OptionUse> UsesOf(const InputOptions& options) {
  const InputOptions none;
  return {
      {"array",
       options.array != none.array,
       {Format::kHdf5, Format::kNpz, Format::kSafetensors, Format::kMatlab}},
      {"follow-external", options.follow_external, {Format::kHdf5}},
      {"reader", options.reader != none.reader, {Format::kHdf5}},
      {"delimiter", options.delimiter != none.delimiter, {Format::kCsv}},
      {"header", options.header != none.header, {Format::kCsv}},
      {"missing", options.missing != none.missing, {Format::kCsv}},
      {"color", options.color != none.color, {Format::kPicture}},
      {"patch", options.patch != none.patch, {Format::kPicture}},
      {"count", options.count != none.count, {Format::kPicture}},
      {"seed", options.seed != none.seed, {Format::kPicture}},
      {"input-dtype", options.input_dtype != none.input_dtype, {Format::kRaw}},
      {"columns", options.columns != none.columns, {Format::kRaw}},
      {"offset", options.offset != none.offset, {Format::kRaw}},
  };
}

PictureColor ParseColor(std::string_view name) {
  if (name == "as-stored") return PictureColor::kAsStored;
  if (name == "grey" || name == "gray") return PictureColor::kGrey;
  if (name == "rgb") return PictureColor::kRgb;
  throw Error(ErrorKind::kUsage,
              fmt::format("--color: expected as-stored, grey or rgb, found '{}'", name));
}

std::string FormatName(Format format) {
  return std::string(std::ranges::find(kFormats, format, &KnownFormat::format)->name);
}

}  // namespace

Format FormatOf(const std::string& path, const InputOptions& options) {
  if (options.format != "auto") return ParseFormat(options.format);
  FileStream stream(path);
  std::array<std::byte, 4104> buffer = {};
  const auto first = FirstBytes(buffer).first(stream.Read(buffer));
  const Foreign* foreign = FindForeign(first);  // some of them look like text
  for (const KnownFormat& known : kFormats) {
    if (!first.empty() && foreign == nullptr && known.looks_like(first)) return known.format;
  }
  ThrowUnknown(first.empty() ? "an empty file" : foreign ? foreign->found : "none of these", path);
}

void CheckOptionsApply(const InputOptions& options, const std::vector<Format>& formats) {
  for (const OptionUse& use : UsesOf(options)) {
    const bool applies = std::ranges::any_of(use.formats, [&](Format format) {
      return std::ranges::find(formats, format) != formats.end();
    });
    if (!use.given || applies) continue;
    std::vector<std::string> names;
    for (const Format format : use.formats) names.push_back(FormatName(format));
    throw Error(ErrorKind::kUsage,
                fmt::format("--{} is for {} inputs only, but there are none of these", use.name,
                            JoinNames(names)));
  }
}

std::unique_ptr<RowSource> OpenRows(const std::string& path, Format format,
                                    const OpenOptions& options) {
  const InputOptions& input = options.input;
  switch (format) {
    case Format::kHdf5:
      return std::make_unique<DataSet>(DataOptions{.files = {path},
                                                   .dataset = input.array,
                                                   .follow_external = input.follow_external,
                                                   .reader = input.reader});
    case Format::kNpy:
      return OpenNpy(std::make_unique<FileStream>(path), options.spool_folder);
    case Format::kNpz:
      return OpenNpz(path, input.array, options.spool_folder);
    case Format::kCsv:
      return OpenCsv(std::make_unique<FileStream>(path), {.delimiter = input.delimiter,
                                                          .header = input.header,
                                                          .missing = input.missing,
                                                          .columns = options.csv_columns});
    case Format::kIdx:
      return OpenIdx(std::make_unique<FileStream>(path));
    case Format::kSafetensors:
      return OpenSafetensorsRows(path, input.array);
    case Format::kMatlab:
      return OpenMatlab(path, input.array, options.spool_folder);
    case Format::kRaw:
      return OpenRaw(std::make_unique<FileStream>(path),
                     {.type = options.raw_type, .columns = input.columns, .offset = input.offset});
    case Format::kPicture:
      break;
  }
  throw Error(ErrorKind::kUsage, path + ": pictures cannot be joined with other inputs");
}

std::unique_ptr<RowSource> OpenPictureRows(std::vector<std::string> files,
                                           const InputOptions& options) {
  const PictureColor color = ParseColor(options.color);
  if (options.patch.empty()) {
    if (options.count != 0) throw Error(ErrorKind::kUsage, "--count goes with --patch");
    return OpenPictures(std::move(files), {.color = color});
  }
  const auto [height, width] = ParseHeightWidth(options.patch, "--patch");
  if (options.count < 1) {
    throw Error(ErrorKind::kUsage, "--patch needs --count, the number of patches to cut");
  }
  return OpenPatches(std::move(files), {.height = height,
                                        .width = width,
                                        .count = options.count,
                                        .seed = static_cast<uint64_t>(options.seed),
                                        .color = color});
}

}  // namespace rhohat
