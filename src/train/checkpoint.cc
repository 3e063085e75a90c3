#include "train/checkpoint.h"

#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/version.h"
#include "rhohat/error.h"
#include "train/model_file.h"

namespace rhohat {
namespace {

using nlohmann::json;

constexpr char kVersionKey[] = "rhohat.checkpoint";
constexpr int64_t kVersionOfCheckpoints = 1;
constexpr char kMetricsBytesKey[] = "metrics_bytes";
constexpr char kConfigKey[] = "config.toml";
constexpr char kStampKey[] = "data_stamp";

[[noreturn]] void ThrowBad(const std::filesystem::path& path, const std::string& fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path.string(), fault));
}

const std::string& TextOf(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                          const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) ThrowBad(path, fmt::format("not a checkpoint: it lacks '{}'", key));
  return found->second;
}

uint64_t NumberOf(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                  const std::string& key) {
  const std::string& text = TextOf(path, metadata, key);
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) {
    ThrowBad(path, fmt::format("its '{}' cannot be understood", key));
  }
  return value;
}

DataStamp StampIn(const std::filesystem::path& path, const SafetensorsMetadata& metadata) {
  try {
    DataStamp stamp{.identity = ParseDataJson(TextOf(path, metadata, "data")),
                    .modified_nanoseconds = {},
                    .sample = 0};
    const json parsed = json::parse(TextOf(path, metadata, kStampKey));
    parsed.at("modified").get_to(stamp.modified_nanoseconds);
    parsed.at("sample").get_to(stamp.sample);
    return stamp;
  } catch (const json::exception&) {
    ThrowBad(path, "what it says of its data cannot be understood");
  }
}

}  // namespace

void WriteCheckpoint(const std::filesystem::path& path, const StateWriter& state,
                     const CheckpointContent& content) {
  SafetensorsMetadata metadata = {{"format", std::string(kCheckpointFormat)},
                                  {"rhohat_version", kVersion},
                                  {"data", DataJson(content.data.identity)}};
  std::vector<TensorView> tensors;
  if (content.model) {
    metadata = MetadataOf(*content.model);
    tensors = TensorViewsOf(*content.model, content.parameters);
  }
  metadata[kVersionKey] = fmt::format("{}", kVersionOfCheckpoints);
  metadata[kConfigKey] = content.config;
  metadata[kMetricsBytesKey] = fmt::format("{}", content.metrics_bytes);
  metadata[kStampKey] =
      json({{"modified", content.data.modified_nanoseconds}, {"sample", content.data.sample}})
          .dump();
  state.WriteTo(path, tensors, metadata);
}

OpenedCheckpoint OpenCheckpoint(const std::filesystem::path& path) {
  OpenedCheckpoint opened;
  opened.state = std::make_unique<StateReader>(path);
  const SafetensorsMetadata& metadata = opened.state->metadata();
  if (NumberOf(path, metadata, kVersionKey) > kVersionOfCheckpoints) {
    // Not damaged, and not to be passed over as if it were.
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: written by rhohat {}: use that version or a newer one",
                            path.string(), TextOf(path, metadata, "rhohat_version")));
  }
  opened.metrics_bytes = NumberOf(path, metadata, kMetricsBytesKey);
  opened.config = TextOf(path, metadata, kConfigKey);
  opened.data = StampIn(path, metadata);
  return opened;
}

}  // namespace rhohat
