// Bytes from front to back, wherever they come from: a file, a gzipped file that is unpacked on the
// way, a member of an archive (zip_stream.h). The formats on top of this need not care.
//
// Whether a file is gzipped is seen from its first bytes and not from its name. zlib's own gz
// functions are not used: they overlook bytes after the packed data and tell of damage only when
// the file is closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct z_stream_s;

namespace rhohat {

// For one thread at a time, except path(), descriptor() and bytes_read().
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Fills `out`, or as much of it as there are bytes left; returns how much. Throws Error(kBadData)
  // where packed data is damaged or cut short, Error(kIo) where reading fails.
  virtual size_t Read(std::span<std::byte> out) = 0;

  // Starts again at the first byte.
  virtual void Rewind() = 0;

  // How many bytes there are in all, where that is known beforehand. Only reading them shows
  // whether it is true.
  virtual std::optional<uint64_t> ContentBytes() const = 0;

  // The most that the content can be, however it is packed.
  virtual uint64_t MostContentBytes() const = 0;

  // The size of the content as it is stored.
  virtual uint64_t StoredBytes() const = 0;

  // Memory held while reading.
  virtual size_t BufferBytes() const = 0;

  // A file that holds just the content, from its first byte: for pread(). -1 where there is none.
  virtual int descriptor() const { return -1; }

  // What messages call it.
  const std::string& path() const { return path_; }

  // Bytes read from storage so far, as they are stored. Thread-safe.
  uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 protected:
  explicit ByteStream(std::string path) : path_(std::move(path)) {}
  void CountRead(uint64_t bytes) { bytes_read_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::string path_;
  std::atomic<uint64_t> bytes_read_ = 0;
};

// A file, plain or gzipped.
class FileStream final : public ByteStream {
 public:
  // Throws Error(kNoInput) where there is no such file or it may not be read.
  explicit FileStream(std::string path);
  ~FileStream() override;

  size_t Read(std::span<std::byte> out) override;
  void Rewind() override;
  std::optional<uint64_t> ContentBytes() const override;
  uint64_t MostContentBytes() const override;
  uint64_t StoredBytes() const override { return file_bytes_; }
  size_t BufferBytes() const override;
  int descriptor() const override { return gzipped() ? -1 : descriptor_; }

  bool gzipped() const { return inflater_ != nullptr; }

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

  int descriptor_ = -1;
  uint64_t file_bytes_ = 0;

  // Of gzipped files only. A file may hold several members, one after another.
  std::unique_ptr<z_stream_s, EndInflate> inflater_;
  std::vector<std::byte> packed_;
  bool inside_member_ = false;
  int64_t members_done_ = 0;
};

// Passes over `count` bytes; returns how many there were.
uint64_t Skip(ByteStream& stream, uint64_t count);

}  // namespace rhohat
