#include "analyze/run_traces.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <system_error>

#include "base/folder_lock.h"
#include "base/input_file.h"
#include "base/safetensors_header.h"
#include "rhohat/config.h"
#include "rhohat/error.h"
#include "train/checkpoint_files.h"
#include "train/metrics_lines.h"
#include "train/run_folder.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLinesKept = 20;

// Seconds since 1970; 0 where there is no such file.
double ModifiedAt(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<double>(status.st_mtim.tv_sec) +
         static_cast<double>(status.st_mtim.tv_nsec) * 1e-9;
}

// None where it cannot be read: a run may be just beginning.
std::vector<std::string> LinesOf(const fs::path& path) {
  try {
    return LastLines(path);
  } catch (const Error&) {
    return {};
  }
}

std::vector<IterationMetrics> LastMetrics(const fs::path& path) {
  std::vector<std::string> lines = LinesOf(path);
  if (lines.size() > kLinesKept) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kLinesKept));
  }
  std::vector<IterationMetrics> metrics;
  for (const std::string& line : lines) {
    if (auto parsed = ParseMetrics(line)) metrics.push_back(std::move(*parsed));
  }
  return metrics;
}

// "2026-01-31T12:00:00.000+01:00 warning: text" → "warning".
std::string_view LevelOf(std::string_view line) {
  const size_t blank = line.find(' ');
  const size_t colon = line.find(": ", blank == line.npos ? 0 : blank);
  if (blank == line.npos || colon == line.npos) return "";
  return line.substr(blank + 1, colon - blank - 1);
}

void ReadLog(const fs::path& path, RunTraces& traces) {
  for (const std::string& line : LinesOf(path)) {
    const std::string_view level = LevelOf(line);
    if (level.empty()) continue;
    traces.ended_by_error = level == "error";
    if (level == "error" || level == "warning") traces.last_warning = line;
  }
}

// Another version's options may not all be known here.
std::optional<TrainOptions> RecordedOptions(const fs::path& path) {
  TrainOptions options;
  try {
    ReadConfig(path.string(), options);
  } catch (const Error&) {
    return std::nullopt;
  }
  return options;
}

// The iteration that a checkpoint has reached, out of its header.
std::optional<int64_t> IterationOf(const fs::path& path) {
  try {
    const SafetensorsHeader header = ReadSafetensorsHeader(InputFile(path.string()));
    const auto entry = header.metadata.find("iterations");
    if (entry == header.metadata.end()) return std::nullopt;
    int64_t iteration = 0;
    const char* end = entry->second.data() + entry->second.size();
    const auto [stop, fault] = std::from_chars(entry->second.data(), end, iteration);
    if (fault != std::errc() || stop != end) return std::nullopt;
    return iteration;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<RunStatus::Checkpoint> LatestCheckpoint(const fs::path& folder, double now) {
  for (const CheckpointFile& file : ListCheckpoints(folder)) {
    const double written_at = ModifiedAt(file.path);
    if (written_at == 0) continue;  // a newer one has taken its place meanwhile
    return RunStatus::Checkpoint{
        .file = (file.path.parent_path().filename() / file.path.filename()).string(),
        .age_seconds = std::max(0.0, now - written_at),
        .iteration = IterationOf(file.path)};
  }
  return std::nullopt;
}

}  // namespace

RunTraces ReadRunTraces(const fs::path& folder, double now) {
  RunTraces traces;
  std::error_code ignored;
  traces.has_config = fs::is_regular_file(folder / kConfigName, ignored);
  traces.has_metrics = fs::is_regular_file(folder / kMetricsName, ignored);
  traces.has_model = fs::is_regular_file(folder / kModelName, ignored);
  traces.options = RecordedOptions(folder / kConfigName);
  traces.lines = LastMetrics(folder / kMetricsName);
  ReadLog(folder / kLogName, traces);
  traces.checkpoint = LatestCheckpoint(folder, now);
  traces.line_written_at = ModifiedAt(folder / kMetricsName);
  for (const fs::path& path : {folder / kMetricsName, folder / kLogName, folder / kConfigName,
                               folder / kLockName, CheckpointPath(folder, 0).parent_path()}) {
    traces.last_sign_at = std::max(traces.last_sign_at, ModifiedAt(path));
  }
  return traces;
}

}  // namespace rhohat
