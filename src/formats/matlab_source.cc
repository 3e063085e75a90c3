#include "formats/matlab_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/input_file.h"
#include "formats/matlab5_file.h"
#include "formats/matlab_array.h"
#include "formats/matlab_bytes.h"
#include "formats/matlab_hdf5.h"
#include "formats/spool_file.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kMark5 = "MATLAB 5.0 MAT-file";
constexpr std::string_view kMark73 = "MATLAB 7.3 MAT-file";
constexpr size_t kSpoolPartBytes = size_t{1} << 20;

bool StartsWith(std::span<const std::byte> bytes, std::string_view mark) {
  return bytes.size() >= mark.size() &&
         std::ranges::equal(bytes.first(mark.size()), std::as_bytes(std::span(mark)));
}

std::unique_ptr<InputFile> Inflate(const InputFile& file, const Matlab5Array& chosen,
                                   const std::string& name, const std::string& spool_folder) {
  MatlabBytes bytes(file, chosen.element);
  std::vector<std::byte> part(kSpoolPartBytes);
  // What comes before the numbers was looked at already.
  for (uint64_t left = chosen.numbers_offset; left > 0;) {
    const auto next = std::span(part).first(std::min<uint64_t>(left, part.size()));
    bytes.Read(next);
    left -= next.size();
  }
  SpoolFile spool(spool_folder);
  for (uint64_t left = chosen.numbers_bytes; left > 0;) {
    const auto next = std::span(part).first(std::min<uint64_t>(left, part.size()));
    bytes.Read(next);
    spool.Append(next);
    left -= next.size();
  }
  bytes.CheckEndsAt(chosen.element_end);
  return spool.Finish(name);
}

std::unique_ptr<RowSource> OpenMatlab5(InputFile file, const std::string& variable,
                                       const std::string& spool_folder) {
  const std::string path = file.path();
  const std::vector<Matlab5Array> found = ListMatlab5(file);
  std::vector<MatlabArray> arrays;
  arrays.reserve(found.size());
  for (const Matlab5Array& each : found) arrays.push_back(each.array);
  const MatlabArray& array = ChooseArray(path, variable, arrays);
  const Matlab5Array& chosen = found[static_cast<size_t>(&array - arrays.data())];
  const std::string name = fmt::format("{}:{}", path, PrintableName(array.name));
  if (chosen.element.compressed) {
    return MatlabRows(Inflate(file, chosen, name, spool_folder), 0, chosen.stored, array.shape);
  }
  const uint64_t offset = chosen.element.offset + chosen.numbers_offset;
  return MatlabRows(std::make_unique<InputFile>(file.Release(), name), offset, chosen.stored,
                    array.shape);
}

}  // namespace

bool LooksLikeMatlab(std::span<const std::byte> first_bytes) {
  return StartsWith(first_bytes, kMark5) || StartsWith(first_bytes, kMark73);
}

std::unique_ptr<RowSource> OpenMatlab(const std::string& path, const std::string& variable,
                                      const std::string& spool_folder) {
  InputFile file(path);
  std::array<std::byte, kMark5.size()> buffer = {};
  const auto mark = std::span(buffer).first(std::min<uint64_t>(file.bytes(), buffer.size()));
  file.ReadAt(0, mark);
  if (StartsWith(mark, kMark73)) return OpenMatlabHdf5(path, variable, spool_folder);
  if (StartsWith(mark, kMark5)) return OpenMatlab5(std::move(file), variable, spool_folder);
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected a MATLAB file of version 5 or 7.3, found other first "
                          "bytes; a file of version 4 can be saved again with -v7",
                          path));
}

}  // namespace rhohat
