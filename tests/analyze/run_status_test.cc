// What is told of a run whose folder is made up, file by file.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/folder_lock.h"
#include "base/safetensors.h"
#include "rhohat/error.h"
#include "rhohat/status.h"
#include "tests/support/temporary_folder.h"
#include "train/config_text.h"
#include "train/run_folder.h"

namespace rhohat {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RunStatusTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.network.hidden = {4};
    options_.optimizer.methods = {OptimizerKind::kLbfgs};
    options_.optimizer.iterations = 100;
    Write(kConfigName, ConfigText(options_));
    Write(kMetricsName, "");
  }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  // So many lines of metrics, one every `seconds`.
  static std::string Lines(int count, double seconds) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += fmt::format(
          R"({{"iteration":{},"optimizer":"lbfgs","data_passes":{},"cost":{},)"
          R"("reconstruction":{},"weight_decay":0.5,"sparsity":0,"l1":0,"contraction":0,)"
          R"("cost_over":"all","gradient_norm":1,"seconds":{}}})"
          "\n",
          i, i + 1, 10.5 - i, 10 - i, i * seconds);
    }
    return text;
  }

  void WriteCheckpoint(int number, const SafetensorsMetadata& metadata) const {
    std::filesystem::create_directories(folder_ / "checkpoints");
    WriteSafetensors(folder_ / fmt::format("checkpoints/checkpoint-{:06}.safetensors", number),
                     metadata, {});
  }

  // A process that takes the lock and dies with it.
  pid_t LeaveLockBehind() const {
    const pid_t child = ::fork();
    if (child == 0) {
      const FolderLock lock(folder_.path());
      ::_exit(0);
    }
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    return child;
  }

  RunStatus Status(std::chrono::seconds later = 0s) const {
    return ReadRunStatus(folder_.path().string(), std::chrono::system_clock::now() + later);
  }

  TrainOptions options_;
  TemporaryFolder folder_;
};

TEST_F(RunStatusTest, OfAFolderWithoutARunIsNoInput) {
  const TemporaryFolder empty;
  for (const std::string& path : {empty / "", empty / "none", folder_ / kConfigName}) {
    try {
      ReadRunStatus(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNoInput);
      EXPECT_THAT(error.what(), HasSubstr(path));
    }
  }
}

TEST_F(RunStatusTest, BeforeAnythingWasDoneIsNotStarted) {
  const RunStatus status = Status();
  EXPECT_EQ(status.state, RunState::kNotStarted);
  EXPECT_FALSE(status.last);
  EXPECT_FALSE(status.checkpoint);
}

TEST_F(RunStatusTest, OfARunAtWorkSaysWhoHowFarAndHowLong) {
  Write(kMetricsName, Lines(11, 3));
  const FolderLock lock(folder_.path());
  const RunStatus status = Status();
  EXPECT_EQ(status.state, RunState::kRunning);
  EXPECT_FALSE(status.stalled);
  EXPECT_EQ(status.process, ::getpid());
  ASSERT_TRUE(status.last);
  EXPECT_EQ(status.last->iteration, 10);
  EXPECT_EQ(status.last->optimizer, "lbfgs");
  EXPECT_EQ(status.last->cost.total(), 0.5);
  EXPECT_EQ(status.last_iteration, 100);
  EXPECT_DOUBLE_EQ(status.line_seconds, 3);
  ASSERT_TRUE(status.seconds_left);
  EXPECT_NEAR(*status.seconds_left, 90 * 3, 2);
}

TEST_F(RunStatusTest, LeavesOutALineThatIsBeingWritten) {
  const std::string lines = Lines(3, 1);
  Write(kMetricsName, lines.substr(0, lines.size() - 1));
  EXPECT_EQ(Status().last->iteration, 1);
  Write(kMetricsName, lines.substr(0, 20));
  EXPECT_FALSE(Status().last);
}

TEST_F(RunStatusTest, OfAnyBytesInAnyFileIsStillGiven) {
  for (const std::string& text :
       {std::string("\n\n{}\n[1]\nnull\n{\"iteration\":1e300}\n"), std::string(1000, '\0'),
        std::string("= = \"\n[x\nhidden = \"")}) {
    for (const char* name : {kMetricsName, kLogName, kConfigName, kLockName}) Write(name, text);
    EXPECT_FALSE(Status().last);
  }
}

TEST_F(RunStatusTest, FindsTheLastLineOfALongFile) {
  Write(kMetricsName, Lines(20000, 1));
  EXPECT_EQ(Status().last->iteration, 19999);
}

TEST_F(RunStatusTest, AfterAKillIsInterruptedAndNamesTheProcess) {
  Write(kMetricsName, Lines(5, 1));
  const pid_t killed = LeaveLockBehind();
  const RunStatus status = Status();
  EXPECT_EQ(status.state, RunState::kInterrupted);
  EXPECT_EQ(status.process, killed);
  EXPECT_FALSE(status.seconds_left);
}

TEST_F(RunStatusTest, WithAModelIsFinishedHoweverTheProcessEnded) {
  Write(kModelName, "");
  EXPECT_EQ(Status().state, RunState::kFinished);
  LeaveLockBehind();
  EXPECT_EQ(Status().state, RunState::kFinished);
}

TEST_F(RunStatusTest, WithACheckpointIsStoppedUnlessAnErrorCameLast) {
  WriteCheckpoint(1, {{"iterations", "3"}});
  WriteCheckpoint(2, {{"iterations", "7"}});
  Write(kLogName,
        "2026-01-01T00:00:00.000+00:00 info: data\n2026-01-01T00:00:00.000+00:00 warning: hm\n");
  RunStatus status = Status();
  EXPECT_EQ(status.state, RunState::kStopped);
  ASSERT_TRUE(status.checkpoint);
  EXPECT_EQ(status.checkpoint->file, "checkpoints/checkpoint-000002.safetensors");
  EXPECT_EQ(status.checkpoint->iteration, 7);
  EXPECT_THAT(status.last_warning, HasSubstr("warning: hm"));
  std::ofstream(folder_ / kLogName, std::ios::app)
      << "2026-01-01T00:00:00.000+00:00 error: disk full: x\n";
  status = Status();
  EXPECT_EQ(status.state, RunState::kFailed);
  EXPECT_THAT(status.last_warning, HasSubstr("error: disk full: x"));
}

TEST_F(RunStatusTest, ACheckpointThatCannotBeReadIsThereWithoutItsIteration) {
  std::filesystem::create_directories(folder_ / "checkpoints");
  Write("checkpoints/checkpoint-000004.safetensors", "\1\2\3");
  ASSERT_TRUE(Status().checkpoint);
  EXPECT_FALSE(Status().checkpoint->iteration);
}

TEST_F(RunStatusTest, OnAnotherHostIsUnknownAndNotWrong) {
  Write(kMetricsName, Lines(5, 1));
  Write(kLockName, "host elsewhere\nprocess 12\nlife 3-4\njob 99\n");
  const RunStatus status = Status();
  EXPECT_EQ(status.state, RunState::kUnknown);
  EXPECT_EQ(status.host, "elsewhere");
  EXPECT_EQ(status.job, "99");
}

TEST_F(RunStatusTest, IsStalledOnlyAfterLinesAndCheckpointsAreLongOverdue) {
  Write(kMetricsName, Lines(5, 1));
  const FolderLock lock(folder_.path());
  const auto between = std::chrono::seconds(static_cast<int64_t>(options_.job.checkpoint_seconds));
  EXPECT_FALSE(Status(between).stalled);  // a long pass: the next sign is a checkpoint
  EXPECT_TRUE(Status(3 * between).stalled);
  Write(kMetricsName, Lines(5, 3600));
  EXPECT_FALSE(Status(3 * between).stalled);
  EXPECT_TRUE(Status(11h).stalled);
  Write(kMetricsName, Lines(1, 1));
  EXPECT_FALSE(Status(11h).stalled);  // no pace is known yet
}

TEST_F(RunStatusTest, HasNoTimeLeftWhereTheMethodItselfSaysHowFarItGoes) {
  options_.optimizer.methods = {OptimizerKind::kProgressive};
  Write(kConfigName, ConfigText(options_));
  Write(kMetricsName, Lines(5, 1));
  const FolderLock lock(folder_.path());
  EXPECT_FALSE(Status().last_iteration);
  EXPECT_FALSE(Status().seconds_left);
}

}  // namespace
}  // namespace rhohat
