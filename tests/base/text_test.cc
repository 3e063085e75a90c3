#include "base/text.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace rhohat {
namespace {

const std::vector<std::string> kFlags = {"--rho", "--beta", "--lambda", "--learning-rate",
                                         "--iterations"};

TEST(NearestName, FindsTheMisspeltOne) {
  EXPECT_EQ(NearestName("--lamda", kFlags), "--lambda");
  EXPECT_EQ(NearestName("--learning_rate", kFlags), "--learning-rate");
  EXPECT_EQ(NearestName("--iteration", kFlags), "--iterations");
  EXPECT_EQ(NearestName("--beta", kFlags), "--beta");
}

TEST(NearestName, SuggestsNothingWhereNothingIsNear) {
  EXPECT_EQ(NearestName("--follow-external", kFlags), "");
  EXPECT_EQ(NearestName("--rho", {}), "");
}

TEST(JoinNames, PutsAndBeforeTheLast) {
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_EQ(JoinNames({}), "");
  EXPECT_EQ(JoinNames(std::span(names).first(1)), "a");
  EXPECT_EQ(JoinNames(std::span(names).first(2)), "a and b");
  EXPECT_EQ(JoinNames(names), "a, b and c");
}

TEST(Split, KeepsEmptyPieces) {
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(Split("", ','), Pieces({""}));
  EXPECT_EQ(Split("a", ','), Pieces({"a"}));
  EXPECT_EQ(Split("a,b", ','), Pieces({"a", "b"}));
  EXPECT_EQ(Split(",a,,", ','), Pieces({"", "a", "", ""}));
}

TEST(ErrnoText, IsInWords) { EXPECT_EQ(ErrnoText(ENOSPC), "No space left on device"); }

}  // namespace
}  // namespace rhohat
