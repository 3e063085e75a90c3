// The folder that a training run leaves behind (docs/formats/run-folder.md).
//
//   config.toml         every option as it was resolved, written once at the start
//   metrics.jsonl       one line an iteration
//   run.log             notes, warnings and errors with their times
//   checkpoints/        what the run is gone on with after a stop, and the layers that greedy
//                       training has finished
//   model.safetensors   the result
//
// A folder is one run's: a second run is refused rather than mixed in, and so is a second process
// that goes on with it. Lines reach the operating system one by one, so that a run that is killed
// has told its story up to then; a line that cannot be written ends the run with Error(kIo), as a
// full disk would cost the model too. Nothing is written under the folder's name once that leads
// elsewhere, as where the folder was moved while the run was at work.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/atomic_file.h"
#include "base/folder_lock.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "train/checkpoint.h"

namespace spdlog {
class logger;
}

namespace rhohat {

inline constexpr char kConfigName[] = "config.toml";
inline constexpr char kMetricsName[] = "metrics.jsonl";
inline constexpr char kLogName[] = "run.log";
inline constexpr char kModelName[] = "model.safetensors";

// Log() is thread-safe, AppendMetrics() is not.
class RunFolder {
 public:
  // Makes the folder, its parents too, and writes config.toml. Throws Error(kCannotCreate) where
  // that cannot be, or where a run is in the folder already.
  static RunFolder Create(const std::string& path, const TrainOptions& options);

  // The folder of a run that goes on, from where metrics.jsonl had `metrics_bytes`: what comes
  // after is taken out of it, everything else stays. `lock` is the folder's.
  static RunFolder Reopen(const std::string& path, FolderLock lock, const JobOptions& job,
                          uint64_t metrics_bytes);

  // One line of metrics.jsonl. Numbers survive being read back; those that are not finite are null.
  void AppendMetrics(const IterationMetrics& metrics);

  // Has metrics.jsonl put on the disk, and returns its length.
  uint64_t SyncMetrics() { return metrics_.Sync(); }

  // The last line of metrics.jsonl; iteration −1 where there is none.
  IterationMetrics LastMetrics() const;

  // The line of that iteration; nothing where there is none, or somebody else has changed the file.
  std::optional<IterationMetrics> MetricsOf(int64_t iteration) const;

  // Throws Error(kIo) where the folder is no longer the one that the run began in. To be asked
  // before a file is made in it.
  void CheckIsInPlace() const;

  // Writes the next checkpoint, removes those that are too old, and returns its path.
  std::string SaveCheckpoint(const StateWriter& state, const CheckpointContent& content);

  // Of the checkpoints, the one to go on from.
  std::string LatestCheckpoint() const;

  // Removes what is in the folder where neither an iteration nor a checkpoint was ever written, so
  // that a run that failed at once does not stand in the way of the next.
  void WithdrawIfEmpty();

  // One time-stamped line of run.log.
  void Log(LogLevel level, const std::string& text);

  std::string model_path() const { return (path_ / "model.safetensors").string(); }

  // The model that greedy training leaves after so many layers: checkpoints/layer-<n>.safetensors.
  std::string LayerModel(int64_t layers) const;

 private:
  RunFolder(const std::filesystem::path& path, FolderLock lock, const JobOptions& job,
            uint64_t metrics_bytes);

  void MakeCheckpointFolder() const;

  FolderLock lock_;
  std::filesystem::path path_;
  AppendFile metrics_;
  bool has_results_;  // lines of metrics, or checkpoints
  int64_t keep_checkpoints_;
  int64_t next_checkpoint_;
  std::shared_ptr<spdlog::logger> log_;
};

}  // namespace rhohat
