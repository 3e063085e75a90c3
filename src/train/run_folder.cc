#include "train/run_folder.h"

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cerrno>
#include <cstdio>
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

[[noreturn]] void ThrowOccupied(const fs::path& path) {
  ThrowCannotCreate(
      path, "already holds a run: go on with it by --resume auto, or choose another folder");
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
  for (const char* name : {kConfigName, kModelName}) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path / name, ignored))) continue;
    if (fs::exists(path / kMetricsName, ignored)) ThrowOccupied(path);
    ThrowCannotCreate(path,
                      "holds what is left of a run, without its metrics.jsonl: choose another "
                      "folder or remove this one");
  }
  std::FILE* claim = std::fopen((path / kMetricsName).c_str(), "wxe");
  if (claim == nullptr) {
    const int code = errno;
    if (code == EEXIST) ThrowOccupied(path);
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
  if (has_results_) return;
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

std::string RunFolder::SaveCheckpoint(const StateWriter& state, const CheckpointContent& content) {
  const fs::path path = CheckpointPath(path_, next_checkpoint_);
  std::error_code ignored;
  if (!fs::exists(path.parent_path(), ignored)) {
    MakeFolder(path.parent_path());
    SyncFolder(path_);
  }
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
  const fs::path path = path_ / "checkpoints" / fmt::format("layer-{}.safetensors", layers);
  MakeFolder(path.parent_path());
  return path.string();
}

}  // namespace rhohat
