#include "train/checkpoint_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::string_view kDamaged = ".damaged";

// Of "checkpoint-000012<suffix>"; 0 where the name is another.
int64_t NumberIn(std::string_view name, std::string_view suffix) {
  if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) return 0;
  name.remove_prefix(kPrefix.size());
  if (name.size() <= suffix.size()) return 0;
  name.remove_suffix(suffix.size());
  int64_t number = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), number);
  return status == std::errc() && end == name.data() + name.size() ? std::max<int64_t>(0, number)
                                                                   : 0;
}

std::vector<CheckpointFile> List(const fs::path& run_folder, std::string_view suffix) {
  std::vector<CheckpointFile> files;
  const fs::path folder = run_folder / kFolder;
  std::error_code fault;  // ends the loop
  for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    const int64_t number = NumberIn(entry->path().filename().string(), suffix);
    if (number > 0) files.push_back({number, entry->path()});
  }
  // A folder that is not there has none. Of one that cannot be read nobody knows, and a run must
  // not begin anew because of it.
  if (fault && fault != std::errc::no_such_file_or_directory) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: cannot read: {}", folder.string(), fault.message()));
  }
  std::ranges::sort(files, std::ranges::greater(), &CheckpointFile::number);
  return files;
}

}  // namespace

std::vector<CheckpointFile> ListCheckpoints(const fs::path& run_folder) {
  return List(run_folder, kSuffix);
}

fs::path CheckpointPath(const fs::path& run_folder, int64_t number) {
  return run_folder / kFolder / fmt::format("{}{:06}{}", kPrefix, number, kSuffix);
}

int64_t NextCheckpointNumber(const fs::path& run_folder) {
  int64_t latest = 0;
  for (const std::string_view suffix : {kSuffix, std::string_view(".safetensors.damaged")}) {
    const std::vector<CheckpointFile> files = List(run_folder, suffix);
    if (!files.empty()) latest = std::max(latest, files.front().number);
  }
  return latest + 1;
}

void RemoveOldCheckpoints(const fs::path& run_folder, int64_t keep) {
  const std::vector<CheckpointFile> files = ListCheckpoints(run_folder);
  for (size_t i = static_cast<size_t>(keep); i < files.size(); ++i) {
    std::error_code ignored;
    fs::remove(files[i].path, ignored);
  }
}

void SetAside(const CheckpointFile& file) {
  std::error_code ignored;
  fs::rename(file.path, file.path.string() + std::string(kDamaged), ignored);
}

}  // namespace rhohat
