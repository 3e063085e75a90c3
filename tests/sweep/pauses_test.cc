// Passes that stand still and go on, here or in a sweep made anew, come to the same bits.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "rhohat/error.h"
#include "sweep/sweep.h"
#include "tests/support/state_copy.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

constexpr int64_t kLanes = 4;
constexpr int64_t kBlocks = 30;

// A sum whose bits depend on the order.
struct Sum {
  double value = 0;
  void Clear() { value = 0; }
  void Add(const Sum& other) { value = value * 1.0000001 + other.value; }
};

void AddBlock(const Block<float>& block, Sum& lane) {
  const float sum = std::accumulate(block.rows.begin(), block.rows.end(), 0.0F);
  lane.value = lane.value * 1.0000001 + static_cast<double>(sum);
}

// Wants a pause before each block, or where it is told.
class Pauses : public PassPauses {
 public:
  bool Wanted() override { return true; }
  void Pause() override {
    ++pauses;
    if (on_pause) on_pause();
  }
  std::function<void()> on_pause;
  int64_t pauses = 0;
};

SweepOptions Options(PassPauses* pauses, uint64_t cache_bytes = 0) {
  return {.block_rows = 10,
          .lanes = kLanes,
          .blocks_ahead = 3,
          .cache_bytes = cache_bytes,
          .pauses = pauses};
}

double Whole(VectorSource& source) {
  Executor executor(1);
  Sweep<float> sweep(source, executor, Options(nullptr));
  std::vector<Sum> lanes(kLanes);
  return sweep.Run(std::span(lanes), AddBlock).value;
}

TEST(PausesTest, APassThatPausesAtEveryBlockComesToTheSameBits) {
  VectorSource source = VectorSource::Random(10 * kBlocks - 3, 5, 1);
  for (const int64_t threads : {1, 3}) {
    for (const uint64_t cache : {uint64_t{0}, uint64_t{2000}, uint64_t{1} << 20}) {
      Executor executor(threads);
      Pauses pauses;
      Sweep<float> sweep(source, executor, Options(&pauses, cache));
      int64_t rows_done = 0;
      sweep.set_rows_done([&](int64_t done) { rows_done = done; });
      std::vector<Sum> lanes(kLanes);
      for (int64_t pass = 1; pass <= 2; ++pass) {
        EXPECT_EQ(sweep.Run(std::span(lanes), AddBlock).value, Whole(source)) << threads;
        EXPECT_EQ(pauses.pauses, pass * (kBlocks - 1));
        EXPECT_EQ(rows_done, source.rows());
        EXPECT_EQ(sweep.counts().rows, pass * source.rows());
      }
    }
  }
}

// What a process that is gone leaves: the position, and the lanes that were begun.
struct Saved {
  StateCopy position;
  std::vector<Sum> lanes;
};

TEST(PausesTest, AnotherSweepGoesOnWhereAPassStood) {
  VectorSource source = VectorSource::Random(10 * kBlocks - 3, 5, 1);
  const double whole = Whole(source);
  Executor executor(2);
  for (int64_t end = 1; end < kBlocks; ++end) {
    Pauses pauses;
    Sweep<float> sweep(source, executor, Options(&pauses));
    std::vector<Sum> lanes(kLanes);
    Saved saved;
    pauses.on_pause = [&] {
      if (pauses.pauses < end) return;
      EXPECT_EQ(sweep.position(), end);
      sweep.Visit(saved.position);
      saved.lanes.assign(lanes.begin(), lanes.begin() + sweep.lanes_begun());
      throw Stopped("enough");
    };
    EXPECT_THROW(sweep.Run(std::span(lanes), AddBlock), Stopped);
    EXPECT_EQ(sweep.position(), 0);

    Sweep<float> other(source, executor, Options(nullptr, 1000));
    saved.position.Load();
    other.Visit(saved.position);
    std::vector<Sum> other_lanes(kLanes, Sum{.value = 1e30});
    std::copy(saved.lanes.begin(), saved.lanes.end(), other_lanes.begin());
    EXPECT_EQ(other.Run(std::span(other_lanes), AddBlock).value, whole) << end;
    EXPECT_EQ(other.Run(std::span(other_lanes), AddBlock).value, whole) << end;
  }
}

TEST(PausesTest, APositionBeyondTheDataIsRefused) {
  VectorSource source = VectorSource::Random(10 * kBlocks, 5, 1);
  Executor executor(1);
  for (const int64_t position : {int64_t{-1}, kBlocks, int64_t{1} << 62}) {
    StateCopy state;
    int64_t value = position;
    state.Number("block", value);
    state.Load();
    Sweep<float> sweep(source, executor, Options(nullptr));
    EXPECT_THROW(sweep.Visit(state), Error) << position;
  }
}

}  // namespace
}  // namespace rhohat
