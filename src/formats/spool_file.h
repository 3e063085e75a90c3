// A temporary file without a name: where packed data that must be read out of order is unpacked to.
//
// It lives in a folder that the caller chooses for its space, takes as much as was written and is
// gone when it is closed, even if the process is killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/input_file.h"
#include "formats/byte_stream.h"

namespace rhohat {

// Not thread-safe.
class SpoolFile {
 public:
  // For about `bytes` bytes. Throws Error(kCannotCreate) where `folder` cannot hold files,
  // Error(kIo) where it has less space than that.
  explicit SpoolFile(std::string folder, uint64_t bytes = 0);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  // Behind what was appended so far, or anywhere: for data that does not come in the order in which
  // it is to be kept. Throw Error(kIo), naming the folder, where the disk is full.
  void Append(std::span<const std::byte> bytes);
  void WriteAt(uint64_t offset, std::span<const std::byte> bytes);

  // What was written. Messages call it `path`, after the input that it was made of. Nothing can be
  // written afterwards.
  std::unique_ptr<InputFile> Finish(const std::string& path);

 private:
  std::string folder_;
  int descriptor_ = -1;
  uint64_t appended_ = 0;
};

// Memory that SpoolRest() takes.
inline constexpr size_t kSpoolBufferBytes = size_t{1} << 20;

// The rest of `stream`, which must be exactly `count` bytes. Throws Error(kBadData) where there are
// fewer or more, and as SpoolFile does.
std::unique_ptr<InputFile> SpoolRest(ByteStream& stream, uint64_t count, const std::string& folder);

}  // namespace rhohat
