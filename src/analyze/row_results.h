// Rows made from rows, written to HDF5 in their order: what encode, reconstruct and score have in
// common.
#pragma once

#include <string>

#include "analyze/model_sweep.h"
#include "base/atomic_file.h"
#include "base/version.h"
#include "data/element_type.h"
#include "data/hdf5_writer.h"

namespace rhohat {

struct RowResultsFile {
  std::string path;
  std::string dataset;
  int64_t columns = 0;
};

// What the writer's chunk and the library's copies take.
inline constexpr uint64_t kRowResultsBytes = uint64_t{4} << 20;

// Before work begins. Throws Error(kUsage) where `output` is an input, Error(kCannotCreate).
inline void CheckRowResults(const std::string& output, const AnalyzeOptions& options) {
  CheckNotAnInput(output, options.data.files);
  CheckCreatable(output);
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
  writer.SetAttribute("created_by", std::string("rhohat ") + kVersion);
  bound.sweep().template RunOrdered<Out>(
      file.columns, compute,
      [&](RowRange, std::span<const Out> rows) { writer.Append(std::as_bytes(rows)); });
  writer.Commit();
}

}  // namespace rhohat
