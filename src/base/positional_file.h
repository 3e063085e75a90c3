// A file that is read at any offset, by any number of threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rhohat {

// Thread-safe.
class PositionalFile {
 public:
  // Throws Error(kNoInput) where there is no such file or it may not be read.
  explicit PositionalFile(std::string path);
  ~PositionalFile();
  PositionalFile(const PositionalFile&) = delete;
  PositionalFile& operator=(const PositionalFile&) = delete;

  // Fills `out` with the bytes from `offset` on. Throws Error(kBadData) where the file ends before,
  // Error(kIo) where reading fails.
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;

  const std::string& path() const { return path_; }
  // As they were when the file was opened.
  uint64_t bytes() const { return bytes_; }
  int64_t modified_nanoseconds() const { return modified_nanoseconds_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t bytes_ = 0;
  int64_t modified_nanoseconds_ = 0;
};

}  // namespace rhohat
