// Rows made from rows, written to HDF5 in their order: what encode, reconstruct and score have in
// common.
#pragma once

#include <string>
#include <vector>

#include "analyze/model_sweep.h"
#include "base/atomic_file.h"
#include "base/version.h"
#include "data/element_type.h"
#include "data/hdf5_attribute.h"
#include "data/hdf5_catalog.h"
#include "data/hdf5_writer.h"

namespace rhohat {

struct RowResultsFile {
  std::string path;
  std::string dataset;
  int64_t columns = 0;
};

inline constexpr char kCreatedBy[] = "created_by";  // the data set's attribute

// What the writer's chunk and the library's copies take.
inline constexpr uint64_t kRowResultsBytes = uint64_t{4} << 20;

// Before work begins. Throws Error(kUsage) where `output` is an input, Error(kCannotCreate): where
// it exists, its one data set must be such results, of whichever command.
inline void CheckRowResults(const std::string& output, const AnalyzeOptions& options) {
  CheckNotAnInput(output, options.data.files);
  CheckCreatable(output);
  CheckReplacesOnly(output, "rhohat's own results for rows", [](const std::string& path) {
    const std::vector<Hdf5CatalogEntry> entries = ListDataSets(path);
    if (entries.size() != 1) return false;
    const auto author = ReadTextAttribute(path, entries.front().path, kCreatedBy);
    return author.value_or("").starts_with("rhohat ");
  });
}

// One ordered pass: `compute(block, out)` fills `out`, file.columns values a row. The file, of
// elements of type Out, float or double, appears whole or not at all.
template <class Out, class T>
void WriteRowResults(ModelSweep<T>& bound, const RowResultsFile& file,
                     const typename Sweep<T>::template ComputeRows<Out>& compute) {
  Hdf5Writer writer(file.path, {.dataset = file.dataset,
                                .type = kNativeType<Out>,
                                .rows = bound.sweep().rows(),
                                .columns = file.columns});
  writer.SetAttribute(kCreatedBy, std::string("rhohat ") + kVersion);
  bound.sweep().template RunOrdered<Out>(
      file.columns, compute,
      [&](RowRange, std::span<const Out> rows) { writer.Append(std::as_bytes(rows)); });
  writer.Commit();
}

}  // namespace rhohat
