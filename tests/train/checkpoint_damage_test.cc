// A checkpoint of a real run, damaged in every way that a disk damages files: it is always found
// out, and the message names the file. Bits flip in the header at each byte, elsewhere at random;
// files end at each of the first lengths and at each block of a disk.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "rhohat/train.h"
#include "tests/support/recorder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"
#include "train/checkpoint.h"
#include "train/checkpoint_files.h"

namespace rhohat {
namespace {

// The bytes of a checkpoint, and a place to put damaged ones.
class CheckpointDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    const TrainOptions options = WaveTraining(folder_ / "w.h5", folder_ / "run");
    Stopper stopper(-1, 3);
    EXPECT_THROW(Train(options, {&stopper, &stopper.stop}), Stopped);
    const std::vector<CheckpointFile> files = ListCheckpoints(folder_ / "run");
    ASSERT_FALSE(files.empty());
    sound_ = ReadWholeFile(files.front().path);
    uint64_t length = 0;
    std::memcpy(&length, sound_.data(), sizeof length);
    header_bytes_ = sizeof length + length;
    ASSERT_LT(header_bytes_, sound_.size());
    Put(sound_);
  }

  // Whether opening it fails as it should.
  testing::AssertionResult IsFoundOut() const {
    try {
      OpenCheckpoint(path_);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kBadData && std::string(error.what()).starts_with(path_)) {
        return testing::AssertionSuccess();
      }
      return testing::AssertionFailure() << error.what();
    }
    return testing::AssertionFailure() << "taken for sound";
  }

  void Put(const std::string& content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }

  // In place and back again, which is far faster than to write the file anew.
  testing::AssertionResult IsFlippedBitFoundOut(size_t bit) const {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    const char sound = sound_[bit / 8];
    PutByte(file, bit / 8, static_cast<char>(sound ^ (1 << bit % 8)));
    testing::AssertionResult result = IsFoundOut();
    PutByte(file, bit / 8, sound);
    return result;
  }

  static void PutByte(std::fstream& file, size_t place, char byte) {
    file.seekp(static_cast<std::streamoff>(place));
    file.put(byte).flush();
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "checkpoint-000001.safetensors";
  std::string sound_;
  size_t header_bytes_ = 0;
};

TEST_F(CheckpointDamageTest, ASoundOneIsTakenForSound) { EXPECT_FALSE(IsFoundOut()); }

TEST_F(CheckpointDamageTest, EveryByteOfTheHeader) {
  for (size_t byte = 0; byte < header_bytes_; ++byte) {
    EXPECT_TRUE(IsFlippedBitFoundOut(8 * byte + byte % 8)) << "byte " << byte;
  }
}

TEST_F(CheckpointDamageTest, AThousandBitsAnywhere) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const size_t bit = random() % (8 * sound_.size());
    EXPECT_TRUE(IsFlippedBitFoundOut(bit)) << "bit " << bit;
  }
}

TEST_F(CheckpointDamageTest, EndsAtAnyBlock) {
  constexpr size_t kBlock = 512;
  std::vector<size_t> lengths = {sound_.size() - 1};
  for (size_t length = sound_.size() / kBlock * kBlock; length > 0; length -= kBlock) {
    lengths.push_back(length);
  }
  for (size_t length = 200; length-- > 0;) lengths.push_back(length);
  for (const size_t length : lengths) {
    std::filesystem::resize_file(path_, length);  // ever shorter
    EXPECT_TRUE(IsFoundOut()) << "cut to " << length;
  }
  Put(sound_ + '\0');
  EXPECT_TRUE(IsFoundOut());
}

// What a crash leaves where a file's length reached the disk, and its last blocks did not.
TEST_F(CheckpointDamageTest, BlocksThatAreZero) {
  constexpr size_t kBlock = 512;
  for (size_t begin = 0; begin < sound_.size(); begin += kBlock) {
    std::string content = sound_;
    const size_t end = std::min(begin + kBlock, content.size());
    std::fill(content.begin() + static_cast<std::ptrdiff_t>(begin),
              content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    if (content == sound_) continue;
    Put(content);
    EXPECT_TRUE(IsFoundOut()) << "block at " << begin;
  }
}

}  // namespace
}  // namespace rhohat
