// How near an evaluation of J and its gradient comes to what the matrix products alone would take.
//
// The ceiling: the five products of docs/math.md §3, of the same shapes, one BLAS thread each, on
// all compute threads at once, with nothing between them. Both are measured in turn in one run, and
// only their ratio means anything on a machine that others use too.
//
//   evaluation_bench [THREADS]
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
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

double FlopsPerRow(const NetworkShape& shape) {
  return 12.0 * static_cast<double>(shape.inputs) * static_cast<double>(shape.hidden);
}

// Operations per second of the bare products of `blocks` blocks on all threads.
double ProductRate(const NetworkShape& shape, int64_t block_rows, int64_t blocks,
                   Executor& executor) {
  const auto size = [](int64_t rows, int64_t columns) {
    return static_cast<size_t>(rows * columns);
  };
  const double start = Seconds();
  executor.RunAll(executor.threads(), [&](int64_t) {
    const int64_t n = shape.inputs;
    const int64_t h = shape.hidden;
    std::vector<float> x(size(block_rows, n), 0.5F), a(size(block_rows, h), 0.5F);
    std::vector<float> out(size(block_rows, n)), back(size(block_rows, h));
    std::vector<float> w1(size(h, n), 0.01F), w2(size(n, h), 0.01F);
    std::vector<float> g1(size(h, n)), g2(size(n, h));
    const MatrixView<float> X(x.data(), block_rows, n), A(a.data(), block_rows, h);
    const MatrixView<float> Out(out.data(), block_rows, n), Back(back.data(), block_rows, h);
    const MatrixView<float> W1(w1.data(), h, n), W2(w2.data(), n, h);
    const MatrixView<float> G1(g1.data(), h, n), G2(g2.data(), n, h);
    for (int64_t block = 0; block < blocks; ++block) {
      MultiplyTransposed<float>(X, W1, A);  // the encoder, in both passes
      MultiplyTransposed<float>(X, W1, A);
      MultiplyTransposed<float>(A, W2, Out);
      AddTransposedProduct<float>(Out, A, G2);
      Multiply<float>(Out, W2, Back);
      AddTransposedProduct<float>(Back, X, G1);
    }
  });
  const auto rows = static_cast<double>(executor.threads() * blocks * block_rows);
  return rows * FlopsPerRow(shape) / (Seconds() - start);
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
  Objective<float> objective(shape, {}, {}, sweep);
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
    fractions.push_back(static_cast<double>(rows) * FlopsPerRow(shape) / seconds / ceiling);
    waits.push_back((sweep.counts().wait_seconds - wait_before) / seconds);
  }
  fmt::print(
      "{:>5}-{:<5} {:>7} rows  {} threads  ceiling {:>6.1f} GFLOP/s  evaluation {:.2f} of it "
      "(from {:.2f} to {:.2f})  waiting for data {:.0f} %\n",
      shape.inputs, shape.hidden, rows, threads, Median(ceilings) * 1e-9, Median(fractions),
      std::ranges::min(fractions), std::ranges::max(fractions), Median(waits) * 100);
}

}  // namespace
}  // namespace rhohat

int main(int argc, char** argv) {
  const int64_t threads = argc > 1 ? std::atoll(argv[1]) : 2;
  rhohat::UseOneThreadPerProduct();
  rhohat::Measure({784, 196}, 60000, threads);
  rhohat::Measure({784, 1024}, 20000, threads);
  rhohat::Measure({64, 25}, 500000, threads);
  return 0;
}
