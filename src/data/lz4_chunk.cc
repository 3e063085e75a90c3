#include "data/lz4_chunk.h"

#include <fmt/core.h>
#include <lz4.h>

#include <algorithm>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using Bytes = std::span<const std::byte>;
using Space = std::span<std::byte>;

constexpr size_t kHeaderBytes = 12;
constexpr size_t kBlockHeaderBytes = 4;
constexpr size_t kUsualBlock = size_t{1} << 30;

[[noreturn]] void ThrowDamaged() { throw Error(ErrorKind::kBadData, "its lz4 data is damaged"); }

uint64_t LoadBigEndian(const std::byte* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

void StoreBigEndian(uint64_t value, std::byte* bytes, size_t count) {
  for (size_t i = count; i-- > 0; value >>= 8) bytes[i] = static_cast<std::byte>(value & 0xFF);
}

// Fills `block`, and moves `in` past what it was made of. Returns the block's size.
size_t DecompressBlock(Bytes& in, Space block) {
  if (in.size() < kBlockHeaderBytes) ThrowDamaged();
  const size_t stored = LoadBigEndian(in.data(), kBlockHeaderBytes);
  in = in.subspan(kBlockHeaderBytes);
  if (stored > in.size() || stored > LZ4_MAX_INPUT_SIZE) ThrowDamaged();
  if (stored == block.size()) {
    std::copy_n(in.data(), stored, block.data());
  } else {
    const int written = LZ4_decompress_safe(
        reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(block.data()),
        static_cast<int>(stored), static_cast<int>(block.size()));
    if (written < 0 || static_cast<size_t>(written) != block.size()) ThrowDamaged();
  }
  in = in.subspan(stored);
  return block.size();
}

size_t BlockOf(const ChunkFilter& filter, size_t size) {
  const size_t asked = filter.values.empty() ? 0 : filter.values[0];
  return std::clamp<size_t>(asked == 0 ? kUsualBlock : std::min(asked, kUsualBlock), 1,
                            std::max<size_t>(size, 1));
}

// Returns the compressed size, or the block's own where it was copied.
size_t CompressBlock(Bytes block, std::byte* out) {
  // One byte less than the block: what does not fit has not shrunk.
  const int written = LZ4_compress_default(
      reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(out),
      static_cast<int>(block.size()), static_cast<int>(block.size()) - 1);
  if (written > 0) return static_cast<size_t>(written);
  std::copy_n(block.data(), block.size(), out);
  return block.size();
}

}  // namespace

size_t Lz4Decompress(Bytes in, Space out) {
  if (in.size() < kHeaderBytes) ThrowDamaged();
  const uint64_t size = LoadBigEndian(in.data(), 8);
  const size_t block = LoadBigEndian(in.data() + 8, 4);
  if (size > out.size()) {
    throw Error(ErrorKind::kBadData, fmt::format("expected {} bytes, found {}", out.size(), size));
  }
  if (size > 0 && block == 0) ThrowDamaged();
  in = in.subspan(kHeaderBytes);
  for (size_t done = 0; done < size;) {
    const size_t length = std::min<size_t>(block, size - done);
    if (length > LZ4_MAX_INPUT_SIZE) ThrowDamaged();
    done += DecompressBlock(in, out.subspan(done, length));
  }
  return size;
}

size_t Lz4Compress(const ChunkFilter& filter, Bytes in, Space out) {
  const size_t block = BlockOf(filter, in.size());
  StoreBigEndian(in.size(), out.data(), 8);
  StoreBigEndian(block, out.data() + 8, 4);
  size_t written = kHeaderBytes;
  for (size_t done = 0; done < in.size(); done += block) {
    const Bytes next = in.subspan(done, std::min(block, in.size() - done));
    const size_t stored = CompressBlock(next, out.data() + written + kBlockHeaderBytes);
    StoreBigEndian(stored, out.data() + written, kBlockHeaderBytes);
    written += kBlockHeaderBytes + stored;
  }
  return written;
}

uint64_t Lz4ClaimedSize(Bytes in) {
  if (in.size() < kHeaderBytes) ThrowDamaged();
  return LoadBigEndian(in.data(), 8);
}

size_t Lz4CompressedBound(const ChunkFilter& filter, size_t size) {
  const size_t block = BlockOf(filter, size);
  return kHeaderBytes + size + (size + block - 1) / block * kBlockHeaderBytes;
}

}  // namespace rhohat
