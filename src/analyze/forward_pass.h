// The network run forwards over a block of clean rows, with a place for what each layer gives.
#pragma once

#include <vector>

#include "analyze/model_sweep.h"
#include "base/aligned_buffer.h"
#include "math/views.h"
#include "network/autoencoder.h"

namespace rhohat {

// Run() is called by many threads, by one at a time for each `worker`.
template <class T>
class ForwardPass {
 public:
  // Through the first `layers` of the network's 2k. Where `output_is_linear`, the last of all gives
  // the decoder's input, for a loss from logits. `bound` must outlive the object.
  ForwardPass(const ModelSweep<T>& bound, int64_t layers, bool output_is_linear = false);

  // B×n in, B×width(layers) out, which holds until the worker's next call.
  MatrixView<T> Run(int64_t worker, MatrixView<const T> rows);

  // What it allocates for each thread.
  static size_t WorkspaceBytes(const NetworkShape& shape, int64_t layers, int64_t block_rows);

 private:
  // A layer's result is needed until the next one's is there: one buffer for those of even number,
  // one for the odd.
  struct Workspace {
    AlignedBuffer<T> even;
    AlignedBuffer<T> odd;
  };

  Autoencoder<T> network_;
  Parameters<const T> parameters_;
  int64_t layers_;
  std::vector<Workspace> workspaces_;
};

}  // namespace rhohat
