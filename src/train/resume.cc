#include "train/resume.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>

#include "base/atomic_file.h"
#include "base/folder_lock.h"
#include "base/input_file.h"
#include "base/text.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "train/checkpoint.h"
#include "train/checkpoint_files.h"
#include "train/config_text.h"
#include "train/field_list.h"
#include "train/metrics_lines.h"
#include "train/run_folder.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// No checkpoint is to blame for it.
class DataChanged : public Error {
 public:
  explicit DataChanged(const std::string& message) : Error(ErrorKind::kBadData, message) {}
};

// "table.key" → value, of what may shape the result.
std::map<std::string, std::string> Entries(const std::string& config) {
  std::map<std::string, std::string> entries;
  std::string table;
  for (const std::string& line : Split(config, '\n')) {
    if (line.starts_with('[')) table = line;
    const size_t equals = line.find(" = ");
    const bool shapes_result =
        table != "[resources]" && table != "[run]" && !line.starts_with("files = ");
    if (equals == std::string::npos || line.starts_with('#') || !shapes_result) continue;
    entries[table + " " + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return entries;
}

// `config` is that of the run, or of a checkpoint, called `what`.
void CheckSameConfiguration(const std::string& what, const std::string& config,
                            const TrainOptions& options) {
  const auto wanted = Entries(ConfigText(options));
  const auto found = Entries(config);
  const auto value_in = [](const auto& entries, const std::string& key) {
    const auto entry = entries.find(key);
    return entry == entries.end() ? std::string("nothing") : entry->second;
  };
  // Options that only it has are those of another version.
  for (const auto& entries : {wanted, found}) {
    for (const auto& [key, value] : entries) {
      const std::string expected = value_in(wanted, key);
      const std::string there = value_in(found, key);
      if (expected == there) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("--resume: {} is of another configuration: {}: expected {}, found {}",
                              what, key, expected, there));
    }
  }
}

void CheckSameConfiguration(const std::string& folder, const TrainOptions& options) {
  CheckSameConfiguration("the run in " + folder, ReadWholeFile(fs::path(folder) / kConfigName),
                         options);
}

// What the program chose by the memory that there was, and by the width of the network.
constexpr std::string_view kChosenByMemory[] = {"schedule", "mix", "sample-limit"};
constexpr std::string_view kChosenByNetwork[] = {"lanes", "block-rows"};

// Those of the named options that are left to the program become what the folder's run recorded.
void Adopt(const std::string& folder, std::span<const std::string_view> names,
           TrainOptions& options) {
  const fs::path config = fs::path(folder) / kConfigName;
  std::error_code ignored;
  if (!fs::exists(config, ignored)) return;
  const auto recorded = Entries(ReadWholeFile(config));
  for (const OptionField& field : Fields(options)) {
    const auto entry = std::ranges::find_if(
        recorded, [&](const auto& pair) { return pair.first.ends_with("] " + field.name); });
    const bool may_be_chosen = std::ranges::find(names, field.name) != names.end();
    if (!may_be_chosen || field.get() != kAuto || entry == recorded.end()) continue;
    std::string value = entry->second;
    std::erase(value, '"');
    field.set(value);
  }
}

// Throws Error where it cannot be gone on from.
ResumePoint Open(const std::string& folder, const CheckpointFile& file, const TrainOptions& options,
                 const DataStamp& data) {
  OpenedCheckpoint opened = OpenCheckpoint(file.path);
  // Where somebody has edited the folder's configuration.
  CheckSameConfiguration(file.path.string(), opened.config, options);
  const fs::path metrics = fs::path(folder) / kMetricsName;
  std::error_code fault;
  const uintmax_t bytes = fs::file_size(metrics, fault);
  if (fault || bytes < opened.metrics_bytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected at least the {} bytes that {} goes with, found {}",
                            metrics.string(), opened.metrics_bytes, file.path.string(),
                            fault ? "no such file" : fmt::format("{}", bytes)));
  }
  if (opened.metrics_bytes > 0) {
    std::string end(1, '\0');
    InputFile(metrics.string())
        .ReadAt(opened.metrics_bytes - 1, std::as_writable_bytes(std::span(end)));
    if (end != "\n") {
      throw Error(ErrorKind::kBadData, fmt::format("{}: its lines are not those that {} goes with",
                                                   metrics.string(), file.path.string()));
    }
  }
  const std::string difference = DifferenceOf(opened.data, data);
  if (!difference.empty()) {
    throw DataChanged(
        fmt::format("the data is not what the run in {} began with: {}", folder, difference));
  }
  return {file.path.string(), std::move(opened.state), opened.metrics_bytes};
}

}  // namespace

void AdoptChoices(const std::string& folder, TrainOptions& options) {
  Adopt(folder, kChosenByMemory, options);
}

bool HasUnfinishedRun(const std::string& folder) {
  std::error_code ignored;
  return fs::exists(fs::path(folder) / kConfigName, ignored) &&
         fs::exists(fs::path(folder) / kMetricsName, ignored) &&
         !fs::exists(fs::path(folder) / kModelName, ignored);
}

void ForgetEmptyRun(const std::string& folder) {
  const fs::path metrics = fs::path(folder) / kMetricsName;
  std::error_code ignored;
  for (const char* name : {kConfigName, kModelName}) {
    if (fs::exists(fs::path(folder) / name, ignored)) return;
  }
  if (!fs::is_regular_file(metrics, ignored) || fs::file_size(metrics, ignored) != 0) return;
  const FolderLock lock(folder);
  // Once more: only now is nobody else at work here.
  if (fs::exists(fs::path(folder) / kConfigName, ignored)) return;
  RemoveLeftovers(folder);
  fs::remove(metrics, ignored);
}

std::optional<TrainResult> FindFinishedRun(const std::string& folder, const TrainOptions& options) {
  const fs::path model = fs::path(folder) / kModelName;
  const fs::path config = fs::path(folder) / kConfigName;
  std::error_code ignored;
  if (!fs::exists(model, ignored) || !fs::exists(config, ignored)) return std::nullopt;
  TrainOptions resolved = options;
  Adopt(folder, kChosenByMemory, resolved);
  Adopt(folder, kChosenByNetwork, resolved);
  CheckSameConfiguration(folder, resolved);
  const fs::path metrics = fs::path(folder) / kMetricsName;
  const std::vector<std::string> lines = LastLines(metrics);
  const auto last = lines.empty() ? std::nullopt : ParseMetrics(lines.back());
  if (!last) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: its last line is damaged", metrics.string()));
  }
  return TrainResult{
      .model = LoadModel(model.string()), .last = *last, .model_path = model.string()};
}

std::optional<ResumePoint> FindResumePoint(const std::string& folder, const TrainOptions& options,
                                           const DataStamp& data,
                                           const std::function<void(const std::string&)>& warn) {
  CheckSameConfiguration(folder, options);
  const std::vector<CheckpointFile> files = ListCheckpoints(folder);
  if (files.empty()) return std::nullopt;
  std::vector<CheckpointFile> damaged;
  std::optional<Error> refusal;
  std::string latest_fault;
  for (const CheckpointFile& file : files) {
    try {
      ResumePoint point = Open(folder, file, options, data);
      // Not where none is sound: the next attempt would take the run for one without checkpoints.
      std::ranges::for_each(damaged, SetAside);
      return point;
    } catch (const DataChanged&) {
      throw;
    } catch (const Error& error) {
      // Of another configuration: the file is a stranger's, or, where all are, the options are.
      if (error.kind() == ErrorKind::kUsage) {
        if (!refusal) refusal = error;
      } else if (error.kind() != ErrorKind::kBadData) {
        throw;  // what cannot be read just now may be sound
      }
      warn(fmt::format("passed over: {}", error.what()));
      if (latest_fault.empty()) latest_fault = error.what();
      damaged.push_back(file);
    }
  }
  if (refusal) throw Error(*refusal);
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: the run cannot go on from any of its checkpoints: begin anew in "
                          "another folder; of the latest: {}",
                          folder, latest_fault));
}

void RemoveLeftovers(const std::string& folder) {
  for (const fs::path& place : {fs::path(folder), CheckpointPath(folder, 1).parent_path()}) {
    std::error_code fault;  // ends the loop, and is no reason not to go on
    for (fs::directory_iterator entry(place, fault), end; !fault && entry != end;
         entry.increment(fault)) {
      const std::string name = entry->path().filename().string();
      const bool is_ours = name.starts_with(fmt::format(".{}.", kMetricsName)) ||
                           name.starts_with(fmt::format(".{}.", kConfigName)) ||
                           name.find(".safetensors.") != name.npos;
      if (is_ours && name.starts_with('.') && name.ends_with(".part")) {
        std::error_code ignored;
        fs::remove(entry->path(), ignored);
      }
    }
  }
}

}  // namespace rhohat
