#include "train/run_folder.h"

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "rhohat/error.h"
#include "train/checkpoint_files.h"
#include "train/config_text.h"
#include "train/metrics_lines.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowCannotCreate(const fs::path& path, const std::string& fault) {
  throw Error(ErrorKind::kCannotCreate, fmt::format("{}: {}", path.string(), fault));
}

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// Throws Error where a run has left something there.
void CheckFree(const fs::path& path) {
  const bool has_config = IsThere(path / kConfigName);
  const bool has_metrics = IsThere(path / kMetricsName);
  const bool has_model = IsThere(path / kModelName);
  if (!has_config && !has_metrics && !has_model) return;
  if (!has_config || !has_metrics) {
    ThrowCannotCreate(path, fmt::format("holds what is left of a run, without its {}: choose "
                                        "another folder or remove this one",
                                        has_metrics ? kConfigName : kMetricsName));
  }
  ThrowCannotCreate(path, has_model ? "already holds a finished run: choose another folder or "
                                      "remove this one"
                                    : "already holds a run: go on with it by --resume auto, "
                                      "choose another folder or remove this one");
}

void MakeFolder(const fs::path& path) {
  std::error_code fault;
  if (fs::exists(path, fault) && !fs::is_directory(path, fault)) {
    ThrowCannotCreate(path, "cannot create the folder: there is a file of that name");
  }
  fs::create_directories(path, fault);
  if (fault) ThrowCannotCreate(path, "cannot create the folder: " + fault.message());
}

// Makes metrics.jsonl, which must not exist: of two runs that start at the same time with the same
// folder, only one succeeds.
void ClaimFolder(const fs::path& path) {
  CheckFree(path);
  std::FILE* claim = std::fopen((path / kMetricsName).c_str(), "wxe");
  if (claim == nullptr) {
    const int code = errno;
    if (code == EEXIST) CheckFree(path);
    ThrowCannotCreate(path / kMetricsName, "cannot create: " + ErrnoText(code));
  }
  std::fclose(claim);
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Lines of run.log go where a failed write is noticed: spdlog's own file sinks buffer.
class AppendSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit AppendSink(fs::path path) : file_(std::move(path)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.Append(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

 private:
  AppendFile file_;
};

std::shared_ptr<spdlog::logger> MakeLogger(const fs::path& path, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("run", std::make_shared<AppendSink>(path));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  logger->set_level(SpdlogLevel(level));
  // Called while the sink's exception is being handled; spdlog would print it, and go on.
  logger->set_error_handler([](const std::string&) { throw; });
  return logger;
}

}  // namespace

RunFolder RunFolder::Create(const std::string& path, const TrainOptions& options) {
  MakeFolder(path);
  FolderLock lock(path);
  ClaimFolder(path);
  try {
    AtomicFile config(fs::path(path) / kConfigName);
    config.Write(ConfigText(options));
    config.Commit();
    return RunFolder(path, std::move(lock), options.job, 0);
  } catch (...) {
    // Nothing has run yet, so what is here must not keep the next attempt out.
    std::error_code ignored;
    for (const char* name : {kConfigName, kMetricsName}) fs::remove(fs::path(path) / name, ignored);
    throw;
  }
}

RunFolder RunFolder::Reopen(const std::string& path, FolderLock lock, const JobOptions& job,
                            uint64_t metrics_bytes) {
  return RunFolder(path, std::move(lock), job, metrics_bytes);
}

RunFolder::RunFolder(const fs::path& path, FolderLock lock, const JobOptions& job,
                     uint64_t metrics_bytes)
    : lock_(std::move(lock)),
      path_(path),
      metrics_(path / kMetricsName, metrics_bytes),
      has_results_(metrics_bytes > 0 || !ListCheckpoints(path).empty()),
      keep_checkpoints_(job.keep_checkpoints),
      next_checkpoint_(NextCheckpointNumber(path)),
      log_(MakeLogger(path / kLogName, job.log_level)) {}

void RunFolder::AppendMetrics(const IterationMetrics& metrics) {
  metrics_.Append(MetricsLine(metrics) + '\n');
  has_results_ = true;
}

void RunFolder::WithdrawIfEmpty() {
  if (has_results_ || !lock_.IsInPlace()) return;
  std::error_code ignored;
  for (const char* name : {kConfigName, kMetricsName, kLogName, kLockName}) {
    fs::remove(path_ / name, ignored);
  }
  fs::remove(path_, ignored);  // only where it is empty
}

void RunFolder::Log(LogLevel level, const std::string& text) {
  log_->log(SpdlogLevel(level), spdlog::string_view_t(text));
}

IterationMetrics RunFolder::LastMetrics() const {
  const fs::path path = path_ / kMetricsName;
  const std::vector<std::string> lines = LastLines(path);
  if (lines.empty()) return {.iteration = -1};
  if (auto last = ParseMetrics(lines.back())) return *std::move(last);
  throw Error(ErrorKind::kBadData, fmt::format("{}: its last line is damaged", path.string()));
}

std::optional<IterationMetrics> RunFolder::MetricsOf(int64_t iteration) const {
  const fs::path path = path_ / kMetricsName;
  errno = 0;
  std::ifstream file(path);
  std::string line;
  for (int64_t i = 0; i <= iteration; ++i) {  // iterations are numbered without gaps
    if (std::getline(file, line)) continue;
    if ((!file.is_open() && errno != ENOENT) || file.bad()) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: cannot read: {}", path.string(), ErrnoText(errno)));
    }
    return std::nullopt;
  }
  std::optional<IterationMetrics> metrics = ParseMetrics(line);
  if (!metrics.has_value() || metrics->iteration != iteration) return std::nullopt;
  return metrics;
}

void RunFolder::CheckIsInPlace() const {
  if (lock_.IsInPlace()) return;
  throw Error(ErrorKind::kIo,
              fmt::format("{}: is no longer the folder that the run is at work in: it was moved, "
                          "replaced or removed, or its {} was; where it was moved, --resume with "
                          "its new name goes on from its last checkpoint",
                          path_.string(), kLockName));
}

void RunFolder::MakeCheckpointFolder() const {
  CheckIsInPlace();
  const fs::path path = CheckpointPath(path_, 1).parent_path();
  std::error_code fault;
  if (fs::exists(path, fault) && !fs::is_directory(path, fault)) {
    ThrowCannotCreate(path, "cannot create the folder: there is a file of that name");
  }
  // Not its parents: the run's own folder must not come back once it is gone.
  if (fs::create_directory(path, fault)) SyncFolder(path_);
  if (fault) ThrowCannotCreate(path, "cannot create the folder: " + fault.message());
}

std::string RunFolder::SaveCheckpoint(const StateWriter& state, const CheckpointContent& content) {
  MakeCheckpointFolder();
  const fs::path path = CheckpointPath(path_, next_checkpoint_);
  WriteCheckpoint(path, state, content);
  has_results_ = true;
  ++next_checkpoint_;
  RemoveOldCheckpoints(path_, keep_checkpoints_);
  return path.string();
}

std::string RunFolder::LatestCheckpoint() const {
  const std::vector<CheckpointFile> files = ListCheckpoints(path_);
  return files.empty() ? "" : files.front().path.string();
}

std::string RunFolder::LayerModel(int64_t layers) const {
  MakeCheckpointFolder();
  return (path_ / "checkpoints" / fmt::format("layer-{}.safetensors", layers)).string();
}

}  // namespace rhohat
