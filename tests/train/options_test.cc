#include "rhohat/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

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

// A damaged model may have millions.
TEST(TrainOptions, ReportOneFaultOfAListAndBoundItsLength) {
  EXPECT_EQ(FaultAfter([](TrainOptions& options) {
              options.network.hidden.assign(100, -1);
              options.objective.rho.assign(100, 2);
            }),
            "--hidden: expected at least 1 unit, found -1; "
            "--rho: expected a number between 0 and 1, both excluded, found 2");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options.network.hidden.assign(1001, 1); }),
            "--hidden: expected at most 1000 layers, found 1001");
  EXPECT_EQ(FaultAfter([](TrainOptions& options) { options.network.hidden.assign(1000, 1); }), "");
}

TEST(TrainOptions, ReportEveryFaultAtOnce) {
  const std::string fault = FaultAfter([](TrainOptions& options) {
    options.prepare = {.kind = PreparationKind::kZca};
    options.network.hidden = {0};
    options.network.decoder = Activation::kRelu;
    options.objective = {.rho = {1},
                         .beta = {-1},
                         .lambda = -2,
                         .gamma = -1,
                         .kappa = -1,
                         .noise = {NoiseKind::kMask, 1}};
    options.compute.lanes = 3;
    options.compute.block_rows = -1;
    options.optimizer = {.iterations = -1,
                         .tolerance = -1,
                         .gradient_tolerance = -1,
                         .history = 0,
                         .learning_rate = -1,
                         .momentum = 1};
    options.resources.threads = -1;
    options.greedy = true;
    options.fine_tune = -2;
  });
  const std::vector<std::string> names = {
      "--prepare",    "--hidden",        "--decoder",   "--rho",     "--beta",
      "--lambda",     "--gamma",         "--kappa",     "--noise",   "--lanes",
      "--block-rows", "--iterations",    "--tolerance", "--history", "--gradient-tolerance",
      "--momentum",   "--learning-rate", "--threads",   "--greedy",  "--fine-tune"};
  for (const std::string& name : names) {
    EXPECT_NE(fault.find(name + ": "), std::string::npos) << name;
  }
  EXPECT_EQ(std::ranges::count(fault, ';'), std::ssize(names) - 1) << fault;
  EXPECT_EQ(fault.find('\n'), std::string::npos);
}

// One change each, and all of what is said about it.
TEST(TrainOptions, NameTheExpectedAndTheFound) {
  using Options = TrainOptions;
  const std::vector<std::pair<std::function<void(Options&)>, std::string>> faults = {
      {[](Options& o) { o.data.files.clear(); }, "no data: give at least one HDF5 file"},
      {[](Options& o) { o.network.hidden.clear(); },
       "--hidden: missing: give the number of hidden units"},
      {[](Options& o) {
         o.network.hidden = {4, -1};
       },
       "--hidden: expected at least 1 unit, found -1"},
      {[](Options& o) { o.network.decoder = Activation::kRelu; },
       "--decoder: expected an activation for the output, found relu"},
      {[](Options& o) { o.objective.rho = {1.5}; },
       "--rho: expected a number between 0 and 1, both excluded, found 1.5"},
      {[](Options& o) {
         o.objective.rho = {0.1, 0.2};
       },
       "--rho: expected one number, as there is one hidden layer, found 2"},
      {[](Options& o) { o.objective.rho = {}; },
       "--rho: expected one number, as there is one hidden layer, found 0"},
      {[](Options& o) {
         o.network.hidden = {4, 3, 2};
         o.objective.beta = {1, 2};
       },
       "--beta: expected one number, or 3, one for each layer, found 2"},
      {[](Options& o) {
         o.network.hidden = {4, 3};
         o.objective.beta = {1, -2};
       },
       "--beta: expected a number of at least 0, found -2"},
      {[](Options& o) { o.objective.lambda = -1; },
       "--lambda: expected a number of at least 0, found -1"},
      {[](Options& o) { o.objective.gamma = -1; },
       "--gamma: expected a number of at least 0, found -1"},
      {[](Options& o) { o.objective.kappa = -1; },
       "--kappa: expected a number of at least 0, found -1"},
      {[](Options& o) { o.network.activation = Activation::kRelu; },
       "--beta: the KL sparsity penalty is not defined for --activation relu, whose mean may leave "
       "the range from 0 to 1: give --beta 0, and --gamma for sparsity by L1"},
      {[](Options& o) {
         o.network = {{4, 3}, Activation::kLinear};
         o.objective.beta = {0, 1};
       },
       "--beta: the KL sparsity penalty is not defined for --activation linear, whose mean may "
       "leave the range from 0 to 1: give --beta 0, and --gamma for sparsity by L1"},
      {[](Options& o) {
         o.network.decoder = Activation::kTanh;
         o.objective.loss = Loss::kCrossEntropy;
       },
       "--loss cross-entropy: defined for --decoder sigmoid only, found tanh"},
      {[](Options& o) {
         o.network.hidden = {4, 3};
         o.objective.kappa = 1;
       },
       "--kappa: contraction is defined for one hidden layer, or for each step of --greedy, found "
       "2 hidden layers"},
      {[](Options& o) {
         o.objective.noise = {NoiseKind::kGaussian, 0};
       },
       "--noise: expected gaussian:S with a standard deviation S above 0, such as gaussian:0.1, "
       "found 'gaussian:0'"},
      {[](Options& o) { o.prepare = {.kind = PreparationKind::kRange, .low = 1, .high = 1}; },
       "--prepare: expected range:LO:HI with numbers LO < HI that the data lies between, such as "
       "range:0:255, found 'range:1:1'"},
      {[](Options& o) { o.greedy = true; }, "--greedy: expected several hidden layers, found 1"},
      {[](Options& o) { o.fine_tune = 5; }, "--fine-tune: expected --greedy with it, found none"},
      {[](Options& o) {
         o.network.hidden = {4, 3};
         o.greedy = true;
         o.fine_tune = -2;
       },
       "--fine-tune: expected at least 0, or auto, found -2"},
      {[](Options& o) { o.resume = "always"; }, "--resume: expected auto or never, found always"},
      {[](Options& o) { o.compute.lanes = 12; },
       "--lanes: expected a power of two up to 4096, or auto, found 12"},
      {[](Options& o) { o.compute.block_rows = -1; },
       "--block-rows: expected 1 to 4294967296, or auto, found -1"},
      {[](Options& o) { o.optimizer.iterations = -1; },
       "--iterations: expected at least 0, found -1"},
      {[](Options& o) { o.optimizer.tolerance = -1; },
       "--tolerance: expected a number of at least 0, found -1"},
      {[](Options& o) { o.optimizer.gradient_tolerance = -1; },
       "--gradient-tolerance: expected a number of at least 0, found -1"},
      {[](Options& o) { o.optimizer.history = 0; }, "--history: expected at least 1, found 0"},
      {[](Options& o) { o.optimizer.learning_rate = -1; },
       "--learning-rate: expected a number above 0, or auto, found -1"},
      {[](Options& o) { o.optimizer.momentum = 1; },
       "--momentum: expected a number from 0 to below 1, found 1"},
      {[](Options& o) { o.resources.threads = 4097; },
       "--threads: expected 1 to 4096, or auto, found 4097"},
  };
  for (const auto& [change, fault] : faults) EXPECT_EQ(FaultAfter(change), fault);
}

TEST(TrainOptions, RefuseWhatIsNotANumber) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (std::vector<double> ObjectiveOptions::*member :
         {&ObjectiveOptions::rho, &ObjectiveOptions::beta}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) { options.objective.*member = {value}; }),
                "");
    }
    for (double ObjectiveOptions::*member :
         {&ObjectiveOptions::lambda, &ObjectiveOptions::gamma, &ObjectiveOptions::kappa}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) { options.objective.*member = value; }), "");
    }
    for (double OptimizerOptions::*member :
         {&OptimizerOptions::tolerance, &OptimizerOptions::gradient_tolerance,
          &OptimizerOptions::learning_rate, &OptimizerOptions::momentum}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) { options.optimizer.*member = value; }), "");
    }
    for (const NoiseKind kind : {NoiseKind::kMask, NoiseKind::kGaussian, NoiseKind::kSaltPepper}) {
      EXPECT_NE(FaultAfter([&](TrainOptions& options) {
                  options.objective.noise = {kind, value};
                }),
                "");
    }
  }
}

TEST(TrainOptions, AcceptTheirLimits) {
  EXPECT_EQ(FaultAfter([](TrainOptions& options) {
              options.network.hidden = {1};
              options.objective = {.rho = {1e-300}, .beta = {0}, .lambda = 0};
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
}

TEST(TrainOptions, AcceptEveryAutoencoderThatIsDefined) {
  for (const ActivationInfo& activation : kActivations) {
    for (const ActivationInfo& decoder : kActivations) {
      for (const LossInfo& loss : kLosses) {
        const bool defined =
            decoder.for_decoder && (!loss.from_logits || decoder.value == Activation::kSigmoid);
        EXPECT_EQ(FaultAfter([&](TrainOptions& options) {
                    options.network = {{9, 4}, activation.value, decoder.value, true};
                    options.objective.loss = loss.value;
                    options.objective.gamma = 1;
                    if (!activation.has_kl) options.objective.beta = {0};
                  }).empty(),
                  defined)
            << activation.name << " " << decoder.name << " " << loss.name;
      }
    }
  }
}

TEST(TrainOptions, AcceptStacksWithNumbersForEachLayer) {
  EXPECT_EQ(FaultAfter([](TrainOptions& options) {
              options.network.hidden = {9, 6, 3};
              options.objective.rho = {0.1, 0.2, 0.3};
              options.objective.beta = {0, 1, 0};
              options.objective.kappa = 0.1;
              options.greedy = true;
              options.fine_tune = 0;
            }),
            "");
}

}  // namespace
}  // namespace rhohat
