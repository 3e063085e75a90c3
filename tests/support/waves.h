// A small data set with structure in it, and a model trained on it for a moment.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "rhohat/train.h"
#include "tests/support/hdf5_rows.h"

namespace rhohat {

inline constexpr int64_t kWaveRows = 90;
inline constexpr int64_t kWaveColumns = 12;

// Waves of different lengths, in [0.1, 0.9].
inline std::vector<float> Waves() {
  std::vector<float> values;
  for (int64_t i = 0; i < kWaveRows; ++i) {
    for (int64_t k = 0; k < kWaveColumns; ++k) {
      const double phase = 0.1 * static_cast<double>(i) * static_cast<double>(k + 1);
      values.push_back(static_cast<float>(0.5 + 0.4 * std::sin(phase)));
    }
  }
  return values;
}

// Writes the waves to `path` and describes a short training run on them.
inline TrainOptions WaveTraining(const std::string& path, const std::string& run) {
  WriteRows<float>(path, {ElementKind::kFloat32, false}, kWaveColumns, Waves(), 13);
  TrainOptions options;
  options.data.files = {path};
  options.network.hidden = {5};
  options.compute = {.lanes = 4, .block_rows = 16};
  options.optimizer.iterations = 5;
  options.resources.threads = 2;
  options.run_directory = run;
  return options;
}

}  // namespace rhohat
