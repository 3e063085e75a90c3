#include "analyze/original_space.h"

#include <gmock/gmock.h>

#include <vector>

#include "math/vector_ops.h"
#include "network/preparation.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

Preparation Of(PreparationKind kind) {
  Preparation preparation;
  preparation.options = {.kind = kind, .epsilon = 0.1};
  preparation.shift = {3, -1, 0.5};
  preparation.scale = {2, 0.5, 4};
  preparation.matrix = {1, 2, 3, 4, 5, 6, 7, 8, 10};
  preparation.inverse = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  preparation.deviation = 5;
  return preparation;
}

std::vector<double> InOriginalSpace(const Preparation& preparation, std::vector<double> rows) {
  ToOriginalSpace(preparation, {rows.data(), static_cast<int64_t>(rows.size()) / 3, 3});
  return rows;
}

TEST(OriginalSpaceTest, KnownAnswers) {
  const std::vector<double> w = {1, -1, 2, 0, 0, 1};
  EXPECT_EQ(InOriginalSpace(Of(PreparationKind::kNone), w), w);
  for (const PreparationKind kind : {PreparationKind::kRange, PreparationKind::kStandardize}) {
    EXPECT_THAT(InOriginalSpace(Of(kind), w), ElementsAre(0.5, -2, 0.5, 0, 0, 0.25));
  }
  for (const PreparationKind kind : {PreparationKind::kZca, PreparationKind::kPca}) {
    EXPECT_THAT(InOriginalSpace(Of(kind), w), ElementsAre(11, 13, 17, 7, 8, 10));
  }
  EXPECT_THAT(InOriginalSpace(Of(PreparationKind::kGlobal), {1, -1, 3}), ElementsAre(0, -2, 2));
}

// The slope of w·p(x) along each axis, by differences through the preparation itself.
TEST(OriginalSpaceTest, IsTheGradientThroughThePreparation) {
  const std::vector<double> w = {0.7, -1.3, 0.4};
  for (const PreparationKind kind :
       {PreparationKind::kNone, PreparationKind::kRange, PreparationKind::kStandardize,
        PreparationKind::kGlobal, PreparationKind::kZca, PreparationKind::kPca}) {
    const RowPreparation<double> prepare(Of(kind), 3);
    const auto value = [&](std::vector<double> x) {
      std::vector<double> prepared(3);
      prepare.Apply({x.data(), 1, 3}, {prepared.data(), 1, 3});
      return Dot<double>(w, prepared);
    };
    std::vector<double> slopes;
    for (size_t j = 0; j < 3; ++j) {
      std::vector<double> above = {1, 2, 3};
      std::vector<double> below = above;
      above[j] += 0.5;
      below[j] -= 0.5;
      slopes.push_back(value(above) - value(below));
    }
    std::vector<double> expected = InOriginalSpace(Of(kind), w);
    const double factor = Norm<double>(expected) / Norm<double>(slopes);
    Scale<double>(factor, slopes);
    EXPECT_THAT(slopes, Pointwise(DoubleNear(1e-12), expected)) << static_cast<int>(kind);
  }
}

TEST(OriginalSpaceTest, EqualWeightsExciteNothingThatLosesItsMean) {
  EXPECT_THAT(InOriginalSpace(Of(PreparationKind::kGlobal), {0.1, 0.1, 0.1}), ElementsAre(0, 0, 0));
}

TEST(OriginalSpaceTest, RefusesPreparationsOfAnotherWidth) {
  for (const PreparationKind kind : {PreparationKind::kRange, PreparationKind::kZca}) {
    std::vector<double> row = {1, 2, 3, 4};
    try {
      ToOriginalSpace(Of(kind), {row.data(), 1, 4});
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      EXPECT_THAT(error.what(), HasSubstr("expected"));
    }
  }
}

}  // namespace
}  // namespace rhohat
