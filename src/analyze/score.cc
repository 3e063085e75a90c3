// How badly each row is reconstructed: its own loss ℓ of docs/math.md §2, for finding the rows that
// are unlike those of training.
#include <vector>

#include "analyze/forward_pass.h"
#include "analyze/model_sweep.h"
#include "analyze/row_results.h"
#include "objective/row_loss.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

template <class T>
void ScoreAs(const Model& model, const AnalyzeOptions& options, const std::string& output,
             const RunControl& control) {
  ModelSweep<T> bound(
      model, options, model.objective, control,
      [](const NetworkShape& shape, const ComputeOptions& compute) {
        return AnalysisMemory{
            .workspace_bytes =
                ForwardPass<T>::WorkspaceBytes(shape, shape.layers(), compute.block_rows) +
                static_cast<uint64_t>(shape.inputs) * sizeof(T),
            .block_bytes = static_cast<uint64_t>(compute.block_rows) * sizeof(double),
            .whole_bytes = kRowResultsBytes};
      });
  const RowLoss<T> loss(model.objective.loss, [&](int64_t row) { return bound.Locate(row); });
  ForwardPass<T> network(bound, bound.shape().layers(), loss.from_logits());
  std::vector<AlignedBuffer<T>> slopes;
  for (int64_t worker = 0; worker < bound.threads(); ++worker) {
    slopes.emplace_back(static_cast<size_t>(model.inputs));
  }
  WriteRowResults<double>(
      bound, {output, "scores", 1}, [&](const Block<T>& block, std::span<double> out) {
        const MatrixView<const T> rows(block.rows.data(), block.range.size(), model.inputs);
        const MatrixView<T> reconstruction = network.Run(block.worker, rows);
        T* const slope = slopes[static_cast<size_t>(block.worker)].data();
        for (int64_t i = 0; i < rows.rows; ++i) {
          out[static_cast<size_t>(i)] = loss.Apply(block.range.begin + i, reconstruction.row(i),
                                                   rows.row(i), slope, rows.columns);
        }
      });
}

}  // namespace

void Score(const Model& model, const AnalyzeOptions& options, const std::string& output,
           const RunControl& control) {
  CheckRowResults(output, options);
  WithPrecision(options.compute.precision,
                [&](auto number) { ScoreAs<decltype(number)>(model, options, output, control); });
}

}  // namespace rhohat
