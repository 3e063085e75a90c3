// Where the memory of an operation goes, added up before any of it is allocated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhohat/options.h"

namespace rhohat {

struct MemoryPlan {
  struct Item {
    std::string name;
    uint64_t bytes = 0;
    std::string note;  // how it comes about: "16 lanes × 1.2 MiB"
  };
  std::vector<Item> items;
  uint64_t total_bytes = 0;   // sum of the items
  uint64_t budget_bytes = 0;  // --memory, or what was chosen in its place
  uint64_t least_bytes = 0;   // smallest budget that this configuration works with
  // Where the budget and the threads come from, and what other limits were found: in words.
  std::string budget_source;
  std::string threads_source;
  // What was asked for beyond the limits that were found.
  std::vector<std::string> warnings;

  // Resolved by the plan:
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t threads = 0;
  int64_t lanes = 0;
  int64_t block_rows = 0;
  int64_t blocks_ahead = 0;  // blocks held at once, being read, waiting and being computed
  uint64_t cache_bytes = 0;  // for rows that stay in memory from one pass to the next
  int64_t kept_rows = 0;     // how many that are; they are read once
  uint64_t code_bytes = 0;   // for codes that stay from one pass of an evaluation to the next
  int64_t kept_codes = 0;    // of how many rows that are
  Schedule schedule = Schedule::kTwoPass;
  std::string schedule_reason;  // why that one
  int64_t sample_rows = 0;      // held for the samples of the progressive method
  int64_t mix_rows = 0;         // of stochastic methods: rows among which their order is mixed
  double flops_per_evaluation = 0;
  uint64_t bytes_read_per_evaluation = 0;  // of rows, after the first, before any compression
};

}  // namespace rhohat
