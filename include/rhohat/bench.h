// How fast this machine trains a network on some data, and what stops it from being faster.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/observer.h"
#include "rhohat/options.h"

namespace rhohat {

struct BenchOptions {
  DataOptions data;  // no files: rows are made up
  NetworkOptions network = {.hidden = {196}};
  ObjectiveOptions objective;
  ComputeOptions compute;  // kAuto: every schedule is measured
  ResourceOptions resources;
  int64_t inputs = 0;   // width of rows made up; 0: 784
  double seconds = 20;  // to spend, about
};

// Rows a second that an evaluation could reach if one thing alone took time. Infinite for what the
// evaluation does not need.
struct Ceilings {
  double products = std::numeric_limits<double>::infinity();  // its matrix products alone
  double reading = std::numeric_limits<double>::infinity();   // reading and decoding its rows
  double memory = std::numeric_limits<double>::infinity();    // moving its numbers through memory

  // The smallest, which no evaluation can pass; and its name: "products", "reading" or "memory".
  double smallest() const;
  const char* binding() const;
};

// Evaluations of J and its gradient under one schedule: medians over the rounds.
struct ScheduleMeasurement {
  std::string schedule;  // as --schedule names it
  std::string refusal;   // why the objective cannot be computed so: then nothing was measured

  double rows_per_second = 0;
  double nominal_flops_per_row = 0;  // of two passes, 12nh with one hidden layer
  double flops_per_row = 0;          // of the products that were really done
  double bytes_per_row = 0;          // moved through memory, as docs/performance.md counts
  double reads_per_row = 0;          // from storage, in one evaluation
  double seconds = 0;                // of one evaluation
  double wait_seconds = 0;           // of these, waiting for data: a compute thread, on average
  double product_flops_per_second = 0;
  Ceilings ceilings;
  // Of the ceiling that binds; and the least and most of the rounds, each against its own ceiling.
  double fraction = 0;
  double fraction_least = 0;
  double fraction_most = 0;
  // Of the processor time of all threads, what the products alone would take. As both sides are
  // times on a processor, it says little of waiting, and holds on a machine that others use too.
  double product_share = 0;

  double nominal_flops_per_second() const { return rows_per_second * nominal_flops_per_row; }
  double flops_per_second() const { return rows_per_second * flops_per_row; }
};

struct BenchResult {
  std::string network;  // "784–196–784"
  std::string source;   // where the rows come from, in words
  int64_t rows = 0;     // measured: as many of the first as fit the time
  int64_t rows_in_data = 0;
  int64_t columns = 0;
  int64_t threads = 0;
  int64_t lanes = 0;
  int64_t block_rows = 0;
  std::string kernels;  // instruction set: "avx512"
  std::string precision;
  double seconds = 0;  // spent
  int64_t rounds = 0;

  // Ceilings that no schedule changes.
  double memory_bytes_per_second = 0;
  double read_bytes_per_second = 0;         // as stored, neither unpacked nor converted
  double decode_rows_per_second = 0;        // read, unpacked, converted and checked
  double first_decode_rows_per_second = 0;  // when these rows were read for the first time

  std::vector<ScheduleMeasurement> schedules;
  // Rate of the first schedule measured on all threads over that on one; nothing with one thread.
  std::optional<double> threads_against_one;
  std::vector<std::string> remarks;  // what to know when reading the figures
};

// Measures ceilings and evaluations in turn, on the first rows of the data. Throws Error(kUsage)
// for options that do not fit, and what the readers and the objective throw.
BenchResult Bench(const BenchOptions& options, const RunControl& control);

}  // namespace rhohat
