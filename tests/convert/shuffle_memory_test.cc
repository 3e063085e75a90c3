#include "convert/shuffle_memory.h"

#include <gmock/gmock.h>

#include <charconv>

#include "convert/bucket_file.h"
#include "convert/shuffled_source.h"
#include "tests/formats/test_files.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kTebibyte = uint64_t{1} << 40;
constexpr uint64_t kFixed = 70 * kMebibyte;

ShuffleSize SizeOf(uint64_t bytes, size_t row_bytes) {
  return {.rows = static_cast<int64_t>(bytes / row_bytes),
          .record_bytes = row_bytes + 8,
          .fixed_bytes = kFixed};
}

// A bucket as full as it gets.
int64_t FullestOf(const ShuffleSize& size, size_t buckets) {
  return size.rows / static_cast<int64_t>(buckets) + 1;
}

TEST(ShuffleMemoryTest, BuffersAndTheBucketInHandStayWithinTheBudget) {
  for (const uint64_t memory : {100 * kMebibyte, 192 * kMebibyte, 1024 * kMebibyte}) {
    for (const uint64_t bytes : {kMebibyte, 3000 * kMebibyte, kTebibyte / 32}) {
      for (const size_t row_bytes : {size_t{64}, size_t{500}, size_t{3072}, size_t{1} << 20}) {
        const ShuffleSize size = SizeOf(bytes, row_bytes);
        const ShuffleMemory plan(size, memory);
        const size_t buckets = plan.FirstBuckets(16 * kMebibyte);
        const int64_t fullest = FullestOf(size, buckets);
        ASSERT_TRUE(plan.Fits(fullest));
        const size_t buffer = plan.BufferBytes(buckets, fullest);
        EXPECT_GE(buffer, kBucketAlignment);
        EXPECT_EQ(buffer % kBucketAlignment, 0U);
        const uint64_t notes = buckets * BucketLayout::kBytesPerBucket;
        EXPECT_LE(kFixed + notes + buckets * buffer, memory);
        const uint64_t in_hand =
            static_cast<uint64_t>(fullest) * ShuffledSource::BytesInHand(size.record_bytes);
        EXPECT_LE(kFixed + notes + in_hand, memory);
      }
    }
  }
}

TEST(ShuffleMemoryTest, ATebibyteNeedsNoMoreThan192Mebibytes) {
  const ShuffleMemory plan(SizeOf(kTebibyte, 3072), 192 * kMebibyte);
  const size_t buckets = plan.FirstBuckets(16 * kMebibyte);
  EXPECT_GE(plan.BufferBytes(buckets, FullestOf(SizeOf(kTebibyte, 3072), buckets)), 8192U);
}

TEST(ShuffleMemoryTest, BucketsAreOfTheSizeWantedWhereMemoryAllows) {
  const ShuffleMemory plan(SizeOf(3200 * kMebibyte, 4088), 1024 * kMebibyte);
  EXPECT_EQ(plan.FirstBuckets(16 * kMebibyte), 201U);
  EXPECT_EQ(plan.FirstBuckets(uint64_t{1} << 60), 4U);  // as few as memory allows
}

TEST(ShuffleMemoryTest, SmallDataTakesSmallBuffers) {
  const ShuffleMemory plan(SizeOf(40'000, 4), 1024 * kMebibyte);
  EXPECT_EQ(plan.FirstBuckets(16 * kMebibyte), 1U);
  EXPECT_LE(plan.BufferBytes(1, 10'000), 10'000U * 12 + kBucketAlignment);
}

TEST(ShuffleMemoryTest, TheLeastBudgetThatAMessageNamesWorksAndLessDoesNot) {
  for (const size_t row_bytes : {size_t{8}, size_t{3072}, size_t{50} << 20}) {
    const ShuffleSize size = SizeOf(4 * kTebibyte, row_bytes);
    const std::string message =
        MessageOf(ErrorKind::kUsage, [&] { ShuffleMemory(size, 71 * kMebibyte); });
    const size_t at = message.find("at least ") + 9;
    uint64_t least = 0;
    std::from_chars(message.data() + at, message.data() + message.size(), least);
    ASSERT_GT(least, 71U) << message;
    EXPECT_NO_THROW(ShuffleMemory(size, least * kMebibyte)) << message;
    EXPECT_THROW(ShuffleMemory(size, (least - 1) * kMebibyte), Error) << message;
  }
}

TEST(ShuffleMemoryTest, BucketsOfAnEarlierRunAreCheckedAgainstThisBudget) {
  const ShuffleMemory plan(SizeOf(1000 * kMebibyte, 1016), 100 * kMebibyte);
  EXPECT_NO_THROW(plan.CheckFits(50, 25'000));
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { plan.CheckFits(4, 250'000); }),
              testing::AllOf(HasSubstr("at least 320M"), HasSubstr("--restart")));
  EXPECT_THROW(plan.CheckFits(size_t{1} << 40, 1), Error);
}

}  // namespace
}  // namespace rhohat
