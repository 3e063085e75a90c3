#include "train/resume.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/folder_lock.h"
#include "base/text.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "train/field_list.h"
#include "train/run_folder.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// "table.key" → value, of what may shape the result.
std::map<std::string, std::string> Entries(const std::string& config) {
  std::map<std::string, std::string> entries;
  std::string table;
  for (const std::string& line : Split(config, '\n')) {
    if (line.starts_with('[')) table = line;
    const size_t equals = line.find(" = ");
    const bool shapes_result = table != "[resources]" && table != "[run]";
    if (equals == std::string::npos || line.starts_with('#') || !shapes_result) continue;
    entries[table + " " + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return entries;
}

void CheckSameConfiguration(const std::string& folder, const TrainOptions& options) {
  const auto wanted = Entries(ConfigText(options));
  const auto found = Entries(ReadWholeFile(fs::path(folder) / kConfigName));
  for (const auto& [key, value] : wanted) {
    const auto other = found.find(key);
    if (other != found.end() && other->second == value) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("--resume: {} holds a run of another configuration: {}: expected {}, "
                            "found {}",
                            folder, key, value, other == found.end() ? "nothing" : other->second));
  }
}

// The lines of the stages that are done, without the line breaks.
std::vector<std::string> LinesOf(const std::string& folder, const std::vector<Stage>& stages,
                                 size_t stages_done) {
  std::vector<std::string> lines;
  for (std::string& line : Split(ReadWholeFile(fs::path(folder) / kMetricsName), '\n')) {
    const json parsed = json::parse(line, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("stage")) break;  // the last may be cut off
    const auto is_of = [&](const Stage& stage) { return parsed["stage"] == stage.name; };
    const auto end = stages.begin() + static_cast<std::ptrdiff_t>(stages_done);
    if (std::none_of(stages.begin(), end, is_of)) break;
    lines.push_back(std::move(line));
  }
  return lines;
}

// Names of files are the configuration's, and a model keeps of them what JSON can hold.
bool IsSameData(const DataIdentity& a, const DataIdentity& b) {
  const auto is_same = [](const DataIdentity::File& x, const DataIdentity::File& y) {
    return x.type == y.type && x.rows == y.rows && x.bytes == y.bytes;
  };
  return a.columns == b.columns && std::ranges::equal(a.files, b.files, is_same);
}

// How the model differs from what the first stages of this run come to; empty where it does not.
// The data may have changed since, or a run before this one have left the file.
std::string DifferenceOf(const Model& model, const TrainOptions& options, const Stage& last,
                         const DataIdentity& data) {
  if (model.inputs != data.columns || model.network != last.model_network) {
    return "its network is not that of this run";
  }
  if (!IsSameData(model.data, data)) return "its data is not that of this run";
  const bool is_same = model.objective == last.model_objective &&
                       model.compute == options.compute && model.optimizer == options.optimizer &&
                       model.prepare.options == options.prepare;
  return is_same ? "" : "its configuration is not that of this run";
}

// What a line of metrics.jsonl says; numbers that are not finite are null there.
IterationMetrics ParseLine(const std::string& line) {
  const json parsed = json::parse(line);
  const auto number = [&](const char* name) {
    return parsed.at(name).is_number() ? parsed.at(name).get<double>() : std::nan("");
  };
  IterationMetrics metrics;
  metrics.stage = parsed.value("stage", "");
  metrics.optimizer = parsed.value("optimizer", "");
  for (const CostOver over : {CostOver::kAllRows, CostOver::kSample, CostOver::kEpoch}) {
    if (parsed.value("cost_over", "") == CostOverName(over)) metrics.cost_over = over;
  }
  for (const CostTermInfo& term : kCostTerms) metrics.cost.*term.value = number(term.name);
  metrics.gradient_norm = number("gradient_norm");
  metrics.rho_hat_mean = number("rho_hat_mean");
  metrics.rho_hat_min = number("rho_hat_min");
  metrics.rho_hat_max = number("rho_hat_max");
  metrics.rows_per_second = number("rows_per_second");
  metrics.rows_in_sample = parsed.at("rows_in_sample").get<int64_t>();
  metrics.peak_rss_bytes = parsed.at("peak_rss_bytes").get<uint64_t>();
  metrics.iteration = parsed.at("iteration").get<int64_t>();
  metrics.data_passes = parsed.at("data_passes").get<double>();
  metrics.seconds = parsed.at("seconds").get<double>();
  metrics.bytes_read = parsed.at("bytes_read").get<uint64_t>();
  metrics.wait_seconds = parsed.at("wait_seconds").get<double>();
  return metrics;
}

}  // namespace

void AdoptChoices(const std::string& folder, TrainOptions& options) {
  const fs::path config = fs::path(folder) / kConfigName;
  std::error_code ignored;
  if (!fs::exists(config, ignored)) return;
  const auto recorded = Entries(ReadWholeFile(config));
  for (const OptionField& field : Fields(options)) {
    const bool depends_on_memory =
        field.name == "schedule" || field.name == "mix" || field.name == "sample-limit";
    const auto entry = std::ranges::find_if(
        recorded, [&](const auto& pair) { return pair.first.ends_with("] " + field.name); });
    if (!depends_on_memory || field.get() != kAuto || entry == recorded.end()) continue;
    std::string value = entry->second;
    std::erase(value, '"');
    field.set(value);
  }
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
  fs::remove(metrics, ignored);
}

std::optional<TrainResult> FindFinishedRun(const std::string& folder, const TrainOptions& options) {
  const fs::path model = fs::path(folder) / kModelName;
  std::error_code ignored;
  if (!fs::exists(model, ignored)) return std::nullopt;
  CheckSameConfiguration(folder, options);
  std::string last;
  for (std::string& line : Split(ReadWholeFile(fs::path(folder) / kMetricsName), '\n')) {
    if (!line.empty()) last = std::move(line);
  }
  try {
    return TrainResult{
        .model = LoadModel(model.string()), .last = ParseLine(last), .model_path = model.string()};
  } catch (const json::exception&) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: its last line is damaged",
                                                 (fs::path(folder) / kMetricsName).string()));
  }
}

std::optional<ResumePoint> FindResumePoint(const std::string& folder, const TrainOptions& options,
                                           const std::vector<Stage>& stages,
                                           const DataIdentity& data,
                                           const std::function<void(const std::string&)>& warn) {
  CheckSameConfiguration(folder, options);
  for (size_t done = stages.size() - 1; done > 0; --done) {
    const fs::path path = LayerCheckpoint(folder, done);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    try {
      ResumePoint point{.stages_done = done, .model = LoadModel(path.string())};
      std::string fault = DifferenceOf(point.model, options, stages[done - 1], data);
      const std::vector<std::string> lines = LinesOf(folder, stages, done);
      if (!lines.empty()) point.last = ParseLine(lines.back());
      if (fault.empty() && point.last.iteration != point.model.iterations) {
        fault = "metrics.jsonl does not end with its last iteration";
      }
      if (fault.empty()) return point;
      warn(fmt::format("passed over: {}: {}", path.string(), fault));
    } catch (const Error& error) {
      warn(fmt::format("passed over: {}", error.what()));
    } catch (const json::exception&) {
      warn(fmt::format("passed over: {}: metrics.jsonl does not fit it", path.string()));
    }
  }
  return std::nullopt;
}

void RemoveLeftovers(const std::string& folder) {
  for (const fs::path& place : {fs::path(folder), LayerCheckpoint(folder, 1).parent_path()}) {
    std::error_code fault;  // ends the loop, and is no reason not to go on
    for (fs::directory_iterator entry(place, fault), end; !fault && entry != end;
         entry.increment(fault)) {
      const std::string name = entry->path().filename().string();
      const bool is_ours = name.starts_with(fmt::format(".{}.", kMetricsName)) ||
                           name.find(".safetensors.") != name.npos;
      if (is_ours && name.starts_with('.') && name.ends_with(".part")) {
        std::error_code ignored;
        fs::remove(entry->path(), ignored);
      }
    }
  }
}

void RewindMetrics(const std::string& folder, const std::vector<Stage>& stages,
                   size_t stages_done) {
  const std::vector<std::string> lines =
      stages_done == 0 ? std::vector<std::string>() : LinesOf(folder, stages, stages_done);
  AtomicFile file(fs::path(folder) / kMetricsName);
  for (const std::string& line : lines) file.Write(line + "\n");
  file.Commit();
}

}  // namespace rhohat
