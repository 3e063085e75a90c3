#include "rhohat/option_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "rhohat/error.h"

namespace rhohat {
namespace {

const OptionField& FieldOf(const std::vector<OptionField>& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, name, &OptionField::name);
  if (found == fields.end()) throw std::runtime_error("no field " + name);
  return *found;
}

std::string FaultOf(const std::string& name, std::string_view text) {
  TrainOptions options;
  const std::vector<OptionField> fields = Fields(options);
  const std::string before = FieldOf(fields, name).get();
  try {
    FieldOf(fields, name).set(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(FieldOf(fields, name).get(), before) << "a refused value must change nothing";
    return error.what();
  }
  return "";
}

std::string GetAfterSet(const std::string& name, std::string_view text) {
  TrainOptions options;
  const std::vector<OptionField> fields = Fields(options);
  FieldOf(fields, name).set(text);
  return FieldOf(fields, name).get();
}

TEST(OptionFields, HaveTheNamesThatUsersKnow) {
  TrainOptions options;
  std::vector<std::string> names;
  for (const OptionField& field : Fields(options)) names.push_back(field.name);
  EXPECT_EQ(names, (std::vector<std::string>{"prepare",
                                             "hidden",
                                             "activation",
                                             "decoder",
                                             "tied",
                                             "loss",
                                             "rho",
                                             "beta",
                                             "lambda",
                                             "gamma",
                                             "kappa",
                                             "noise",
                                             "schedule",
                                             "precision",
                                             "lanes",
                                             "block-rows",
                                             "seed",
                                             "optimizer",
                                             "iterations",
                                             "tolerance",
                                             "gradient-tolerance",
                                             "history",
                                             "first-sample",
                                             "growth",
                                             "sample-limit",
                                             "learning-rate",
                                             "momentum",
                                             "epochs",
                                             "batch",
                                             "rate-schedule",
                                             "warmup",
                                             "rho-hat",
                                             "half-life",
                                             "mix",
                                             "memory",
                                             "threads",
                                             "dataset",
                                             "follow-external",
                                             "reader",
                                             "greedy",
                                             "fine-tune",
                                             "run",
                                             "resume",
                                             "checkpoint-every",
                                             "keep",
                                             "max-time",
                                             "stop-code",
                                             "log-level"}));
}

TEST(OptionFields, AreEachDescribedOnce) {
  TrainOptions options;
  std::set<std::string> names;
  for (const OptionField& field : Fields(options)) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_FALSE(field.group.empty()) << field.name;
    EXPECT_TRUE(field.help.ends_with('.')) << field.name;
    EXPECT_EQ(field.help.find('\n'), std::string::npos) << field.name;
  }
}

TEST(OptionFields, PrintWhatTheyRead) {
  TrainOptions source;
  source.prepare = {.kind = PreparationKind::kRange, .low = -1.0 / 3, .high = 255};
  source.network = {{196, 50}, Activation::kRelu, Activation::kTanh, true};
  source.objective = {.loss = Loss::kCrossEntropy,
                      .rho = {0.1, 1e-300},
                      .beta = {1.0 / 3, 0},
                      .lambda = 5e-324,
                      .gamma = 2.0 / 3,
                      .kappa = 1e300,
                      .noise = {NoiseKind::kSaltPepper, 1.0 / 7}};
  source.compute = {.schedule = Schedule::kTwoPass,
                    .precision = Precision::kFloat64,
                    .lanes = 8,
                    .block_rows = 100,
                    .seed = 7};
  source.optimizer = {.methods = {OptimizerKind::kGradientDescent},
                      .iterations = 7,
                      .tolerance = 1e-9,
                      .gradient_tolerance = 1e300,
                      .history = 3,
                      .first_sample = 5,
                      .growth = 1.5,
                      .sample_limit = 7,
                      .learning_rate = 0.5,
                      .momentum = 0,
                      .epochs = 3,
                      .batch_rows = 100,
                      .rate_schedule = RateSchedule::kConstant,
                      .warmup_epochs = 0.5,
                      .rho_hat = RhoHatKind::kExact,
                      .half_life_rows = 1000,
                      .mix_rows = 5000};
  source.resources = {.memory_bytes = (uint64_t{1} << 40) + 1, .threads = 3};
  source.data.dataset = "/a \"b\"";
  source.data.follow_external = true;
  source.data.reader = Reader::kLibrary;
  source.greedy = true;
  source.fine_tune = 0;
  source.run_directory = "run";
  source.resume = "auto";
  source.job = {.checkpoint_seconds = 90.5,
                .keep_checkpoints = 7,
                .max_seconds = 27900,
                .stop_code = 99,
                .log_level = LogLevel::kError};
  TrainOptions copy;
  const std::vector<OptionField> from = Fields(source);
  const std::vector<OptionField> to = Fields(copy);
  for (size_t i = 0; i < from.size(); ++i) {
    EXPECT_NE(from[i].get(), to[i].get()) << from[i].name << " should differ for this test";
    to[i].set(from[i].get());
    EXPECT_EQ(from[i].get(), to[i].get()) << from[i].name;
  }
  EXPECT_EQ(copy.prepare, source.prepare);
  EXPECT_EQ(copy.network.hidden, source.network.hidden);
  EXPECT_EQ(copy.network.activation, Activation::kRelu);
  EXPECT_EQ(copy.network.decoder, Activation::kTanh);
  EXPECT_TRUE(copy.network.tied);
  EXPECT_EQ(copy.objective.loss, Loss::kCrossEntropy);
  EXPECT_EQ(copy.objective.rho, source.objective.rho);
  EXPECT_EQ(copy.objective.beta, source.objective.beta);
  EXPECT_EQ(copy.objective.gamma, source.objective.gamma);
  EXPECT_EQ(copy.objective.kappa, source.objective.kappa);
  EXPECT_EQ(copy.objective.noise, source.objective.noise);
  EXPECT_TRUE(copy.greedy);
  EXPECT_EQ(copy.fine_tune, 0);
  EXPECT_EQ(copy.objective.lambda, source.objective.lambda);
  EXPECT_EQ(copy.compute.precision, Precision::kFloat64);
  EXPECT_EQ(copy.compute.seed, 7);
  EXPECT_EQ(copy.optimizer.methods, std::vector{OptimizerKind::kGradientDescent});
  EXPECT_EQ(copy.optimizer.gradient_tolerance, 1e300);
  EXPECT_EQ(copy.resources.memory_bytes, source.resources.memory_bytes);
  EXPECT_TRUE(copy.data.follow_external);
  EXPECT_EQ(copy.data.reader, Reader::kLibrary);
}

TEST(OptionFields, ReadTheirDefaultsBack) {
  TrainOptions options;
  for (const OptionField& field : Fields(options)) {
    if (field.name == "hidden") continue;  // has no default
    const std::string before = field.get();
    field.set(before);
    EXPECT_EQ(field.get(), before) << field.name;
  }
}

TEST(OptionFields, SayWhatIsWrongWithAValue) {
  EXPECT_EQ(FaultOf("rho", "abc"), "--rho: 'abc' is not a number");
  EXPECT_EQ(FaultOf("rho", ""), "--rho: '' is not a number");
  EXPECT_EQ(FaultOf("rho", "0.1x"), "--rho: '0.1x' is not a number");
  EXPECT_EQ(FaultOf("rho", "0.1,"), "--rho: '' is not a number");
  EXPECT_EQ(FaultOf("rho", "0.1;0.2"), "--rho: '0.1;0.2' is not a number");
  EXPECT_EQ(FaultOf("beta", "1,,2"), "--beta: '' is not a number");
  EXPECT_EQ(FaultOf("beta", "1,inf"), "--beta: 'inf' is not a finite number");
  EXPECT_EQ(FaultOf("beta", "inf"), "--beta: 'inf' is not a finite number");
  EXPECT_EQ(FaultOf("beta", "nan"), "--beta: 'nan' is not a finite number");
  EXPECT_EQ(FaultOf("beta", "1e999"), "--beta: '1e999' is out of range");
  EXPECT_EQ(FaultOf("iterations", "1.5"), "--iterations: '1.5' is not a whole number");
  EXPECT_EQ(FaultOf("seed", "99999999999999999999"),
            "--seed: '99999999999999999999' is out of range");
  EXPECT_EQ(FaultOf("optimizer", "rprop"),
            "--optimizer: 'rprop' is none of lbfgs, progressive, cg, gd, sgd, adam");
  EXPECT_EQ(FaultOf("schedule", "once"),
            "--schedule: 'once' is none of auto, two-pass, cached, fused");
  EXPECT_EQ(FaultOf("hidden", "196,x"), "--hidden: 'x' is not a whole number");
  EXPECT_EQ(FaultOf("hidden", ""), "--hidden: '' is not a whole number");
  EXPECT_EQ(FaultOf("hidden", "196.5"), "--hidden: '196.5' is not a whole number");
  EXPECT_EQ(FaultOf("activation", "softmax"),
            "--activation: 'softmax' is none of sigmoid, tanh, relu, linear");
  EXPECT_EQ(FaultOf("decoder", "relu"), "--decoder: 'relu' is none of sigmoid, tanh, linear");
  EXPECT_EQ(FaultOf("loss", "hinge"), "--loss: 'hinge' is none of squared, cross-entropy");
  EXPECT_EQ(FaultOf("tied", "yes"), "--tied: 'yes' is none of true, false");
  EXPECT_EQ(FaultOf("greedy", ""), "--greedy: '' is none of true, false");
  EXPECT_EQ(FaultOf("fine-tune", "some"), "--fine-tune: 'some' is not a whole number");
  EXPECT_EQ(FaultOf("noise", "snow"),
            "--noise: expected none, mask:P, gaussian:S or salt-pepper:P, found 'snow'");
  EXPECT_EQ(FaultOf("noise", "mask:1"),
            "--noise: expected mask:P with a probability P between 0 and 1, both excluded, such as "
            "mask:0.3, found 'mask:1'");
  EXPECT_EQ(FaultOf("prepare", "range:0"),
            "--prepare: expected range:LO:HI with numbers LO < HI that the data lies between, such "
            "as range:0:255, found 'range:0'");
  EXPECT_EQ(FaultOf("follow-external", "maybe"),
            "--follow-external: 'maybe' is none of true, false");
  EXPECT_EQ(FaultOf("lanes", "few"), "--lanes: 'few' is not a whole number");
  EXPECT_TRUE(FaultOf("memory", "lots").starts_with("--memory: 'lots' is not a size"));
}

TEST(OptionFields, WriteSizesSoThatTheyReadBackExactly) {
  EXPECT_EQ(GetAfterSet("memory", "4G"), "4G");
  EXPECT_EQ(GetAfterSet("memory", "1.5G"), "1536M");
  EXPECT_EQ(GetAfterSet("memory", "1000"), "1000");
  EXPECT_EQ(GetAfterSet("memory", "5000T"), "5000T");
}

TEST(OptionFields, LeaveToTheProgramOnlyWhatSaysAuto) {
  for (const char* name : {"memory", "threads", "lanes", "block-rows", "mix"}) {
    EXPECT_EQ(GetAfterSet(name, "auto"), "auto") << name;
    EXPECT_NE(FaultOf(name, "0"), "") << name;
  }
  EXPECT_EQ(FaultOf("threads", "0"), "--threads: '0' is not auto, nor a number from 1 on");
  EXPECT_EQ(FaultOf("fine-tune", "-1"), "--fine-tune: '-1' is not auto, nor a number from 0 on");
  EXPECT_TRUE(FaultOf("memory", "0").starts_with("--memory: '0' is not"));
}

TEST(OptionFields, ListWhatLayersHaveByCommas) {
  EXPECT_EQ(GetAfterSet("hidden", "196"), "196");
  EXPECT_EQ(GetAfterSet("hidden", "196,50"), "196,50");
  EXPECT_EQ(GetAfterSet("rho", "0.05,1e-5"), "0.05,1e-05");
  EXPECT_EQ(GetAfterSet("beta", "3"), "3");
  EXPECT_EQ(GetAfterSet("beta", "3,0,0.25"), "3,0,0.25");
}

TEST(OptionFields, ReadTheFormsOfNoiseAndPreparation) {
  for (const char* text : {"none", "mask:0.3", "gaussian:0.1", "salt-pepper:0.25"}) {
    EXPECT_EQ(GetAfterSet("noise", text), text);
  }
  for (const char* text : {"none", "range:0:255", "standardize", "global", "zca:0.1", "pca:0.5"}) {
    EXPECT_EQ(GetAfterSet("prepare", text), text);
  }
}

// Of fine-tuning, none at all is not the same as the program's choice.
TEST(OptionFields, TellNoFineTuningFromAsMuchAsEachLayers) {
  EXPECT_EQ(GetAfterSet("fine-tune", "auto"), "auto");
  EXPECT_EQ(GetAfterSet("fine-tune", "0"), "0");
  EXPECT_EQ(GetAfterSet("fine-tune", "25"), "25");
}

// The preparation is, in a place of its own; how a stack was trained is not.
TEST(OptionFields, OfTheObjectiveAndItsMinimisationArePartOfAModel) {
  TrainOptions options;
  for (const OptionField& field : Fields(options)) {
    const bool inside = field.group == "Network" || field.group == "Objective" ||
                        field.group == "Computation" || field.group == "Optimiser";
    EXPECT_EQ(field.in_model, inside) << field.name;
  }
}

TEST(OptionFields, OfEveryChoiceShowTheNamesThereAre) {
  TrainOptions options;
  const std::vector<OptionField> fields = Fields(options);
  EXPECT_EQ(FieldOf(fields, "optimizer").placeholder, "lbfgs|progressive|cg|gd|sgd|adam[,...]");
  EXPECT_EQ(FieldOf(fields, "activation").placeholder, "sigmoid|tanh|relu|linear");
  EXPECT_EQ(FieldOf(fields, "decoder").placeholder, "sigmoid|tanh|linear");
  EXPECT_EQ(FieldOf(fields, "loss").placeholder, "squared|cross-entropy");
  EXPECT_EQ(FieldOf(fields, "precision").placeholder, "float32|float64");
  EXPECT_EQ(FieldOf(fields, "follow-external").placeholder, "") << "a switch takes no value";
}

}  // namespace
}  // namespace rhohat
