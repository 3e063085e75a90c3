#include "rhohat/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "rhohat/error.h"

namespace rhohat {
namespace {

TrainOptions Sound() {
  TrainOptions options;
  options.data.files = {"data.h5"};
  options.network.hidden = {25};
  return options;
}

// What Validate() says of options that were sound before `change`; empty where they still are.
std::string FaultAfter(const std::function<void(TrainOptions&)>& change) {
  TrainOptions options = Sound();
  change(options);
  try {
    options.Validate();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(TrainOptions, AreSoundByDefaultButForWhatOnlyTheUserKnows) {
  EXPECT_EQ(FaultAfter([](TrainOptions&) {}), "");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options = {}; }),
            "no data: give at least one HDF5 file; "
            "--hidden: missing: give the number of hidden units");
}

TEST(TrainOptions, ReportEveryFaultAtOnce) {
  const std::string fault = FaultAfter([](TrainOptions& options) {
    options.network.hidden = {0};
    options.objective = {.rho = 1, .beta = -1, .lambda = -2};
    options.compute.lanes = 3;
    options.compute.block_rows = -1;
    options.optimizer = {.iterations = -1,
                         .tolerance = -1,
                         .gradient_tolerance = -1,
                         .history = 0,
                         .learning_rate = 0,
                         .momentum = 1};
    options.resources.threads = -1;
  });
  for (const char* name : {"--hidden", "--rho", "--beta", "--lambda", "--lanes", "--block-rows",
                           "--iterations", "--tolerance", "--gradient-tolerance", "--history",
                           "--learning-rate", "--momentum", "--threads"}) {
    EXPECT_NE(fault.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(std::ranges::count(fault, ';'), 12);
  EXPECT_EQ(fault.find('\n'), std::string::npos);
}

TEST(TrainOptions, NameTheExpectedAndTheFound) {
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options.objective.rho = 1.5; }),
            "--rho: expected a number between 0 and 1, both excluded, found 1.5");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options.compute.lanes = 12; }),
            "--lanes: expected a power of two up to 4096, or auto, found 12");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) {
              options.network.hidden = {9, 4};
            }),
            "--hidden: expected one hidden layer, all that this version trains, found 2");
}

TEST(TrainOptions, RefuseWhatIsNotANumber) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (double ObjectiveOptions::*member :
         {&ObjectiveOptions::rho, &ObjectiveOptions::beta, &ObjectiveOptions::lambda}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) { options.objective.*member = value; }), "");
    }
    for (double OptimizerOptions::*member :
         {&OptimizerOptions::tolerance, &OptimizerOptions::gradient_tolerance,
          &OptimizerOptions::learning_rate, &OptimizerOptions::momentum}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) { options.optimizer.*member = value; }), "");
    }
  }
}

TEST(TrainOptions, AcceptTheirLimits) {
  EXPECT_EQ(FaultAfter([](TrainOptions& options) {
              options.network.hidden = {1};
              options.objective = {.rho = 1e-300, .beta = 0, .lambda = 0};
              options.compute.lanes = 1;
              options.compute.block_rows = 1;
              options.optimizer = {.iterations = 0,
                                   .tolerance = 0,
                                   .gradient_tolerance = 0,
                                   .history = 1,
                                   .learning_rate = 1e-300,
                                   .momentum = 0};
              options.resources.threads = 4096;
            }),
            "");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options.compute.lanes = 4096; }), "");
  EXPECT_NE(FaultAfter([](TrainOptions& options) { options.compute.lanes = 8192; }), "");
  EXPECT_NE(FaultAfter([](TrainOptions& options) { options.compute.lanes = -4; }), "");
  EXPECT_NE(FaultAfter([](TrainOptions& options) { options.resources.threads = 4097; }), "");
}

}  // namespace
}  // namespace rhohat
