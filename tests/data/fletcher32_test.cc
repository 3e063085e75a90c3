#include "data/fletcher32.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace rhohat {
namespace {

using ByteVector = std::vector<std::byte>;

// Word by word, with carries folded back as the HDF5 library does.
uint32_t ByDefinition(const ByteVector& bytes) {
  const auto fold = [](uint32_t sum) { return (sum & 0xFFFF) + (sum >> 16); };
  uint32_t low = 0;
  uint32_t high = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const auto upper = std::to_integer<uint32_t>(bytes[i]);
    const auto lower = i + 1 < bytes.size() ? std::to_integer<uint32_t>(bytes[i + 1]) : 0;
    low = fold(low + (upper << 8 | lower));
    high = fold(high + low);
  }
  return high << 16 | low;
}

ByteVector Noise(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  ByteVector bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xFF);
  return bytes;
}

uint32_t BothWays(const ByteVector& bytes) {
  EXPECT_EQ(PortableFletcher32(bytes), Fletcher32(bytes)) << bytes.size();
  return Fletcher32(bytes);
}

TEST(Fletcher32Test, AgreesWithTheDefinitionForEveryTail) {
  for (size_t size = 0; size < 400; ++size) {
    const ByteVector bytes = Noise(size, size);
    EXPECT_EQ(BothWays(bytes), ByDefinition(bytes)) << size;
  }
  // Around the number of steps that the lanes take at once.
  for (size_t size = 360 * 32 - 70; size < 360 * 32 + 70; ++size) {
    const ByteVector bytes = Noise(size, size);
    EXPECT_EQ(BothWays(bytes), ByDefinition(bytes)) << size;
  }
  const ByteVector bytes = Noise(1234567, 1);
  EXPECT_EQ(BothWays(bytes), ByDefinition(bytes));
}

TEST(Fletcher32Test, SumsThatComeOutAsZeroHaveTheLibrarysRepresentation) {
  for (const size_t size : {1U, 2U, 31U, 32U, 64U, 100U, 20000U}) {
    const ByteVector zeros(size);
    EXPECT_EQ(BothWays(zeros), 0U) << size;
    const ByteVector ones(size, std::byte{0xFF});
    EXPECT_EQ(BothWays(ones), ByDefinition(ones)) << size;
    for (size_t at = 0; at < std::min<size_t>(size, 64); ++at) {
      ByteVector bytes(size);
      bytes[at] = std::byte{0xFF};
      EXPECT_EQ(BothWays(bytes), ByDefinition(bytes)) << size << " " << at;
      bytes[at - at % 2] = std::byte{0xFF};
      EXPECT_EQ(BothWays(bytes), ByDefinition(bytes)) << size << " " << at;
    }
  }
}

TEST(Fletcher32Test, TheLargestSumsDoNotOverflow) {
  const ByteVector ones(360 * 32 * 3, std::byte{0xFF});
  EXPECT_EQ(BothWays(ones), ByDefinition(ones));
}

TEST(Fletcher32Test, ChecksumsOfOldVersionsMatchToo) {
  const ByteVector bytes = Noise(100, 7);
  const uint32_t checksum = Fletcher32(bytes);
  const uint32_t swapped = (checksum & 0xFF00FF00) >> 8 | (checksum & 0x00FF00FF) << 8;
  EXPECT_TRUE(MatchesFletcher32(bytes, checksum));
  EXPECT_TRUE(MatchesFletcher32(bytes, swapped));
  EXPECT_FALSE(MatchesFletcher32(bytes, checksum + 1));
  EXPECT_FALSE(MatchesFletcher32(bytes, checksum << 16 | checksum >> 16));
}

}  // namespace
}  // namespace rhohat
