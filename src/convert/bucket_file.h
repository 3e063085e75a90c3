// The file that rows are dealt into: one region a bucket, one record a row.
//
// How many rows a bucket gets is known before a row is read, so every region has its place and its
// size from the start, and the disk is asked for all of it at once. A record is the row's number,
// eight bytes, and the row. Rows come in ascending order, so where a bucket stands after the first
// R rows follows from R alone: that is all an interrupted run has to remember.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "convert/shuffle_plan.h"

namespace rhohat {

// Regions begin at multiples of this, so that whole buffers are whole pages of the file.
inline constexpr uint64_t kBucketAlignment = 4096;

// Where each bucket lies, in the file and in the shuffled order.
class BucketLayout {
 public:
  // `counts`: rows of each bucket.
  BucketLayout(const std::vector<int64_t>& counts, size_t row_bytes);

  size_t buckets() const { return offsets_.size() - 1; }
  int64_t first_row(size_t bucket) const { return first_rows_[bucket]; }  // one past the last too
  int64_t rows(size_t bucket) const { return first_rows_[bucket + 1] - first_rows_[bucket]; }
  uint64_t offset(size_t bucket) const { return offsets_[bucket]; }
  uint64_t file_bytes() const { return offsets_.back(); }
  int64_t most_rows() const { return most_rows_; }  // of the largest bucket
  size_t row_bytes() const { return row_bytes_; }
  size_t record_bytes() const { return row_bytes_ + sizeof(int64_t); }
  // The bucket that holds this row of the shuffled order.
  size_t BucketAt(int64_t shuffled_row) const;

  // Memory of a layout, and of what BucketWriter notes, for one bucket.
  static constexpr size_t kBytesPerBucket = 48;

 private:
  size_t row_bytes_;
  int64_t most_rows_ = 0;
  std::vector<int64_t> first_rows_;
  std::vector<uint64_t> offsets_;
};

// Reading and writing at given places. Throws Error(kIo) where either fails.
class BucketFile {
 public:
  // A new file of this size, all of it reserved on the disk where the file system can do that.
  // Throws Error(kCannotCreate), or Error(kIo) where the disk has no room.
  static BucketFile Create(const std::filesystem::path& path, uint64_t bytes);
  // Throws Error(kBadData) where the file is missing or of another size.
  static BucketFile Open(const std::filesystem::path& path, uint64_t bytes);

  BucketFile(BucketFile&& other) noexcept;
  BucketFile& operator=(BucketFile&&) = delete;
  ~BucketFile();

  void WriteAt(uint64_t offset, std::span<const std::byte> bytes) const;
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;
  // What was read and is not needed again need not stay in the system's cache.
  void Forget(uint64_t offset, uint64_t bytes) const;
  // All that was written is on the disk.
  void Flush() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  BucketFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  [[noreturn]] void ThrowIo(const char* doing, int code) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Deals rows to buckets through a buffer for each. One thread at a time.
class BucketWriter {
 public:
  // `counts`: rows of each bucket that the file has already, those before the first that Append()
  // will be given. `buffer_bytes`: of one bucket, a multiple of kBucketAlignment.
  BucketWriter(const BucketFile& file, const BucketLayout& layout, const ShuffleKeys& keys,
               const std::vector<int64_t>& counts, size_t buffer_bytes);

  // Whole rows, of which the first has this number. Rows ascend over all calls.
  void Append(int64_t first_row, std::span<const std::byte> rows);

  // All rows appended so far are in the file, though not on the disk yet.
  void WriteOut();

 private:
  // Bytes that wait to be written, and where.
  struct Buffer {
    uint64_t offset = 0;
    size_t filled = 0;
  };

  void Put(size_t bucket, std::span<const std::byte> bytes);
  void Write(size_t bucket);

  const BucketFile& file_;
  const BucketLayout& layout_;
  ShuffleKeys keys_;
  size_t buffer_bytes_;
  std::vector<Buffer> buffers_;
  AlignedBuffer<std::byte> memory_;
};

}  // namespace rhohat
