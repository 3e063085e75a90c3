#include "analyze/disk_plan.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "network/parameters.h"
#include "objective/prepared_rows.h"
#include "train/optimizer_names.h"
#include "train/sample_sizes.h"
#include "train/stages.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// Headers, configuration, and what the log says.
constexpr uint64_t kText = uint64_t{64} << 10;

uint64_t ItemBytes(const MemoryPlan& plan, std::string_view name) {
  const auto item = std::ranges::find(plan.items, name, &MemoryPlan::Item::name);
  return item == plan.items.end() ? 0 : item->bytes;
}

uint64_t ModelBytes(const TrainOptions& options, const NetworkShape& shape, uint64_t parameters) {
  constexpr uint64_t kMeanBytes = 25;  // of a unit's mean activation, as text
  return parameters + static_cast<uint64_t>(shape.encoder_units()) * kMeanBytes +
         PreparedRows<double>::MemoryBytes(options.prepare.kind, shape.inputs) + kText;
}

// Lines of metrics.jsonl where every method does all that it may.
int64_t MostLines(const TrainOptions& options, const MemoryPlan& plan) {
  int64_t lines = 0;
  for (const Stage& stage : StagesOf(options, plan.columns)) {
    for (const OptimizerKind kind : options.optimizer.methods) {
      int64_t each = IsStochastic(kind) ? options.optimizer.epochs : stage.iterations;
      if (kind == OptimizerKind::kProgressive) {
        const auto samples = SampleSizes(options.optimizer, stage.shape, plan.rows);
        each *= std::ssize(samples) + 1;
      }
      lines += each + 2;
    }
  }
  return lines;
}

// Of the folder that there is, or the nearest above it.
std::optional<uint64_t> FreeBytes(const std::string& folder) {
  std::error_code fault;
  fs::path path = fs::absolute(folder.empty() ? "." : folder, fault);
  while (!fs::exists(path, fault) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  const fs::space_info space = fs::space(path, fault);
  return fault ? std::nullopt : std::optional<uint64_t>(space.available);
}

}  // namespace

DiskPlan DiskOf(const TrainOptions& options, const MemoryPlan& plan) {
  constexpr uint64_t kLineBytes = 700;
  const NetworkShape shape(plan.columns, options.network);
  const uint64_t element = options.compute.precision == Precision::kFloat64 ? 8 : 4;
  const uint64_t parameters = static_cast<uint64_t>(shape.parameters()) * element;
  const bool stochastic = std::ranges::any_of(options.optimizer.methods, IsStochastic);
  DiskPlan disk;
  disk.model_bytes = ModelBytes(options, shape, parameters);
  // The model, the point reached, greedy layers done; Adam's two means and the point of the last
  // line.
  disk.checkpoint_bytes = disk.model_bytes + (stochastic ? 5 : 2) * parameters +
                          ItemBytes(plan, "optimiser") + ItemBytes(plan, "gradient") +
                          ItemBytes(plan, "lanes") + kText;
  disk.checkpoints = options.job.keep_checkpoints + 1;
  disk.metrics_bytes = static_cast<uint64_t>(MostLines(options, plan)) * kLineBytes + kText;
  const auto models =
      options.greedy ? static_cast<uint64_t>(std::ssize(options.network.hidden)) + 1 : 1;
  disk.total_bytes = models * disk.model_bytes +
                     static_cast<uint64_t>(disk.checkpoints) * disk.checkpoint_bytes +
                     disk.metrics_bytes;
  disk.folder = options.run_directory;
  disk.free_bytes = FreeBytes(options.run_directory);
  return disk;
}

}  // namespace rhohat
