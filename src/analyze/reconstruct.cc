// The reconstruction of every row, in the data's own units.
#include <algorithm>
#include <span>
#include <string>

#include "analyze/forward_pass.h"
#include "analyze/model_sweep.h"
#include "analyze/row_results.h"
#include "network/preparation.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

template <class T>
void ReconstructAs(const Model& model, const AnalyzeOptions& options, const std::string& output,
                   const RunControl& control) {
  ModelSweep<T> bound(
      model, options, model.objective, control,
      [](const NetworkShape& shape, const ComputeOptions& compute) {
        return AnalysisMemory{
            .workspace_bytes =
                ForwardPass<T>::WorkspaceBytes(shape, shape.layers(), compute.block_rows),
            .block_bytes = static_cast<uint64_t>(compute.block_rows * shape.inputs) * sizeof(T),
            .whole_bytes = kRowResultsBytes};
      });
  ForwardPass<T> network(bound, bound.shape().layers());
  const PreparedRows<T>* const prepared = bound.prepared();
  WriteRowResults<T>(bound, {output, "reconstruction", model.inputs},
                     [&](const Block<T>& block, std::span<T> out) {
                       const int64_t count = block.range.size();
                       const MatrixView<const T> reconstruction =
                           network.Run(block.worker, {block.rows.data(), count, model.inputs});
                       if (prepared == nullptr) {
                         std::ranges::copy(reconstruction.flat(), out.begin());
                         return;
                       }
                       prepared->preparation().Undo(reconstruction,
                                                    prepared->row_means(block.worker),
                                                    {out.data(), count, model.inputs});
                     });
}

}  // namespace

void Reconstruct(const Model& model, const AnalyzeOptions& options, const std::string& output,
                 const RunControl& control) {
  CheckRowResults(output, options);
  WithPrecision(options.compute.precision, [&](auto number) {
    ReconstructAs<decltype(number)>(model, options, output, control);
  });
}

}  // namespace rhohat
