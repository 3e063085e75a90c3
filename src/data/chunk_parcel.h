// The parcels of a direct reader: private to it (direct_reader.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/input_file.h"
#include "data/buffer_pool.h"
#include "data/direct_reader.h"
#include "data/hdf5_chunk_index.h"
#include "data/row_source.h"
#include "rhohat/error.h"

namespace rhohat {

// All chunks of some consecutive bands, in the order of the index. They are read into one buffer,
// and unpacked into another one unless their filters leave elements where they were stored.
class DirectReader::ChunkParcel final : public Parcel {
 public:
  // `reader` outlives the object.
  ChunkParcel(const DirectReader& reader, int64_t number);
  ~ChunkParcel() override;
  ChunkParcel(const ChunkParcel&) = delete;
  ChunkParcel& operator=(const ChunkParcel&) = delete;

  int64_t number() const { return number_; }

  // The elements of the chunk that has this place in the index of all.
  const std::byte* Chunk(int64_t index) const {
    return Unpacked(static_cast<size_t>(index - first_chunk_)).data();
  }

  void Read() override;
  void Unpack() override;

 private:
  // Where the elements of a chunk will be.
  std::span<std::byte> Unpacked(size_t i) const;
  void PlaceStored();
  // One past the last chunk of those that lie near one after another in the file, so that one read
  // brings them.
  size_t EndOfRun(size_t begin) const;
  size_t BytesOfRun(size_t begin, size_t end) const;
  uint32_t FilterMask(int64_t index) const;
  [[noreturn]] void ThrowDamaged(int64_t index, const Error& why) const;

  std::shared_ptr<const InputFile> file_;
  const DirectReader& reader_;
  std::shared_ptr<DirectResources> resources_;
  int64_t number_;
  int64_t first_chunk_;
  std::span<const ChunkPlace> places_;
  std::vector<size_t> stored_at_;
  BufferPool::Buffer stored_;
  BufferPool::Buffer unpacked_;  // none where the elements stay where they are read to
};

}  // namespace rhohat
