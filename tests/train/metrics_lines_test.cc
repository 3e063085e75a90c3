#include "train/metrics_lines.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

IterationMetrics Line() {
  IterationMetrics line{.iteration = 17, .data_passes = 1.0 / 3, .stage = "layer 1"};
  line.optimizer = "adam";
  line.cost.reconstruction = 0.1;
  line.cost_over = CostOver::kEpoch;
  line.gradient_norm = std::numeric_limits<double>::infinity();
  line.rows_in_sample = 12;
  line.bytes_read = uint64_t{1} << 60;
  return line;
}

TEST(MetricsLines, AreReadAsTheyWereWritten) {
  const std::string text = MetricsLine(Line());
  const auto read = ParseMetrics(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(std::isnan(read->gradient_norm)) << "null";
  EXPECT_EQ(read->bytes_read, uint64_t{1} << 60);
  EXPECT_EQ(read->cost_over, CostOver::kEpoch);
  EXPECT_EQ(MetricsLine(*read), text);
}

TEST(MetricsLines, OtherTextIsNone) {
  for (const char* text : {"", "{", "[]", "17", "{}", R"({"iteration":-1})", R"({"iteration":"1"})",
                           R"({"iteration":1.5})"}) {
    EXPECT_FALSE(ParseMetrics(text).has_value()) << text;
  }
}

TEST(LastLines, AreTheWholeOnesAtTheEnd) {
  const TemporaryFolder folder;
  const std::string path = folder / "lines";
  AppendFile file(path);
  EXPECT_TRUE(LastLines(path).empty());
  file.Append("half");
  EXPECT_TRUE(LastLines(path).empty());
  file.Append(" a line\nand another\nnot ");
  EXPECT_EQ(LastLines(path), (std::vector<std::string>{"half a line", "and another"}));
  file.Append(std::string(300'000, 'x') + "\nlast\n");
  EXPECT_EQ(LastLines(path), (std::vector<std::string>{"last"})) << "a long line is cut off";
}

// Taken for none, they would have a run that goes on begin its numbers anew.
TEST(LastLines, OfAFileThatCannotBeReadAreAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(LastLines(folder / "nowhere"), Error);
  EXPECT_THROW(LastLines(folder.path()), Error);
}

}  // namespace
}  // namespace rhohat
