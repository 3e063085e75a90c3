#include "data/shuffle_bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "data/shuffle_bytes_reference.h"

namespace rhohat {
namespace {

using ByteVector = std::vector<std::byte>;

ByteVector Noise(size_t size) {
  std::mt19937_64 random(size + 1);
  ByteVector bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xFF);
  return bytes;
}

constexpr size_t kElements[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 24, 32, 100};

std::vector<size_t> Sizes() {
  std::vector<size_t> sizes;
  for (size_t size = 0; size < 300; ++size) sizes.push_back(size);
  for (const size_t size : {1023, 4096, 4099, 40001, 131071}) sizes.push_back(size);
  return sizes;
}

TEST(ShuffleBytesTest, AgreesWithTheDefinitionForEveryElementAndTail) {
  for (const size_t element : kElements) {
    for (const size_t size : Sizes()) {
      const ByteVector in = Noise(size);
      ByteVector expected(size);
      ByteVector found(size);
      ShuffleReference(in, element, expected.data());
      Shuffle(in, element, found.data());
      ASSERT_EQ(found, expected) << element << " × " << size;
      UnshuffleReference(in, element, expected.data());
      Unshuffle(in, element, found.data());
      ASSERT_EQ(found, expected) << element << " × " << size;
    }
  }
}

TEST(ShuffleBytesTest, PlacesOfAnyAlignmentAndNothingBeside) {
  for (const size_t element : {2U, 4U, 8U, 16U}) {
    for (size_t offset = 0; offset < 16; ++offset) {
      const ByteVector in = Noise(1000 + offset);
      const std::span<const std::byte> from = std::span(in).subspan(offset);
      ByteVector expected(1000);
      ByteVector found(1032, std::byte{0x55});
      ShuffleReference(from, element, expected.data());
      Shuffle(from, element, found.data() + 16);
      EXPECT_EQ(ByteVector(found.begin() + 16, found.begin() + 1016), expected);
      Unshuffle(expected, element, found.data() + 16);
      EXPECT_TRUE(std::equal(from.begin(), from.end(), found.begin() + 16));
      for (size_t i = 0; i < 16; ++i) {
        EXPECT_EQ(found[i], std::byte{0x55});
        EXPECT_EQ(found[1016 + i], std::byte{0x55});
      }
    }
  }
}

TEST(ShuffleBytesTest, ATailAndASingleElementStayAsTheyAre) {
  const ByteVector in = Noise(7);
  ByteVector out(7);
  Shuffle(in, 4, out.data());
  EXPECT_EQ(out, in) << "one element of four bytes, and three more";
  Shuffle(in, 3, out.data());
  EXPECT_EQ(out, (ByteVector{in[0], in[3], in[1], in[4], in[2], in[5], in[6]}));
}

}  // namespace
}  // namespace rhohat
