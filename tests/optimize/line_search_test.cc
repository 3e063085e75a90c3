#include "optimize/line_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

using Status = LineSearch::Status;
using Line = std::function<LineSample(double step)>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The six test functions of section 5 of Moré and Thuente (1994).
LineSample Function1(double a) {
  const double d = a * a + 2;
  return {a, -a / d, (a * a - 2) / (d * d)};
}

LineSample Function2(double a) {
  const double t = a + 0.004;
  return {a, std::pow(t, 5) - 2 * std::pow(t, 4), 5 * std::pow(t, 4) - 8 * std::pow(t, 3)};
}

// A rounded |1 − α| with 39 quarter waves on it.
LineSample Function3(double a) {
  constexpr double kBeta = 0.01;
  const double distance = a - 1;
  const bool near = std::abs(distance) < kBeta;
  const double cost = near ? distance * distance / (2 * kBeta) + kBeta / 2 : std::abs(distance);
  const double slope = near ? distance / kBeta : std::copysign(1, distance);
  const double frequency = 39 * std::numbers::pi / 2;
  return {a, cost + (1 - kBeta) / frequency * std::sin(frequency * a),
          slope + (1 - kBeta) * std::cos(frequency * a)};
}

Line Yanai(double beta1, double beta2) {
  return [=](double a) -> LineSample {
    const double gamma1 = std::sqrt(1 + beta1 * beta1) - beta1;
    const double gamma2 = std::sqrt(1 + beta2 * beta2) - beta2;
    const double root1 = std::sqrt((1 - a) * (1 - a) + beta2 * beta2);
    const double root2 = std::sqrt(a * a + beta1 * beta1);
    return {a, gamma1 * root1 + gamma2 * root2, gamma1 * (a - 1) / root1 + gamma2 * a / root2};
  };
}

struct Result {
  Status status;
  LineSample last;
  int evaluations = 0;
  std::vector<double> steps;
};

Result Search(const Line& line, double first_step, const LineSearchOptions& options = {}) {
  LineSearch search(options);
  const LineSample origin = line(0);
  Result result{search.Start(origin.cost, origin.slope, first_step), {}, 0, {}};
  while (result.status == Status::kEvaluate) {
    result.last = line(search.step());
    ++result.evaluations;
    result.steps.push_back(search.step());
    result.status = search.Update(result.last.cost, result.last.slope);
    if (result.evaluations > 200) break;
  }
  return result;
}

void ExpectStrongWolfe(const Line& line, const Result& result, const LineSearchOptions& options) {
  const LineSample origin = line(0);
  ASSERT_EQ(result.status, Status::kDone);
  EXPECT_LE(result.last.cost,
            origin.cost + options.sufficient_decrease * result.last.step * origin.slope);
  EXPECT_LE(std::abs(result.last.slope), options.curvature * std::abs(origin.slope));
}

struct PaperCase {
  const char* name;
  Line line;
  double sufficient_decrease;
  double curvature;
  int evaluations[4];  // the paper's tables I to VI, from 1e-3, 1e-1, 1e1 and 1e3
};

TEST(LineSearch, NeedsAsManyEvaluationsAsInThePapersTables) {
  const PaperCase cases[] = {
      {"I", Function1, 0.001, 0.1, {6, 3, 1, 4}},
      {"II", Function2, 0.1, 0.1, {12, 8, 8, 11}},
      {"III", Function3, 0.1, 0.1, {12, 12, 10, 13}},
      {"IV", Yanai(0.001, 0.001), 0.001, 0.001, {4, 1, 3, 4}},
      {"V", Yanai(0.01, 0.001), 0.001, 0.001, {6, 3, 7, 8}},
      {"VI", Yanai(0.001, 0.01), 0.001, 0.001, {13, 11, 8, 11}},
  };
  for (const PaperCase& paper : cases) {
    SCOPED_TRACE(paper.name);
    LineSearchOptions options;
    options.sufficient_decrease = paper.sufficient_decrease;
    options.curvature = paper.curvature;
    for (int i = 0; i < 4; ++i) {
      const Result result = Search(paper.line, std::pow(10, 2 * i - 3), options);
      ExpectStrongWolfe(paper.line, result, options);
      EXPECT_EQ(result.evaluations, paper.evaluations[i]) << i;
    }
  }
}

TEST(LineSearch, StrongWolfeHoldsAtEveryResult) {
  const Line lines[] = {
      Function1,
      Function2,
      Function3,
      Yanai(0.001, 0.001),
      Yanai(0.01, 0.001),
      Yanai(0.001, 0.01),
      [](double a) -> LineSample {
        return {a, (a - 3) * (a - 3) / 2, a - 3};
      },
      [](double a) -> LineSample {
        return {a, std::cos(a) - a / 10, -std::sin(a) - 0.1};
      },
      [](double a) -> LineSample {
        return {a, std::exp(a) - 20 * a, std::exp(a) - 20};
      },
      [](double a) -> LineSample {
        return {a, std::pow(a - 1, 4) + a / 100, 4 * std::pow(a - 1, 3) + 0.01};
      },
      [](double a) -> LineSample {
        return {a, std::log(1 + (a - 5) * (a - 5)), 2 * (a - 5) / (1 + (a - 5) * (a - 5))};
      }};
  for (const double curvature : {0.9, 0.1, 0.01}) {
    for (size_t i = 0; i < std::size(lines); ++i) {
      for (double first_step = 1e-3; first_step < 2e3; first_step *= 10) {
        SCOPED_TRACE("line " + std::to_string(i) + " from " + std::to_string(first_step));
        LineSearchOptions options;
        options.curvature = curvature;
        ExpectStrongWolfe(lines[i], Search(lines[i], first_step, options), options);
      }
    }
  }
}

TEST(LineSearch, AnAcceptableFirstStepIsTheResult) {
  const Line line = [](double a) -> LineSample { return {a, (a - 1) * (a - 1), 2 * (a - 1)}; };
  const Result result = Search(line, 1);
  EXPECT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.evaluations, 1);
  EXPECT_EQ(result.last.step, 1);
}

TEST(LineSearch, FailsAtOnceWithoutADirectionOfDescent) {
  LineSearch search;
  EXPECT_EQ(search.Start(1, 0, 1), Status::kFailed);
  EXPECT_EQ(search.Start(1, 2, 1), Status::kFailed);
  EXPECT_EQ(search.Start(1, kNan, 1), Status::kFailed);
  EXPECT_EQ(search.Start(1, -kInfinity, 1), Status::kFailed);
  EXPECT_EQ(search.Start(kInfinity, -1, 1), Status::kFailed);
}

TEST(LineSearch, StaysInsideTheDomainOfABarrier) {
  // −log(1 − α) − 4α, with its minimiser at ¾; nothing at or beyond 1.
  const Line barriers[] = {[](double a) -> LineSample {
                             if (a >= 1) return {a, kInfinity, kInfinity};
                             return {a, -std::log(1 - a) - 4 * a, 1 / (1 - a) - 4};
                           },
                           [](double a) -> LineSample {
                             return {a, -std::log(1 - a) - 4 * a, 1 / (1 - a) - 4};
                           },
                           // A cost that is fine everywhere, with a slope that is not.
                           [](double a) -> LineSample {
                             if (a >= 1) return {a, -100, kNan};
                             return {a, -std::log(1 - a) - 4 * a, 1 / (1 - a) - 4};
                           }};
  for (const Line& line : barriers) {
    for (const double curvature : {0.9, 0.01}) {
      for (double first_step = 1e-3; first_step < 2e9; first_step *= 10) {
        SCOPED_TRACE(first_step);
        LineSearchOptions options;
        options.curvature = curvature;
        const Result result = Search(line, first_step, options);
        ExpectStrongWolfe(line, result, options);
        EXPECT_LT(result.last.step, 1);
      }
    }
  }
}

TEST(LineSearch, ADomainThatEndsInMidDescentEndsTheSearchNearItsEdge) {
  const Line line = [](double a) -> LineSample { return {a, a < 1 ? -a : kNan, -1}; };
  for (const double first_step : {1e-3, 1.0, 1e3}) {
    const Result result = Search(line, first_step);
    EXPECT_EQ(result.status, Status::kDone);
    EXPECT_GT(result.last.step, 0.9);
    EXPECT_LT(result.last.step, 1);
  }
}

TEST(LineSearch, FailsAfterABoundedNumberOfValuesThatAreNotFinite) {
  const Line line = [](double a) -> LineSample { return {a, a > 0 ? kNan : 0, -1}; };
  const Result result = Search(line, 1);
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.evaluations, LineSearchOptions().max_retreats + 1);
}

TEST(LineSearch, AHoleInsideTheBracketIsAvoided) {
  const Line line = [](double a) -> LineSample {
    if (a > 0.3 && a < 0.6) return {a, kNan, kNan};
    return {a, (a - 0.2) * (a - 0.2), 2 * (a - 0.2)};
  };
  LineSearchOptions options;
  options.curvature = 0.1;
  for (const double first_step : {0.6, 0.9, 1.0, 2.0}) {
    ExpectStrongWolfe(line, Search(line, first_step, options), options);
  }
}

TEST(LineSearch, FailsWhereRoundingHidesTheDescent) {
  // The slope promises what the value, rounded to multiples of 1e-6, never shows.
  const Line line = [](double a) -> LineSample {
    return {a, 1 + std::round(a * a * 1e6) / 1e6, -1e-12 + 2 * a};
  };
  for (const double first_step : {1e-3, 1.0, 1e3}) {
    const Result result = Search(line, first_step);
    EXPECT_EQ(result.status, Status::kFailed);
    EXPECT_LE(result.evaluations, LineSearchOptions().max_evaluations);
  }
}

TEST(LineSearch, FailsOnAConstantThatClaimsToDescend) {
  const Line line = [](double a) -> LineSample { return {a, 7, -1e-3}; };
  const Result result = Search(line, 1);
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_LE(result.evaluations, LineSearchOptions().max_evaluations);
}

TEST(LineSearch, KeepsTheBestStepWhereTheCurvatureConditionCannotHold) {
  // A kink: sufficient decrease holds up to it, and no slope is ever small.
  const Line line = [](double a) -> LineSample {
    return a < 1 ? LineSample{a, -a, -1} : LineSample{a, 5 * (a - 1) - 1, 5};
  };
  for (const double first_step : {1e-3, 0.4, 7.0, 1e3}) {
    const Result result = Search(line, first_step);
    EXPECT_EQ(result.status, Status::kDone);
    EXPECT_NEAR(result.last.step, 1, 0.01);
    EXPECT_LE(result.last.cost, -0.98);
    EXPECT_LE(result.evaluations, LineSearchOptions().max_evaluations + 1);
  }
}

TEST(LineSearch, AStepThatEndsTheSearchIsAlwaysTheOneJustEvaluated) {
  // Bounded effort on a hard function: whatever ends the search, it ends on a step it asked for.
  LineSearchOptions options;
  options.curvature = 1e-3;
  for (int64_t most = 1; most < 15; ++most) {
    options.max_evaluations = most;
    const Result result = Search(Function3, 10, options);
    if (result.status != Status::kDone) continue;
    EXPECT_EQ(result.last.step, result.steps.back());
    EXPECT_LE(result.last.cost, Function3(0).cost + 1e-4 * result.last.step * Function3(0).slope);
    EXPECT_LE(result.evaluations, most + 1);
  }
}

TEST(LineSearch, StepsStayBetweenTheLeastAndTheMost) {
  LineSearchOptions options;
  options.min_step = 0.5;
  options.max_step = 8;
  const Line falling = [](double a) -> LineSample { return {a, -a, -1}; };
  const Result most = Search(falling, 1e6, options);
  EXPECT_EQ(most.status, Status::kDone);
  EXPECT_EQ(most.last.step, 8);
  const Result grown = Search(falling, 1, options);
  EXPECT_EQ(grown.status, Status::kDone);
  EXPECT_EQ(grown.last.step, 8);
  const Line near_minimum = [](double a) -> LineSample { return {a, a * a - a / 10, 2 * a - 0.1}; };
  EXPECT_EQ(Search(near_minimum, 1, options).status, Status::kFailed);
}

TEST(LineSearch, ACopyGoesOnAsTheOriginal) {
  static_assert(std::is_trivially_copyable_v<LineSearch>);
  LineSearchOptions options;
  options.curvature = 0.001;
  const LineSample origin = Function3(0);
  LineSearch search(options);
  Status status = search.Start(origin.cost, origin.slope, 1e3);
  while (status == Status::kEvaluate) {
    LineSearch copy = search;
    const LineSample trial = Function3(search.step());
    status = search.Update(trial.cost, trial.slope);
    EXPECT_EQ(copy.Update(trial.cost, trial.slope), status);
    EXPECT_EQ(copy.step(), search.step());
  }
}

// Saved and loaded anew before each evaluation, beside one that is not.
TEST(LineSearch, ALoadedStateGoesOnAsTheOriginal) {
  const Line kink = [](double a) -> LineSample {
    return a < 1 ? LineSample{a, -a, -1} : LineSample{a, 5 * (a - 1) - 1, 5};
  };
  const Line wall = [](double a) -> LineSample { return {a, a < 1 ? -a : kNan, -1}; };
  std::vector<Line> lines = {Function1, Function3, kink, wall};
  for (const double hole : {0.2, 0.5, 0.8, 0.95, 1.1, 1.5}) {
    lines.push_back([=](double a) {
      const LineSample sample = Function3(a);
      return a > hole && a < hole + 0.1 ? LineSample{a, kNan, kNan} : sample;
    });
  }
  LineSearchOptions options;
  options.curvature = 0.001;
  for (const Line& line : lines) {
    for (options.max_evaluations = 1; options.max_evaluations < 15; ++options.max_evaluations) {
      options.max_retreats = options.max_evaluations % 4;
      LineSearch search(options);
      LineSearch chain(options);
      Status status = search.Start(line(0).cost, line(0).slope, 10);
      chain.Start(line(0).cost, line(0).slope, 10);
      while (status == Status::kEvaluate) {
        StateCopy saved;
        chain.Visit(saved);
        saved.Load();
        chain = LineSearch(options);
        chain.Visit(saved);
        ASSERT_EQ(chain.step(), search.step());
        const LineSample trial = line(search.step());
        status = search.Update(trial.cost, trial.slope);
        ASSERT_EQ(chain.Update(trial.cost, trial.slope), status);
      }
      EXPECT_EQ(chain.step(), search.step());
    }
  }
}

}  // namespace
}  // namespace rhohat
