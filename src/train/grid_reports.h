// What the models of a grid tell, each from a thread of its own, to one observer: a call at a time,
// and with the model that it is about.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "rhohat/observer.h"

namespace rhohat {

// Thread-safe.
class GridReports {
 public:
  // `observer` may be null.
  explicit GridReports(RunObserver* observer) : observer_(observer) {}

  // `call(observer)`, about the model of that name; about all where it is empty.
  template <class Call>
  void Tell(const std::string& model, const Call& call) {
    if (observer_ == nullptr) return;
    const std::lock_guard lock(mutex_);
    if (model != model_) observer_->OnModel(model);
    model_ = model;
    call(*observer_);
  }

  void Note(const std::string& model, const std::string& line) {
    Tell(model, [&](RunObserver& observer) { observer.OnNote(line); });
  }

  // What several models say in the same words is said once.
  void Warn(const std::string& model, const std::string& line) {
    Tell(model, [&](RunObserver& observer) {
      if (warnings_.insert(line).second) observer.OnWarning(line);
    });
  }

 private:
  RunObserver* observer_;
  std::mutex mutex_;
  std::string model_;               // whom the observer was told of last; behind mutex_
  std::set<std::string> warnings_;  // the same
};

// What one model is observed by. Its notes are for its log alone: those of many are no reading.
class ModelObserver final : public RunObserver {
 public:
  ModelObserver(GridReports& reports, std::string model)
      : reports_(reports), model_(std::move(model)) {}

  void OnWarning(const std::string& line) override { reports_.Warn(model_, line); }
  void OnIteration(const IterationMetrics& metrics) override {
    reports_.Tell(model_, [&](RunObserver& observer) { observer.OnIteration(metrics); });
  }
  void OnPassProgress(const PassProgress& progress) override {
    reports_.Tell(model_, [&](RunObserver& observer) { observer.OnPassProgress(progress); });
  }
  void OnRows(int64_t done, int64_t total) override {
    reports_.Tell("", [&](RunObserver& observer) { observer.OnRows(done, total); });
  }

 private:
  GridReports& reports_;
  std::string model_;
};

}  // namespace rhohat
