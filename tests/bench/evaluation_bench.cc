// How near an evaluation of J and its gradient comes to what the matrix products alone would take.
//
// The ceiling: the products of docs/math.md §3, of the same shapes, one BLAS thread each, on all
// compute threads at once, with nothing between them. Both are measured in turn in one run, and
// only their ratio means anything on a machine that others use too.
//
// With "kept", how much less an evaluation takes whose rows stay in memory, against one that reads
// them from the system's file cache, in time and in processor time.
//
//   evaluation_bench [THREADS [kept]]
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/data_set.h"
#include "math/blas.h"
#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "sweep/memory_planner.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A block's products, of both passes, with memory of their own.
class Products {
 public:
  Products(const NetworkShape& shape, int64_t block_rows)
      : shape_(shape), parameters_(Buffer(shape.parameters())), sums_(Buffer(shape.parameters())) {
    for (int64_t level = 0; level <= shape.layers(); ++level) {
      buffers_.push_back(Buffer(block_rows * shape.width(level)));
      levels_.emplace_back(buffers_.back().data(), block_rows, shape.width(level));
    }
  }

  void Run() {
    const Parameters<const float> weights =
        ViewParameters(shape_, std::span<const float>(parameters_));
    const Parameters<float> gradient = ViewParameters(shape_, std::span(sums_));
    const auto forward = [&](int64_t layer) {
      MultiplyTransposed<float>(Level(layer), weights[layer].weight, Level(layer + 1));
    };
    for (int64_t layer = 0; layer < shape_.depth(); ++layer) forward(layer);
    for (int64_t layer = 0; layer < shape_.layers(); ++layer) forward(layer);
    for (int64_t layer = shape_.layers() - 1; layer >= 0; --layer) {
      AddTransposedProduct<float>(Level(layer + 1), Level(layer), gradient[layer].weight);
      if (layer > 0) Multiply<float>(Level(layer + 1), weights[layer].weight, Level(layer));
    }
  }

 private:
  static std::vector<float> Buffer(int64_t size) {
    return std::vector<float>(static_cast<size_t>(size), 0.01F);
  }
  MatrixView<float> Level(int64_t level) const { return levels_[static_cast<size_t>(level)]; }

  NetworkShape shape_;
  std::vector<float> parameters_;
  std::vector<float> sums_;
  std::vector<std::vector<float>> buffers_;
  std::vector<MatrixView<float>> levels_;
};

// Of all threads of this process.
double ProcessorSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Operations per second of the bare products of `blocks` blocks on all threads.
double ProductRate(const NetworkShape& shape, int64_t block_rows, int64_t blocks,
                   Executor& executor) {
  const double start = Seconds();
  executor.RunAll(executor.threads(), [&](int64_t) {
    Products products(shape, block_rows);
    for (int64_t block = 0; block < blocks; ++block) products.Run();
  });
  const auto rows = static_cast<double>(executor.threads() * blocks * block_rows);
  return rows * FlopsPerRow(shape, 2) / (Seconds() - start);
}

std::string WidthsOf(const NetworkShape& shape) {
  std::string widths;
  for (int64_t level = 0; level <= shape.depth(); ++level) {
    widths += fmt::format("{}{}", level == 0 ? "" : "-", shape.width(level));
  }
  return widths;
}

void WriteSomeRows(const std::string& path, int64_t rows, int64_t columns) {
  std::vector<float> values(static_cast<size_t>(rows * columns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 97) / 97;
  WriteRows<float>(path, {ElementKind::kFloat32, false}, columns, values);
}

// Times of evaluations, in seconds and in seconds of processors.
struct Times {
  std::vector<double> seconds;
  std::vector<double> processor_seconds;
};

void Evaluate(Objective<float>& objective, const AlignedBuffer<float>& parameters,
              const AlignedBuffer<float>& gradient, Times& times) {
  const double start = Seconds();
  const double processor_start = ProcessorSeconds();
  objective.EvaluateWithGradient(parameters.span(), gradient.span());
  times.processor_seconds.push_back(ProcessorSeconds() - processor_start);
  times.seconds.push_back(Seconds() - start);
}

void MeasureKept(const NetworkShape& shape, int64_t rows, int64_t threads) {
  const TemporaryFolder folder;
  WriteSomeRows(folder / "rows.h5", rows, shape.inputs);
  const ComputeOptions compute = ResolveCompute({}, shape);
  DataSet data({.files = {folder / "rows.h5"}});
  Executor executor(threads);
  SweepOptions options{.block_rows = compute.block_rows,
                       .lanes = compute.lanes,
                       .blocks_ahead = ComfortableBlocksAhead(data, compute.block_rows, threads)};
  Sweep<float> reading(data, executor, options);
  options.cache_bytes = uint64_t{1} << 40;
  Sweep<float> keeping(data, executor, options);
  Objective<float> read(shape, {shape.hidden}, {}, {}, reading);
  Objective<float> kept(shape, {shape.hidden}, {}, {}, keeping);
  AlignedBuffer<float> parameters(static_cast<size_t>(shape.parameters()));
  const AlignedBuffer<float> gradient(parameters.size());
  InitialiseParameters(shape, 1, parameters.span());
  Times first;
  Evaluate(kept, parameters, gradient, first);
  Times read_times;
  Times kept_times;
  for (int repeat = 0; repeat < 9; ++repeat) {
    Evaluate(read, parameters, gradient, read_times);
    Evaluate(kept, parameters, gradient, kept_times);
  }
  fmt::print(
      "{:<12} {:>7} rows  {} threads  kept: {:.2f} of the time, {:.2f} of the processors' (the "
      "first time {:.2f})\n",
      WidthsOf(shape), rows, threads, Median(kept_times.seconds) / Median(read_times.seconds),
      Median(kept_times.processor_seconds) / Median(read_times.processor_seconds),
      first.processor_seconds.front() / Median(read_times.processor_seconds));
}

void Measure(const NetworkShape& shape, int64_t rows, int64_t threads) {
  const TemporaryFolder folder;
  WriteSomeRows(folder / "rows.h5", rows, shape.inputs);

  const ComputeOptions compute = ResolveCompute({}, shape);
  DataSet data({.files = {folder / "rows.h5"}});
  Executor executor(threads);
  Sweep<float> sweep(data, executor,
                     {.block_rows = compute.block_rows,
                      .lanes = compute.lanes,
                      .blocks_ahead = ComfortableBlocksAhead(data, compute.block_rows, threads)});
  Objective<float> objective(shape, {shape.hidden}, {}, {}, sweep);
  AlignedBuffer<float> parameters(static_cast<size_t>(shape.parameters()));
  AlignedBuffer<float> gradient(parameters.size());
  InitialiseParameters(shape, 1, parameters.span());

  const int64_t blocks = rows / compute.block_rows / threads;
  std::vector<double> ceilings;
  std::vector<double> fractions;
  std::vector<double> waits;
  for (int repeat = 0; repeat < 7; ++repeat) {
    const double ceiling = ProductRate(shape, compute.block_rows, blocks, executor);
    const double wait_before = sweep.counts().wait_seconds;
    const double start = Seconds();
    objective.EvaluateWithGradient(parameters.span(), gradient.span());
    const double seconds = Seconds() - start;
    ceilings.push_back(ceiling);
    fractions.push_back(static_cast<double>(rows) * FlopsPerRow(shape, 2) / seconds / ceiling);
    waits.push_back((sweep.counts().wait_seconds - wait_before) / seconds);
  }
  fmt::print(
      "{:<12} {:>7} rows  {} threads  ceiling {:>6.1f} GFLOP/s  evaluation {:.2f} of it "
      "(from {:.2f} to {:.2f})  waiting for data {:.0f} %\n",
      WidthsOf(shape), rows, threads, Median(ceilings) * 1e-9, Median(fractions),
      std::ranges::min(fractions), std::ranges::max(fractions), Median(waits) * 100);
}

}  // namespace
}  // namespace rhohat

int main(int argc, char** argv) {
  const int64_t threads = argc > 1 ? std::atoll(argv[1]) : 2;
  rhohat::UseOneThreadPerProduct();
  if (argc > 2 && std::string(argv[2]) == "kept") {
    rhohat::MeasureKept({784, {196}}, 60000, threads);
    rhohat::MeasureKept({64, {25}}, 500000, threads);
    return 0;
  }
  rhohat::Measure({784, {196}}, 60000, threads);
  rhohat::Measure({784, {1024}}, 20000, threads);
  rhohat::Measure({784, {400, 100}}, 30000, threads);
  rhohat::Measure({64, {25}}, 500000, threads);
  return 0;
}
