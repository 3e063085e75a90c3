// An evaluation that stands in the middle of a pass, and is gone on with elsewhere.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "objective/objective.h"
#include "rhohat/error.h"
#include "tests/objective/cases.h"
#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

constexpr int64_t kRows = 75;
constexpr int64_t kColumns = 9;

class Pauses : public PassPauses {
 public:
  bool Wanted() override { return true; }
  void Pause() override { on_pause(); }
  std::function<void()> on_pause = [] {};
};

SweepOptions Options(PassPauses* pauses) {
  return {.block_rows = 8, .lanes = 4, .blocks_ahead = 3, .pauses = pauses};
}

template <class T>
struct Result {
  double cost = 0;
  std::vector<T> gradient;
  std::vector<double> rho_hat;
  friend bool operator==(const Result&, const Result&) = default;
};

template <class T>
Result<T> Evaluate(Objective<T>& objective, const std::vector<T>& parameters) {
  Result<T> result;
  result.gradient.resize(parameters.size());
  result.cost = objective.EvaluateWithGradient(parameters, result.gradient).total();
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  return result;
}

// Breaks the evaluation off at each of its pauses, and has another objective do the rest.
template <class T>
void ExpectSameBitsWhereverItStands(const ObjectiveCase& c, const ObjectiveSchedule& schedule) {
  VectorSource source = FloatRows(kRows, kColumns, 5);
  Executor executor(2);
  const NetworkShape shape(kColumns, c.network);
  const std::vector<double> start = StartOf(shape, 3);
  const std::vector<T> parameters(start.begin(), start.end());

  Sweep<T> whole_sweep(source, executor, Options(nullptr));
  Objective<T> whole(shape, c.network, c.objective, kNoiseSource, whole_sweep, schedule);
  const Result<T> expected = Evaluate(whole, parameters);

  int64_t stands = 0;
  for (bool finished = false; !finished;) {
    Pauses pauses;
    Sweep<T> sweep(source, executor, Options(&pauses));
    Objective<T> objective(shape, c.network, c.objective, kNoiseSource, sweep, schedule);
    StateCopy state;
    int64_t pause = 0;
    pauses.on_pause = [&] {
      if (pause++ < stands) return;
      objective.Visit(state);
      throw Stopped("enough");
    };
    try {
      EXPECT_EQ(Evaluate(objective, parameters), expected);
      finished = true;
      continue;
    } catch (const Stopped&) {
      EXPECT_FALSE(objective.is_under_way());
    }
    Sweep<T> other_sweep(source, executor, Options(nullptr));
    Objective<T> other(shape, c.network, c.objective, kNoiseSource, other_sweep, schedule);
    state.Load();
    other.Visit(state);
    EXPECT_TRUE(other.is_under_way());
    EXPECT_EQ(Evaluate(other, parameters), expected) << "stood after " << stands << " pauses";
    EXPECT_EQ(Evaluate(other, parameters), expected) << "the next evaluation";
    ++stands;
  }
  EXPECT_EQ(stands, (whole.passes()) * 9);
}

TEST(ObjectivePausesTest, TheBitsAreTheSameWhereverAnEvaluationStood) {
  int64_t number = 0;
  for (const ObjectiveCase& c : AllCases({7, 5, 3}, std::vector{Penalised::kKl, Penalised::kAll})) {
    if (number++ % 17 != 0) continue;  // all kinds of layers, losses and noises are among these
    SCOPED_TRACE(c.Name());
    const NetworkShape shape(kColumns, c.network);
    ExpectSameBitsWhereverItStands<float>(c, {Schedule::kTwoPass});
    ExpectSameBitsWhereverItStands<double>(c, {Schedule::kCached, 3000});
    if (WhyNotFused(c.objective, shape).empty()) {
      ExpectSameBitsWhereverItStands<float>(c, {Schedule::kFused});
    }
  }
}

}  // namespace
}  // namespace rhohat
