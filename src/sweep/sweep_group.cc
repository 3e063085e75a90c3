#include "sweep/sweep_group.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rhohat {
namespace {

SweepOptions WithPauses(SweepOptions options, PassPauses* pauses) {
  options.pauses = pauses;
  options.stop = nullptr;
  return options;
}

}  // namespace

template <class T>
SweepGroup<T>::SweepGroup(RowSource& source, Executor& executor, const SweepOptions& options,
                          RowTransform<T>* transform, int64_t members)
    : sweep_(source, executor, WithPauses(options, this), transform), members_(members) {
  sweep_.set_rows_done([this](int64_t rows) {
    for (const Member* member : passing_) {
      if (!member->failure) member->pass.TellRowsDone(rows);
    }
  });
}

template <class T>
void SweepGroup<T>::Leave() {
  const std::lock_guard lock(mutex_);
  --members_;
  assert(members_ >= std::ssize(waiting_));
  changed_.notify_all();
}

template <class T>
int64_t SweepGroup<T>::Run(RowPass& pass, const BlockFunction& function) {
  assert(pass.options().lanes == sweep_.lanes());
  assert(pass.options().block_rows == sweep_.block_rows());
  Member member{.pass = pass, .function = function, .first_block = pass.position(), .failure = {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&member);
  changed_.wait(lock, [&] { return member.is_done || is_complete(); });
  if (!member.is_done) Lead(lock);
  if (member.failure) std::rethrow_exception(member.failure);
  return member.lanes_used;
}

// All who have come wait, so nobody else is here until the pass is made.
template <class T>
void SweepGroup<T>::Lead(std::unique_lock<std::mutex>& lock) {
  passing_ = std::exchange(waiting_, {});
  lock.unlock();
  MakePass();
  lock.lock();
  for (Member* member : passing_) member->is_done = true;
  passing_.clear();
  changed_.notify_all();
}

template <class T>
void SweepGroup<T>::MakePass() {
  std::exception_ptr failure;
  int64_t lanes_used = 0;
  try {
    lanes_used = PassOnce();
  } catch (...) {
    failure = std::current_exception();
  }
  ShareCounts(failure ? 0 : sweep_.rows());
  for (Member* member : passing_) {
    if (!member->failure) member->failure = failure;
    member->lanes_used = lanes_used;
    member->pass.StandAt(0);
  }
}

template <class T>
int64_t SweepGroup<T>::PassOnce() {
  sweep_.pass_.StandAt(
      (*std::ranges::min_element(passing_, {}, &Member::first_block))->first_block);
  return sweep_.RunBlocks([this](const Block<T>& block, int64_t lane) {
    for (const Member* member : passing_) {
      if (!member->failure && block.index >= member->first_block) member->function(block, lane);
    }
  });
}

// What was read is counted for each of them, as for one that reads alone.
template <class T>
void SweepGroup<T>::ShareCounts(int64_t rows) {
  const SweepCounts& counts = sweep_.counts();
  const SweepCounts since{.rows = rows,
                          .bytes_read = counts.bytes_read - shared_.bytes_read,
                          .wait_seconds = counts.wait_seconds - shared_.wait_seconds};
  shared_ = counts;
  for (Member* member : passing_) {
    if (!member->failure) member->pass.Count(since);
  }
}

template <class T>
bool SweepGroup<T>::Wanted() {
  return std::ranges::any_of(passing_, [](const Member* member) {
    PassPauses* const pauses = member->pass.options().pauses;
    return !member->failure && pauses != nullptr && pauses->Wanted();
  });
}

// Their threads wait, so each member's state is as still as the pass.
template <class T>
void SweepGroup<T>::Pause() {
  ShareCounts(0);
  std::exception_ptr last;
  for (Member* member : passing_) {
    if (member->failure) continue;
    try {
      member->pass.StandAt(std::max(sweep_.position(), member->first_block));
      if (member->pass.options().pauses != nullptr) member->pass.options().pauses->Pause();
    } catch (...) {
      member->failure = last = std::current_exception();
    }
  }
  const bool is_for_nobody = std::ranges::all_of(
      passing_, [](const Member* member) { return member->failure != nullptr; });
  if (is_for_nobody) std::rethrow_exception(last);
}

template class SweepGroup<float>;
template class SweepGroup<double>;

}  // namespace rhohat
