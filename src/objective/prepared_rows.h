// Rows as the network gets them: prepared, and passed through the frozen layers of a stack.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "network/autoencoder.h"
#include "network/preparation.h"
#include "sweep/row_transform.h"

namespace rhohat {

// T is the type of computation.
template <class T>
class PreparedRows : public RowTransform<T> {
 public:
  // `inputs` is the source's width; `block_rows` and `threads` are the sweep's.
  PreparedRows(const Preparation& preparation, int64_t inputs, int64_t block_rows, int64_t threads);

  // From now on rows go through the first `layers` layers of the encoder as well: columns() becomes
  // the width of the last of them. `parameters` are those of a network of `shape`.
  void Freeze(const NetworkShape& shape, const NetworkOptions& network,
              std::span<const T> parameters, int64_t layers);

  // Undoes Freeze().
  void Thaw();

  // Rows leave as they come: a sweep can do without this object.
  bool does_nothing() const { return preparation_.does_nothing() && !encoder_; }

  int64_t columns() const override;
  std::span<const T> Apply(std::span<const double> rows, int64_t count, int64_t worker) override;

  // What undoes the preparation of the worker's last block: see RowPreparation.
  const RowPreparation<T>& preparation() const { return preparation_; }
  std::span<const double> row_means(int64_t worker) const {
    return workspaces_[static_cast<size_t>(worker)].row_means;
  }

  // What it allocates once, and for each thread, Apply() included.
  static size_t MemoryBytes(PreparationKind kind, int64_t inputs);
  static size_t WorkspaceBytes(PreparationKind kind, int64_t inputs, int64_t block_rows);
  static size_t FrozenBytes(const NetworkShape& shape);
  static size_t FrozenWorkspaceBytes(const NetworkShape& shape, int64_t layers, int64_t block_rows);

 private:
  struct Workspace {
    AlignedBuffer<T> prepared;             // B×n
    std::vector<double> row_means;         // B
    std::vector<AlignedBuffer<T>> levels;  // B×width of each frozen layer
    std::vector<T*> places;                // of the levels
  };

  void AllocatePrepared();

  RowPreparation<T> preparation_;
  int64_t inputs_;
  int64_t block_rows_;
  std::optional<Autoencoder<T>> encoder_;
  std::vector<T> parameters_;
  Parameters<const T> view_;
  int64_t layers_ = 0;
  std::vector<Workspace> workspaces_;
};

}  // namespace rhohat
