// One checkpoint: the state of a run, beside the model that it has come to (docs/formats).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/state_file.h"
#include "rhohat/model.h"
#include "train/data_identity.h"

namespace rhohat {

// What a checkpoint has beside the state.
struct CheckpointContent {
  std::string config;  // the run's config.toml
  DataStamp data;
  uint64_t metrics_bytes = 0;  // length of metrics.jsonl that it goes with
  // What the last line of metrics is about, where there is one. Its parameters are apart, in the
  // precision of the run.
  std::optional<Model> model;
  std::span<const std::byte> parameters;
};

// Writes it, whole or not at all. Throws Error(kCannotCreate) or Error(kIo).
void WriteCheckpoint(const std::filesystem::path& path, const StateWriter& state,
                     const CheckpointContent& content);

struct OpenedCheckpoint {
  std::unique_ptr<StateReader> state;
  std::string config;
  DataStamp data;
  uint64_t metrics_bytes = 0;
};

// Opens and verifies it. Throws Error(kBadData) where it is damaged or is none, Error(kUsage) where
// it is of a later version.
OpenedCheckpoint OpenCheckpoint(const std::filesystem::path& path);

}  // namespace rhohat
