#include "sweep/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

// Σ of all values, in an order that shows.
struct OrderedSum {
  double sum = 0;
  std::vector<int64_t> blocks;
  void Clear() {
    sum = 0;
    blocks.clear();
  }
  void Add(const OrderedSum& other) {
    sum += other.sum;
    blocks.insert(blocks.end(), other.blocks.begin(), other.blocks.end());
  }
};

OrderedSum SumWith(VectorSource& source, int64_t threads, const SweepOptions& options) {
  Executor executor(threads);
  Sweep<float> sweep(source, executor, options);
  std::vector<OrderedSum> lanes(static_cast<size_t>(options.lanes));
  return sweep.Run(std::span(lanes), [](const Block<float>& block, OrderedSum& lane) {
    lane.blocks.push_back(block.index);
    // Summed in float, so that any other order would give other bits.
    float sum = 0;
    for (const float value : block.rows) sum += value;
    lane.sum += static_cast<double>(sum) * 1e-3 + lane.sum * 1e-16;
  });
}

TEST(SweepTest, EveryBlockIsHandedOutOnceAndLanesSeeTheirsInOrder) {
  VectorSource source = VectorSource::Random(1003, 3, 1);
  const OrderedSum sum = SumWith(source, 3, {.block_rows = 10, .lanes = 4, .blocks_ahead = 5});
  ASSERT_EQ(sum.blocks.size(), 101U);
  // Lanes 0 to 3 combined as (0+1)+(2+3), each with its own blocks ascending.
  std::vector<int64_t> expected;
  for (int64_t lane = 0; lane < 4; ++lane) {
    for (int64_t block = lane; block < 101; block += 4) expected.push_back(block);
  }
  EXPECT_EQ(sum.blocks, expected);
}

TEST(SweepTest, TheBitsDoNotDependOnThreadsOrReadAhead) {
  VectorSource source = VectorSource::Random(2000, 7, 2);
  const double one = SumWith(source, 1, {.block_rows = 8, .lanes = 16, .blocks_ahead = 2}).sum;
  for (const int64_t threads : {1, 2, 3, 8}) {
    for (const int64_t ahead : {2, 3, 9, 40}) {
      const SweepOptions options{.block_rows = 8, .lanes = 16, .blocks_ahead = ahead};
      EXPECT_EQ(SumWith(source, threads, options).sum, one) << threads << " threads, " << ahead;
    }
  }
}

TEST(SweepTest, FewerBlocksThanLanesLeaveTheOtherLanesOut) {
  for (const int64_t rows : {1, 2, 3, 5}) {
    VectorSource source = VectorSource::Random(rows, 2, 3);
    const OrderedSum sum = SumWith(source, 2, {.block_rows = 1, .lanes = 8, .blocks_ahead = 4});
    std::vector<int64_t> expected(static_cast<size_t>(rows));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(sum.blocks, expected);
  }
}

TEST(SweepTest, LanesAreClearedBetweenPasses) {
  VectorSource source = VectorSource::Random(100, 2, 4);
  Executor executor(2);
  Sweep<double> sweep(source, executor, {.block_rows = 7, .lanes = 4, .blocks_ahead = 3});
  std::vector<OrderedSum> lanes(4);
  const auto count = [](const Block<double>& block, OrderedSum& lane) {
    lane.sum += static_cast<double>(block.range.size());
  };
  EXPECT_EQ(sweep.Run(std::span(lanes), count).sum, 100);
  EXPECT_EQ(sweep.Run(std::span(lanes), count).sum, 100);
  EXPECT_EQ(sweep.counts().rows, 200);
  EXPECT_EQ(sweep.counts().bytes_read, 2 * 100 * 2 * sizeof(double));
}

TEST(SweepTest, NeverMoreBlocksInHandThanSlots) {
  VectorSource source = VectorSource::Random(400, 1, 5);
  std::atomic<int64_t> finished = 0;
  std::atomic<int64_t> most_in_hand = 0;
  source.before_fetch = [&](RowRange range) {
    most_in_hand = std::max<int64_t>(most_in_hand, range.begin / 4 + 1 - finished);
  };
  Executor executor(2);
  Sweep<float> sweep(source, executor, {.block_rows = 4, .lanes = 2, .blocks_ahead = 3});
  std::vector<OrderedSum> lanes(2);
  sweep.Run(std::span(lanes), [&](const Block<float>&, OrderedSum&) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    ++finished;
  });
  EXPECT_LE(most_in_hand, 3);
  EXPECT_EQ(finished, 100);
}

TEST(SweepTest, TheFailureOfTheLowestBlockIsTheOneReported) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    VectorSource source = VectorSource::Random(600, 1, 6);
    Executor executor(3);
    Sweep<float> sweep(source, executor, {.block_rows = 2, .lanes = 8, .blocks_ahead = 12});
    std::vector<OrderedSum> lanes(8);
    const auto fail_late = [](const Block<float>& block, OrderedSum&) {
      if (block.index == 40) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (block.index >= 40) throw Error(ErrorKind::kBadData, std::to_string(block.index));
    };
    try {
      sweep.Run(std::span(lanes), fail_late);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "40");
    }
    // The sweep is as good as new.
    sweep.Run(std::span(lanes), [](const Block<float>&, OrderedSum& lane) { lane.sum += 1; });
    EXPECT_EQ(lanes[0].sum, 300);
  }
}

TEST(SweepTest, AFailureToReadReachesTheCaller) {
  VectorSource source = VectorSource::Random(100, 1, 7);
  source.before_fetch = [](RowRange range) {
    if (range.begin == 50) throw Error(ErrorKind::kIo, "the disk is gone");
  };
  EXPECT_THROW(SumWith(source, 2, {.block_rows = 10, .lanes = 4, .blocks_ahead = 4}), Error);
}

TEST(SweepTest, AValueThatIsNotFiniteIsNamed) {
  VectorSource source(3, 2, {0, 1, 2, 3, std::numeric_limits<double>::quiet_NaN(), 5});
  try {
    SumWith(source, 2, {.block_rows = 2, .lanes = 2, .blocks_ahead = 3});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("memory row 2, column 0"));
  }
}

TEST(SweepTest, StopsBetweenBlocksWhenAsked) {
  VectorSource source = VectorSource::Random(100000, 1, 8);
  std::atomic<bool> stop = false;
  std::atomic<int64_t> blocks = 0;
  Executor executor(2);
  Sweep<float> sweep(source, executor,
                     {.block_rows = 1, .lanes = 4, .blocks_ahead = 4, .stop = &stop});
  std::vector<OrderedSum> lanes(4);
  EXPECT_THROW(sweep.Run(std::span(lanes),
                         [&](const Block<float>&, OrderedSum&) {
                           if (++blocks == 10) stop = true;
                         }),
               Stopped);
  EXPECT_LT(blocks, 20);
}

TEST(SweepTest, WorkersDoNotShareTheirNumbers) {
  VectorSource source = VectorSource::Random(2000, 1, 9);
  Executor executor(4);
  Sweep<float> sweep(source, executor, {.block_rows = 1, .lanes = 16, .blocks_ahead = 16});
  std::vector<OrderedSum> lanes(16);
  std::vector<std::atomic<int>> inside(4);
  sweep.Run(std::span(lanes), [&](const Block<float>& block, OrderedSum&) {
    ASSERT_LT(block.worker, 4);
    EXPECT_EQ(inside[static_cast<size_t>(block.worker)]++, 0);
    std::this_thread::yield();
    --inside[static_cast<size_t>(block.worker)];
  });
}

TEST(SweepTest, OrderedResultsComeInOrderWhateverTheThreadsDo) {
  VectorSource source = VectorSource::Random(501, 2, 10);
  for (const int64_t threads : {1, 2, 5}) {
    Executor executor(threads);
    Sweep<double> sweep(source, executor, {.block_rows = 5, .lanes = 8, .blocks_ahead = 7});
    std::vector<double> written;
    sweep.RunOrdered<double>(
        3,
        [&](const Block<double>& block, std::span<double> out) {
          if (block.index % 9 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
          for (int64_t i = 0; i < block.range.size(); ++i) {
            const auto first = static_cast<size_t>(i);
            out[3 * first] = static_cast<double>(block.range.begin + i);
            out[3 * first + 1] = block.rows[2 * first];
            out[3 * first + 2] = block.rows[2 * first + 1];
          }
        },
        [&](RowRange range, std::span<const double> rows) {
          EXPECT_EQ(static_cast<size_t>(range.begin) * 3, written.size());
          written.insert(written.end(), rows.begin(), rows.end());
        });
    ASSERT_EQ(written.size(), 501U * 3);
    for (size_t row = 0; row < 501; ++row) {
      EXPECT_EQ(written[3 * row], static_cast<double>(row));
      EXPECT_EQ(written[3 * row + 2], source.values()[2 * row + 1]);
    }
  }
}

TEST(SweepTest, ProgressReachesTheLastRow) {
  VectorSource source = VectorSource::Random(95, 1, 11);
  Executor executor(2);
  Sweep<float> sweep(source, executor, {.block_rows = 10, .lanes = 2, .blocks_ahead = 3});
  int64_t last = 0;
  sweep.set_rows_done([&](int64_t done) { last = std::max(last, done); });
  std::vector<OrderedSum> lanes(2);
  sweep.Run(std::span(lanes), [](const Block<float>&, OrderedSum&) {});
  EXPECT_EQ(last, 95);
}

// A row becomes its sum and a 1; memory of its own for each worker.
class RowSums : public RowTransform<double> {
 public:
  RowSums(int64_t columns, int64_t workers) : columns_(columns) {
    results_.resize(static_cast<size_t>(workers));
  }
  int64_t columns() const override { return 2; }
  std::span<const double> Apply(std::span<const double> rows, int64_t count,
                                int64_t worker) override {
    EXPECT_EQ(std::ssize(rows), count * columns_);
    std::vector<double>& result = results_[static_cast<size_t>(worker)];
    result.assign(static_cast<size_t>(2 * count), 0.0);
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t row = i / static_cast<size_t>(columns_);
      result[2 * row] += rows[i];
      result[2 * row + 1] = 1;
    }
    return result;
  }

 private:
  int64_t columns_;
  std::vector<std::vector<double>> results_;
};

std::vector<double> ExpectedSums(const VectorSource& source) {
  std::vector<double> sums;
  const auto columns = static_cast<size_t>(source.columns());
  for (size_t i = 0; i < source.values().size(); ++i) {
    if (i % columns == 0) sums.insert(sums.end(), {0.0, 1.0});
    sums[2 * (i / columns)] += source.values()[i];
  }
  return sums;
}

TEST(SweepTest, ATransformStandsBetweenTheSourceAndTheFunction) {
  VectorSource source = VectorSource::Random(203, 3, 12);
  const std::vector<double> expected = ExpectedSums(source);
  for (const int64_t threads : {1, 3}) {
    Executor executor(threads);
    RowSums transform(3, threads);
    Sweep<double> sweep(source, executor, {.block_rows = 10, .lanes = 4, .blocks_ahead = 5},
                        &transform);
    EXPECT_EQ(sweep.columns(), 2);
    EXPECT_EQ(sweep.rows(), 203);
    std::vector<OrderedSum> lanes(4);
    std::atomic<int64_t> rows = 0;
    sweep.Run(std::span(lanes), [&](const Block<double>& block, OrderedSum&) {
      ASSERT_EQ(std::ssize(block.rows), 2 * block.range.size());
      const double* const here = expected.data() + 2 * block.range.begin;
      EXPECT_TRUE(std::equal(block.rows.begin(), block.rows.end(), here));
      rows += block.range.size();
    });
    EXPECT_EQ(rows, 203);
    EXPECT_EQ(sweep.counts().bytes_read, 203U * 3 * sizeof(double)) << "what is read is the source";
  }
}

TEST(SweepTest, OrderedResultsAreOfTransformedRowsToo) {
  VectorSource source = VectorSource::Random(203, 3, 13);
  Executor executor(3);
  RowSums transform(3, 3);
  Sweep<double> sweep(source, executor, {.block_rows = 10, .lanes = 4, .blocks_ahead = 5},
                      &transform);
  std::vector<double> written;
  sweep.RunOrdered<double>(
      2,
      [](const Block<double>& block, std::span<double> out) {
        std::ranges::copy(block.rows, out.begin());
      },
      [&](RowRange, std::span<const double> rows) {
        written.insert(written.end(), rows.begin(), rows.end());
      });
  EXPECT_EQ(written, ExpectedSums(source));
}

}  // namespace
}  // namespace rhohat
