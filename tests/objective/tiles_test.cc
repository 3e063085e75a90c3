// Blocks of several tiles, the last of them short: the same as blocks that are one tile, and the
// same whichever way a schedule goes through them.
#include <gtest/gtest.h>

#include <vector>

#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "tests/objective/cases.h"

namespace rhohat {
namespace {

constexpr int64_t kRows = 2100;
constexpr int64_t kColumns = 9;
constexpr int64_t kBlockRows = 1100;  // two tiles and a part of one

// All penalties, and noise.
ObjectiveCase NoisyCase() {
  ObjectiveCase c = {{.hidden = {7}}, WeightsOf(Penalised::kAll, Activation::kSigmoid, 1)};
  c.objective.noise.kind = NoiseKind::kMask;
  c.objective.noise.amount = 0.2;
  return c;
}

struct Result {
  double cost = 0;
  double cost_alone = 0;
  std::vector<double> gradient;
  std::vector<double> rho_hat;
};

Result Compute(int64_t block_rows, const ObjectiveSchedule& schedule) {
  const ObjectiveCase c = NoisyCase();
  VectorSource source = FloatRows(kRows, kColumns, 5);
  Executor executor(2);
  Sweep<double> sweep(source, executor, {.block_rows = block_rows, .lanes = 2, .blocks_ahead = 3});
  const NetworkShape shape(kColumns, c.network);
  EXPECT_LT(TileRows(shape), kBlockRows / 2);
  EXPECT_NE(kBlockRows % TileRows(shape), 0);
  Objective<double> objective(shape, c.network, c.objective, kNoiseSource, sweep, schedule);
  const std::vector<double> parameters = StartOf(shape, 3);
  Result result;
  result.gradient.resize(parameters.size());
  result.cost = objective.EvaluateWithGradient(parameters, result.gradient).total();
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  result.cost_alone = objective.Evaluate(parameters).total();
  return result;
}

void ExpectNear(const Result& found, const Result& expected) {
  EXPECT_NEAR(found.cost, expected.cost, 1e-12 * expected.cost);
  for (size_t i = 0; i < expected.gradient.size(); ++i) {
    EXPECT_NEAR(found.gradient[i], expected.gradient[i], 1e-11) << i;
  }
}

// rho_hat alone, for stochastic methods.
TEST(TilesTest, MeanActivationsAreFoundTileByTileToo) {
  const ObjectiveCase c = NoisyCase();
  VectorSource source = FloatRows(kRows, kColumns, 5);
  Executor executor(2);
  Sweep<double> sweep(source, executor, {.block_rows = kBlockRows, .lanes = 2, .blocks_ahead = 3});
  const NetworkShape shape(kColumns, c.network);
  Objective<double> objective(shape, c.network, c.objective, kNoiseSource, sweep);
  const std::span<const double> found = objective.FindRhoHat(StartOf(shape, 3), 0);
  const Result expected = Compute(kBlockRows, {});
  EXPECT_EQ(std::vector<double>(found.begin(), found.end()), expected.rho_hat);
}

TEST(TilesTest, CutABlockWithoutChangingWhatItComesTo) {
  const Result tiles = Compute(kBlockRows, {});
  ExpectNear(tiles, Compute(100, {}));
  EXPECT_EQ(tiles.cost_alone, tiles.cost);
}

TEST(TilesTest, AreSummedAloneAndTogetherByTheFusedSchedule) {
  ExpectNear(Compute(kBlockRows, {Schedule::kFused}), Compute(kBlockRows, {}));
}

TEST(TilesTest, FindTheirKeptCodesToTheBit) {
  const Result computed = Compute(kBlockRows, {});
  const Result kept = Compute(kBlockRows, {Schedule::kCached, uint64_t{1} << 24});
  EXPECT_EQ(kept.cost, computed.cost);
  EXPECT_EQ(kept.gradient, computed.gradient);
  EXPECT_EQ(kept.rho_hat, computed.rho_hat);
}

}  // namespace
}  // namespace rhohat
