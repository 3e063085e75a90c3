// The reconstruction of every row, in the data's own units.
//
// The network sees prepared rows and gives prepared rows, and undoing the preparation may need the
// original. So the sweep hands out rows as stored, and they are prepared here.
#include <vector>

#include "analyze/forward_pass.h"
#include "analyze/model_sweep.h"
#include "analyze/row_results.h"
#include "network/preparation.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

template <class T>
class Reconstruction {
 public:
  explicit Reconstruction(const ModelSweep<T>& bound)
      : preparation_(bound.model().prepare, bound.shape().inputs),
        network_(bound, bound.shape().layers()) {
    if (preparation_.does_nothing()) return;
    for (int64_t worker = 0; worker < bound.threads(); ++worker) {
      prepared_.emplace_back(static_cast<size_t>(bound.block_rows() * bound.shape().inputs));
    }
  }

  // Both B×n.
  void Run(int64_t worker, MatrixView<const T> original, MatrixView<T> out) {
    MatrixView<const T> rows = original;
    if (!preparation_.does_nothing()) {
      const MatrixView<T> prepared(prepared_[static_cast<size_t>(worker)].data(), original.rows,
                                   original.columns);
      preparation_.Apply(original, prepared);
      rows = prepared;
    }
    preparation_.Undo(network_.Run(worker, rows), original, out);
  }

 private:
  RowPreparation<T> preparation_;
  ForwardPass<T> network_;
  std::vector<AlignedBuffer<T>> prepared_;  // B×n, one a worker
};

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
      },
      RowsAs::kStored);
  Reconstruction<T> reconstruction(bound);
  WriteRowResults<T>(bound, {output, "reconstruction", model.inputs},
                     [&](const Block<T>& block, std::span<T> out) {
                       const int64_t rows = block.range.size();
                       reconstruction.Run(block.worker, {block.rows.data(), rows, model.inputs},
                                          {out.data(), rows, model.inputs});
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
