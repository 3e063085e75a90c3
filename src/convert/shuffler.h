// A shuffle in two passes: rows are dealt to buckets, then bucket after bucket is written in order.
//
// Each pass reads and writes every row once, in large pieces. The journal says how many rows are
// dealt and on the disk; nothing else is needed to go on, since where a row lies in the bucket file
// follows from its number.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "convert/bucket_file.h"
#include "convert/shuffle_folder.h"
#include "convert/shuffle_journal.h"
#include "convert/shuffle_memory.h"
#include "convert/shuffle_plan.h"
#include "convert/shuffle_run.h"
#include "convert/shuffle_table.h"
#include "data/data_set.h"
#include "rhohat/observer.h"
#include "rhohat/shuffle.h"

namespace rhohat {

// Prepare(), Deal() and Write(), in this order. Not thread-safe.
class Shuffler {
 public:
  // All but `data` outlive the object. Throws Error(kUsage) where the memory does not suffice.
  Shuffler(const ShuffleOptions& options, const ShuffleTuning& tuning, const RunControl& control,
           const DataSet& data, const ShuffleTable& table, const ShuffleFolder& folder);

  // From the start, or from where the journal says.
  void Prepare();
  // Pass 1.
  void Deal(DataSet& data);
  // Pass 2.
  void Write();

 private:
  using Clock = std::chrono::steady_clock;

  void Forget();
  void Begin();
  void GoOn(ShuffleJournal before);
  void Count(size_t buckets);
  bool CheckpointIsDue(int64_t next_row) const;
  void Checkpoint(BucketWriter& writer, int64_t next_row);
  void CheckInputsAreUnchanged() const;
  void DeleteUnfinished(const ShuffleJournal& journal) const;
  void WarnOfLittleDisk() const;
  void Progress(int64_t rows) const;

  const ShuffleOptions& options_;
  const ShuffleTuning& tuning_;
  const RunControl& control_;
  const ShuffleTable& table_;
  const ShuffleFolder& folder_;
  ShuffleKeys keys_;
  ShuffleMemory memory_;
  ShuffleJournal journal_;
  std::vector<int64_t> dealt_;  // rows of each bucket that are in the file
  std::optional<BucketLayout> layout_;
  std::optional<BucketFile> file_;
  Clock::time_point last_checkpoint_ = Clock::now();
};

}  // namespace rhohat
