// A regular file that is read here and there: its size is what it was when it was opened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

namespace rhohat {

// Reading is thread-safe.
class InputFile {
 public:
  // Throws Error(kNoInput) where there is no such file, it may not be read, or it is a folder, a
  // pipe or a device.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  uint64_t size() const { return size_; }
  // Hands the open file over; nothing can be read here afterwards.
  int Release() { return std::exchange(descriptor_, -1); }

  // Fills `out` with the bytes from `offset` on, all of which were there when the file was opened.
  // Throws Error(kIo) where reading fails or the file has become shorter since.
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace rhohat
