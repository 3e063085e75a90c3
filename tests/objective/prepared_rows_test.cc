#include "objective/prepared_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "objective/objective.h"
#include "tests/objective/cases.h"

namespace rhohat {
namespace {

constexpr int64_t kInputs = 4;
const NetworkOptions kNetwork = {.hidden = {6, 3}, .activation = Activation::kTanh};

// Rows of [0, 2] become [0, 1], and so on by column.
Preparation Halving() {
  return {.options = {.kind = PreparationKind::kRange, .low = 0, .high = 2},
          .shift = {0, 0.1, 0, 0.1},
          .scale = {2, 2, 4, 4}};
}

std::vector<double> Halved(const VectorSource& source) {
  const Preparation preparation = Halving();
  std::vector<double> values = source.values();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = (values[i] - preparation.shift[i % 4]) / preparation.scale[i % 4];
  }
  return values;
}

TEST(PreparedRowsTest, WithoutPreparationAndFrozenLayersItDoesNothing) {
  PreparedRows<float> rows({}, kInputs, 8, 2);
  EXPECT_TRUE(rows.does_nothing());
  EXPECT_EQ(rows.columns(), kInputs);
  EXPECT_FALSE(PreparedRows<float>(Halving(), kInputs, 8, 2).does_nothing());
}

TEST(PreparedRowsTest, RowsAreTrainedOnAsPreparationMakesThem) {
  VectorSource source = FloatRows(50, kInputs, 1);
  VectorSource halved(50, kInputs, Halved(source));
  Executor executor(2);
  const SweepOptions options = {.block_rows = 8, .lanes = 4, .blocks_ahead = 3};
  PreparedRows<double> rows(Halving(), kInputs, 8, 2);
  Sweep<double> transformed(source, executor, options, &rows);
  Sweep<double> plain(halved, executor, options);
  const NetworkShape shape(kInputs, kNetwork);
  const std::vector<double> start = StartOf(shape, 3);
  Objective<double> a(shape, kNetwork, {}, {}, transformed);
  Objective<double> b(shape, kNetwork, {}, {}, plain);
  EXPECT_EQ(a.Evaluate(start).total(), b.Evaluate(start).total());
}

// The codes of the first `layers` layers, of `rows` in row-major order.
template <class T>
std::vector<T> Codes(const std::vector<T>& rows, const std::vector<T>& parameters, int64_t layers) {
  const NetworkShape shape(kInputs, kNetwork);
  const Autoencoder<T> network(shape, kNetwork);
  const auto count = std::ssize(rows) / kInputs;
  std::vector<std::vector<T>> levels;
  std::vector<T*> places;
  for (int64_t level = 1; level <= layers; ++level) {
    levels.emplace_back(static_cast<size_t>(count * shape.width(level)));
  }
  for (auto& level : levels) places.push_back(level.data());
  network.Encode(ViewParameters(shape, std::span<const T>(parameters)),
                 {rows.data(), count, kInputs}, places);
  return levels.back();
}

TEST(PreparedRowsTest, FrozenLayersEncodeThePreparedRowsAndThawAgain) {
  const VectorSource source = FloatRows(8, kInputs, 1);
  const NetworkShape shape(kInputs, kNetwork);
  const std::vector<double> parameters = StartOf(shape, 5);
  PreparedRows<double> rows(Halving(), kInputs, 8, 3);
  const std::vector<double> halved = Halved(source);
  for (const int64_t layers : {1, 2}) {
    rows.Freeze(shape, kNetwork, parameters, layers);
    EXPECT_EQ(rows.columns(), shape.width(layers));
    const std::vector<double> codes = Codes(halved, parameters, layers);
    for (const int64_t worker : {0, 2}) {
      const std::span<const double> result = rows.Apply(source.values(), 8, worker);
      EXPECT_EQ(std::vector<double>(result.begin(), result.end()), codes);
    }
    // A last block is shorter.
    const std::span<const double> part =
        rows.Apply(std::span(source.values()).first(3 * kInputs), 3, 1);
    EXPECT_EQ(std::ssize(part), 3 * shape.width(layers));
  }
  rows.Thaw();
  EXPECT_EQ(rows.columns(), kInputs);
  const std::span<const double> result = rows.Apply(source.values(), 8, 0);
  EXPECT_EQ(std::vector<double>(result.begin(), result.end()), halved);
}

TEST(PreparedRowsTest, FrozenLayersAloneNeedNoPreparation) {
  const VectorSource source = FloatRows(8, kInputs, 1);
  const NetworkShape shape(kInputs, kNetwork);
  const std::vector<double> start = StartOf(shape, 5);
  const std::vector<float> parameters(start.begin(), start.end());
  const std::vector<float> values(source.values().begin(), source.values().end());  // exact
  PreparedRows<float> rows({}, kInputs, 8, 1);
  rows.Freeze(shape, kNetwork, parameters, 2);
  EXPECT_FALSE(rows.does_nothing());
  const std::span<const float> result = rows.Apply(source.values(), 8, 0);
  EXPECT_EQ(std::vector<float>(result.begin(), result.end()), Codes(values, parameters, 2));
  rows.Thaw();
  EXPECT_TRUE(rows.does_nothing());
}

TEST(PreparedRowsTest, AWorkspaceIsABlockAndWhatWhiteningTakes) {
  constexpr size_t kBlock = 64 * (100 + 1) * sizeof(double);  // a row's mean with it
  const auto bytes = [](PreparationKind kind) {
    return PreparedRows<float>::WorkspaceBytes(kind, 100, 64);
  };
  EXPECT_EQ(bytes(PreparationKind::kNone), 0U);
  EXPECT_EQ(bytes(PreparationKind::kGlobal), kBlock);
  EXPECT_EQ(bytes(PreparationKind::kZca),
            kBlock + RowPreparation<float>::ApplyBytes(PreparationKind::kZca, 100, 64));
  EXPECT_GT(bytes(PreparationKind::kZca), kBlock);
}

// A stage of greedy training: the objective's rows are the codes.
TEST(PreparedRowsTest, AnObjectiveOfFrozenRowsIsTheOneOfTheirCodes) {
  VectorSource source = FloatRows(50, kInputs, 1);
  const NetworkShape shape(kInputs, kNetwork);
  const std::vector<double> frozen = StartOf(shape, 5);
  VectorSource codes(50, 6, Codes(source.values(), frozen, 1));
  Executor executor(2);
  const SweepOptions options = {.block_rows = 8, .lanes = 4, .blocks_ahead = 3};
  PreparedRows<double> rows({}, kInputs, 8, 2);
  rows.Freeze(shape, kNetwork, frozen, 1);
  Sweep<double> transformed(source, executor, options, &rows);
  Sweep<double> plain(codes, executor, options);
  EXPECT_EQ(transformed.columns(), 6);
  const NetworkOptions above = {
      .hidden = {3}, .activation = Activation::kTanh, .decoder = Activation::kTanh};
  const ObjectiveOptions weights = {.noise = {NoiseKind::kMask, 0.3}};
  Objective<double> a({6, above}, above, weights, {}, transformed);
  Objective<double> b({6, above}, above, weights, {}, plain);
  const std::vector<double> start = StartOf({6, above}, 3);
  EXPECT_NEAR(a.Evaluate(start).total(), b.Evaluate(start).total(), 1e-14);
}

}  // namespace
}  // namespace rhohat
