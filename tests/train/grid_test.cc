// The points of a grid: their names and options, and what is refused.
#include "train/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TrainOptions Options() {
  TrainOptions options;
  options.data.files = {"data.h5"};
  options.network.hidden = {5};
  options.run_directory = "sweep";
  return options;
}

std::vector<std::string> NamesOf(const std::vector<GridModel>& models) {
  std::vector<std::string> names;
  for (const GridModel& model : models) names.push_back(model.name);
  return names;
}

// The fault that a grid of these axes is refused for; empty where it is not.
std::string FaultOf(const TrainOptions& options, const std::vector<std::string>& axes) {
  try {
    std::vector<GridAxis> parsed;
    for (const std::string& axis : axes) parsed.push_back(ParseGridAxis(axis));
    GridModels(options, parsed);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
}

TEST(GridTest, ThereIsAModelForEachCombinationWithAFolderOfItsValues) {
  const std::vector<GridModel> models =
      GridModels(Options(), {ParseGridAxis("rho=0.05,1e-1"), ParseGridAxis("beta=1,3")});
  EXPECT_THAT(NamesOf(models), ElementsAre("rho=0.05,beta=1", "rho=0.05,beta=3", "rho=1e-1,beta=1",
                                           "rho=1e-1,beta=3"));
  EXPECT_EQ(models[1].options.run_directory, "sweep/rho=0.05,beta=3");
  EXPECT_THAT(models[1].options.objective.rho, ElementsAre(0.05));
  EXPECT_THAT(models[2].options.objective.rho, ElementsAre(0.1));
  EXPECT_THAT(models[2].options.objective.beta, ElementsAre(1.0));
  EXPECT_EQ(models[2].options.objective.lambda, Options().objective.lambda);
}

TEST(GridTest, NamesDoNotDependOnTheOrderOfTheAxes) {
  const auto one = GridModels(
      Options(), {{"history", {"5"}}, {"lambda", {"0", "1e-3"}}, {"noise", {"none", "mask:0.2"}}});
  const auto other = GridModels(
      Options(), {{"noise", {"none", "mask:0.2"}}, {"history", {"5"}}, {"lambda", {"0", "1e-3"}}});
  EXPECT_EQ(NamesOf(one), NamesOf(other));
  EXPECT_EQ(one[1].name, "lambda=0,noise=mask:0.2,history=5");
}

TEST(GridTest, AnAxisBeatsTheOption) {
  TrainOptions options = Options();
  options.network.activation = Activation::kRelu;  // for which there is no KL
  EXPECT_EQ(FaultOf(options, {"beta=0"}), "");
  EXPECT_THAT(FaultOf(options, {"beta=0,3"}),
              AllOf(HasSubstr("--grid beta=3: --beta"), HasSubstr("relu")));
}

TEST(GridTest, AFaultOfAllModelsIsToldAsOneOfTheOptions) {
  TrainOptions options = Options();
  options.network.hidden = {0};
  EXPECT_THAT(FaultOf(options, {"beta=0,3"}), testing::StartsWith("--hidden: expected at least 1"));
}

TEST(GridTest, TextThatIsNoAxisIsRefused) {
  for (const char* text : {"", "rho", "rho=", "=1", "rho=1,,2", "rho=,", "rho=1,"}) {
    EXPECT_THAT(FaultOf(Options(), {text}), HasSubstr("such as rho=0.05,0.1")) << text;
  }
}

TEST(GridTest, OptionsThatModelsShareAreRefusedWithTheReason) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hidden=5,10", "one width"},
      {"tied=true,false", "one network"},
      {"prepare=none,global", "same rows"},
      {"dataset=a,b", "same rows"},
      {"schedule=fused,cached", "same blocks"},
      {"precision=float32,float64", "same blocks"},
      {"seed=1,2", "samples"},
      {"growth=2,4", "samples"},
      {"optimizer=lbfgs,cg", "the same way"},
      {"memory=1G,2G", "share"},
      {"greedy=true", "expected one of"},
      {"epochs=1,2", "expected one of"},
      {"run=a,b", "all models"}};
  for (const auto& [axis, reason] : cases) {
    EXPECT_THAT(FaultOf(Options(), {axis}), AllOf(HasSubstr("cannot vary"), HasSubstr(reason)))
        << axis;
  }
}

TEST(GridTest, AnUnknownOptionIsRefusedWithTheNearestThatMayVary) {
  EXPECT_THAT(FaultOf(Options(), {"lamda=1,2"}), HasSubstr("no such option: did you mean lambda?"));
}

TEST(GridTest, AllFaultsOfTheAxesAreToldAtOnce) {
  EXPECT_THAT(FaultOf(Options(), {"rho=0.1,x", "beta=1,1.0", "beta=2", "hidden=3"}),
              AllOf(HasSubstr("'x' is not a number"), HasSubstr("1 is given twice"),
                    HasSubstr("beta is given twice"), HasSubstr("hidden cannot vary")));
}

TEST(GridTest, MethodsWithBatchesAndStagesOfTheirOwnAreRefused) {
  TrainOptions options = Options();
  options.optimizer.methods = {OptimizerKind::kLbfgs, OptimizerKind::kAdam};
  EXPECT_THAT(FaultOf(options, {"beta=1,3"}), HasSubstr("array of jobs"));
  options.optimizer.methods = {OptimizerKind::kLbfgs, OptimizerKind::kProgressive};
  EXPECT_THAT(FaultOf(options, {"beta=1,3"}), HasSubstr("as the first method"));
  options.optimizer.methods = {OptimizerKind::kProgressive, OptimizerKind::kLbfgs};
  EXPECT_EQ(FaultOf(options, {"beta=1,3"}), "");
  options.network.hidden = {5, 3};
  options.greedy = true;
  EXPECT_THAT(FaultOf(options, {"beta=1,3"}), HasSubstr("--greedy"));
}

TEST(GridTest, ThereIsAMostOfModelsAndOfLettersInAName) {
  const std::string nine = "1,2,3,4,5,6,7,8,9";
  EXPECT_THAT(FaultOf(Options(), {"beta=" + nine, "lambda=" + nine}),
              HasSubstr("expected at most 64 models"));
  const std::string eight = "1,2,3,4,5,6,7,8";
  EXPECT_EQ(FaultOf(Options(), {"beta=" + eight, "lambda=" + eight}), "");
  EXPECT_THAT(FaultOf(Options(), {"lambda=0." + std::string(300, '0') + "1"}),
              HasSubstr("up to 255 bytes"));
}

}  // namespace
}  // namespace rhohat
