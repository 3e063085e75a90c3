#include "rhohat/model.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/keyed_random.h"
#include "base/safetensors.h"
#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

using testing::ElementsAre;

std::vector<double> Numbers(uint64_t purpose, int64_t count, Precision precision) {
  const KeyedRandom random(purpose, RandomPurpose::kInitialWeights);
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = random.Uniform(i) - 0.5;
    if (precision == Precision::kFloat32) values[i] = static_cast<float>(values[i]);
  }
  return values;
}

Model Sample(Precision precision) {
  Model model;
  model.inputs = 4;
  model.parameters = Numbers(1, 12 + 3 + 12 + 4, precision);
  model.rho_hat = {0.1, 1.0 / 3, 5e-324};
  model.network.hidden = {3};
  model.objective = {.rho = {0.1}, .beta = {2.5}, .lambda = 3e-3};
  model.compute = {.schedule = Schedule::kTwoPass,
                   .precision = precision,
                   .lanes = 16,
                   .block_rows = 64,
                   .seed = 42};
  model.optimizer = {.methods = {OptimizerKind::kGradientDescent},
                     .iterations = 12,
                     .tolerance = 0,
                     .gradient_tolerance = 1e-7,
                     .history = 5,
                     .learning_rate = 0.25,
                     .momentum = 0.5};
  model.data = {.files = {{"a \"b\".h5", "/rows", "uint16-be", 10, 12345},
                          {"ρ.h5", "/rows", "float32", 5, uint64_t{1} << 40}},
                .rows = 15,
                .columns = 4};
  model.iterations = 12;
  model.cost = 12.1 / 3;
  model.stop_reason = "reached 12 iterations";
  return model;
}

// Everything that a model of one layer leaves at its default.
Model Deep(Precision precision, bool tied) {
  Model model = Sample(precision);
  model.network = {{3, 2}, Activation::kTanh, Activation::kSigmoid, tied};
  model.objective = {.loss = Loss::kCrossEntropy,
                     .rho = {0.1, 1.0 / 3},
                     .beta = {0, 2.5},
                     .lambda = 0,
                     .gamma = 0.125,
                     .noise = {NoiseKind::kSaltPepper, 0.3}};
  const int64_t weights = tied ? 12 + 6 : 2 * (12 + 6);
  model.parameters = Numbers(2, weights + 3 + 2 + 3 + 4, precision);
  model.rho_hat = {0.1, 0.2, 0.3, 0.4, 0.5};
  model.input_low = -1.0 / 3;
  model.input_high = 2.5;
  return model;
}

// One of each kind, with what it knows of 4 columns.
std::vector<Preparation> Preparations() {
  const std::vector<double> four = Numbers(5, 4, Precision::kFloat64);
  const std::vector<double> ones = {1, 2, 3, 0.5};
  const std::vector<double> matrix = Numbers(6, 16, Precision::kFloat64);
  const std::vector<double> inverse = Numbers(7, 16, Precision::kFloat64);
  return {
      {},
      {.options = {.kind = PreparationKind::kRange, .low = -1.0 / 3, .high = 255},
       .shift = four,
       .scale = ones},
      {.options = {.kind = PreparationKind::kStandardize}, .shift = four, .scale = ones},
      {.options = {.kind = PreparationKind::kGlobal}, .deviation = 1.0 / 7},
      {.options = {.kind = PreparationKind::kZca, .epsilon = 0.1},
       .shift = four,
       .matrix = matrix,
       .inverse = inverse},
      {.options = {.kind = PreparationKind::kPca, .epsilon = 1e-5},
       .shift = four,
       .matrix = matrix,
       .inverse = inverse},
  };
}

std::vector<Model> AllKinds() {
  std::vector<Model> models;
  for (const Precision precision : {Precision::kFloat32, Precision::kFloat64}) {
    models.push_back(Sample(precision));
    Model tied = Sample(precision);
    tied.network.tied = true;
    tied.parameters.resize(12 + 3 + 4);
    models.push_back(tied);
    models.push_back(Deep(precision, false));
    models.push_back(Deep(precision, true));
    for (const Preparation& preparation : Preparations()) {
      models.push_back(Deep(precision, true));
      models.back().prepare = preparation;
    }
    models.push_back(Sample(precision));
    models.back().network.activation = Activation::kRelu;
    models.back().network.decoder = Activation::kLinear;
    models.back().objective.beta = {0};
    models.back().objective.kappa = 0.5;
  }
  return models;
}

void ExpectSame(const Model& a, const Model& b) {
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.rho_hat, b.rho_hat);
  EXPECT_EQ(a.input_low, b.input_low);
  EXPECT_EQ(a.input_high, b.input_high);
  EXPECT_EQ(a.prepare.options, b.prepare.options);
  EXPECT_EQ(a.prepare.shift, b.prepare.shift);
  EXPECT_EQ(a.prepare.scale, b.prepare.scale);
  EXPECT_EQ(a.prepare.matrix, b.prepare.matrix);
  EXPECT_EQ(a.prepare.inverse, b.prepare.inverse);
  EXPECT_EQ(a.prepare.deviation, b.prepare.deviation);
  EXPECT_EQ(a.network.hidden, b.network.hidden);
  EXPECT_EQ(a.network.activation, b.network.activation);
  EXPECT_EQ(a.network.decoder, b.network.decoder);
  EXPECT_EQ(a.network.tied, b.network.tied);
  EXPECT_EQ(a.objective.loss, b.objective.loss);
  EXPECT_EQ(a.objective.rho, b.objective.rho);
  EXPECT_EQ(a.objective.beta, b.objective.beta);
  EXPECT_EQ(a.objective.lambda, b.objective.lambda);
  EXPECT_EQ(a.objective.gamma, b.objective.gamma);
  EXPECT_EQ(a.objective.kappa, b.objective.kappa);
  EXPECT_EQ(a.objective.noise, b.objective.noise);
  EXPECT_EQ(a.compute.schedule, b.compute.schedule);
  EXPECT_EQ(a.compute.precision, b.compute.precision);
  EXPECT_EQ(a.compute.lanes, b.compute.lanes);
  EXPECT_EQ(a.compute.block_rows, b.compute.block_rows);
  EXPECT_EQ(a.compute.seed, b.compute.seed);
  EXPECT_EQ(a.optimizer.methods, b.optimizer.methods);
  EXPECT_EQ(a.optimizer.iterations, b.optimizer.iterations);
  EXPECT_EQ(a.optimizer.tolerance, b.optimizer.tolerance);
  EXPECT_EQ(a.optimizer.gradient_tolerance, b.optimizer.gradient_tolerance);
  EXPECT_EQ(a.optimizer.history, b.optimizer.history);
  EXPECT_EQ(a.optimizer.learning_rate, b.optimizer.learning_rate);
  EXPECT_EQ(a.optimizer.momentum, b.optimizer.momentum);
  EXPECT_EQ(a.data.rows, b.data.rows);
  EXPECT_EQ(a.data.columns, b.data.columns);
  ASSERT_EQ(a.data.files.size(), b.data.files.size());
  for (size_t i = 0; i < a.data.files.size(); ++i) {
    EXPECT_EQ(a.data.files[i].path, b.data.files[i].path);
    EXPECT_EQ(a.data.files[i].dataset, b.data.files[i].dataset);
    EXPECT_EQ(a.data.files[i].type, b.data.files[i].type);
    EXPECT_EQ(a.data.files[i].rows, b.data.files[i].rows);
    EXPECT_EQ(a.data.files[i].bytes, b.data.files[i].bytes);
  }
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.cost, b.cost);
  EXPECT_EQ(a.stop_reason, b.stop_reason);
}

std::string FaultOfLoad(const std::string& path, ErrorKind kind = ErrorKind::kBadData) {
  try {
    LoadModel(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), kind) << message;
    EXPECT_TRUE(message.starts_with(path + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message.substr(path.size() + 2);
  }
  return "";
}

// What can be changed in a sound model's file before it is written again with a fitting checksum.
struct Content {
  SafetensorsMetadata metadata;
  std::vector<TensorView> tensors;
};

std::string FaultAfter(const std::function<void(Content&)>& change,
                       const Model& model = Sample(Precision::kFloat32)) {
  const TemporaryFolder folder;
  SaveModel(model, folder / "sound");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "sound");
  Content content = {file.metadata(), file.tensors()};
  change(content);
  WriteSafetensors(folder / "model", content.metadata, content.tensors);
  return FaultOfLoad(folder / "model");
}

TEST(Model, OfEveryKindSurvivesTheRoundTrip) {
  const TemporaryFolder folder;
  for (const Model& model : AllKinds()) {
    SaveModel(model, folder / "model");
    const Model loaded = LoadModel(folder / "model");
    ExpectSame(loaded, model);
    EXPECT_TRUE(loaded.was_checked);
  }
}

TEST(Model, IsTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  for (const Model& model : AllKinds()) {
    SaveModel(model, folder / "a");
    SaveModel(LoadModel(folder / "a"), folder / "b");
    EXPECT_EQ(ReadWholeFile(folder / "a"), ReadWholeFile(folder / "b"));
  }
}

// docs/formats/model.md promises these to other programs.
TEST(Model, HasTheTensorsAndMetadataOfItsFormat) {
  const TemporaryFolder folder;
  SaveModel(Sample(Precision::kFloat64), folder / "model");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "model");
  EXPECT_TRUE(file.has_checksum());
  ASSERT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.tensors()[0].name, "encoder.weight");
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(file.tensors()[1].name, "encoder.bias");
  EXPECT_EQ(file.tensors()[1].shape, (std::vector<int64_t>{3}));
  EXPECT_EQ(file.tensors()[2].name, "decoder.weight");
  EXPECT_EQ(file.tensors()[2].shape, (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(file.tensors()[3].name, "decoder.bias");
  EXPECT_EQ(file.tensors()[3].shape, (std::vector<int64_t>{4}));
  EXPECT_EQ(file.tensors()[0].type, TensorType::kF64);
  const SafetensorsMetadata& metadata = file.metadata();
  EXPECT_EQ(metadata.at("format"), "rhohat-model");
  EXPECT_EQ(metadata.at("format_version"), "1");
  EXPECT_EQ(metadata.at("prepare"), "none");
  EXPECT_EQ(metadata.at("rho_hat"), "[0.1,0.3333333333333333,5e-324]");
  EXPECT_EQ(metadata.at("iterations"), "12");
  EXPECT_EQ(metadata.at("stop_reason"), "reached 12 iterations");
  const auto config = nlohmann::json::parse(metadata.at("config"));
  EXPECT_EQ(config.at("hidden"), "3");
  EXPECT_EQ(config.at("optimizer"), "gd");
  EXPECT_FALSE(config.contains("memory")) << "resources change no result";
}

std::vector<std::string> TensorNames(const Model& model) {
  const TemporaryFolder folder;
  SaveModel(model, folder / "model");
  std::vector<std::string> names;
  const SafetensorsFile file = SafetensorsFile::Read(folder / "model");
  for (const TensorView& tensor : file.tensors()) names.push_back(tensor.name);
  return names;
}

TEST(Model, HasTheTensorsOfItsLayersAndItsPreparation) {
  EXPECT_THAT(
      TensorNames(Deep(Precision::kFloat32, false)),
      ElementsAre("encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias",
                  "decoder.0.weight", "decoder.0.bias", "decoder.1.weight", "decoder.1.bias"));
  EXPECT_THAT(TensorNames(Deep(Precision::kFloat32, true)),
              ElementsAre("encoder.0.weight", "encoder.0.bias", "encoder.1.weight",
                          "encoder.1.bias", "decoder.0.bias", "decoder.1.bias"));
  const std::vector<std::vector<std::string>> expected = {
      {},
      {"prepare.shift", "prepare.scale"},
      {"prepare.shift", "prepare.scale"},
      {"prepare.deviation"},
      {"prepare.shift", "prepare.matrix", "prepare.inverse"},
      {"prepare.shift", "prepare.matrix", "prepare.inverse"}};
  const std::vector<Preparation> preparations = Preparations();
  for (size_t i = 0; i < preparations.size(); ++i) {
    Model model = Sample(Precision::kFloat32);
    model.prepare = preparations[i];
    std::vector<std::string> names = TensorNames(model);
    names.erase(names.begin(), names.begin() + 4);
    EXPECT_EQ(names, expected[i]);
  }
}

TEST(Model, ShowsItsParametersAsTensors) {
  const Model model = Deep(Precision::kFloat32, true);
  const std::vector<Model::Tensor> tensors = model.Tensors();
  ASSERT_EQ(tensors.size(), 6U);
  EXPECT_EQ(tensors[2].name, "encoder.1.weight");
  EXPECT_THAT(tensors[2].shape, ElementsAre(2, 3));
  EXPECT_EQ(tensors[2].values.data(), model.parameters.data() + 15);
  EXPECT_EQ(tensors[5].name, "decoder.1.bias");
  EXPECT_EQ(tensors[5].values.size(), 4U);
  EXPECT_EQ(&tensors[5].values.back(), &model.parameters.back());
}

TEST(Model, WithAFlippedByteIsRefused) {
  const TemporaryFolder folder;
  SaveModel(Sample(Precision::kFloat32), folder / "model");
  const std::string content = ReadWholeFile(folder / "model");
  for (size_t i = 0; i < content.size(); i += 7) {
    std::string damaged = content;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    std::ofstream(folder / "damaged", std::ios::binary) << damaged;
    ASSERT_NE(FaultOfLoad(folder / "damaged"), "") << "byte " << i;
  }
}

TEST(Model, ThatIsSomethingElseIsToldFromADamagedOne) {
  const TemporaryFolder folder;
  std::ofstream(folder / "data.h5", std::ios::binary) << "\x89HDF\r\n\x1a\n and so on";
  EXPECT_EQ(FaultOfLoad(folder / "data.h5"),
            "expected a model, found an HDF5 file: give the model first, then the data");
  std::ofstream(folder / "notes.txt") << "These are my notes on the matter.\n";
  EXPECT_TRUE(FaultOfLoad(folder / "notes.txt").starts_with("not a safetensors file"));
  std::ofstream(folder / "empty").flush();
  EXPECT_TRUE(FaultOfLoad(folder / "empty").starts_with("not a safetensors file"));
  EXPECT_NE(FaultOfLoad(folder / "missing", ErrorKind::kNoInput), "");
  EXPECT_NE(FaultOfLoad(folder.path(), ErrorKind::kNoInput), "");
}

TEST(Model, OfAnotherProgramIsRefused) {
  EXPECT_TRUE(FaultAfter([](Content& content) {
                content.metadata.clear();
              }).starts_with("not a rhohat model"));
  EXPECT_TRUE(FaultAfter([](Content& content) {
                content.metadata["format"] = "pt";
              }).starts_with("not a rhohat model"));
}

TEST(Model, OfALaterFormatIsRefused) {
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["format_version"] = "2";
            }).find("use a newer rhohat"),
            std::string::npos);
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["prepare"] = "log";
            }).find("unknown preparation 'log'"),
            std::string::npos);
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["config"] = R"({"hidden":"3","activation":"swish"})";
            }).find("--activation: 'swish' is none of sigmoid"),
            std::string::npos);
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["config"] = R"({"hidden":"3","dropout":"true"})";
            }).find("unknown option 'dropout'"),
            std::string::npos);
}

// What the first version wrote: neither noise nor tied weights nor a range of the inputs.
TEST(Model, OfAnEarlierVersionHasTheDefaultsOfLaterOptions) {
  const TemporaryFolder folder;
  SaveModel(Sample(Precision::kFloat32), folder / "new");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "new");
  SafetensorsMetadata metadata = file.metadata();
  metadata.erase("input_range");
  metadata["config"] =
      R"({"hidden":"3","activation":"sigmoid","decoder":"sigmoid","loss":"squared","rho":"0.1",)"
      R"("beta":"2.5","lambda":"0.003","schedule":"two-pass","precision":"float32","lanes":"16",)"
      R"("block-rows":"64","seed":"42","optimizer":"gd","iterations":"12","tolerance":"0",)"
      R"("gradient-tolerance":"1e-07","history":"5","learning-rate":"0.25","momentum":"0.5"})";
  WriteSafetensors(folder / "old", metadata, file.tensors());
  ExpectSame(LoadModel(folder / "old"), Sample(Precision::kFloat32));
  metadata["config"] = R"({"hidden":"3"})";
  WriteSafetensors(folder / "older", metadata, file.tensors());
  const Model model = LoadModel(folder / "older");
  EXPECT_EQ(model.objective.beta, ObjectiveOptions().beta);
  EXPECT_EQ(model.objective.noise, NoiseOptions());
  EXPECT_FALSE(model.network.tied);
}

TEST(Model, WithMetadataThatCannotBeUnderstoodIsRefused) {
  for (const char* key : {"format_version", "rhohat_version", "config", "prepare", "rho_hat",
                          "data", "iterations", "cost", "stop_reason"}) {
    if (std::string(key) != "rhohat_version") {
      EXPECT_NE(FaultAfter([&](Content& content) {
                  content.metadata.erase(key);
                }).find(std::string("'") + key + "'"),
                std::string::npos)
          << key;
    }
    if (std::string(key).ends_with("_version") || std::string(key) == "stop_reason") continue;
    EXPECT_NE(FaultAfter([&](Content& content) { content.metadata[key] = "{]"; }), "") << key;
    EXPECT_NE(FaultAfter([&](Content& content) { content.metadata[key] = "[[1]]"; }), "") << key;
  }
  EXPECT_EQ(FaultAfter([](Content& content) { content.metadata["rho_hat"] = "[0.5,0.5]"; }),
            "rho_hat: expected 3 numbers, found 2");
  for (const char* range :
       {"", "[]", "[1]", "[0,null]", "[0,\"1\"]", "{}", "7", "[2,1]", "[0,1,2]"}) {
    EXPECT_EQ(FaultAfter([&](Content& content) { content.metadata["input_range"] = range; }),
              "damaged: its 'input_range' cannot be understood")
        << range;
  }
  EXPECT_NE(FaultAfter([](Content& content) { content.metadata["rho_hat"] = "[0,0,null]"; }), "");
  EXPECT_NE(FaultAfter([](Content& content) { content.metadata["data"] = R"({"files":[1]})"; }),
            "");
}

TEST(Model, WithTensorsThatDoNotFitIsRefused) {
  EXPECT_EQ(FaultAfter([](Content& content) {
              std::swap(content.tensors[0].shape[0], content.tensors[0].shape[1]);
            }),
            "encoder.weight: expected 3×3 of F32, found 4×3 of F32");
  EXPECT_EQ(FaultAfter([](Content& content) {
              content.tensors[2].shape = {3, 4};
            }),
            "decoder.weight: expected 4×3 of F32, found 3×4 of F32");
  EXPECT_EQ(FaultAfter([](Content& content) { content.tensors[2].shape = {12}; }),
            "decoder.weight: expected 4×3 of F32, found 12 of F32");
  EXPECT_EQ(FaultAfter([](Content& content) { content.tensors[0].shape = {12}; }),
            "encoder.weight: expected a matrix of hidden units × inputs, found 12");
  EXPECT_EQ(FaultAfter([](Content& content) { content.tensors.pop_back(); }),
            "not a model: it lacks the tensor decoder.bias");
  EXPECT_EQ(FaultAfter([](Content& content) {
              content.tensors.push_back({"more", TensorType::kF32, {0}, {}});
            }),
            "expected 4 tensors, found 5");
  EXPECT_EQ(FaultAfter([](Content& content) {
              content.metadata["config"] = R"({"hidden":"3","precision":"float64"})";
            }),
            "encoder.weight: expected 3×4 of F64, found 3×4 of F32");
}

TEST(Model, WithLayersThatDoNotFitIsRefused) {
  const Model deep = Deep(Precision::kFloat32, false);
  const auto fault_with = [&](const std::string& config) {
    return FaultAfter([&](Content& content) { content.metadata["config"] = config; }, deep);
  };
  EXPECT_EQ(fault_with(R"({"hidden":"3,2"})"), "");
  EXPECT_EQ(fault_with(R"({"hidden":"3,7"})"),
            "encoder.1.weight: expected 7×3 of F32, found 2×3 of F32");
  EXPECT_EQ(fault_with(R"({"hidden":"7,2"})"),
            "encoder.0.weight: expected 7×4 of F32, found 3×4 of F32");
  EXPECT_EQ(fault_with(R"({"hidden":"3"})"), "not a model: it lacks the tensor encoder.weight");
  EXPECT_EQ(fault_with(R"({"hidden":"3,2,1"})"),
            "not a model: it lacks the tensor encoder.2.weight");
  EXPECT_EQ(fault_with(R"({"hidden":"3,2","tied":"true"})"), "expected 6 tensors, found 8");
  EXPECT_EQ(FaultAfter([](Content& content) { content.metadata["config"] = R"({"hidden":"3,2"})"; },
                       Deep(Precision::kFloat32, true)),
            "not a model: it lacks the tensor decoder.0.weight");
  for (const char* hidden :
       {"1099511627776,1099511627776", "4611686018427387904", "3,4611686018427387904"}) {
    EXPECT_NE(fault_with(fmt::format(R"({{"hidden":"{}"}})", hidden)), "") << hidden;
  }
}

// What a run would refuse, no file may ask for.
TEST(Model, ThatContradictsItselfIsRefused) {
  const auto fault_with = [&](const std::string& config) {
    return FaultAfter([&](Content& content) { content.metadata["config"] = config; });
  };
  const std::string begins = "its configuration contradicts itself: --";
  EXPECT_EQ(fault_with(R"({"hidden":"3","decoder":"tanh","loss":"cross-entropy"})"),
            begins + "loss cross-entropy: defined for --decoder sigmoid only, found tanh");
  EXPECT_EQ(fault_with(R"({"hidden":"3","beta":"1,2"})"),
            begins + "beta: expected one number, as there is one hidden layer, found 2");
  EXPECT_TRUE(fault_with(R"({"hidden":"3","activation":"relu"})").starts_with(begins + "beta: "));
  EXPECT_TRUE(fault_with(R"({"hidden":"3,2","kappa":"1"})").starts_with(begins + "kappa: "));
  EXPECT_TRUE(fault_with(R"({"hidden":"0"})").starts_with(begins + "hidden: "));
  EXPECT_TRUE(fault_with("{}").starts_with(begins + "hidden: missing"));
  EXPECT_NE(fault_with(R"({"hidden":"3","noise":"mask:2"})"), "");
  EXPECT_NE(fault_with(R"({"hidden":3})"), "");
}

TEST(Model, WithAPreparationThatDoesNotFitIsRefused) {
  for (const Preparation& preparation : Preparations()) {
    if (preparation.options.kind == PreparationKind::kNone) continue;
    Model model = Sample(Precision::kFloat32);
    model.prepare = preparation;
    EXPECT_EQ(FaultAfter([](Content& content) { content.metadata["prepare"] = "none"; }, model),
              fmt::format("expected 4 tensors, found {}", TensorNames(model).size()));
    EXPECT_TRUE(FaultAfter([](Content& content) { content.tensors.pop_back(); }, model)
                    .starts_with("not a model: it lacks the tensor prepare."));
    const std::vector<double> bad(16, std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(FaultAfter(
                    [&](Content& content) {
                      TensorView& last = content.tensors.back();
                      last.bytes = std::as_bytes(std::span(bad)).first(last.bytes.size());
                    },
                    model)
                    .ends_with("holds values that are not finite"));
  }
  EXPECT_EQ(FaultAfter([](Content& content) { content.metadata["prepare"] = "standardize"; }),
            "not a model: it lacks the tensor prepare.shift");
  Model model = Sample(Precision::kFloat32);
  model.prepare = Preparations()[4];
  EXPECT_EQ(FaultAfter([](Content& content) { content.tensors.back().shape = {16}; }, model),
            "prepare.inverse: expected 4×4 of F64, found 16 of F64");
}

TEST(Model, WithWeightsThatAreNotFiniteIsRefused) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const std::vector<float> bias = {0, value, 0};
    EXPECT_EQ(FaultAfter([&](Content& content) {
                content.tensors[1].bytes = std::as_bytes(std::span(bias));
              }),
              "encoder.bias: holds values that are not finite");
  }
}

TEST(Model, IsNotSavedWhereItCouldNotBeLoaded) {
  const TemporaryFolder folder;
  const auto kind_after = [&](const std::function<void(Model&)>& change) {
    Model model = Sample(Precision::kFloat32);
    change(model);
    try {
      SaveModel(model, folder / "model");
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kUsage;
  };
  EXPECT_EQ(kind_after([](Model& model) { model.parameters.pop_back(); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.rho_hat.clear(); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.network.hidden = {4}; }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.parameters[5] = 1e39; }), ErrorKind::kInternal)
      << "infinite as a float";
  EXPECT_EQ(kind_after([](Model& model) { model.cost = std::numeric_limits<double>::infinity(); }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.network.tied = true; }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.input_high = std::nan(""); }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) {
              model.prepare = Preparations()[1];
              model.prepare.scale.pop_back();
            }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) {
              model.prepare = Preparations()[4];
              model.prepare.inverse[3] = std::nan("");
            }),
            ErrorKind::kInternal);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(kind_after([](Model&) {}), ErrorKind::kUsage) << "the sample itself is sound";
}

TEST(Model, IsNotSavedWhereThereIsNoFolder) {
  const TemporaryFolder folder;
  try {
    SaveModel(Sample(Precision::kFloat32), folder / "missing/model");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
  }
}

}  // namespace
}  // namespace rhohat
