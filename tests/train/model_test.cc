#include "rhohat/model.h"

#include <gtest/gtest.h>

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
  model.hidden = 3;
  model.encoder_weight = Numbers(1, 12, precision);
  model.encoder_bias = Numbers(2, 3, precision);
  model.decoder_weight = Numbers(3, 12, precision);
  model.decoder_bias = Numbers(4, 4, precision);
  model.rho_hat = {0.1, 1.0 / 3, 5e-324};
  model.network.hidden = {3};
  model.objective = {.rho = 0.1, .beta = 2.5, .lambda = 3e-3};
  model.compute = {.schedule = Schedule::kTwoPass,
                   .precision = precision,
                   .lanes = 16,
                   .block_rows = 64,
                   .seed = 42};
  model.optimizer = {.kind = OptimizerKind::kGradientDescent,
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

void ExpectSame(const Model& a, const Model& b) {
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.encoder_weight, b.encoder_weight);
  EXPECT_EQ(a.encoder_bias, b.encoder_bias);
  EXPECT_EQ(a.decoder_weight, b.decoder_weight);
  EXPECT_EQ(a.decoder_bias, b.decoder_bias);
  EXPECT_EQ(a.rho_hat, b.rho_hat);
  EXPECT_EQ(a.network.hidden, b.network.hidden);
  EXPECT_EQ(a.objective.rho, b.objective.rho);
  EXPECT_EQ(a.objective.beta, b.objective.beta);
  EXPECT_EQ(a.objective.lambda, b.objective.lambda);
  EXPECT_EQ(a.compute.schedule, b.compute.schedule);
  EXPECT_EQ(a.compute.precision, b.compute.precision);
  EXPECT_EQ(a.compute.lanes, b.compute.lanes);
  EXPECT_EQ(a.compute.block_rows, b.compute.block_rows);
  EXPECT_EQ(a.compute.seed, b.compute.seed);
  EXPECT_EQ(a.optimizer.kind, b.optimizer.kind);
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

std::string FaultAfter(const std::function<void(Content&)>& change) {
  const TemporaryFolder folder;
  SaveModel(Sample(Precision::kFloat32), folder / "sound");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "sound");
  Content content = {file.metadata(), file.tensors()};
  change(content);
  WriteSafetensors(folder / "model", content.metadata, content.tensors);
  return FaultOfLoad(folder / "model");
}

TEST(Model, SurvivesTheRoundTripInBothPrecisions) {
  const TemporaryFolder folder;
  for (const Precision precision : {Precision::kFloat32, Precision::kFloat64}) {
    const Model model = Sample(precision);
    SaveModel(model, folder / "model");
    ExpectSame(LoadModel(folder / "model"), model);
  }
}

TEST(Model, IsTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  SaveModel(Sample(Precision::kFloat32), folder / "a");
  SaveModel(LoadModel(folder / "a"), folder / "b");
  EXPECT_EQ(ReadWholeFile(folder / "a"), ReadWholeFile(folder / "b"));
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
              content.metadata["prepare"] = "zca";
            }).find("unknown preparation 'zca'"),
            std::string::npos);
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["config"] = R"({"hidden":"3","activation":"tanh"})";
            }).find("--activation: 'tanh' is none of sigmoid"),
            std::string::npos);
  EXPECT_NE(FaultAfter([](Content& content) {
              content.metadata["config"] = R"({"hidden":"3","tied":"true"})";
            }).find("unknown option 'tied'"),
            std::string::npos);
}

TEST(Model, OfAnEarlierFormatKeepsTheDefaultsOfLaterOptions) {
  EXPECT_EQ(FaultAfter([](Content& content) { content.metadata["config"] = R"({"hidden":"3"})"; }),
            "");
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
  EXPECT_NE(FaultAfter([](Content& content) { content.metadata["rho_hat"] = "[0.5,0.5]"; }), "");
  EXPECT_NE(FaultAfter([](Content& content) { content.metadata["rho_hat"] = "[0,0,null]"; }), "");
  EXPECT_NE(FaultAfter([](Content& content) { content.metadata["data"] = R"({"files":[1]})"; }),
            "");
}

TEST(Model, WithTensorsThatDoNotFitIsRefused) {
  EXPECT_EQ(FaultAfter([](Content& content) {
              std::swap(content.tensors[0].shape[0], content.tensors[0].shape[1]);
            }),
            "encoder.weight: expected as many hidden units as its configuration says, found 4");
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
  EXPECT_EQ(kind_after([](Model& model) { model.encoder_bias.pop_back(); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.rho_hat.clear(); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.network.hidden = {4}; }), ErrorKind::kInternal);
  EXPECT_EQ(kind_after([](Model& model) { model.encoder_weight[5] = 1e39; }), ErrorKind::kInternal)
      << "infinite as a float";
  EXPECT_EQ(kind_after([](Model& model) { model.cost = std::numeric_limits<double>::infinity(); }),
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
