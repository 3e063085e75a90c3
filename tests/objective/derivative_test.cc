// The derivative check of docs/math.md §9, on every objective that can be asked for.
//
// The numeric derivative is one of fourth order, (8(J(θ+ε) − J(θ−ε)) − (J(θ+2ε) − J(θ−2ε))) / 12ε,
// of every parameter. A pass over rows hands them from thread to thread, which takes far longer
// than seven rows' arithmetic; so J is the definition's, which the objective's own is compared with
// at the same point.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "objective/objective.h"
#include "tests/objective/by_definition.h"
#include "tests/objective/cases.h"

namespace rhohat {
namespace {

constexpr int64_t kRows = 7;
constexpr int64_t kInputs = 5;
constexpr double kStep = 2e-4;
// What no unit may come nearer to a kink than, so that no step crosses it.
constexpr double kMargin = 30 * kStep;

class DerivativeTest : public testing::Test {
 protected:
  // A start that is far from all kinks.
  std::vector<double> ChooseStart(const NetworkShape& shape, ByDefinition& definition) const {
    for (uint64_t seed = 1; seed < 10000; ++seed) {
      std::vector<double> start = StartOf(shape, seed);
      definition.Cost(start);
      if (definition.margin() > kMargin) return start;
    }
    ADD_FAILURE() << "no start is far enough from all kinks";
    return {};
  }

  double Numeric(ByDefinition& definition, std::vector<double>& parameters, size_t i) const {
    const double here = parameters[i];
    const auto cost = [&](double step) {
      parameters[i] = here + step;
      const double total = definition.Cost(parameters).total();
      EXPECT_GT(definition.margin(), kMargin / 2);
      return total;
    };
    const double near = cost(kStep) - cost(-kStep);
    const double far = cost(2 * kStep) - cost(-2 * kStep);
    parameters[i] = here;
    return (8 * near - far) / (12 * kStep);
  }

  void Check(const ObjectiveCase& c) {
    const NetworkShape shape(kInputs, c.network);
    ByDefinition definition(kInputs, c.network, c.objective, source_.values(),
                            Noisy<double>(source_, c.objective.noise));
    Objective<double> objective(shape, c.network, c.objective, kNoiseSource, sweep_);
    std::vector<double> parameters = ChooseStart(shape, definition);
    std::vector<double> analytic(parameters.size());
    const double cost = objective.EvaluateWithGradient(parameters, analytic).total();
    EXPECT_NEAR(cost, definition.Cost(parameters).total(), 1e-13 * cost);
    double difference = 0;
    double sum = 0;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const double numeric = Numeric(definition, parameters, i);
      difference += std::pow(numeric - analytic[i], 2);
      sum += std::pow(numeric + analytic[i], 2);
    }
    const double error = std::sqrt(difference / sum);
    largest_error_ = std::fmax(largest_error_, error);
    EXPECT_LT(error, 1e-8);
  }

  VectorSource source_ = FloatRows(kRows, kInputs, 23);
  Executor executor_{1};
  Sweep<double> sweep_{source_, executor_, {.block_rows = kRows, .lanes = 1, .blocks_ahead = 2}};
  double largest_error_ = 0;
};

// For each of 4 decoders with their losses, tied or not, and 4 kinds of noise: no penalty, decay,
// L1 and all that is defined with each of 4 activations and 3 depths, KL with 2 activations, and
// contraction with one hidden layer.
TEST_F(DerivativeTest, HoldsForEveryObjectiveThatIsDefined) {
  const std::vector<ObjectiveCase> cases = AllCases({4, 3, 2}, kPenalised);
  ASSERT_EQ(cases.size(), 4U * 2 * 4 * (4 * 3 * 4 + 2 * 3 + 4));
  for (const ObjectiveCase& c : cases) {
    SCOPED_TRACE(c.Name());
    Check(c);
    if (HasFailure()) break;
  }
  fmt::print("{} objectives checked, largest relative error {:.1e}\n", cases.size(),
             largest_error_);
}

}  // namespace
}  // namespace rhohat
