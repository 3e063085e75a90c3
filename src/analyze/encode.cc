// The code of every row, or what an earlier layer of the encoder makes of it.
#include <fmt/core.h>

#include <algorithm>

#include "analyze/forward_pass.h"
#include "analyze/model_sweep.h"
#include "analyze/row_results.h"
#include "rhohat/analyze.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// How many of the encoder's layers are run.
int64_t LayersOf(const Model& model, int64_t layer) {
  const int64_t depth = std::ssize(model.network.hidden);
  if (layer < 0 || layer > depth) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--layer: expected 1 to {}, the layers of the model's encoder, found "
                            "{}",
                            depth, layer));
  }
  return layer == 0 ? depth : layer;
}

template <class T>
void EncodeAs(const Model& model, const EncodeOptions& options, const RunControl& control) {
  const int64_t layers = LayersOf(model, options.layer);
  ModelSweep<T> bound(
      model, options.analyze, model.objective, control,
      [&](const NetworkShape& shape, const ComputeOptions& compute) {
        return AnalysisMemory{
            .workspace_bytes = ForwardPass<T>::WorkspaceBytes(shape, layers, compute.block_rows),
            .block_bytes =
                static_cast<uint64_t>(compute.block_rows * shape.width(layers)) * sizeof(T),
            .whole_bytes = kRowResultsBytes};
      });
  ForwardPass<T> encoder(bound, layers);
  WriteRowResults<T>(bound, {options.output, "codes", bound.shape().width(layers)},
                     [&](const Block<T>& block, std::span<T> out) {
                       const MatrixView<const T> rows(block.rows.data(), block.range.size(),
                                                      model.inputs);
                       std::ranges::copy(encoder.Run(block.worker, rows).flat(), out.begin());
                     });
}

}  // namespace

void Encode(const Model& model, const EncodeOptions& options, const RunControl& control) {
  CheckRowResults(options.output, options.analyze);
  WithPrecision(options.analyze.compute.precision,
                [&](auto number) { EncodeAs<decltype(number)>(model, options, control); });
}

}  // namespace rhohat
