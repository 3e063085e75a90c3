// The code of every row, written to HDF5 in the order of the rows: one ordered pass.
#include <algorithm>
#include <type_traits>

#include "analyze/model_sweep.h"
#include "base/atomic_file.h"
#include "base/version.h"
#include "data/hdf5_writer.h"
#include "math/blas.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

template <class T>
void EncodeAs(const Model& model, const AnalyzeOptions& options, const std::string& output,
              const RunControl& control) {
  CheckNotAnInput(output, options.data.files);
  CheckCreatable(output);
  ModelSweep<T> bound(
      model, options, model.objective, control,
      [](const NetworkShape& shape, const ComputeOptions& compute) {
        const int64_t widest = std::max({compute.block_rows, shape.hidden, shape.inputs});
        return AnalysisMemory{
            .workspace_bytes = ProductWorkspaceBytes(widest, sizeof(T)),
            .block_bytes = static_cast<uint64_t>(compute.block_rows * shape.hidden) * sizeof(T),
            .whole_bytes = uint64_t{4} << 20};  // the writer's chunk and the library's copies
      });
  const int64_t hidden = bound.shape().hidden;
  const ElementKind kind =
      std::is_same_v<T, double> ? ElementKind::kFloat64 : ElementKind::kFloat32;
  Hdf5Writer writer(
      output,
      {.dataset = "codes", .type = {kind, false}, .rows = bound.sweep().rows(), .columns = hidden});
  writer.SetAttribute("created_by", std::string("rhohat ") + kVersion);
  bound.sweep().RunOrdered(
      hidden,
      [&](const Block<T>& block, std::span<T> out) {
        const MatrixView<const T> rows(block.rows.data(), block.range.size(), bound.shape().inputs);
        bound.network().Encode(bound.parameters(), rows, {out.data(), rows.rows, hidden});
      },
      [&](RowRange, std::span<const T> codes) { writer.Append(std::as_bytes(codes)); });
  writer.Commit();
}

}  // namespace

void Encode(const Model& model, const AnalyzeOptions& options, const std::string& output,
            const RunControl& control) {
  if (options.compute.precision == Precision::kFloat64) {
    EncodeAs<double>(model, options, output, control);
  } else {
    EncodeAs<float>(model, options, output, control);
  }
}

}  // namespace rhohat
