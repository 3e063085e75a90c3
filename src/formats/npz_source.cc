#include "formats/npz_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "formats/npy_source.h"
#include "formats/npy_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kSuffix = ".npy";

// The name that NumPy shows.
std::string_view ArrayName(std::string_view member) {
  return member.ends_with(kSuffix) ? member.substr(0, member.size() - kSuffix.size()) : member;
}

std::unique_ptr<ByteStream> OpenArray(ZipArchive& archive, int64_t member) {
  return archive.OpenMember(member, Printable(ArrayName(archive.NameOf(member))));
}

bool IsRowsOfNumbers(const NpyHeader& header) {
  return header.shape.size() >= 2 && FindNpyType(header.descr) &&
         std::ranges::find(header.shape, 0) == header.shape.end();
}

// Members that are meant to be arrays.
std::vector<int64_t> FindArrays(const ZipArchive& archive) {
  std::vector<int64_t> found;
  bool is_torch = false;
  for (int64_t i = 0; i < archive.members(); ++i) {
    const std::string name = archive.NameOf(i);
    if (name.ends_with(kSuffix)) found.push_back(i);
    is_torch = is_torch || name.ends_with("/data.pkl");
  }
  if (!found.empty()) return found;
  const char* what = is_torch ? "a PyTorch file; save the tensor with numpy.save(path, "
                                "tensor.numpy())"
                              : "none; save arrays with numpy.savez, or unpack the archive";
  throw Error(
      ErrorKind::kBadData,
      fmt::format("{}: expected a zip archive of .npy arrays, found {}", archive.path(), what));
}

// "x (60000 × 784, <f4)", for as many as a message shows.
std::string ListArrays(ZipArchive& archive, const std::vector<int64_t>& members) {
  constexpr size_t kMostLookedAt = 14;
  std::vector<std::string> names;
  for (const int64_t member : members) {
    names.push_back(Printable(ArrayName(archive.NameOf(member))));
    if (names.size() > kMostLookedAt) continue;
    try {
      const NpyHeader header = ReadNpyHeader(*OpenArray(archive, member));
      const std::string shape =
          header.shape.empty() ? "no axes" : fmt::format("{}", fmt::join(header.shape, " × "));
      names.back() += fmt::format(" ({}, {})", shape, Printable(header.descr));
    } catch (const Error&) {
      names.back() += " (damaged)";
    }
  }
  return JoinNames(names);
}

int64_t FindOnlyRows(ZipArchive& archive, const std::vector<int64_t>& arrays) {
  std::vector<int64_t> rows;
  for (const int64_t member : arrays) {
    if (IsRowsOfNumbers(ReadNpyHeader(*OpenArray(archive, member)))) rows.push_back(member);
  }
  if (rows.size() == 1) return rows.front();
  throw Error(rows.empty() ? ErrorKind::kBadData : ErrorKind::kUsage,
              rows.empty()
                  ? fmt::format("{}: expected an array with rows and columns of numbers, found {}",
                                archive.path(), ListArrays(archive, arrays))
                  : fmt::format("{}: expected one array of rows, found {}; choose one with --array",
                                archive.path(), ListArrays(archive, rows)));
}

// As NumPy looks a name up: as it is first.
int64_t FindNamed(ZipArchive& archive, const std::vector<int64_t>& arrays,
                  const std::string& wanted) {
  for (const std::string& name : {wanted, wanted + std::string(kSuffix)}) {
    std::vector<int64_t> found;
    for (const int64_t member : arrays) {
      if (archive.NameOf(member) == name) found.push_back(member);
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected one member {}, found {} of that name", archive.path(),
                              Printable(name), found.size()));
    }
  }
  throw Error(ErrorKind::kNoInput, fmt::format("{}: expected an array {}, found {}", archive.path(),
                                               Printable(wanted), ListArrays(archive, arrays)));
}

}  // namespace

std::unique_ptr<RowSource> OpenNpz(const std::string& path, const std::string& array,
                                   const std::string& spool_folder) {
  const std::shared_ptr<ZipArchive> archive = ZipArchive::Open(path);
  const std::vector<int64_t> arrays = FindArrays(*archive);
  const int64_t member =
      array.empty() ? FindOnlyRows(*archive, arrays) : FindNamed(*archive, arrays, array);
  return OpenNpy(OpenArray(*archive, member), spool_folder);
}

}  // namespace rhohat
