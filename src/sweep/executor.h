// The compute threads: a fixed number of them, and the only place that knows TBB.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace rhohat {

// Thread-safe. Tasks must not block, and must not outlive the executor.
class Executor {
 public:
  explicit Executor(int64_t threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int64_t threads() const;

  // Runs `task(worker)` on some compute thread, soon; returns at once. `worker` is in
  // [0, threads()) and no two tasks that run at the same time have the same. Throws std::bad_alloc,
  // and then the task does not run.
  void Enqueue(std::function<void(int64_t worker)> task);

  // Runs `task(i)` for each i in [0, count), several at a time, and returns when all are done.
  // Throws the first exception that one of them threw. Not to be called from a task.
  void RunAll(int64_t count, const std::function<void(int64_t)>& task);

 private:
  struct Pool;
  struct Task;
  std::unique_ptr<Pool> pool_;
};

}  // namespace rhohat
