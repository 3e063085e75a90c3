// The files of a run's folder `checkpoints`: their names, their order, and how many stay.
//
//   checkpoint-000012.safetensors           the twelfth that the run wrote, over all its processes
//   checkpoint-000012.safetensors.damaged   one that was found to be damaged, and passed over
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace rhohat {

struct CheckpointFile {
  int64_t number = 0;
  std::filesystem::path path;
};

// Those in the run's folder, the latest first; damaged ones that were set aside are left out.
// Throws Error(kIo) where the folder is there and cannot be read.
std::vector<CheckpointFile> ListCheckpoints(const std::filesystem::path& run_folder);

// Where the checkpoint of that number belongs.
std::filesystem::path CheckpointPath(const std::filesystem::path& run_folder, int64_t number);

// The number after all that there are.
int64_t NextCheckpointNumber(const std::filesystem::path& run_folder);

// Removes all but the latest `keep`. A file that cannot be removed stays: it does no harm.
void RemoveOldCheckpoints(const std::filesystem::path& run_folder, int64_t keep);

// Gives it the name of a damaged one.
void SetAside(const CheckpointFile& file);

}  // namespace rhohat
