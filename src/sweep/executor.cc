#include "sweep/executor.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace rhohat {

namespace {

// Hands out the numbers 0 … count − 1, none to two holders at once. TBB's own thread indices would
// not do: an arena of one thread may number it 1.
class WorkerNumbers {
 public:
  explicit WorkerNumbers(int count) : count_(static_cast<size_t>(count)) {
    for (int number = count - 1; number >= 0; --number) free_.push_back(number);
  }

  // Waits for the last holder: a task gives its number back a moment after its work is known to be
  // done.
  ~WorkerNumbers() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return free_.size() == count_; });
  }
  WorkerNumbers(const WorkerNumbers&) = delete;
  WorkerNumbers& operator=(const WorkerNumbers&) = delete;

  class Holder {
   public:
    explicit Holder(WorkerNumbers& numbers) : numbers_(numbers) {
      std::unique_lock lock(numbers_.mutex_);
      numbers_.returned_.wait(lock, [&] { return !numbers_.free_.empty(); });
      number_ = numbers_.free_.back();
      numbers_.free_.pop_back();
    }
    ~Holder() {
      const std::lock_guard lock(numbers_.mutex_);
      numbers_.free_.push_back(number_);
      numbers_.returned_.notify_all();
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    int64_t number() const { return number_; }

   private:
    WorkerNumbers& numbers_;
    int64_t number_ = 0;
  };

 private:
  const size_t count_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<int64_t> free_;
};

}  // namespace

// The arena reserves no place for the thread that waits for results, so all `threads` are TBB's
// own; TBB counts that waiting thread too, hence one more in the limit.
struct Executor::Pool {
  explicit Pool(int threads)
      : workers(threads),
        limit(oneapi::tbb::global_control::max_allowed_parallelism,
              static_cast<size_t>(threads) + 1),
        arena(threads, 0) {
    arena.initialize();
  }
  WorkerNumbers workers;
  oneapi::tbb::global_control limit;
  oneapi::tbb::task_arena arena;
};

Executor::Executor(int64_t threads) : pool_(std::make_unique<Pool>(static_cast<int>(threads))) {}

Executor::~Executor() = default;

int64_t Executor::threads() const { return pool_->arena.max_concurrency(); }

// Where memory runs out, TBB may throw before it has the task or after: whoever is first to claim
// it says what becomes of it. What TBB may still hold is then never freed.
struct Executor::Task {
  explicit Task(std::function<void(int64_t)> work) : run(std::move(work)) {}
  std::function<void(int64_t)> run;
  std::atomic<bool> is_claimed = false;
};

void Executor::Enqueue(std::function<void(int64_t)> task) {
  // TBB destroys what it was given some time after it ran, even after the program's end. So the
  // task is held apart, and is gone before its worker's number is free again.
  Task* const held = std::make_unique<Task>(std::move(task)).release();
  try {
    pool_->arena.enqueue([this, held] {
      if (held->is_claimed.exchange(true)) return;
      const WorkerNumbers::Holder worker(pool_->workers);
      const std::unique_ptr<Task> owned(held);
      owned->run(worker.number());
    });
  } catch (...) {
    if (held->is_claimed.exchange(true)) return;  // it runs
    held->run = nullptr;
    throw;
  }
}

void Executor::RunAll(int64_t count, const std::function<void(int64_t)>& task) {
  pool_->arena.execute([&] {
    oneapi::tbb::parallel_for(
        int64_t{0}, count, [&](int64_t i) { task(i); }, oneapi::tbb::simple_partitioner());
  });
}

}  // namespace rhohat
