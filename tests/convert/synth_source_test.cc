#include "convert/synth_source.h"

#include <gmock/gmock.h>

#include <limits>
#include <thread>

#include "base/atomic_file.h"
#include "data/data_set.h"
#include "rhohat/synth.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

SynthSource SmallSource(int64_t rows, uint64_t seed = 3) {
  return SynthSource({.height = 5, .width = 7, .max_radius = 28}, seed, rows);
}

TEST(SynthSourceTest, GivesTheSameRowsForAnyBlockSizeInEveryPass) {
  SynthSource source = SmallSource(23);
  const std::vector<double> all = ReadAll(source);
  EXPECT_EQ(all.size(), 23U * 35U);
  for (const int64_t block : {1, 2, 7, 23, 5}) EXPECT_EQ(ReadAll(source, block), all);
}

TEST(SynthSourceTest, GivesTheSameRowsWhicheverThreadPaintsThem) {
  SynthSource source = SmallSource(40);
  const std::vector<double> all = ReadAll(source);
  std::vector<RawRows> blocks(8);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto begin = static_cast<int64_t>(5 * i);
    source.Fetch({begin, begin + 5}, blocks[i]);
  }
  {
    std::vector<std::jthread> threads;
    for (RawRows& block : blocks) threads.emplace_back([&] { source.Unpack(block); });
  }
  std::vector<double> values(all.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    DecodeRows<double>(source, blocks[i], std::span(values).subspan(i * 5 * 35, 5 * 35));
  }
  EXPECT_EQ(values, all);
}

TEST(SynthSourceTest, MoreRowsBeginAlike) {
  SynthSource few = SmallSource(10);
  SynthSource many = SmallSource(30);
  std::vector<double> start = ReadAll(many);
  start.resize(350);
  EXPECT_EQ(ReadAll(few), start);
}

TEST(SynthSourceTest, FarRowsAreReachedAtOnce) {
  SynthSource source = SmallSource(kMostDeadLeavesRows);
  RawRows raw;
  FetchAndUnpack(source, {kMostDeadLeavesRows - 1, kMostDeadLeavesRows}, raw);
  std::vector<float> values(35);
  DecodeRows<float>(source, raw, values);
  EXPECT_NE(values.front(), values.back());
  EXPECT_EQ(source.Locate(17), "synthetic row 17");
}

TEST(SynthSourceTest, RefusesRowsThatAreNotThere) {
  SynthSource source = SmallSource(10);
  RawRows raw;
  EXPECT_THAT(MessageOf(ErrorKind::kInternal,
                        [&] {
                          source.Fetch({5, 11}, raw);
                        }),
              HasSubstr("5 to 11 of 10"));
}

class SynthesizeTest : public testing::Test {
 protected:
  SynthOptions Options(int64_t rows) const {
    SynthOptions options;
    options.output.path = scratch_.Path("out.h5");
    options.rows = rows;
    options.patch_height = 5;
    options.patch_width = 7;
    options.seed = 3;
    return options;
  }

  static std::vector<double> Written(const SynthOptions& options) {
    DataSet data({.files = {options.output.path}, .dataset = options.output.dataset});
    return ReadAll(data);
  }

  std::string MessageFor(ErrorKind kind, const SynthOptions& options) {
    const size_t before = scratch_.FileCount();
    const std::string message = MessageOf(kind, [&] { Synthesize(options, {}); });
    EXPECT_EQ(scratch_.FileCount(), before);
    return message;
  }

  ScratchFolder scratch_;
};

TEST_F(SynthesizeTest, WritesTheRowsOfTheSource) {
  const SynthOptions options = Options(50);
  const SynthResult result = Synthesize(options, {});
  EXPECT_EQ(result.rows, 50);
  EXPECT_EQ(result.columns, 35);
  EXPECT_EQ(result.bytes_written, std::filesystem::file_size(options.output.path));
  SynthSource source = SmallSource(50);
  EXPECT_EQ(Written(options), ReadAll(source));
}

TEST_F(SynthesizeTest, EveryOptionAboutPatchesMatters) {
  SynthOptions options = Options(4);
  options.output.force = true;
  Synthesize(options, {});
  const std::vector<double> plain = Written(options);
  const auto differs = [&](SynthOptions changed) {
    Synthesize(changed, {});
    return Written(changed) != plain;
  };
  SynthOptions changed = options;
  changed.seed = 4;
  EXPECT_TRUE(differs(changed));
  changed = options;
  changed.min_radius = 2;
  EXPECT_TRUE(differs(changed));
  changed = options;
  changed.max_radius = 20;
  EXPECT_TRUE(differs(changed));
  changed = options;
  changed.keep_brightness = true;
  EXPECT_TRUE(differs(changed));
  changed = options;
  changed.max_radius = 28;  // what 0 stands for
  changed.output.dataset = "patches";
  changed.output.chunk_rows = 3;
  EXPECT_FALSE(differs(changed));
}

TEST_F(SynthesizeTest, PaintsManyBlocksAndTellsProgress) {
  struct Progress : RunObserver {
    void OnRows(int64_t done, int64_t total) override {
      EXPECT_GT(done, last);
      EXPECT_EQ(total, 9);
      last = done;
      ++calls;
    }
    int64_t last = 0;
    int calls = 0;
  } progress;
  SynthOptions options = Options(9);
  options.patch_height = 512;  // 1 MiB
  options.patch_width = 512;
  options.min_radius = 200;
  Synthesize(options, {.observer = &progress});
  EXPECT_EQ(progress.last, 9);
  EXPECT_GE(progress.calls, 3);
  EXPECT_EQ(Written(options).size(), size_t{9} << 18);
}

TEST_F(SynthesizeTest, StopsWhenAskedAndLeavesNothing) {
  const std::atomic<bool> stop = true;
  EXPECT_THROW(Synthesize(Options(10), {.stop = &stop}), Stopped);
  EXPECT_EQ(scratch_.FileCount(), 0U);
}

TEST_F(SynthesizeTest, ReplacesAnOutputOnlyWhenToldTo) {
  SynthOptions options = Options(2);
  scratch_.Write("out.h5", "precious");
  EXPECT_THAT(MessageFor(ErrorKind::kCannotCreate, options), HasSubstr("--force"));
  EXPECT_EQ(std::filesystem::file_size(options.output.path), 8U);
  options.output.force = true;
  Synthesize(options, {});
  EXPECT_EQ(Written(options).size(), 70U);
}

TEST_F(SynthesizeTest, ListsAllFaultsOfTheOptionsAtOnce) {
  SynthOptions options;
  options.output.dataset = "/";
  options.patch_height = 0;
  options.min_radius = std::numeric_limits<double>::quiet_NaN();
  options.output.chunk_rows = -1;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options),
              AllOf(HasSubstr("no output"), HasSubstr("--dataset"), HasSubstr("--rows"),
                    HasSubstr("--patch"), HasSubstr("--min-radius"), HasSubstr("--chunk-rows")));
  options = Options(10);
  options.max_radius = 1;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("--max-radius"));
  options.max_radius = 1e7;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("--max-radius"));
  options = Options(kMostDeadLeavesRows + 1);
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("--rows"));
  options = Options(10);
  options.patch_width = kMostPatchSide + 1;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("--patch"));
}

TEST_F(SynthesizeTest, TheSameOptionsGiveTheSameBytes) {
  SynthOptions options = Options(20);
  Synthesize(options, {});
  const std::string first = ReadWholeFile(options.output.path);
  options.output.force = true;
  Synthesize(options, {});
  EXPECT_TRUE(first == ReadWholeFile(options.output.path));
}

}  // namespace
}  // namespace rhohat
