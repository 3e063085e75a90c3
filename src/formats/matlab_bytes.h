// The bytes of one element of a MATLAB 5 file from front to back, inflated on the way where the
// element is compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/input_file.h"

struct z_stream_s;

namespace rhohat {

// For one thread at a time. `file` must outlive it.
class MatlabBytes {
 public:
  struct Place {
    uint64_t offset = 0;  // in the file
    uint64_t bytes = 0;
    bool compressed = false;
  };

  // `place` lies within the file.
  MatlabBytes(const InputFile& file, const Place& place);
  ~MatlabBytes();
  MatlabBytes(const MatlabBytes&) = delete;
  MatlabBytes& operator=(const MatlabBytes&) = delete;

  // Fills `out` with the next bytes. Throws Error(kBadData) where there are fewer, or what is
  // compressed is damaged.
  void Read(std::span<std::byte> out);

  // How many were read so far, inflated.
  uint64_t position() const { return position_; }

  // Reads what is left, with the checksum of what is compressed, and throws Error(kBadData) unless
  // the bytes end at `position`.
  void CheckEndsAt(uint64_t position);

  // The most that there can be: as many as are stored, or what zlib can make of those at best.
  uint64_t MostBytes() const;

 private:
  struct EndInflate {
    void operator()(z_stream_s* stream) const;
  };

  void Refill();
  size_t Inflate(std::span<std::byte> out);
  [[noreturn]] void ThrowDamaged() const;

  const InputFile& file_;
  Place place_;
  uint64_t stored_read_ = 0;
  uint64_t position_ = 0;

  // Of compressed elements only.
  std::unique_ptr<z_stream_s, EndInflate> inflater_;
  std::vector<std::byte> packed_;
  bool ended_ = false;
};

}  // namespace rhohat
