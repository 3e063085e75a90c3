// The objective against its definition, and what it promises of reading, bits and extremes.
#include "objective/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "rhohat/error.h"
#include "tests/objective/by_definition.h"
#include "tests/objective/cases.h"
#include "tests/objective/relative_difference.h"

namespace rhohat {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Truly;

template <class T>
struct Result {
  CostTerms cost;
  CostTerms cost_alone;
  std::vector<T> gradient;
  std::vector<double> rho_hat;
  std::vector<double> rho_hat_alone;
};

template <class T>
Result<T> Compute(Objective<T>& objective, const std::vector<double>& start) {
  const std::vector<T> parameters(start.begin(), start.end());
  Result<T> result;
  result.gradient.resize(parameters.size());
  result.cost = objective.EvaluateWithGradient(parameters, result.gradient);
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  result.cost_alone = objective.Evaluate(parameters);
  result.rho_hat_alone.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  return result;
}

template <class T>
Result<T> Compute(const ObjectiveCase& c, Sweep<T>& sweep) {
  const NetworkShape shape(sweep.columns(), c.network);
  Objective<T> objective(shape, c.network, c.objective, kNoiseSource, sweep);
  return Compute(objective, StartOf(shape, 3));
}

template <class T>
void ExpectSameBits(const Result<T>& a, const Result<T>& b) {
  for (const CostTermInfo& term : kCostTerms) {
    EXPECT_EQ(a.cost.*term.value, b.cost.*term.value) << term.name;
  }
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.rho_hat, b.rho_hat);
}

// Each with all penalties that are defined at once. Every seventh has each choice of each option
// many times.
std::vector<ObjectiveCase> FullCases(size_t every = 1) {
  const std::vector<ObjectiveCase> all = AllCases({7, 5, 3}, std::vector{Penalised::kAll});
  std::vector<ObjectiveCase> cases;
  for (size_t i = 0; i < all.size(); i += every) cases.push_back(all[i]);
  return cases;
}

// ---- Values ------------------------------------------------------------------------------------

template <class T>
void ExpectAsDefined(int64_t rows, const std::vector<ObjectiveCase>& cases, double tolerance) {
  VectorSource source = FloatRows(rows, 9, 5);
  Executor executor(2);
  Sweep<T> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  for (const ObjectiveCase& c : cases) {
    SCOPED_TRACE(c.Name());
    const NetworkShape shape(source.columns(), c.network);
    ByDefinition definition(source.columns(), c.network, c.objective, source.values(),
                            Noisy<T>(source, c.objective.noise));
    const std::vector<double> start = StartOf(shape, 3);
    ASSERT_EQ(definition.parameters(), start.size());
    const CostTerms expected = definition.Cost(start);
    const std::vector<double> gradient = definition.Gradient(start);
    const Result<T> result = Compute<T>(c, sweep);
    for (const CostTermInfo& term : kCostTerms) {
      EXPECT_NEAR(result.cost.*term.value, expected.*term.value, tolerance * expected.total())
          << term.name;
    }
    EXPECT_LT(RelativeDifference(result.gradient, gradient), tolerance);
    EXPECT_LT(RelativeDifference(result.rho_hat, definition.rho_hat()), tolerance);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ObjectiveTest, CostAndGradientInDoubleAreThoseOfTheDefinition) {
  ExpectAsDefined<double>(75, FullCases(), 1e-12);
  for (const int64_t rows : {1, 3, 8}) ExpectAsDefined<double>(rows, FullCases(7), 1e-12);
}

TEST(ObjectiveTest, CostAndGradientInFloatAreThoseOfTheDefinition) {
  ExpectAsDefined<float>(75, FullCases(), 1e-5);
}

// One unit in one hidden layer, more units than inputs, and blocks that outnumber the rows.
TEST(ObjectiveTest, ShapesAtTheirLimitsAreAsDefined) {
  for (const std::vector<int64_t>& hidden : {std::vector<int64_t>{1}, {20}, {1, 30}, {20, 1}}) {
    VectorSource source = FloatRows(10, 3, 7);
    Executor executor(1);
    Sweep<double> sweep(source, executor, {.block_rows = 64, .lanes = 2, .blocks_ahead = 2});
    const ObjectiveCase c = {{hidden, Activation::kTanh, Activation::kLinear, false},
                             WeightsOf(Penalised::kAll, Activation::kTanh, hidden.size())};
    ByDefinition definition(3, c.network, c.objective, source.values(), source.values());
    const std::vector<double> start = StartOf({3, c.network}, 3);
    EXPECT_LT(RelativeDifference(Compute<double>(c, sweep).gradient, definition.Gradient(start)),
              1e-12);
  }
}

// ---- Bits --------------------------------------------------------------------------------------

TEST(ObjectiveTest, CostAloneHasTheBitsOfCostWithGradient) {
  VectorSource source = FloatRows(75, 9, 6);
  Executor executor(2);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  for (const ObjectiveCase& c : FullCases(7)) {
    SCOPED_TRACE(c.Name());
    const Result<float> result = Compute<float>(c, sweep);
    for (const CostTermInfo& term : kCostTerms) {
      EXPECT_EQ(result.cost.*term.value, result.cost_alone.*term.value) << term.name;
    }
    EXPECT_EQ(result.rho_hat, result.rho_hat_alone);
  }
}

TEST(ObjectiveTest, ThreadsChangeNoBitOfAnyObjective) {
  VectorSource source = FloatRows(150, 9, 7);
  std::vector<std::vector<Result<float>>> results;
  const std::vector<ObjectiveCase> cases = FullCases(7);
  for (const int64_t threads : {1, 2, 5}) {
    Executor executor(threads);
    Sweep<float> sweep(source, executor,
                       {.block_rows = 8, .lanes = 16, .blocks_ahead = 2 * threads + 1});
    std::vector<Result<float>>& here = results.emplace_back();
    for (const ObjectiveCase& c : cases) here.push_back(Compute<float>(c, sweep));
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(fmt::format("{} threads: {}", threads, cases[i].Name()));
      ExpectSameBits(here[i], results[0][i]);
    }
  }
}

TEST(ObjectiveTest, EvaluatingAgainGivesTheSameBitsWithNoiseToo) {
  VectorSource source = FloatRows(75, 9, 8);
  Executor executor(2);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  for (const NoiseOptions& noise : kNoises) {
    ObjectiveCase c = {{.hidden = {5, 3}}, WeightsOf(Penalised::kAll, Activation::kSigmoid, 2)};
    c.objective.noise = noise;
    const NetworkShape shape(9, c.network);
    Objective<float> objective(shape, c.network, c.objective, kNoiseSource, sweep);
    const Result<float> first = Compute(objective, StartOf(shape, 3));
    Compute(objective, StartOf(shape, 4));  // leaves nothing behind
    ExpectSameBits(Compute(objective, StartOf(shape, 3)), first);
  }
}

// Blocks have other sums, but not other noise.
TEST(ObjectiveTest, TheNoiseDoesNotDependOnTheBlocks) {
  VectorSource source = FloatRows(75, 9, 8);
  Executor executor(2);
  for (const NoiseOptions& noise : kNoises) {
    ObjectiveCase c = {{.hidden = {5}}, {}};
    c.objective.noise = noise;
    std::vector<double> costs;
    for (const int64_t block_rows : {1, 16, 100}) {
      Sweep<double> sweep(source, executor,
                          {.block_rows = block_rows, .lanes = 4, .blocks_ahead = 3});
      costs.push_back(Compute<double>(c, sweep).cost.total());
      EXPECT_NEAR(costs.back(), costs.front(), 1e-14 * costs.front());
    }
  }
}

// ---- Passes ------------------------------------------------------------------------------------

TEST(ObjectiveTest, APenaltyOnMeansTakesTwoPassesAndAllElseOne) {
  VectorSource source = FloatRows(100, 3, 10);
  Executor executor(1);
  for (const Penalised penalised : kPenalised) {
    Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
    const ObjectiveOptions options = WeightsOf(penalised, Activation::kSigmoid, 1);
    Objective<float> objective({3, {2}}, {{2}}, options, kNoiseSource, sweep);
    const std::vector<double> start = StartOf({3, {2}}, 3);
    const std::vector<float> parameters(start.begin(), start.end());
    std::vector<float> gradient(parameters.size());
    const uint64_t once = 100 * 3 * sizeof(double);
    const uint64_t passes = penalised == Penalised::kKl || penalised == Penalised::kAll ? 2 : 1;
    EXPECT_EQ(objective.passes(), static_cast<int64_t>(passes));
    objective.EvaluateWithGradient(parameters, gradient);
    EXPECT_EQ(sweep.counts().bytes_read, passes * once);
    objective.Evaluate(parameters);
    EXPECT_EQ(sweep.counts().bytes_read, (passes + 1) * once);
  }
}

// Adds nothing to J, but makes its gradient take two passes.
template <class T>
class AskForMeans : public Penalty<T> {
 public:
  double CostTerms::*term() const override { return &CostTerms::sparsity; }
  bool has_mean_slope() const override { return true; }
  double Cost(const Parameters<const T>&, const PenaltyMeans&) const override { return 0; }
};

TEST(ObjectiveTest, OnePassGivesTheBitsOfTwo) {
  VectorSource source = FloatRows(75, 9, 11);
  Executor executor(2);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  for (ObjectiveCase c : FullCases(7)) {
    SCOPED_TRACE(c.Name());
    c.objective.beta = {0};
    const NetworkShape shape(9, c.network);
    Penalties<float> penalties = MakePenalties<float>(c.objective, c.network, shape);
    penalties.push_back(std::make_unique<AskForMeans<float>>());
    Objective<float> two(shape, c.network, c.objective, kNoiseSource, std::move(penalties), sweep);
    Objective<float> one(shape, c.network, c.objective, kNoiseSource, sweep);
    ASSERT_EQ(one.passes(), 1);
    ASSERT_EQ(two.passes(), 2);
    ExpectSameBits(Compute(one, StartOf(shape, 3)), Compute(two, StartOf(shape, 3)));
  }
}

// A layer without a penalty of its own is no different where another one has it.
TEST(ObjectiveTest, AWeightOfZeroLeavesALayersPenaltyOut) {
  VectorSource source = FloatRows(30, 4, 12);
  Executor executor(1);
  Sweep<double> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 2});
  ObjectiveCase c = {{.hidden = {5, 3}}, {.rho = {0.2, 0.3}, .beta = {0, 2}, .lambda = 0}};
  ByDefinition definition(4, c.network, c.objective, source.values(), source.values());
  const Result<double> result = Compute<double>(c, sweep);
  EXPECT_LT(RelativeDifference(result.gradient, definition.Gradient(StartOf({4, c.network}, 3))),
            1e-12);
  EXPECT_NEAR(result.cost.sparsity, definition.Cost(StartOf({4, c.network}, 3)).sparsity, 1e-13);
}

// ---- Watching ----------------------------------------------------------------------------------

// Adds up what it is shown.
class Recorder : public ForwardWatcher<double> {
 public:
  explicit Recorder(size_t lanes) : sums_(lanes, std::vector<double>(4)) {}
  void Clear(int64_t lane) override { Of(lane).assign(4, 0.0); }
  void AddBlock(int64_t lane, const View& view) override {
    ASSERT_EQ(view.encoder_levels.size(), 2U);
    for (const double x : view.rows.flat()) Of(lane)[0] += x;
    for (const double out : view.reconstruction.flat()) Of(lane)[1] += out;
    const int64_t rows = view.rows.rows;
    for (int64_t i = 0; i < 5 * rows; ++i) Of(lane)[2] += view.encoder_levels[0][i];
    for (int64_t i = 0; i < 3 * rows; ++i) Of(lane)[3] += view.encoder_levels[1][i];
  }
  void Combine(int64_t into, int64_t from) override {
    for (size_t i = 0; i < 4; ++i) Of(into)[i] += Of(from)[i];
  }
  const std::vector<double>& total() { return Of(0); }

 private:
  std::vector<double>& Of(int64_t lane) { return sums_[static_cast<size_t>(lane)]; }
  std::vector<std::vector<double>> sums_;
};

TEST(ObjectiveTest, AWatcherSeesCleanRowsCodesAndReconstructionsAndChangesNothing) {
  for (const Loss loss : {Loss::kSquared, Loss::kCrossEntropy}) {
    VectorSource source = FloatRows(45, 4, 13);
    Executor executor(2);
    Sweep<double> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
    const NetworkOptions network = {.hidden = {5, 3}};
    const NetworkShape shape(4, network);
    const ObjectiveOptions options = {.loss = loss, .noise = {NoiseKind::kMask, 0.5}};
    Objective<double> objective(shape, network, options, kNoiseSource, sweep);
    const std::vector<double> start = StartOf(shape, 3);
    Recorder recorder(4);
    const double cost = objective.Evaluate(start, &recorder).total();
    EXPECT_EQ(cost, objective.Evaluate(start).total());
    double rows = 0;
    for (const double value : source.values()) rows += value;
    double first = 0;
    double second = 0;
    for (size_t j = 0; j < 5; ++j) first += 45 * objective.rho_hat()[j];
    for (size_t j = 5; j < 8; ++j) second += 45 * objective.rho_hat()[j];
    EXPECT_NEAR(recorder.total()[0], rows, 1e-12);
    EXPECT_NEAR(recorder.total()[2], first, 1e-12);
    EXPECT_NEAR(recorder.total()[3], second, 1e-12);
    // x̂ and not its logits.
    EXPECT_GT(recorder.total()[1], 0);
    EXPECT_LT(recorder.total()[1], 45 * 4);
  }
}

// ---- Extremes ----------------------------------------------------------------------------------

template <class T>
std::string FaultOf(Objective<T>& objective, bool with_gradient) {
  std::vector<T> parameters(static_cast<size_t>(objective.shape().parameters()));
  std::vector<T> gradient(parameters.size());
  try {
    if (with_gradient) {
      objective.EvaluateWithGradient(parameters, gradient);
    } else {
      objective.Evaluate(parameters);
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    return error.what();
  }
  return "";
}

TEST(ObjectiveTest, CrossEntropyOfRowsOutsideItsRangeNamesTheFirstOfThem) {
  for (const double value : {-0.25, 1.5}) {
    std::vector<double> values(20 * 40, 0.5);
    values[13 * 40 + 37] = value;
    values[17 * 40] = value;
    VectorSource source(20, 40, values);
    Executor executor(2);
    Sweep<float> sweep(source, executor, {.block_rows = 3, .lanes = 4, .blocks_ahead = 3});
    Objective<float> objective({40, {2}}, {{2}}, {.loss = Loss::kCrossEntropy}, {}, sweep);
    for (const bool with_gradient : {false, true}) {
      EXPECT_EQ(
          FaultOf(objective, with_gradient),
          fmt::format("memory row 13, column 37: --loss cross-entropy is defined for values from "
                      "0 to 1, found {}: bring the rows there ('train --prepare range:LO:HI') or "
                      "take --loss squared",
                      value));
    }
    Objective<float> squared({40, {2}}, {{2}}, {}, {}, sweep);
    EXPECT_EQ(FaultOf(squared, true), "");
  }
}

TEST(ObjectiveTest, CrossEntropyTakesTheEndsOfItsRange) {
  VectorSource source(2, 2, {0, 1, 1, 0});
  Executor executor(1);
  Sweep<double> sweep(source, executor, {.block_rows = 2, .lanes = 1, .blocks_ahead = 2});
  Objective<double> objective({2, {1}}, {{1}}, {.loss = Loss::kCrossEntropy, .beta = {0}}, {},
                              sweep);
  const std::vector<double> zeros(static_cast<size_t>(objective.shape().parameters()));
  EXPECT_NEAR(objective.Evaluate(zeros).reconstruction, 2 * std::log(2), 1e-15);
}

// Logits of ±1e4, where x̂ is 0 or 1 to the last bit and its logarithm would be infinite.
TEST(ObjectiveTest, CrossEntropyOfHugeLogitsIsFinite) {
  VectorSource source = FloatRows(20, 4, 9);
  Executor executor(1);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
  const NetworkShape shape(4, {3});
  Objective<float> objective(shape, {{3}}, {.loss = Loss::kCrossEntropy, .beta = {0}}, {}, sweep);
  std::vector<float> parameters(static_cast<size_t>(shape.parameters()));
  const Parameters<float> view = ViewParameters(shape, std::span(parameters));
  for (size_t k = 0; k < 4; ++k) view[1].bias[k] = k % 2 == 0 ? 1e4F : -1e4F;
  std::vector<float> gradient(parameters.size());
  const double cost = objective.EvaluateWithGradient(parameters, gradient).total();
  double expected = 0;
  for (size_t i = 0; i < source.values().size(); ++i) {
    expected += (i % 2 == 0 ? 1 - source.values()[i] : source.values()[i]) * 1e4 / 20;
  }
  EXPECT_NEAR(cost, expected, 1e-6 * expected);
  EXPECT_THAT(gradient, Each(Truly([](float value) { return std::isfinite(value); })));
}

template <class T>
void ExpectFiniteWhereUnitsAreStuck(Activation activation) {
  VectorSource source = FloatRows(20, 4, 9);
  Executor executor(1);
  Sweep<T> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
  const NetworkOptions network = {.hidden = {3, 4}, .activation = activation};
  const NetworkShape shape(4, network);
  Objective<T> objective(shape, network, {.rho = {0.1}, .beta = {3}, .lambda = 0, .gamma = 0.1},
                         kNoiseSource, sweep);
  const std::vector<double> start = StartOf(shape, 3);
  std::vector<T> parameters(start.begin(), start.end());
  const Parameters<T> view = ViewParameters(shape, std::span(parameters));
  for (const int64_t layer : {0, 1}) {
    view[layer].bias[1] = T(-1e4);  // silent on every row
    view[layer].bias[2] = T(1e4);   // saturated on every row
  }
  std::vector<T> gradient(parameters.size());
  EXPECT_TRUE(std::isfinite(objective.EvaluateWithGradient(parameters, gradient).total()));
  EXPECT_THAT(gradient, Each(Truly([](T value) { return std::isfinite(value); })));
  EXPECT_EQ(objective.extreme_units(), 4);
}

TEST(ObjectiveTest, UnitsThatAreStuckOnEveryRowGiveAFiniteGradient) {
  for (const Activation activation : {Activation::kSigmoid, Activation::kTanh}) {
    ExpectFiniteWhereUnitsAreStuck<float>(activation);
    ExpectFiniteWhereUnitsAreStuck<double>(activation);
  }
}

// Of ReLU and linear units ρ̂ is their mean, which has no ends to be near to.
TEST(ObjectiveTest, WithoutKlTheMeanIsThatOfTheActivationsAndNoUnitIsExtreme) {
  VectorSource source = FloatRows(20, 4, 9);
  Executor executor(1);
  Sweep<double> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
  const NetworkOptions network = {.hidden = {3}, .activation = Activation::kRelu};
  const NetworkShape shape(4, network);
  Objective<double> objective(shape, network, {.beta = {0}}, {}, sweep);
  std::vector<double> parameters(static_cast<size_t>(shape.parameters()));
  ViewParameters(shape, std::span(parameters))[0].bias[1] = -5;
  ViewParameters(shape, std::span(parameters))[0].bias[2] = 25;
  objective.Evaluate(parameters);
  EXPECT_THAT(objective.rho_hat(), testing::ElementsAre(0, 0, 25));
  EXPECT_EQ(objective.extreme_units(), 0);
}

}  // namespace
}  // namespace rhohat
