#include "train/memory_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "cluster/limits.h"
#include "data/data_set.h"
#include "math/blas.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

uint64_t Sum(const std::vector<MemoryPlan::Item>& items) {
  uint64_t sum = 0;
  for (const MemoryPlan::Item& item : items) sum += item.bytes;
  return sum;
}

size_t ElementBytesOf(Precision precision) {
  return precision == Precision::kFloat64 ? sizeof(double) : sizeof(float);
}

// Least budgets are said in whole MiB, and rounded up so that what is said works.
uint64_t RoundUpToMebibyte(uint64_t bytes) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  return (bytes + kMebibyte - 1) / kMebibyte * kMebibyte;
}

template <class T>
size_t OptimizerBytes(const OptimizerOptions& options, size_t parameters) {
  return options.kind == OptimizerKind::kLbfgs ? Lbfgs<T>::MemoryBytes(parameters, options.history)
                                               : GradientDescent<T>::MemoryBytes(parameters);
}

template <class T>
void AddTrainingItems(const TrainOptions& options, const ComputeOptions& compute,
                      const NetworkShape& shape, int64_t threads, MemoryPlanner& planner) {
  const auto parameters = static_cast<size_t>(shape.parameters());
  const std::string vector = FormatBytes(parameters * sizeof(T));
  planner.Add("optimiser", OptimizerBytes<T>(options.optimizer, parameters),
              options.optimizer.kind == OptimizerKind::kLbfgs
                  ? fmt::format("L-BFGS: 4 + 2 × --history {} vectors of {}",
                                options.optimizer.history, vector)
                  : fmt::format("gradient descent: 4 vectors of {}", vector));
  planner.Add("gradient", parameters * sizeof(T), fmt::format("1 vector of {}", vector));
  planner.Add("lanes", static_cast<uint64_t>(compute.lanes) * Objective<T>::LaneBytes(shape),
              fmt::format("{} lanes × {} of sums", compute.lanes,
                          FormatBytes(Objective<T>::LaneBytes(shape))));
  const size_t workspace = Objective<T>::WorkspaceBytes(shape, compute.block_rows);
  planner.Add("workspace", static_cast<uint64_t>(threads) * workspace,
              fmt::format("{} threads × {} for a block of {} rows", threads, FormatBytes(workspace),
                          compute.block_rows));
  planner.Add("model", parameters * (sizeof(double) + sizeof(T)),
              "the finished model, being written");
}

// A limit of the address space (ulimit -v; h_vmem of some schedulers) counts what is reserved,
// which is more than what is ever resident: every thread's stack, heap and BLAS buffer.
void CheckAddressSpace(const MemoryPlan& plan) {
  constexpr uint64_t kStackAndHeap = uint64_t{80} << 20;
  const uint64_t needed = plan.total_bytes + static_cast<uint64_t>(plan.threads + 2) *
                                                 (kStackAndHeap + kProductBufferBytes);
  const uint64_t left = AddressSpaceLeft();
  if (left < needed) {
    throw Error(ErrorKind::kUsage,
                fmt::format("address space: {} is left under the limit (ulimit -v), and {} threads "
                            "need {} of it: raise the limit, or use --memory and fewer --threads",
                            FormatBytes(left), plan.threads, FormatBytes(needed)));
  }
}

}  // namespace

ResolvedResources Resolve(const ResourceOptions& options) {
  ResolvedResources resolved;
  resolved.threads = options.threads > 0 ? options.threads : AvailableThreads();
  if (options.memory_bytes > 0) {
    resolved.memory_bytes = options.memory_bytes;
    resolved.memory_source = "--memory";
  } else {
    resolved.memory_bytes = HostMemoryBytes() / 2;
    resolved.memory_source =
        fmt::format("half of this machine's {}", FormatBytes(HostMemoryBytes()));
  }
  return resolved;
}

MemoryPlanner::MemoryPlanner(const RowSource& source, const ResolvedResources& resources,
                             int64_t block_rows, size_t element_bytes)
    : source_(source) {
  plan_.budget_bytes = resources.memory_bytes;
  plan_.budget_source = resources.memory_source;
  plan_.rows = source.rows();
  plan_.columns = source.columns();
  plan_.threads = resources.threads;
  plan_.block_rows = block_rows;
  Add("process", kProcessBytes, "program, libraries, stacks");
  const uint64_t block = static_cast<uint64_t>(
      CheckedProduct(CheckedProduct(block_rows, source.columns(), "a block of rows"),
                     static_cast<int64_t>(element_bytes), "a block of rows"));
  Add("decoding", static_cast<uint64_t>(resources.threads) * block,
      fmt::format("{} threads × {}: a block of {} rows", resources.threads, FormatBytes(block),
                  block_rows));
  if (source.ReaderBytes() > 0) {
    Add("chunks", source.ReaderBytes(),
        "HDF5's own: its index, and 3 times the compressed chunks that hold one row");
  }
}

void MemoryPlanner::Add(const std::string& name, uint64_t bytes, const std::string& note) {
  plan_.items.push_back({name, bytes, note});
}

MemoryPlan MemoryPlanner::Finish(uint64_t bytes_per_block) {
  const uint64_t stored = source_.MaxRawBytes(plan_.block_rows);
  const uint64_t per_block = stored + bytes_per_block;
  const uint64_t fixed = Sum(plan_.items);
  const int64_t least = LeastBlocksAhead(plan_.threads);
  plan_.least_bytes = RoundUpToMebibyte(fixed + static_cast<uint64_t>(least) * per_block);
  const uint64_t left = plan_.budget_bytes > fixed ? plan_.budget_bytes - fixed : 0;
  plan_.blocks_ahead = std::clamp(static_cast<int64_t>(left / per_block), least,
                                  ComfortableBlocksAhead(plan_.threads));
  Add("read-ahead", static_cast<uint64_t>(plan_.blocks_ahead) * per_block,
      fmt::format("{} blocks × {} as stored", plan_.blocks_ahead, FormatBytes(per_block)));
  plan_.total_bytes = Sum(plan_.items);
  if (plan_.budget_bytes < plan_.least_bytes) {
    const auto largest = std::ranges::max_element(plan_.items, {}, &MemoryPlan::Item::bytes);
    throw Error(
        ErrorKind::kUsage,
        fmt::format("memory: {} ({}) is too little: at least {}M is needed, most of it for "
                    "{} ({}: {})",
                    FormatBytes(plan_.budget_bytes), plan_.budget_source, plan_.least_bytes >> 20,
                    largest->name, FormatBytes(largest->bytes), largest->note));
  }
  CheckAddressSpace(plan_);
  return plan_;
}

MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source) {
  const NetworkShape shape{source.columns(), options.network.hidden.front()};
  CheckShape(shape);
  const ResolvedResources resources = Resolve(options.resources);
  MemoryPlanner planner(source, resources, compute.block_rows, ElementBytesOf(compute.precision));
  if (compute.precision == Precision::kFloat64) {
    AddTrainingItems<double>(options, compute, shape, resources.threads, planner);
  } else {
    AddTrainingItems<float>(options, compute, shape, resources.threads, planner);
  }
  MemoryPlan plan = planner.Finish();
  plan.lanes = compute.lanes;
  const double rows = static_cast<double>(plan.rows);
  plan.flops_per_evaluation =
      12.0 * rows * static_cast<double>(shape.inputs) * static_cast<double>(shape.hidden);
  plan.bytes_read_per_evaluation = 2 * static_cast<uint64_t>(rows) * source.MaxRawBytes(1);
  return plan;
}

MemoryPlan PlanTraining(const TrainOptions& options) {
  options.Validate();
  const DataSet data(options.data);
  const NetworkShape shape{data.columns(), options.network.hidden.front()};
  return PlanTrainingMemory(options, ResolveCompute(options.compute, shape), data);
}

}  // namespace rhohat
