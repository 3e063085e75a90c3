// How near an evaluation of J and its gradient comes to what the matrix products alone would take.
//
// The ceiling: the products of docs/math.md §3, of the same shapes, one BLAS thread each, on all
// compute threads at once, with nothing between them. Both are measured in turn in one run, and
// only their ratio means anything on a machine that others use too.
//
//   evaluation_bench [THREADS]
#include <fmt/core.h>

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

void Measure(const NetworkShape& shape, int64_t rows, int64_t threads) {
  const TemporaryFolder folder;
  std::vector<float> values(static_cast<size_t>(rows * shape.inputs));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 97) / 97;
  WriteRows<float>(folder / "rows.h5", {ElementKind::kFloat32, false}, shape.inputs, values);
  values = {};

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
  rhohat::Measure({784, {196}}, 60000, threads);
  rhohat::Measure({784, {1024}}, 20000, threads);
  rhohat::Measure({784, {400, 100}}, 30000, threads);
  rhohat::Measure({64, {25}}, 500000, threads);
  return 0;
}
