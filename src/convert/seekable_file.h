// A file that can be read at any place, by many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rhohat {

// Thread-safe.
class SeekableFile {
 public:
  // Owns `descriptor` from here on. `path` is what messages call the file.
  SeekableFile(int descriptor, std::string path);
  ~SeekableFile();
  SeekableFile(const SeekableFile&) = delete;
  SeekableFile& operator=(const SeekableFile&) = delete;

  // Fills `out` from byte `offset` on. Throws Error(kBadData) where the file ends before,
  // Error(kIo) where it cannot be read.
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;

  // The size when it was opened.
  uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
  uint64_t bytes_ = 0;
};

}  // namespace rhohat
