// An optimiser that was saved after any evaluation goes on with the same bits.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/state_file.h"
#include "optimize/conjugate_gradient.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"
#include "tests/optimize/test_functions.h"
#include "tests/support/state_copy.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

constexpr size_t kParameters = 10;

// Makes an optimiser of one kind, with its options, that begins at a point.
template <class T>
struct Method {
  std::string name;
  std::function<std::unique_ptr<Optimizer<T>>(const std::vector<T>& start)> make;
};

template <class T>
std::vector<Method<T>> Methods() {
  const auto lbfgs = [](int64_t history) {
    return [history](const std::vector<T>& start) {
      return std::make_unique<Lbfgs<T>>(start, LbfgsOptions{history});
    };
  };
  const auto descent = [](double rate) {
    return [rate](const std::vector<T>& start) {
      return std::make_unique<GradientDescent<T>>(start, GradientDescentOptions{rate, 0.9});
    };
  };
  const auto conjugate = [](const std::vector<T>& start) {
    return std::make_unique<ConjugateGradient<T>>(start);
  };
  return {{"L-BFGS of 1 pair", lbfgs(1)},      {"L-BFGS of 3 pairs", lbfgs(3)},
          {"L-BFGS of 20 pairs", lbfgs(20)},   {"conjugate gradients", conjugate},
          {"gradient descent", descent(1e-4)}, {"gradient descent that diverges", descent(0.3)}};
}

template <class T>
struct Problem {
  std::string name;
  TestFunction<T> function;
  std::vector<T> start;
};

template <class T>
std::vector<Problem<T>> Problems() {
  return {{"Rosenbrock", Rosenbrock<T>, RosenbrockStart<T>(kParameters)},
          {"barrier", LogBarrier<T>, std::vector<T>(kParameters, T(50))},
          {"rounded", Rounded<T>, std::vector<T>(kParameters, T(-3))},
          {"quadratic", Quadratic<T>(10), std::vector<T>(kParameters, T(8))},
          {"no value at the start", LogBarrier<T>, std::vector<T>(kParameters, T(-1))}};
}

// All bits that an optimiser shows.
template <class T>
std::string Snapshot(const Optimizer<T>& optimizer) {
  std::string bits;
  const auto add = [&](const auto& values) {
    const auto bytes = std::as_bytes(std::span(values));
    bits.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  add(optimizer.trial());
  add(optimizer.point());
  add(optimizer.gradient());
  add(std::vector<double>{optimizer.cost()});
  bits += optimizer.failure();
  return bits;
}

template <class T>
Step TellOnce(Optimizer<T>& optimizer, const TestFunction<T>& function) {
  std::vector<T> gradient(optimizer.trial().size());
  const double cost = function(optimizer.trial(), gradient);
  return optimizer.Tell(cost, gradient);
}

template <class T>
class OptimizerStateOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(OptimizerStateOf, Elements);

// A run that nothing interrupts: what there was to see, and to save, before each Tell() and after
// the last.
template <class T>
struct Run {
  static constexpr size_t kMost = 120;

  Run(const Method<T>& method, const Problem<T>& problem) {
    const std::unique_ptr<Optimizer<T>> optimizer = method.make(problem.start);
    for (Note(*optimizer); steps.size() < kMost; Note(*optimizer)) {
      steps.push_back(TellOnce(*optimizer, problem.function));
      // Once more after a failure.
      if (steps.size() > 1 && steps[steps.size() - 2] == Step::kFailed) break;
    }
    Note(*optimizer);
  }

  void Note(Optimizer<T>& optimizer) {
    shown.push_back(Snapshot(optimizer));
    saved.emplace_back();
    optimizer.Visit(saved.back());
  }

  std::vector<Step> steps;
  std::vector<std::string> shown;
  std::vector<StateCopy> saved;
};

TYPED_TEST(OptimizerStateOf, GoesOnWithTheSameBitsFromAfterAnyEvaluation) {
  using T = TypeParam;
  const std::vector<T> elsewhere(kParameters, T(0.25));
  for (const Method<T>& method : Methods<T>()) {
    for (const Problem<T>& problem : Problems<T>()) {
      SCOPED_TRACE(method.name + ", " + problem.name);
      Run<T> run(method, problem);
      for (size_t from = 0; from <= run.steps.size(); ++from) {
        const std::unique_ptr<Optimizer<T>> loaded = method.make(elsewhere);
        run.saved[from].Load();
        loaded->Visit(run.saved[from]);
        StateCopy saved_again;
        loaded->Visit(saved_again);
        ASSERT_EQ(saved_again.fields(), run.saved[from].fields()) << from;
        for (size_t i = from; i < run.steps.size(); ++i) {
          ASSERT_EQ(Snapshot(*loaded), run.shown[i]) << "from " << from << " at " << i;
          ASSERT_EQ(TellOnce(*loaded, problem.function), run.steps[i])
              << "from " << from << " at " << i;
        }
        ASSERT_EQ(Snapshot(*loaded), run.shown[run.steps.size()]) << from;
      }
    }
  }
}

// Else the test above would have little to say.
TYPED_TEST(OptimizerStateOf, TheRunsHaveEveryKindOfStepAndSearch) {
  using T = TypeParam;
  std::vector<Method<T>> methods = Methods<T>();
  const Method<T>& lbfgs = methods[1];
  int failed = 0, searching = 0;
  for (const Problem<T>& problem : Problems<T>()) {
    const Run<T> run(lbfgs, problem);
    failed += std::ranges::count(run.steps, Step::kFailed) > 0 ? 1 : 0;
    searching += std::ranges::count(run.steps, Step::kSearching) > 0 ? 1 : 0;
  }
  EXPECT_GE(failed, 2);
  EXPECT_GE(searching, 3);
}

TYPED_TEST(OptimizerStateOf, IsTheSameFileAfterALoad) {
  using T = TypeParam;
  const TemporaryFolder folder;
  const auto save = [](Optimizer<T>& optimizer, const std::string& path) {
    StateWriter writer;
    optimizer.Visit(writer);
    writer.WriteTo(path);
    return ReadWholeFile(path);
  };
  const Problem<T> problem = Problems<T>()[0];
  for (const Method<T>& method : Methods<T>()) {
    SCOPED_TRACE(method.name);
    const std::unique_ptr<Optimizer<T>> straight = method.make(problem.start);
    std::unique_ptr<Optimizer<T>> chain = method.make(problem.start);
    for (int i = 0; i < 30; ++i) {
      const std::string content = save(*straight, folder / "straight");
      ASSERT_EQ(save(*chain, folder / "chain"), content) << i;
      StateReader reader(folder / "chain");
      chain = method.make(std::vector<T>(kParameters));
      chain->Visit(reader);
      ASSERT_EQ(save(*chain, folder / "chain"), content) << i;
      TellOnce(*straight, problem.function);
      TellOnce(*chain, problem.function);
    }
  }
}

TYPED_TEST(OptimizerStateOf, GoesOnWithTheSameBitsAfterAChangeOfFunction) {
  using T = TypeParam;
  const std::vector<T> start = RosenbrockStart<T>(kParameters);
  const TestFunction<T> other = Quadratic<T>(30);
  for (int before = 1; before < 25; ++before) {
    Lbfgs<T> straight(start, {3});
    for (int i = 0; i < before; ++i) TellOnce<T>(straight, Rosenbrock<T>);
    straight.ChangeFunction();
    StateCopy copy;
    straight.Visit(copy);
    Lbfgs<T> loaded(std::vector<T>(kParameters), {3});
    copy.Load();
    loaded.Visit(copy);
    for (int i = 0; i < 30; ++i) {
      ASSERT_EQ(Snapshot<T>(loaded), Snapshot<T>(straight)) << before << ", " << i;
      ASSERT_EQ(TellOnce<T>(loaded, other), TellOnce<T>(straight, other)) << before << ", " << i;
    }
  }
}

TYPED_TEST(OptimizerStateOf, LbfgsSavesThePairsThatItHasAndNoOthers) {
  using T = TypeParam;
  Lbfgs<T> lbfgs(RosenbrockStart<T>(kParameters), {20});
  for (int i = 0; i < 5; ++i) TellOnce<T>(lbfgs, Rosenbrock<T>);
  StateCopy copy;
  lbfgs.Visit(copy);
  const auto of_pairs = [&](const std::string& ending) {
    return std::ranges::count_if(copy.fields(), [&](const auto& field) {
      return field.first.starts_with("pair") && field.first.ends_with(ending);
    });
  };
  EXPECT_GT(of_pairs(".point_change"), 0);
  EXPECT_LT(of_pairs(".point_change"), 5);
  EXPECT_EQ(of_pairs(".point_change"), of_pairs(".gradient_change"));
}

// ---- States that cannot be ---------------------------------------------------------------------

// Loads a state of L-BFGS with 3 pairs, one of whose texts was changed. The message, "" for none.
std::string FaultAfter(const std::string& name, const std::string& text) {
  const TemporaryFolder folder;
  Lbfgs<double> lbfgs(RosenbrockStart<double>(kParameters), {3});
  for (int i = 0; i < 20; ++i) TellOnce<double>(lbfgs, Rosenbrock<double>);
  StateWriter writer;
  lbfgs.Visit(writer);
  writer.WriteTo(folder / "sound");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "sound");
  SafetensorsMetadata metadata = file.metadata();
  EXPECT_TRUE(metadata.contains(name)) << name;
  metadata[name] = text;
  WriteSafetensors(folder / "changed", metadata, file.tensors());
  try {
    StateReader reader(folder / "changed");
    Lbfgs<double> loaded(std::vector<double>(kParameters), {3});
    loaded.Visit(reader);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    return error.what();
  }
  return "";
}

TEST(OptimizerState, IsRefusedWhereANumberIsOutOfItsRange) {
  EXPECT_EQ(FaultAfter("state.slope", "-3"), "");
  EXPECT_NE(FaultAfter("state.phase", "4").find("phase"), std::string::npos);
  EXPECT_NE(FaultAfter("state.phase", "-1"), "");
  EXPECT_NE(FaultAfter("state.pairs", "4").find("pairs"), std::string::npos);
  EXPECT_NE(FaultAfter("state.pairs", "-1"), "");
  EXPECT_NE(FaultAfter("state.newest", "3").find("newest"), std::string::npos);
  EXPECT_NE(FaultAfter("state.newest", "-9223372036854775808"), "");
  EXPECT_NE(FaultAfter("state.line_search.evaluations", "9223372036854775807"), "");
  EXPECT_NE(FaultAfter("state.line_search.retreats", "-1"), "");
}

TEST(OptimizerState, IsRefusedByOneOfAnotherSizeHistoryTypeOrKind) {
  const TemporaryFolder folder;
  Lbfgs<double> lbfgs(RosenbrockStart<double>(kParameters), {20});
  for (int i = 0; i < 20; ++i) TellOnce<double>(lbfgs, Rosenbrock<double>);
  StateWriter writer;
  lbfgs.Visit(writer);
  writer.WriteTo(folder / "file");
  const auto expect_refused = [&](auto&& other) {
    StateReader reader(folder / "file");
    try {
      other.Visit(reader);
      ADD_FAILURE() << "was loaded";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    }
  };
  expect_refused(Lbfgs<double>(std::vector<double>(kParameters + 1), {20}));
  expect_refused(Lbfgs<double>(std::vector<double>(kParameters), {2}));
  expect_refused(Lbfgs<float>(std::vector<float>(kParameters), {20}));
  expect_refused(ConjugateGradient<double>(std::vector<double>(kParameters)));
  expect_refused(GradientDescent<double>(std::vector<double>(kParameters), {}));
}

}  // namespace
}  // namespace rhohat
