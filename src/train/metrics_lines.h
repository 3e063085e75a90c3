// The lines of metrics.jsonl (docs/formats/run-folder.md), to and fro.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/observer.h"

namespace rhohat {

// Without a line break. Numbers survive being read back; those that are not finite are null.
std::string MetricsLine(const IterationMetrics& metrics);

// Nothing for what is no such line. Fields that it lacks, as those of another version, are NaN or
// 0.
std::optional<IterationMetrics> ParseMetrics(const std::string& line);

// The last whole lines of a file that may still grow, oldest first, from its last 256 KiB. Throws
// Error(kNoInput) or Error(kIo) where it cannot be read.
std::vector<std::string> LastLines(const std::filesystem::path& path);

}  // namespace rhohat
