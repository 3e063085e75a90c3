#include "train/run_folder.h"

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowCannotCreate(const fs::path& path, const std::string& fault) {
  throw Error(ErrorKind::kCannotCreate, fmt::format("{}: {}", path.string(), fault));
}

[[noreturn]] void ThrowOccupied(const fs::path& path) {
  ThrowCannotCreate(path, "already holds a run: choose another folder or remove this one");
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
    if (fs::exists(fs::symlink_status(path / name, ignored))) ThrowOccupied(path);
  }
  std::FILE* claim = std::fopen((path / kMetricsName).c_str(), "wxe");
  if (claim == nullptr) {
    const int code = errno;
    if (code == EEXIST) ThrowOccupied(path);
    ThrowCannotCreate(path / kMetricsName, "cannot create: " + ErrnoText(code));
  }
  std::fclose(claim);
}

// A TOML basic string. Bytes that are not UTF-8 pass as they are: a file's name may have them, and
// would not be found under another.
std::string TomlString(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// "Optimiser" → "optimiser": tables of a TOML file are in lower case by custom.
std::string TableName(std::string group) {
  std::ranges::transform(group, group.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return group;
}

std::string FilesEntry(const std::vector<std::string>& files) {
  std::string entry = "files = [";
  for (const std::string& file : files) {
    entry += fmt::format("{}{}", &file == &files.front() ? "" : ", ", TomlString(file));
  }
  return entry + "]\n";
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

std::shared_ptr<spdlog::logger> MakeLogger(const fs::path& path) {
  auto logger = std::make_shared<spdlog::logger>("run", std::make_shared<AppendSink>(path));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  // Called while the sink's exception is being handled; spdlog would print it, and go on.
  logger->set_error_handler([](const std::string&) { throw; });
  return logger;
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

// Options that are a number or a word, such as "auto", or a number or a list, are written as what
// they are.
bool IsNumber(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !is_digit(text[0]) || !is_digit(text.back())) return false;
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return false;
  // Neither more digits than a whole number of TOML can have, nor zeros before others.
  return !std::ranges::all_of(text, is_digit) ||
         (text.size() < 18 && (text[0] != '0' || text.size() == 1));
}

}  // namespace

std::string ConfigText(const TrainOptions& options) {
  std::string text =
      fmt::format("# The configuration of this run of rhohat {}, in full.\n", kVersion);
  TrainOptions copy = options;
  std::string group;
  for (const OptionField& field : Fields(copy)) {
    if (field.group != group) {
      group = field.group;
      text += fmt::format("\n[{}]\n", TableName(group));
      if (group == "Data") text += FilesEntry(options.data.files);
    }
    const std::string value = field.get();
    const bool quoted = field.is_text && !IsNumber(value);
    text += fmt::format("{} = {}\n", field.name, quoted ? TomlString(value) : value);
  }
  return text;
}

RunFolder RunFolder::Create(const std::string& path, const TrainOptions& options) {
  MakeFolder(path);
  FolderLock lock(path);
  ClaimFolder(path);
  try {
    AtomicFile config(fs::path(path) / kConfigName);
    config.Write(ConfigText(options));
    config.Commit();
    return RunFolder(path, false, std::move(lock));
  } catch (...) {
    // Nothing has run yet, so what is here must not keep the next attempt out.
    std::error_code ignored;
    for (const char* name : {kConfigName, kMetricsName}) fs::remove(fs::path(path) / name, ignored);
    throw;
  }
}

RunFolder RunFolder::Reopen(const std::string& path, FolderLock lock) {
  return RunFolder(path, true, std::move(lock));
}

std::string_view CostOverName(CostOver over) {
  constexpr std::string_view kNames[] = {"all", "sample", "epoch"};
  return kNames[static_cast<size_t>(over)];
}

RunFolder::RunFolder(const fs::path& path, bool has_metrics, FolderLock lock)
    : lock_(std::move(lock)),
      path_(path),
      metrics_(path / kMetricsName),
      has_metrics_(has_metrics),
      log_(MakeLogger(path / kLogName)) {}

void RunFolder::AppendMetrics(const IterationMetrics& metrics) {
  nlohmann::ordered_json line = {{"iteration", metrics.iteration}};
  if (!metrics.stage.empty()) line["stage"] = metrics.stage;
  line["optimizer"] = metrics.optimizer;
  line["data_passes"] = metrics.data_passes;
  line["cost"] = metrics.cost.total();
  for (const CostTermInfo& term : kCostTerms) line[term.name] = metrics.cost.*term.value;
  line["cost_over"] = CostOverName(metrics.cost_over);
  line["gradient_norm"] = metrics.gradient_norm;
  line["rho_hat_mean"] = metrics.rho_hat_mean;
  line["rho_hat_min"] = metrics.rho_hat_min;
  line["rho_hat_max"] = metrics.rho_hat_max;
  line["seconds"] = metrics.seconds;
  line["rows_per_second"] = metrics.rows_per_second;
  line["rows_in_sample"] = metrics.rows_in_sample;
  line["bytes_read"] = metrics.bytes_read;
  line["wait_seconds"] = metrics.wait_seconds;
  line["compute_fraction"] = metrics.compute_fraction();
  line["peak_rss_bytes"] = metrics.peak_rss_bytes;
  metrics_.Append(line.dump() + '\n');
  has_metrics_ = true;
}

void RunFolder::WithdrawIfEmpty() {
  if (has_metrics_) return;
  std::error_code ignored;
  for (const char* name : {kConfigName, kMetricsName, kLogName, kLockName}) {
    fs::remove(path_ / name, ignored);
  }
  fs::remove(path_, ignored);  // only where it is empty
}

void RunFolder::Log(LogLevel level, const std::string& text) {
  log_->log(SpdlogLevel(level), spdlog::string_view_t(text));
}

fs::path LayerCheckpoint(const fs::path& folder, size_t layers) {
  return folder / "checkpoints" / fmt::format("layer-{}.safetensors", layers);
}

std::string RunFolder::checkpoint_path(const std::string& name) const {
  const fs::path folder = path_ / "checkpoints";
  MakeFolder(folder);
  return (folder / (name + ".safetensors")).string();
}

}  // namespace rhohat
