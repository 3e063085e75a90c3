#include "data/filter_pipeline.h"

#include <blosc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using ByteVector = std::vector<std::byte>;

constexpr size_t kElements[] = {1, 2, 3, 4, 5, 7, 8, 12, 16, 17};

// Bytes that compress: slowly rising 32-bit numbers.
ByteVector Rising(size_t size, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  ByteVector bytes(size);
  uint32_t value = 1000;
  for (size_t i = 0; i < size; i += 4) {
    value += static_cast<uint32_t>(random() % 7);
    std::memcpy(bytes.data() + i, &value, std::min<size_t>(4, size - i));
  }
  return bytes;
}

// Bytes that do not.
ByteVector Noise(size_t size, uint64_t seed = 2) {
  std::mt19937_64 random(seed);
  ByteVector bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xFF);
  return bytes;
}

ChunkFilter Filter(FilterKind kind, int level = 1, size_t element_bytes = 4) {
  return MakeFilter(kind, level, element_bytes, 0);
}

std::string ReasonOf(const FilterPipeline& pipeline, const ByteVector& stored, uint32_t mask = 0) {
  FilterScratch scratch;
  ByteVector chunk(pipeline.chunk_bytes());
  try {
    pipeline.Decode(stored, mask, chunk, scratch);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    return error.what();
  }
  return "";
}

void ExpectRoundTrip(const FilterPipeline& pipeline, const ByteVector& chunk,
                     FilterScratch& scratch) {
  ByteVector stored;
  const uint32_t mask = pipeline.Encode(chunk, stored, scratch);
  ASSERT_LE(stored.size(), pipeline.MaxStoredBytes());
  ByteVector decoded(chunk.size(), std::byte{0xEE});
  pipeline.Decode(stored, mask, decoded, scratch);
  EXPECT_EQ(decoded, chunk);
}

const std::vector<size_t>& OddSizes() {
  static const std::vector<size_t> sizes = {1,  2,  3,  4,   5,   8,    15,   16,   17,   31,
                                            63, 64, 65, 127, 255, 1000, 4095, 4097, 20000};
  return sizes;
}

std::vector<ChunkFilter> Compressors() {
  return {Filter(FilterKind::kGzip, 0), Filter(FilterKind::kGzip, 1),  Filter(FilterKind::kGzip, 9),
          Filter(FilterKind::kZstd, 1), Filter(FilterKind::kZstd, 19), Filter(FilterKind::kLz4),
          Filter(FilterKind::kLzf)};
}

TEST(FilterPipelineTest, WithoutFiltersAChunkIsItsBytes) {
  const FilterPipeline pipeline({}, 100);
  FilterScratch scratch;
  ByteVector stored;
  EXPECT_EQ(pipeline.Encode(Rising(100), stored, scratch), 0U);
  EXPECT_EQ(stored, Rising(100));
  ExpectRoundTrip(pipeline, Rising(100), scratch);
  EXPECT_EQ(pipeline.ScratchBytes(), 0U);
  EXPECT_EQ(ReasonOf(pipeline, Rising(99)), "expected 100 bytes, found 99");
}

TEST(FilterPipelineTest, ChecksAloneLeaveAChunkWhereItIsStored) {
  const ChunkFilter check = Filter(FilterKind::kFletcher32);
  const FilterPipeline pipeline({check, Filter(FilterKind::kShuffle, 0, 1), check}, 1000);
  ASSERT_TRUE(pipeline.OnlyChecks());
  EXPECT_FALSE(FilterPipeline({check, Filter(FilterKind::kShuffle)}, 1000).OnlyChecks());
  EXPECT_FALSE(FilterPipeline({Filter(FilterKind::kGzip)}, 1000).OnlyChecks());
  FilterScratch scratch;
  ByteVector stored;
  pipeline.Encode(Noise(1000), stored, scratch);
  ASSERT_EQ(stored.size(), 1008U);
  const std::span<std::byte> chunk = std::span(stored).first(1000);
  pipeline.Decode(stored, 0, chunk, scratch);
  EXPECT_TRUE(std::ranges::equal(chunk, Noise(1000)));
  stored[500] ^= std::byte{1};
  EXPECT_THROW(pipeline.Decode(stored, 0, chunk, scratch), Error);
}

TEST(FilterPipelineTest, EveryCompressorWithEveryElementSizeAndOddChunks) {
  FilterScratch scratch;
  for (const ChunkFilter& compressor : Compressors()) {
    for (const size_t element : kElements) {
      for (const size_t size : OddSizes()) {
        SCOPED_TRACE(FilterName(compressor) + " " + std::to_string(element) + " " +
                     std::to_string(size));
        const FilterPipeline pipeline(
            {Filter(FilterKind::kShuffle, 0, element), compressor, Filter(FilterKind::kFletcher32)},
            size);
        ExpectRoundTrip(pipeline, Rising(size), scratch);
        ExpectRoundTrip(pipeline, Noise(size), scratch);
      }
    }
  }
}

TEST(FilterPipelineTest, FiltersInAnyOrderAndAnyNumber) {
  std::mt19937_64 random(3);
  FilterScratch scratch;
  std::vector<ChunkFilter> all = Compressors();
  all.push_back(Filter(FilterKind::kShuffle, 0, 1));
  all.push_back(Filter(FilterKind::kShuffle, 0, 4));
  all.push_back(Filter(FilterKind::kFletcher32));
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<ChunkFilter> filters(random() % 6);
    std::string names;
    for (ChunkFilter& filter : filters) {
      filter = all[random() % all.size()];
      names += FilterName(filter) + " ";
    }
    SCOPED_TRACE(names);
    const size_t size = 1 + random() % 3000;
    ExpectRoundTrip(FilterPipeline(filters, size), random() % 2 == 0 ? Rising(size) : Noise(size),
                    scratch);
  }
}

TEST(FilterPipelineTest, MoreFiltersThanHdf5AllowsAreRefused) {
  const std::vector<ChunkFilter> filters(33, Filter(FilterKind::kGzip));
  EXPECT_THROW(FilterPipeline(filters, 4), Error);
  FilterScratch scratch;
  ExpectRoundTrip(FilterPipeline(std::vector(32, Filter(FilterKind::kGzip)), 1000), Noise(1000),
                  scratch);
}

TEST(FilterPipelineTest, AMaskedFilterWasNotApplied) {
  const std::vector<ChunkFilter> filters = {Filter(FilterKind::kShuffle), Filter(FilterKind::kGzip),
                                            Filter(FilterKind::kFletcher32)};
  FilterScratch scratch;
  for (uint32_t mask = 0; mask < 8; ++mask) {
    std::vector<ChunkFilter> applied;
    for (uint32_t i = 0; i < 3; ++i) {
      if ((mask >> i & 1) == 0) applied.push_back(filters[i]);
    }
    ByteVector stored;
    FilterPipeline(applied, 999).Encode(Rising(999), stored, scratch);
    ByteVector chunk(999);
    FilterPipeline(filters, 999).Decode(stored, mask, chunk, scratch);
    EXPECT_EQ(chunk, Rising(999)) << mask;
  }
}

TEST(FilterPipelineTest, LzfIsSkippedWhereItWouldNotShrink) {
  const FilterPipeline pipeline({Filter(FilterKind::kLzf), Filter(FilterKind::kFletcher32)}, 500);
  FilterScratch scratch;
  ByteVector stored;
  EXPECT_EQ(pipeline.Encode(Noise(500), stored, scratch), 1U);
  EXPECT_EQ(stored.size(), 504U);
  EXPECT_EQ(pipeline.Encode(ByteVector(500), stored, scratch), 0U);
  EXPECT_LT(stored.size(), 100U);
}

// The bits that fill up a gzip stream's last byte mean nothing.
TEST(FilterPipelineTest, DamageThatChangesAChunkWithAChecksumIsNoticed) {
  const ByteVector chunk = Rising(400);
  for (const FilterKind kind : {FilterKind::kGzip, FilterKind::kFletcher32}) {
    const FilterPipeline pipeline({Filter(FilterKind::kShuffle), Filter(kind)}, 400);
    FilterScratch scratch;
    ByteVector stored;
    pipeline.Encode(chunk, stored, scratch);
    int harmless = 0;
    for (size_t at = 0; at < stored.size(); ++at) {
      for (const int flip : {1, 0x80, 0xFF}) {
        ByteVector damaged = stored;
        damaged[at] ^= static_cast<std::byte>(flip);
        ByteVector decoded(400);
        try {
          pipeline.Decode(damaged, 0, decoded, scratch);
          EXPECT_EQ(decoded, chunk) << at << " " << flip;
          EXPECT_EQ(kind, FilterKind::kGzip) << at << " " << flip;
          ++harmless;
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kBadData);
        }
      }
      EXPECT_NE(ReasonOf(pipeline, ByteVector(stored.begin(), stored.begin() + at)), "") << at;
    }
    EXPECT_LE(harmless, 1);
  }
}

TEST(FilterPipelineTest, WhateverIsStoredEndsInAChunkOrAReason) {
  for (const ChunkFilter& compressor : Compressors()) {
    const FilterPipeline pipeline({Filter(FilterKind::kShuffle), compressor}, 400);
    FilterScratch scratch;
    ByteVector stored;
    const uint32_t mask = pipeline.Encode(Rising(400), stored, scratch);
    ASSERT_EQ(mask, 0U);
    for (size_t at = 0; at < stored.size(); ++at) {
      for (const int flip : {1, 0x80, 0xFF}) {
        ByteVector damaged = stored;
        damaged[at] ^= static_cast<std::byte>(flip);
        ReasonOf(pipeline, damaged);
      }
      EXPECT_NE(ReasonOf(pipeline, ByteVector(stored.begin(), stored.begin() + at)), "")
          << FilterName(compressor) << " cut at " << at;
    }
  }
}

// Blosc as other programs write it: `shuffle` is 0, 1 for bytes, or 2 for bits.
ByteVector BloscBytes(const ByteVector& chunk, const char* codec, int shuffle, size_t block) {
  ByteVector stored(chunk.size() + BLOSC_MAX_OVERHEAD);
  const int size = blosc_compress_ctx(5, shuffle, 4, chunk.size(), chunk.data(), stored.data(),
                                      stored.size(), codec, block, 1);
  EXPECT_GT(size, 0) << codec;
  stored.resize(static_cast<size_t>(std::max(size, 0)));
  return stored;
}

TEST(FilterPipelineTest, BloscOfEveryInnerCompressorAndShuffleIsReadAndItsDamageSurvived) {
  const ByteVector chunk = Rising(1800);
  const FilterPipeline pipeline({Filter(FilterKind::kBlosc)}, chunk.size());
  FilterScratch scratch;
  for (const char* codec : {"blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"}) {
    if (blosc_compname_to_compcode(codec) < 0) continue;
    for (const int shuffle : {0, 1, 2}) {
      SCOPED_TRACE(std::string(codec) + " " + std::to_string(shuffle));
      const ByteVector stored = BloscBytes(chunk, codec, shuffle, 512);
      ByteVector decoded(chunk.size());
      pipeline.Decode(stored, 0, decoded, scratch);
      EXPECT_EQ(decoded, chunk);
      for (size_t at = 0; at < stored.size(); ++at) {
        ByteVector damaged = stored;
        damaged[at] ^= std::byte{0xFF};
        ReasonOf(pipeline, damaged);
        EXPECT_NE(ReasonOf(pipeline, ByteVector(stored.begin(), stored.begin() + at)), "");
      }
    }
  }
}

TEST(FilterPipelineTest, WhatIsWrittenDependsOnTheChunkAlone) {
  for (const ChunkFilter& compressor : Compressors()) {
    const FilterPipeline pipeline({Filter(FilterKind::kShuffle), compressor}, 20000);
    ByteVector first;
    FilterScratch fresh;
    pipeline.Encode(Rising(20000), first, fresh);
    FilterScratch used;
    for (uint64_t seed = 2; seed < 8; ++seed) {
      ByteVector again;
      pipeline.Encode(Rising(20000, seed), again, used);
      pipeline.Encode(Noise(20000, seed), again, used);
      pipeline.Encode(Rising(20000), again, used);
      EXPECT_EQ(again, first) << FilterName(compressor);
    }
  }
}

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(FilterPipelineTest, AScratchHoldsNoMoreThanIsSaid) {
  for (const ChunkFilter& compressor : Compressors()) {
    for (const size_t size : {1000U, 30000U, 300000U}) {
      const FilterPipeline pipeline(
          {Filter(FilterKind::kShuffle), compressor, Filter(FilterKind::kFletcher32), compressor},
          size);
      const ByteVector chunk = Rising(size);
      ByteVector stored(pipeline.MaxStoredBytes());
      ByteVector decoded(size);
      uint32_t mask = 0;
      size_t before = HeapBytes();
      constexpr size_t kBookkeeping = 4096;
      {
        FilterScratch scratch;
        mask = pipeline.Encode(chunk, stored, scratch);
        pipeline.Decode(stored, mask, decoded, scratch);
        EXPECT_LE(HeapBytes(), before + pipeline.ScratchBytes() + kBookkeeping)
            << FilterName(compressor) << " " << size;
        EXPECT_EQ(decoded, chunk);
      }
      before = HeapBytes();
      FilterScratch scratch;
      pipeline.Decode(stored, mask, decoded, scratch);
      EXPECT_LE(HeapBytes(), before + pipeline.DecodeScratchBytes() + kBookkeeping)
          << FilterName(compressor) << " " << size;
    }
  }
}

TEST(FilterPipelineTest, ThreadsShareAPipelineEachWithItsScratch) {
  const ByteVector chunk = Rising(5000);
  const ByteVector blosc = BloscBytes(chunk, "zstd", 1, 1024);
  const FilterPipeline plain({Filter(FilterKind::kBlosc)}, chunk.size());
  const FilterPipeline pipeline({Filter(FilterKind::kShuffle), Filter(FilterKind::kGzip),
                                 Filter(FilterKind::kZstd), Filter(FilterKind::kLzf)},
                                chunk.size());
  std::atomic<int> wrong = 0;
  const auto work = [&] {
    FilterScratch scratch;
    ByteVector stored;
    ByteVector decoded(chunk.size());
    for (int i = 0; i < 20; ++i) {
      const uint32_t mask = pipeline.Encode(chunk, stored, scratch);
      pipeline.Decode(stored, mask, decoded, scratch);
      if (decoded != chunk) ++wrong;
      plain.Decode(blosc, 0, decoded, scratch);
      if (decoded != chunk) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(FilterPipelineTest, AChunkOfAnotherSizeIsSaidToBe) {
  for (const ChunkFilter& compressor : Compressors()) {
    const FilterPipeline writer({compressor}, 500);
    FilterScratch scratch;
    ByteVector stored;
    ASSERT_EQ(writer.Encode(Rising(500), stored, scratch), 0U);
    EXPECT_EQ(ReasonOf(FilterPipeline({compressor}, 600), stored), "expected 600 bytes, found 500");
    EXPECT_THAT(ReasonOf(FilterPipeline({compressor}, 400), stored),
                testing::StartsWith("expected 400 bytes, found "));
  }
}

TEST(FilterPipelineTest, ReasonsAreWords) {
  const ByteVector noise = Noise(64);
  const auto reason = [&](FilterKind kind) {
    return ReasonOf(FilterPipeline({Filter(kind)}, 400), noise);
  };
  EXPECT_EQ(reason(FilterKind::kGzip), "its gzip data is damaged");
  EXPECT_EQ(reason(FilterKind::kZstd), "its zstd data is damaged");
  EXPECT_EQ(reason(FilterKind::kBlosc), "its blosc data is damaged");
  EXPECT_THAT(reason(FilterKind::kFletcher32), testing::StartsWith("fletcher32 does not match: "));
  EXPECT_EQ(ReasonOf(FilterPipeline({Filter(FilterKind::kFletcher32)}, 400), ByteVector(3)),
            "expected a fletcher32 checksum of 4 bytes, found 3 bytes in all");
}

TEST(FilterPipelineTest, AFilterThatIsOnlyReadIsNotWrittenWith) {
  const FilterPipeline pipeline({Filter(FilterKind::kBlosc)}, 16);
  FilterScratch scratch;
  ByteVector stored;
  try {
    pipeline.Encode(Noise(16), stored, scratch);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
  }
}

}  // namespace
}  // namespace rhohat
