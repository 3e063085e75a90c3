// The bytes of a file from front to back, unpacked on the way where the file is gzipped.
//
// Whether a file is gzipped is seen from its first bytes and not from its name, so that the formats
// on top of this need not care. zlib's own gz functions are not used: they overlook bytes after the
// packed data and tell of damage only when the file is closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

namespace rhohat {

// For one thread at a time, except bytes_read().
class ByteStream {
 public:
  // Throws Error(kNoInput) where there is no such file or it may not be read.
  explicit ByteStream(std::string path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Fills `out`, or as much of it as there are bytes left; returns how much. Throws Error(kBadData)
  // where the gzip data is damaged or cut short, Error(kIo) where reading fails.
  size_t Read(std::span<std::byte> out);

  // Starts again at the first byte.
  void Rewind();

  const std::string& path() const { return path_; }
  bool gzipped() const { return inflater_ != nullptr; }
  uint64_t file_bytes() const { return file_bytes_; }

  // The most that the content can be: the file's size, or what gzip can make of it at best.
  uint64_t MostContentBytes() const;

  // Memory held while reading.
  size_t BufferBytes() const;

  // Bytes read from the file so far, as they are stored. Thread-safe.
  uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  struct EndInflate {
    void operator()(z_stream_s* stream) const;
  };

  void Open();
  void StartGzipIfPacked();
  size_t ReadFile(std::span<std::byte> out);
  size_t ReadGzip(std::span<std::byte> out);
  bool Refill();
  size_t Inflate(std::span<std::byte> out);
  [[noreturn]] void ThrowDamaged() const;

  std::string path_;
  int descriptor_ = -1;
  uint64_t file_bytes_ = 0;
  std::atomic<uint64_t> bytes_read_ = 0;

  // Of gzipped files only. A file may hold several members, one after another.
  std::unique_ptr<z_stream_s, EndInflate> inflater_;
  std::vector<std::byte> packed_;
  bool inside_member_ = false;
  int64_t members_done_ = 0;
};

}  // namespace rhohat
