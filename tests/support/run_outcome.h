// What a run comes to, bit for bit.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/safetensors.h"
#include "base/text.h"
#include "train/checkpoint_files.h"

namespace rhohat {

// Iterations that a run has noted, the starting point among them.
inline int64_t CountLines(const std::string& run) {
  const std::string metrics = run + "/metrics.jsonl";
  if (!std::filesystem::exists(metrics)) return 0;
  return std::ranges::count(ReadWholeFile(metrics), '\n');
}

// What must not depend on how often a run was stopped.
struct Outcome {
  std::string model;
  std::vector<std::string> metrics;
  SafetensorsMetadata last_state;
  std::vector<std::string> last_tensors;
};

inline Outcome OutcomeOf(const std::string& run) {
  Outcome outcome{.model = ReadWholeFile(run + "/model.safetensors")};
  for (const std::string& line : Split(ReadWholeFile(run + "/metrics.jsonl"), '\n')) {
    if (line.empty()) continue;
    nlohmann::ordered_json parsed = nlohmann::ordered_json::parse(line);
    for (const char* name : {"seconds", "rows_per_second", "bytes_read", "wait_seconds",
                             "compute_fraction", "peak_rss_bytes"}) {
      EXPECT_EQ(parsed.erase(name), 1U) << name;
    }
    outcome.metrics.push_back(parsed.dump());
  }
  const SafetensorsFile last = SafetensorsFile::Read(ListCheckpoints(run).front().path);
  for (const auto& [key, value] : last.metadata()) {
    const bool is_of_moment = key == "metrics_bytes" || key == "config.toml" ||
                              key == "data_stamp" || key.starts_with("state.meter.");
    if (!is_of_moment) outcome.last_state[key] = value;
  }
  for (const TensorView& tensor : last.tensors()) {
    outcome.last_tensors.push_back(
        tensor.name +
        std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  }
  return outcome;
}

inline void ExpectSame(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.metrics, b.metrics);
  EXPECT_TRUE(a.model == b.model) << "model.safetensors differs";
  EXPECT_EQ(a.last_state, b.last_state);
  EXPECT_TRUE(a.last_tensors == b.last_tensors) << "the last checkpoint's tensors differ";
}

}  // namespace rhohat
