#include "train/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/state_file.h"
#include "base/text.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"
#include "train/config_text.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string FaultOfCreate(const std::string& path) {
  try {
    RunFolder::Create(path, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate) << error.what();
    return error.what();
  }
  return "";
}

TEST(RunFolder, IsMadeWithItsParents) {
  const TemporaryFolder folder;
  const std::string path = folder / "a/b/run";
  const RunFolder run = RunFolder::Create(path, {});
  EXPECT_TRUE(fs::exists(path + "/config.toml"));
  EXPECT_TRUE(fs::exists(path + "/metrics.jsonl"));
  EXPECT_TRUE(fs::exists(path + "/run.log"));
  EXPECT_FALSE(fs::exists(path + "/model.safetensors"));
  EXPECT_FALSE(fs::exists(path + "/checkpoints"));
  EXPECT_EQ(run.model_path(), path + "/model.safetensors");
}

TEST(RunFolder, MayExistAndHoldOtherThings) {
  const TemporaryFolder folder;
  std::ofstream(folder / "job.sbatch") << "#!/bin/sh\n";
  EXPECT_EQ(FaultOfCreate(folder.path()), "");
}

TEST(RunFolder, IsRefusedWhereItHoldsARun) {
  for (const char* name : {"model.safetensors", "metrics.jsonl", "config.toml"}) {
    const TemporaryFolder folder;
    std::ofstream(folder / name) << "precious";
    const char* const fault =
        std::string(name) == "metrics.jsonl"
            ? ": holds what is left of a run, without its config.toml: choose another folder or "
              "remove this one"
            : ": holds what is left of a run, without its metrics.jsonl: choose another folder or "
              "remove this one";
    EXPECT_EQ(FaultOfCreate(folder.path()), folder.path().string() + fault);
    EXPECT_EQ(ReadWholeFile(folder / name), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  }
}

TEST(RunFolder, IsRefusedToTheSecondOfTwoRuns) {
  const TemporaryFolder folder;
  EXPECT_EQ(FaultOfCreate(folder / "run"), "");
  EXPECT_NE(FaultOfCreate(folder / "run").find("already holds a run"), std::string::npos);
}

TEST(RunFolder, IsRefusedWithWhatHelpsThen) {
  const TemporaryFolder folder;
  RunFolder::Create(folder / "run", {});
  EXPECT_THAT(FaultOfCreate(folder / "run"), HasSubstr("--resume auto"));
  std::ofstream(folder / "run/model.safetensors") << "x";
  EXPECT_THAT(FaultOfCreate(folder / "run"), HasSubstr("holds a finished run"));
  EXPECT_THAT(FaultOfCreate(folder / "run"), Not(HasSubstr("--resume")));
}

TEST(RunFolder, ThatWasMovedIsNeitherWrittenToNorMadeAnew) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  EXPECT_NO_THROW(run.CheckIsInPlace());
  fs::rename(folder / "run", folder / "moved");
  for (const bool is_replaced : {false, true}) {
    if (is_replaced) fs::create_directory(folder / "run");
    try {
      run.SaveCheckpoint(StateWriter(), {});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
      EXPECT_THAT(error.what(), HasSubstr(folder / "run"));
    }
    EXPECT_THROW(run.LayerModel(1), Error);
    run.WithdrawIfEmpty();
    EXPECT_EQ(fs::exists(folder / "run"), is_replaced);
  }
  EXPECT_TRUE(fs::is_empty(folder / "run"));
  EXPECT_TRUE(fs::exists(folder / "moved/config.toml"));
}

TEST(RunFolder, FindsTheLineOfAnIteration) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  for (const int64_t i : {0, 1, 2}) run.AppendMetrics({.iteration = i, .gradient_norm = 0.5});
  EXPECT_EQ(run.MetricsOf(1)->iteration, 1);
  EXPECT_FALSE(run.MetricsOf(3));
}

TEST(RunFolder, IsRefusedWhereItCannotBeMade) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_EQ(FaultOfCreate(folder / "file"),
            (folder / "file") + ": cannot create the folder: there is a file of that name");
  EXPECT_NE(FaultOfCreate(folder / "file/run"), "");
}

TEST(RunFolder, CanBeMadeAfterAFailedAttempt) {
  const TemporaryFolder folder;
  {
    const FileSizeLimit limit(10);
    EXPECT_THROW(RunFolder::Create(folder / "run", {}), Error);
  }
  EXPECT_EQ(FaultOfCreate(folder / "run"), "");
}

TEST(RunFolder, MakesTheFolderOfCheckpointsWhenOneIsNeeded) {
  const TemporaryFolder folder;
  const RunFolder run = RunFolder::Create(folder / "run", {});
  EXPECT_EQ(run.LayerModel(1), folder / "run/checkpoints/layer-1.safetensors");
  EXPECT_EQ(run.LayerModel(2), folder / "run/checkpoints/layer-2.safetensors");
  EXPECT_TRUE(fs::is_directory(folder / "run/checkpoints"));
}

TEST(RunFolder, HoldsEveryOptionInItsConfiguration) {
  const TemporaryFolder folder;
  TrainOptions options;
  options.network.hidden = {25};
  options.data.files = {"a.h5", "b \"c\"\\.h5", "tab\there"};
  options.resources.memory_bytes = uint64_t{192} << 20;
  RunFolder::Create(folder / "run", options);
  const std::string text = ReadWholeFile(folder / "run/config.toml");
  for (const OptionField& field : Fields(options)) {
    EXPECT_NE(text.find("\n" + field.name + " = "), std::string::npos) << field.name;
  }
  EXPECT_NE(text.find("\n[network]\nhidden = 25\nactivation = \"sigmoid\"\n"), std::string::npos);
  EXPECT_NE(text.find("\n[objective]\nloss = \"squared\"\nrho = 0.05\nbeta = 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("\n[resources]\nmemory = \"192M\"\nthreads = \"auto\"\n"), std::string::npos);
  EXPECT_NE(text.find("\n[data]\nfiles = [\"a.h5\", \"b \\\"c\\\"\\\\.h5\", \"tab\\u0009here\"]\n"
                      "dataset = \"\"\nfollow-external = false\n"),
            std::string::npos);
}

TEST(RunFolder, HasALineOfMetricsForEachIteration) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  IterationMetrics metrics;
  metrics.iteration = 3;
  metrics.cost.reconstruction = 0.1;
  metrics.data_passes = 4;
  metrics.optimizer = "adam";
  metrics.cost_over = CostOver::kEpoch;
  metrics.gradient_norm = std::numeric_limits<double>::quiet_NaN();
  metrics.rows_per_second = 1.0 / 3;
  metrics.bytes_read = std::numeric_limits<uint64_t>::max();
  run.AppendMetrics({});
  run.AppendMetrics(metrics);
  const std::vector<std::string> lines = Split(ReadWholeFile(folder / "run/metrics.jsonl"), '\n');
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(
      lines[1],
      R"({"iteration":3,"optimizer":"adam","data_passes":4.0,"cost":0.1,"reconstruction":0.1,)"
      R"("weight_decay":0.0,"sparsity":0.0,"l1":0.0,"contraction":0.0,"cost_over":"epoch",)"
      R"("gradient_norm":null,"rho_hat_mean":0.0,"rho_hat_min":0.0,"rho_hat_max":0.0,)"
      R"("seconds":0.0,"rows_per_second":0.3333333333333333,"rows_in_sample":0,)"
      R"("bytes_read":18446744073709551615,"wait_seconds":0.0,"compute_fraction":1.0,"peak_rss_bytes":0})");
  EXPECT_EQ(lines[2], "");
}

TEST(RunFolder, NamesTheStageOfAnIterationWhereThereAreSeveral) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  IterationMetrics metrics;
  metrics.iteration = 7;
  metrics.stage = "layer 2";
  run.AppendMetrics(metrics);
  EXPECT_TRUE(
      ReadWholeFile(folder / "run/metrics.jsonl")
          .starts_with(R"({"iteration":7,"stage":"layer 2","optimizer":"","data_passes":)"));
}

TEST(RunFolder, ListsWhatEachLayerHasInItsConfiguration) {
  TrainOptions options;
  options.network.hidden = {25, 9};
  options.objective.rho = {0.05, 0.1};
  options.objective.beta = {2.5};
  options.objective.noise = {NoiseKind::kMask, 0.3};
  options.prepare = {.kind = PreparationKind::kRange, .low = 0, .high = 255};
  options.greedy = true;
  const std::string text = ConfigText(options);
  for (const char* line :
       {"hidden = \"25,9\"", "rho = \"0.05,0.1\"", "beta = 2.5", "noise = \"mask:0.3\"",
        "prepare = \"range:0:255\"", "tied = false", "greedy = true", "fine-tune = \"auto\""}) {
    EXPECT_NE(text.find("\n" + std::string(line) + "\n"), std::string::npos) << line;
  }
}

TEST(RunFolder, LogsLinesWithTheirTimes) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  run.Log(LogLevel::kInfo, "braces {} and %v are only text");
  run.Log(LogLevel::kWarning, "a warning");
  run.Log(LogLevel::kError, "an error");
  const std::vector<std::string> lines = Split(ReadWholeFile(folder / "run/run.log"), '\n');
  ASSERT_EQ(lines.size(), 4U);
  const std::string digits = "[0-9][0-9]";
  const std::string time = digits + digits + "-" + digits + "-" + digits + "T" + digits + ":" +
                           digits + ":" + digits + "\\.[0-9]+[+-]" + digits + ":" + digits + " ";
  EXPECT_THAT(lines[0], testing::MatchesRegex(time + "info: braces \\{\\} and %v are only text"));
  EXPECT_THAT(lines[1], testing::MatchesRegex(time + "warning: a warning"));
  EXPECT_THAT(lines[2], testing::MatchesRegex(time + "error: an error"));
}

TEST(RunFolder, ReportsAFullDisk) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::Create(folder / "run", {});
  const FileSizeLimit limit(1000);
  const auto kind_of = [](const auto& action) {
    try {
      for (int i = 0; i < 20; ++i) action();
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  EXPECT_EQ(kind_of([&] { run.AppendMetrics({}); }), ErrorKind::kIo);
  EXPECT_EQ(kind_of([&] { run.Log(LogLevel::kInfo, std::string(100, 'x')); }), ErrorKind::kIo);
}

}  // namespace
}  // namespace rhohat
