#include "train/metrics_lines.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "base/input_file.h"
#include "base/text.h"

namespace rhohat {
namespace {

using nlohmann::json;

constexpr uint64_t kTailBytes = 256 << 10;

// A number of at least 0, or 0.
template <class Whole>
Whole WholeIn(const json& line, const char* name) {
  const auto field = line.find(name);
  return field != line.end() && field->is_number_unsigned() ? field->get<Whole>() : 0;
}

std::string TextIn(const json& line, const char* name) {
  const auto field = line.find(name);
  return field != line.end() && field->is_string() ? field->get<std::string>() : std::string();
}

double NumberIn(const json& line, const char* name) {
  const auto field = line.find(name);
  return field != line.end() && field->is_number() ? field->get<double>()
                                                   : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string_view CostOverName(CostOver over) {
  constexpr std::string_view kNames[] = {"all", "sample", "epoch"};
  return kNames[static_cast<size_t>(over)];
}

std::string MetricsLine(const IterationMetrics& metrics) {
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
  return line.dump();
}

std::optional<IterationMetrics> ParseMetrics(const std::string& text) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return std::nullopt;
  if (const auto field = line.find("iteration");
      field == line.end() || !field->is_number_unsigned()) {
    return std::nullopt;
  }
  IterationMetrics metrics;
  metrics.iteration = WholeIn<int64_t>(line, "iteration");
  metrics.stage = TextIn(line, "stage");
  metrics.optimizer = TextIn(line, "optimizer");
  metrics.data_passes = NumberIn(line, "data_passes");
  for (const CostTermInfo& term : kCostTerms) metrics.cost.*term.value = NumberIn(line, term.name);
  for (const CostOver over : {CostOver::kAllRows, CostOver::kSample, CostOver::kEpoch}) {
    if (TextIn(line, "cost_over") == CostOverName(over)) metrics.cost_over = over;
  }
  metrics.gradient_norm = NumberIn(line, "gradient_norm");
  metrics.rho_hat_mean = NumberIn(line, "rho_hat_mean");
  metrics.rho_hat_min = NumberIn(line, "rho_hat_min");
  metrics.rho_hat_max = NumberIn(line, "rho_hat_max");
  metrics.seconds = NumberIn(line, "seconds");
  metrics.rows_per_second = NumberIn(line, "rows_per_second");
  metrics.rows_in_sample = WholeIn<int64_t>(line, "rows_in_sample");
  metrics.bytes_read = WholeIn<uint64_t>(line, "bytes_read");
  metrics.wait_seconds = NumberIn(line, "wait_seconds");
  metrics.peak_rss_bytes = WholeIn<uint64_t>(line, "peak_rss_bytes");
  return metrics;
}

std::vector<std::string> LastLines(const std::filesystem::path& path) {
  const InputFile file(path.string());
  std::string text(std::min(file.bytes(), kTailBytes), '\0');
  const bool cut = text.size() < file.bytes();
  file.ReadAt(file.bytes() - text.size(), std::as_writable_bytes(std::span(text)));
  std::vector<std::string> lines = Split(text, '\n');
  lines.pop_back();  // behind the last line's end: empty, or a line that is being written
  if (cut && !lines.empty()) lines.erase(lines.begin());
  return lines;
}

}  // namespace rhohat
