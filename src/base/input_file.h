// A regular file that is read at any offset: its size is what it was when it was opened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rhohat {

// Reading is thread-safe.
class InputFile {
 public:
  // Throws Error(kNoInput) where there is no such file, it may not be read, or it is a folder, a
  // pipe or a device.
  explicit InputFile(std::string path);
  // Owns `descriptor` from here on; messages call the file `path`.
  InputFile(int descriptor, std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  // Fills `out` with the bytes from `offset` on. Throws Error(kBadData) where the file ends before,
  // Error(kIo) where reading fails.
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;

  const std::string& path() const { return path_; }
  // As they were when the file was opened.
  uint64_t bytes() const { return bytes_; }
  int64_t modified_nanoseconds() const { return modified_nanoseconds_; }

  // Hands the open file over; nothing can be read here afterwards.
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  void ReadState();

  std::string path_;
  int descriptor_ = -1;
  uint64_t bytes_ = 0;
  int64_t modified_nanoseconds_ = 0;
};

}  // namespace rhohat
