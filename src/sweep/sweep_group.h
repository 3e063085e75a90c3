// Passes that several sweeps make together: rows are read and decoded once for all of them, as when
// several models are trained on the same data.
//
//   member's thread     Sweep::Run(function) ──▶ waits for the others ─────▶ adds up its lanes
//   one of them                                  makes the pass: each block ──▶ every function
//
// A member sees what it would see alone: the same blocks in the same lanes, in the same order. So
// its sums are the same to the bit, whoever else there is. A member that begins in the middle, as
// one that goes on with a pass of another process does, is handed the blocks from there on.
//
// A pass begins when every member has come for one or has left, so a member that is long in coming
// keeps the others waiting; they lose nothing by it where reading is what takes the time. What ends
// the pass, such as bad data, ends it for all. What ends a member while the pass stands still ends
// it for that member alone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

#include "sweep/sweep.h"

namespace rhohat {

// Thread-safe.
template <class T>
class SweepGroup : private PassPauses {
 public:
  using BlockFunction = typename Sweep<T>::BlockFunction;

  // As for a sweep alone, but for the pauses, which are the members' own. `members` is how many
  // there are to begin with, each in a thread of its own.
  SweepGroup(RowSource& source, Executor& executor, const SweepOptions& options,
             RowTransform<T>* transform, int64_t members);

  // A member comes no more.
  void Leave();

  // See Sweep.
  bool keeps(int64_t block) const { return sweep_.keeps(block); }

 private:
  friend class Sweep<T>;

  // One that has come for a pass.
  struct Member {
    RowPass& pass;  // its position, its pauses and what it is counted
    const BlockFunction& function;
    int64_t first_block = 0;
    int64_t lanes_used = 0;
    std::exception_ptr failure;  // it has no part in the pass any more
    bool is_done = false;
  };

  // Returns the number of lanes that had a block.
  int64_t Run(RowPass& pass, const BlockFunction& function);
  bool is_complete() const { return std::ssize(waiting_) == members_; }
  void Lead(std::unique_lock<std::mutex>& lock);
  void MakePass();
  int64_t PassOnce();
  void ShareCounts(int64_t rows);

  bool Wanted() override;
  void Pause() override;

  Sweep<T> sweep_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t members_;               // behind mutex_
  std::vector<Member*> waiting_;  // the same
  std::vector<Member*> passing_;  // of the pass under way, by whoever makes it
  SweepCounts shared_;            // what members were told of
};

}  // namespace rhohat
