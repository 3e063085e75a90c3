// What the machine can do at most, measured: bare matrix products, and memory.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/evaluation_work.h"
#include "base/aligned_buffer.h"
#include "math/views.h"
#include "network/parameters.h"
#include "sweep/executor.h"

namespace rhohat {

struct ProductRate {
  double flops_per_second = 0;            // on all threads together
  double flops_per_processor_second = 0;  // on one of them, of the time that it had a processor
  // Of the time of all threads that they had a processor: less than 1 where others want it too.
  double processor_share = 0;
};

// The products of an evaluation, of the same shapes, one BLAS thread each, on all compute threads
// at once, with nothing between them. Weights, sums and levels are a thread's own.
template <class T>
class BareProducts {
 public:
  // All memory is allocated here. `executor` must outlive the object.
  BareProducts(const NetworkShape& shape, int64_t block_rows, Executor& executor);

  // What the constructor allocates for each thread, and BLAS beside it.
  static size_t MemoryBytes(const NetworkShape& shape, int64_t block_rows);

  // Over about `seconds`, in whole blocks, as many for each thread.
  ProductRate Measure(const std::vector<BlockProduct>& products, double seconds);

 private:
  struct Worker {
    AlignedBuffer<T> parameters;
    AlignedBuffer<T> sums;
    std::vector<AlignedBuffer<T>> levels;  // B×width
  };

  void RunBlock(const std::vector<BlockProduct>& products, Worker& worker) const;
  double SecondsFor(const std::vector<BlockProduct>& products, int64_t blocks);

  NetworkShape shape_;
  int64_t block_rows_;
  Executor& executor_;
  std::vector<Worker> workers_;
};

// Streams through arrays that no cache holds, on all compute threads at once.
class MemoryStream {
 public:
  // Three arrays of `array_bytes` in all. `executor` must outlive the object.
  MemoryStream(uint64_t array_bytes, Executor& executor);

  static uint64_t MemoryBytes(uint64_t array_bytes) { return 3 * array_bytes; }

  // Bytes read and written per second over about `seconds`: of a triad (a = b + s·c) or a copy,
  // whichever is more. What a processor reads before it writes is not counted.
  double BytesPerSecond(double seconds);

 private:
  enum Kind { kCopy, kTriad };
  struct Worker {
    AlignedBuffer<float> a;
    AlignedBuffer<float> b;
    AlignedBuffer<float> c;
  };

  double RateOf(Kind kind, double seconds);
  double SecondsFor(Kind kind, int64_t times);

  Executor& executor_;
  std::vector<Worker> workers_;
};

// A clock that never goes back.
double SecondsNow();

// What all threads of the process have used of the processors.
double ProcessorSeconds();

// Of an odd number of values the one in the middle, else the mean of the two there. At least one.
double Median(std::vector<double> values);

}  // namespace rhohat
