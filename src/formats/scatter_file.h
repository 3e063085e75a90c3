// A temporary file without a name that is filled in any order: for packed data that does not come
// in the order in which it is to be kept. spool_file.h is its sequential sibling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/input_file.h"

namespace rhohat {

// Not thread-safe.
class ScatterFile {
 public:
  // For `bytes` bytes. Throws Error(kCannotCreate) where `folder` cannot hold files, Error(kIo)
  // where it has less space than that.
  ScatterFile(std::string folder, uint64_t bytes);
  ~ScatterFile();
  ScatterFile(const ScatterFile&) = delete;
  ScatterFile& operator=(const ScatterFile&) = delete;

  // Throws Error(kIo), naming the folder, where the disk is full.
  void WriteAt(uint64_t offset, std::span<const std::byte> bytes);

  // What was written. Messages call it `path`. Nothing can be written afterwards.
  std::unique_ptr<InputFile> Finish(const std::string& path);

 private:
  std::string folder_;
  int descriptor_ = -1;
};

}  // namespace rhohat
