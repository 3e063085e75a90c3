// Sweeps that share their passes come to the bits that each comes to alone, and read once.
#include "sweep/sweep_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "rhohat/error.h"
#include "tests/support/state_copy.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

constexpr int64_t kLanes = 4;
constexpr int64_t kBlocks = 30;
constexpr int64_t kBlockRows = 10;

VectorSource Rows() { return VectorSource::Random(kBlockRows * kBlocks - 3, 5, 1); }

SweepOptions Options(PassPauses* pauses = nullptr, uint64_t cache_bytes = 0) {
  return {.block_rows = kBlockRows,
          .lanes = kLanes,
          .blocks_ahead = 4,
          .cache_bytes = cache_bytes,
          .pauses = pauses};
}

// A sum whose bits depend on the order.
struct Sum {
  double value = 0;
  void Clear() { value = 0; }
  void Add(const Sum& other) { value = value * 1.0000001 + other.value; }
};

// What member number `member` adds up.
auto AddBlockOf(int64_t member) {
  const double factor = 1.0000001 + static_cast<double>(member) / 1024;
  return [factor](const Block<float>& block, Sum& lane) {
    const float sum = std::accumulate(block.rows.begin(), block.rows.end(), 0.0F);
    lane.value = lane.value * factor + static_cast<double>(sum);
  };
}

double RunPass(Sweep<float>& sweep, int64_t member) {
  std::vector<Sum> lanes(kLanes);
  return sweep.Run(std::span(lanes), AddBlockOf(member)).value;
}

double Alone(RowSource& source, int64_t member) {
  Executor executor(1);
  Sweep<float> sweep(source, executor, Options());
  return RunPass(sweep, member);
}

uint64_t BytesOfPass(const VectorSource& source) { return source.values().size() * sizeof(double); }

// Runs `run(member)` in as many threads; each leaves the group at its end.
void RunMembers(SweepGroup<float>& group, int64_t members,
                const std::function<void(int64_t)>& run) {
  std::vector<std::jthread> threads;
  for (int64_t member = 0; member < members; ++member) {
    threads.emplace_back([&, member] {
      run(member);
      group.Leave();
    });
  }
}

// Pauses when it is told, and says that it did.
class Pauses : public PassPauses {
 public:
  bool Wanted() override { return wanted; }
  void Pause() override {
    ++pauses;
    if (on_pause) on_pause();
  }
  std::atomic<bool> wanted = true;
  std::function<void()> on_pause;
  int64_t pauses = 0;
};

TEST(SweepGroupTest, MembersGetTheBitsOfASweepAloneFromOneRead) {
  constexpr int64_t kMembers = 4;
  constexpr int64_t kPasses = 3;
  for (const int64_t threads : {1, 3}) {
    VectorSource source = Rows();
    Executor executor(threads);
    SweepGroup<float> group(source, executor, Options(), nullptr, kMembers);
    std::vector<std::vector<double>> sums(kMembers);
    RunMembers(group, kMembers, [&](int64_t member) {
      Sweep<float> sweep(source, executor, Options(), nullptr, &group);
      for (int64_t pass = 0; pass < kPasses; ++pass) {
        sums[static_cast<size_t>(member)].push_back(RunPass(sweep, member));
      }
      EXPECT_EQ(sweep.counts().rows, kPasses * source.rows());
      EXPECT_EQ(sweep.counts().bytes_read, kPasses * BytesOfPass(source));
      EXPECT_EQ(sweep.position(), 0);
    });
    EXPECT_EQ(source.bytes_read(), kPasses * BytesOfPass(source));
    for (int64_t member = 0; member < kMembers; ++member) {
      const double alone = Alone(source, member);
      EXPECT_EQ(sums[static_cast<size_t>(member)], std::vector<double>(kPasses, alone)) << threads;
    }
  }
}

TEST(SweepGroupTest, KeepsRowsOnceForAllMembers) {
  constexpr int64_t kMembers = 3;
  for (const uint64_t cache : {uint64_t{2000}, uint64_t{1} << 20}) {
    VectorSource source = Rows();
    Executor executor(2);
    SweepGroup<float> group(source, executor, Options(nullptr, cache), nullptr, kMembers);
    Sweep<float> alone(source, executor, Options(nullptr, cache));
    std::atomic<int64_t> same = 0;
    RunMembers(group, kMembers, [&](int64_t member) {
      Sweep<float> sweep(source, executor, Options(), nullptr, &group);
      EXPECT_EQ(sweep.cache_bytes(), 0U);
      for (int64_t block = 0; block < kBlocks; ++block) {
        if (sweep.keeps(block) == alone.keeps(block)) ++same;
      }
      EXPECT_EQ(RunPass(sweep, member), RunPass(sweep, member));
    });
    EXPECT_EQ(same, kMembers * kBlocks);
    const uint64_t in_group = source.bytes_read();
    RunPass(alone, 0);
    RunPass(alone, 0);
    EXPECT_EQ(source.bytes_read(), 2 * in_group);
  }
}

// Member m makes m + 1 passes and leaves.
TEST(SweepGroupTest, ThoseThatLeaveAreNotWaitedFor) {
  constexpr int64_t kMembers = 4;
  VectorSource source = Rows();
  Executor executor(2);
  SweepGroup<float> group(source, executor, Options(), nullptr, kMembers + 1);
  group.Leave();  // one that never came
  RunMembers(group, kMembers, [&](int64_t member) {
    const double alone = Alone(source, member);
    Sweep<float> sweep(source, executor, Options(), nullptr, &group);
    for (int64_t pass = 0; pass <= member; ++pass) EXPECT_EQ(RunPass(sweep, member), alone);
  });
  const uint64_t of_those_alone = kMembers * BytesOfPass(source);
  EXPECT_EQ(source.bytes_read(), of_those_alone + kMembers * BytesOfPass(source));
}

TEST(SweepGroupTest, AMemberMayMakeASweepAnewBetweenPasses) {
  VectorSource source = Rows();
  Executor executor(2);
  SweepGroup<float> group(source, executor, Options(), nullptr, 2);
  RunMembers(group, 2, [&](int64_t member) {
    for (int64_t pass = 0; pass < 3; ++pass) {
      Sweep<float> sweep(source, executor, Options(), nullptr, &group);
      RunPass(sweep, member);
    }
  });
  EXPECT_EQ(source.bytes_read(), 3 * BytesOfPass(source));
}

TEST(SweepGroupTest, WhatEndsThePassEndsItForAllMembers) {
  constexpr int64_t kMembers = 3;
  VectorSource source = Rows();
  Executor executor(2);
  SweepGroup<float> group(source, executor, Options(), nullptr, kMembers);
  std::atomic<int64_t> fetches = 0;
  source.before_fetch = [&](RowRange range) {
    if (range.begin == 12 * kBlockRows && ++fetches == 1) {
      throw Error(ErrorKind::kIo, "row 120: gone");
    }
  };
  std::atomic<int64_t> failures = 0;
  RunMembers(group, kMembers, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(), nullptr, &group);
    try {
      RunPass(sweep, member);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
      EXPECT_STREQ(error.what(), "row 120: gone");
      ++failures;
    }
    EXPECT_EQ(sweep.counts().rows, 0);
    EXPECT_EQ(RunPass(sweep, member), Alone(source, member));
  });
  EXPECT_EQ(failures, kMembers);
}

TEST(SweepGroupTest, APauseOfOneIsOneOfAllAndChangesNoBit) {
  constexpr int64_t kMembers = 3;
  VectorSource source = Rows();
  Executor executor(2);
  std::vector<Pauses> pauses(kMembers);
  pauses[0].wanted = false;
  pauses[2].wanted = false;
  SweepGroup<float> group(source, executor, Options(), nullptr, kMembers);
  RunMembers(group, kMembers, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(&pauses[static_cast<size_t>(member)]), nullptr,
                       &group);
    EXPECT_EQ(RunPass(sweep, member), Alone(source, member));
  });
  for (const Pauses& each : pauses) EXPECT_EQ(each.pauses, kBlocks - 1);
}

TEST(SweepGroupTest, AMemberThatEndsAtAPauseDoesNotEndTheOthers) {
  constexpr int64_t kMembers = 3;
  VectorSource source = Rows();
  Executor executor(2);
  std::vector<Pauses> pauses(kMembers);
  pauses[1].on_pause = [&] {
    if (pauses[1].pauses == 7) throw Error(ErrorKind::kIo, "disk full");
  };
  SweepGroup<float> group(source, executor, Options(), nullptr, kMembers);
  RunMembers(group, kMembers, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(&pauses[static_cast<size_t>(member)]), nullptr,
                       &group);
    if (member == 1) {
      EXPECT_THROW(RunPass(sweep, member), Error);
    } else {
      EXPECT_EQ(RunPass(sweep, member), Alone(source, member));
    }
  });
  EXPECT_EQ(pauses[1].pauses, 7);
}

TEST(SweepGroupTest, ThePassEndsWhereAllMembersStopAtAPause) {
  constexpr int64_t kMembers = 3;
  VectorSource source = Rows();
  Executor executor(2);
  std::vector<Pauses> pauses(kMembers);
  for (Pauses& each : pauses) {
    each.on_pause = [&] { throw Stopped("on request"); };
  }
  SweepGroup<float> group(source, executor, Options(), nullptr, kMembers);
  RunMembers(group, kMembers, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(&pauses[static_cast<size_t>(member)]), nullptr,
                       &group);
    EXPECT_THROW(RunPass(sweep, member), Stopped);
    EXPECT_EQ(sweep.position(), 0);
  });
  EXPECT_LT(source.bytes_read(), BytesOfPass(source));
}

// What a process that is gone leaves of one member.
struct Saved {
  StateCopy position;
  std::vector<Sum> lanes;
};

// A pass of a member alone, stopped after so many blocks.
std::unique_ptr<Saved> StopAlone(RowSource& source, int64_t member, int64_t blocks) {
  auto saved = std::make_unique<Saved>();
  Executor executor(2);
  Pauses pauses;
  Sweep<float> sweep(source, executor, Options(&pauses));
  std::vector<Sum> lanes(kLanes);
  pauses.on_pause = [&] {
    if (sweep.position() < blocks) return;
    sweep.Visit(saved->position);
    saved->lanes.assign(lanes.begin(), lanes.begin() + sweep.lanes_begun());
    throw Stopped("enough");
  };
  EXPECT_THROW(sweep.Run(std::span(lanes), AddBlockOf(member)), Stopped);
  return saved;
}

// Member 0 begins; the others stood at different blocks of the pass.
TEST(SweepGroupTest, MembersThatStoodAtDifferentBlocksGoOnTogether) {
  const std::vector<int64_t> positions = {0, 3, 17, kBlocks - 1};
  const auto members = static_cast<int64_t>(positions.size());
  VectorSource source = Rows();
  std::vector<std::unique_ptr<Saved>> saved;
  for (int64_t member = 0; member < members; ++member) {
    const int64_t position = positions[static_cast<size_t>(member)];
    saved.push_back(position > 0 ? StopAlone(source, member, position) : nullptr);
  }
  Executor executor(3);
  Pauses pauses;
  SweepGroup<float> group(source, executor, Options(), nullptr, members);
  RunMembers(group, members, [&](int64_t member) {
    Saved* const begun = saved[static_cast<size_t>(member)].get();
    Sweep<float> sweep(source, executor, Options(member == 2 ? &pauses : nullptr), nullptr, &group);
    if (member == 2) {
      pauses.on_pause = [&] { EXPECT_GE(sweep.position(), 17); };
    }
    std::vector<Sum> lanes(kLanes, Sum{.value = 1e30});
    if (begun != nullptr) {
      begun->position.Load();
      sweep.Visit(begun->position);
      std::copy(begun->lanes.begin(), begun->lanes.end(), lanes.begin());
    }
    EXPECT_EQ(sweep.Run(std::span(lanes), AddBlockOf(member)).value, Alone(source, member));
    if (member == 2) pauses.wanted = false;
    EXPECT_EQ(sweep.Run(std::span(lanes), AddBlockOf(member)).value, Alone(source, member));
  });
  EXPECT_GT(pauses.pauses, 0);
}

// Without those who would have begun at the start, nothing before the first block is read.
TEST(SweepGroupTest, APassBeginsWhereTheFirstMemberStood) {
  VectorSource source = Rows();
  const std::unique_ptr<Saved> saved = StopAlone(source, 0, 20);
  Executor executor(1);
  SweepGroup<float> group(source, executor, Options(), nullptr, 1);
  std::atomic<int64_t> first = source.rows();
  source.before_fetch = [&](RowRange range) { first = std::min(first.load(), range.begin); };
  RunMembers(group, 1, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(), nullptr, &group);
    saved->position.Load();
    sweep.Visit(saved->position);
    std::vector<Sum> lanes = saved->lanes;
    sweep.Run(std::span(lanes), AddBlockOf(member));
  });
  EXPECT_EQ(first, 20 * kBlockRows);
}

TEST(SweepGroupTest, RowsDoneAreToldToEachMember) {
  VectorSource source = Rows();
  Executor executor(2);
  SweepGroup<float> group(source, executor, Options(), nullptr, 2);
  RunMembers(group, 2, [&](int64_t member) {
    Sweep<float> sweep(source, executor, Options(), nullptr, &group);
    int64_t last = 0;
    sweep.set_rows_done([&](int64_t rows) { last = rows; });
    RunPass(sweep, member);
    EXPECT_EQ(last, source.rows());
  });
}

}  // namespace
}  // namespace rhohat
