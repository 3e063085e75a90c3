// What a file is, in lines for a person.
#include <fmt/core.h>

#include <array>
#include <fstream>

#include "analyze/describe_model.h"
#include "analyze/reading_verdict.h"
#include "base/atomic_file.h"
#include "base/text.h"
#include "base/units.h"
#include "data/hdf5_catalog.h"
#include "data/hdf5_dataset.h"
#include "rhohat/analyze.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

std::string Product(const std::vector<int64_t>& lengths) {
  std::string text;
  for (const int64_t length : lengths) {
    text += (text.empty() ? "" : "×") + std::to_string(length);
  }
  return text;
}

std::string DescribeReading(const Hdf5DataSetInfo& info, const DataOptions& options,
                            const ResourceOptions& resources) {
  ReadingVerdict verdict = JudgeReading(info, options);
  std::string text = DescriptionLine(
      "reading", verdict.direct ? "directly, unpacked by all threads"
                                : fmt::format("by the HDF5 library, on one thread: {}",
                                              verdict.library_reason));
  text += DescriptionLine(
      "", fmt::format("{:.2f} bytes read for each byte that is used", verdict.bytes_per_byte_used));
  try {
    text += DescriptionLine(
        "",
        fmt::format("{}/s of rows, measured now from their start",
                    FormatBytes(static_cast<uint64_t>(MeasureReading(info, options, resources)))));
  } catch (const Error& error) {
    text += DescriptionLine("", fmt::format("cannot be read: {}", error.what()));
    verdict.remarks.emplace_back("its rows cannot be read, see above");
  }
  const char* name = "verdict";
  for (const std::string& remark : verdict.remarks) {
    text += DescriptionLine(name, remark);
    name = "";
  }
  if (verdict.remarks.empty()) text += DescriptionLine(name, "nothing to mend");
  if (!verdict.advice.empty()) text += DescriptionLine("mend it", verdict.advice);
  return text;
}

std::string DescribeDataSet(const std::string& file, const std::string& path,
                            const DataOptions& options, const ResourceOptions& resources) {
  const Hdf5DataSetInfo info = Hdf5DataSet::Open(file, path, options.follow_external).info();
  const double plain = static_cast<double>(info.rows) * static_cast<double>(info.columns) *
                       static_cast<double>(ElementBytes(info.element));
  std::string text = fmt::format("{}\n", info.where());
  text += DescriptionLine("rows", std::to_string(info.rows));
  text += DescriptionLine("columns",
                          info.shape.size() == 2
                              ? std::to_string(info.columns)
                              : fmt::format("{} ({} flattened)", info.columns,
                                            Product({info.shape.begin() + 1, info.shape.end()})));
  text += DescriptionLine("type", fmt::format("{}{}", ElementName(info.element),
                                              ElementBytes(info.element) == 1 ? ""
                                              : info.element.big_endian       ? ", big-endian"
                                                                              : ", little-endian"));
  text += DescriptionLine("layout", info.chunk.empty() ? info.layout
                                                       : fmt::format("{}, {} a chunk", info.layout,
                                                                     Product(info.chunk)));
  if (!info.filters.empty()) text += DescriptionLine("filters", JoinNames(info.filters));
  text += DescriptionLine(
      "size", fmt::format("{} of rows, {} in the file{}", FormatBytes(static_cast<uint64_t>(plain)),
                          FormatBytes(info.stored_bytes),
                          info.filters.empty() || info.stored_bytes == 0
                              ? ""
                              : fmt::format(": {:.2f} to 1",
                                            plain / static_cast<double>(info.stored_bytes))));
  if (info.rows == 0 || info.columns == 0) return text;
  return text + DescribeReading(info, options, resources);
}

std::string DescribeHdf5(const std::string& file, const DataOptions& options,
                         const ResourceOptions& resources) {
  if (!options.dataset.empty()) return DescribeDataSet(file, options.dataset, options, resources);
  std::string text;
  for (const Hdf5CatalogEntry& entry : ListDataSets(file)) {
    try {
      text += entry.has_rows || (entry.is_external && options.follow_external)
                  ? DescribeDataSet(file, entry.path, options, resources)
                  : fmt::format("{}:{} (not rows of numbers)\n", file, entry.description);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kIo) throw;
      text += fmt::format("{}\n", error.what());  // said where it stands; the others still count
    }
  }
  return text.empty() ? fmt::format("{}: an HDF5 file without data sets\n", file) : text;
}

// A safetensors file begins with its header's length and then a brace; HDF5 tells itself apart.
bool IsModel(const std::string& path) {
  CheckIsFile(path);
  std::array<char, 9> start = {};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return start[8] == '{';
}

}  // namespace

std::vector<std::string> DataSetsIn(const std::string& path) {
  std::vector<std::string> paths;
  if (IsModel(path)) return paths;
  for (const Hdf5CatalogEntry& entry : ListDataSets(path)) {
    if (entry.has_rows) paths.push_back(entry.path);
  }
  return paths;
}

std::string DescribeFile(const std::string& path, const DataOptions& options,
                         const ResourceOptions& resources) {
  return IsModel(path) ? DescribeModel(path) : DescribeHdf5(path, options, resources);
}

}  // namespace rhohat
