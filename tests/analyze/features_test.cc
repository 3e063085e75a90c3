#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "network/parameters.h"
#include "rhohat/analyze.h"
#include "rhohat/error.h"
#include "tests/analyze/picture_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kGap = 56;

// Of one hidden layer, its decoder all zeros.
Model ModelOf(int64_t hidden, int64_t inputs, std::vector<double> encoder_weight = {}) {
  Model model;
  model.inputs = inputs;
  model.network.hidden = {hidden};
  model.parameters.resize(static_cast<size_t>(NetworkShape(inputs, {hidden}).parameters()));
  if (encoder_weight.empty()) {
    for (int64_t i = 0; i < hidden * inputs; ++i) {
      encoder_weight.push_back(static_cast<double>(i * 37 % 101) - 50);
    }
  }
  std::ranges::copy(encoder_weight, model.parameters.begin());
  return model;
}

Model DeepModel(Activation activation) {
  Model model;
  model.inputs = 4;
  model.network.hidden = {3, 2};
  model.network.activation = activation;
  model.parameters.resize(static_cast<size_t>(NetworkShape(4, {3, 2}).parameters()));
  const std::vector<double> first = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, -1, 0};
  const std::vector<double> second = {1, 1, 1, 0, -1, 0.5};
  std::ranges::copy(first, model.parameters.begin());
  std::ranges::copy(second, model.parameters.begin() + 12 + 3);
  return model;
}

FeaturesOptions Unscaled() {
  FeaturesOptions options;
  options.scale = 1;
  return options;
}

class FeaturesTest : public PictureTest {
 protected:
  Picture Draw(const Model& model, const FeaturesOptions& options) {
    DrawFeatures(model, options, Path("features.png"));
    return ReadPng(Path("features.png"));
  }

  std::string MessageFor(ErrorKind kind, const Model& model, const FeaturesOptions& options) {
    try {
      DrawFeatures(model, options, Path("features.png"));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_TRUE(FolderIsEmpty());
      return error.what();
    }
    ADD_FAILURE() << "expected an Error";
    return "";
  }
};

TEST_F(FeaturesTest, EachTileIsScaledByItsOwnLargestMagnitudeAroundMidGrey) {
  const Picture picture = Draw(ModelOf(2, 4, {0, 1, -2, 2, 0.1, 0.05, 0, 0}), Unscaled());
  EXPECT_EQ(picture.width, 7);
  EXPECT_EQ(picture.height, 4);
  constexpr int g = kGap;
  const std::vector<uint8_t> expected = {g, g,   g,   g, g,   g,   g,  //
                                         g, 128, 191, g, 255, 191, g,  //
                                         g, 0,   255, g, 128, 128, g,  //
                                         g, g,   g,   g, g,   g,   g};
  EXPECT_EQ(picture.pixels, expected);
}

TEST_F(FeaturesTest, ScaleOfTheWeightsDoesNotMatter) {
  Model model = ModelOf(5, 9);
  const Picture picture = Draw(model, Unscaled());
  for (double& weight : model.parameters) weight *= 0x1p-1040;
  EXPECT_EQ(Draw(model, Unscaled()).pixels, picture.pixels);
}

TEST_F(FeaturesTest, AUnitWithoutWeightsIsMidGrey) {
  const Picture picture = Draw(ModelOf(1, 1, {0}), Unscaled());
  EXPECT_EQ(picture.pixels,
            (std::vector<uint8_t>{kGap, kGap, kGap, kGap, 128, kGap, kGap, kGap, kGap}));
}

TEST_F(FeaturesTest, ThreeSquaresAreColourWithOneScaleForAll) {
  const Picture picture = Draw(ModelOf(1, 3, {1, -0.5, 0}), Unscaled());
  EXPECT_EQ(picture.channels, 3);
  EXPECT_EQ(picture.width, 3);
  const size_t middle = 3 * 4;
  EXPECT_EQ(picture.pixels[middle], 255);
  EXPECT_EQ(picture.pixels[middle + 1], 64);
  EXPECT_EQ(picture.pixels[middle + 2], 128);
}

TEST_F(FeaturesTest, AnInputIsScaleTimesScalePixels) {
  const Model model = ModelOf(5, 6);
  FeaturesOptions options = Unscaled();
  options.shape = PictureShape{2, 3, 1};
  const Picture small = Draw(model, options);
  options.scale = 4;
  const Picture large = Draw(model, options);
  ASSERT_EQ(large.width, 4 * small.width);
  ASSERT_EQ(large.height, 4 * small.height);
  for (int64_t y = 0; y < large.height; ++y) {
    for (int64_t x = 0; x < large.width; ++x) {
      ASSERT_EQ(large.pixels[static_cast<size_t>(y * large.width + x)],
                small.pixels[static_cast<size_t>(y / 4 * small.width + x / 4)]);
    }
  }
}

TEST_F(FeaturesTest, TheGridIsNearlySquareOrHasTheColumnsAskedFor) {
  EXPECT_EQ(Draw(ModelOf(16, 4), Unscaled()).width, 4 * 3 + 1);
  EXPECT_EQ(Draw(ModelOf(17, 4), Unscaled()).width, 5 * 3 + 1);
  EXPECT_EQ(Draw(ModelOf(17, 4), Unscaled()).height, 4 * 3 + 1);
  FeaturesOptions options = Unscaled();
  options.columns = 8;
  EXPECT_EQ(Draw(ModelOf(17, 4), options).width, 8 * 3 + 1);
  EXPECT_EQ(Draw(ModelOf(17, 4), options).height, 3 * 3 + 1);
  EXPECT_EQ(Draw(ModelOf(2, 4), options).width, 2 * 3 + 1);
  options = Unscaled();
  options.shape = PictureShape{1, 9, 1};
  EXPECT_EQ(Draw(ModelOf(20, 9), options).width, 2 * 10 + 1);
}

TEST_F(FeaturesTest, ThePictureIsOfAGoodSizeUnlessToldOtherwise) {
  struct Case {
    int64_t hidden;
    int64_t inputs;
  };
  for (const Case& c :
       {Case{196, 784}, Case{25, 64}, Case{1, 784}, Case{400, 192}, Case{100, 3072}}) {
    const Picture picture = Draw(ModelOf(c.hidden, c.inputs), {});
    EXPECT_GE(picture.width, 700) << c.hidden;
    EXPECT_LE(picture.width, 1300) << c.hidden;
  }
}

TEST_F(FeaturesTest, AsksForAShapeWhereItCannotGuess) {
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, ModelOf(1, 7), {}),
              AllOf(HasSubstr("7 inputs"), HasSubstr("--shape")));
}

TEST_F(FeaturesTest, RefusesShapesThatDoNotFitTheModel) {
  FeaturesOptions options;
  options.shape = PictureShape{3, 4, 1};
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, ModelOf(1, 16), options),
              AllOf(HasSubstr("16"), HasSubstr("found 12")));
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  for (const PictureShape shape :
       {PictureShape{0, 16, 1}, PictureShape{4, 2, 2}, PictureShape{kHuge, kHuge, 3}}) {
    options.shape = shape;
    MessageFor(ErrorKind::kUsage, ModelOf(1, 16), options);
  }
}

TEST_F(FeaturesTest, RefusesPicturesThatNobodyCanShow) {
  FeaturesOptions options;
  for (const int64_t scale : {int64_t{10'000}, std::numeric_limits<int64_t>::max()}) {
    options.scale = scale;
    EXPECT_THAT(MessageFor(ErrorKind::kUsage, ModelOf(16, 16), options), HasSubstr("--scale"));
  }
  options.scale = -1;
  MessageFor(ErrorKind::kUsage, ModelOf(16, 16), options);
  options = {};
  options.columns = -1;
  MessageFor(ErrorKind::kUsage, ModelOf(16, 16), options);
}

TEST_F(FeaturesTest, RefusesModelsThatAreNotWhole) {
  EXPECT_THAT(MessageFor(ErrorKind::kBadData,
                         ModelOf(2, 1, {0, std::numeric_limits<double>::quiet_NaN()}), {}),
              HasSubstr("layer 1, unit 1"));
  Model deep = DeepModel(Activation::kTanh);
  deep.parameters[0] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, deep, {}), HasSubstr("layer 2, unit 0"));
  Model short_of_one = ModelOf(2, 4);
  short_of_one.parameters.pop_back();
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, short_of_one, {}),
              HasSubstr("expected 22, found 21"));
}

TEST_F(FeaturesTest, ADeepModelShowsItsCodeUnlessToldOtherwise) {
  const Model model = DeepModel(Activation::kLinear);
  // W2 W1 = (1, 2, −1, 0) and (0, −2, −½, 0).
  const Picture product = Draw(ModelOf(2, 4, {1, 2, -1, 0, 0, -2, -0.5, 0}), Unscaled());
  EXPECT_EQ(Draw(model, Unscaled()).pixels, product.pixels);
  FeaturesOptions options = Unscaled();
  options.layer = 2;
  EXPECT_EQ(Draw(model, options).pixels, product.pixels);
  options.layer = 1;
  EXPECT_EQ(Draw(model, options).pixels,
            Draw(ModelOf(3, 4, {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, -1, 0}), Unscaled()).pixels);
}

TEST_F(FeaturesTest, TheNormMattersWhereTheNetworkIsNotLinear) {
  FeaturesOptions large = Unscaled();
  large.norm = 20;
  const Model curved = DeepModel(Activation::kTanh);
  EXPECT_NE(Draw(curved, large).pixels, Draw(curved, Unscaled()).pixels);
  const Model linear = DeepModel(Activation::kLinear);
  EXPECT_EQ(Draw(linear, large).pixels, Draw(linear, Unscaled()).pixels);
  large.layer = 1;
  FeaturesOptions first = Unscaled();
  first.layer = 1;
  EXPECT_EQ(Draw(curved, large).pixels, Draw(curved, first).pixels);
}

// Small inputs see the network as it is at 0: for tanh without biases, the product of the weights.
TEST_F(FeaturesTest, InputsOfSmallNormSeeALinearNetwork) {
  FeaturesOptions options = Unscaled();
  options.norm = 1e-3;
  EXPECT_EQ(Draw(DeepModel(Activation::kTanh), options).pixels,
            Draw(DeepModel(Activation::kLinear), options).pixels);
}

TEST_F(FeaturesTest, EqualModelsMakeEqualFiles) {
  Model model = DeepModel(Activation::kSigmoid);
  for (double& parameter : model.parameters) parameter = 3 * parameter + 0.1;
  const Picture once = Draw(model, {});
  EXPECT_EQ(Draw(model, {}).pixels, once.pixels);
}

TEST_F(FeaturesTest, WhitenedInputsAreShownAsWeightsTimesTheMatrix) {
  for (const PreparationKind kind : {PreparationKind::kZca, PreparationKind::kPca}) {
    Model model = ModelOf(1, 4, {1, -1, 2, 0});
    model.prepare.options = {.kind = kind, .epsilon = 0.1};
    model.prepare.shift = {1, 2, 3, 4};
    model.prepare.matrix = {1, 2, 3, 4, 0, 1, 0, -1, 1, 1, -1, 2, 5, 5, 5, 5};
    model.prepare.inverse = model.prepare.matrix;
    EXPECT_EQ(Draw(model, Unscaled()).pixels, Draw(ModelOf(1, 4, {3, 3, 1, 9}), Unscaled()).pixels);
  }
}

TEST_F(FeaturesTest, ScaledInputsAreShownAsWeightsOverTheScale) {
  Model model = ModelOf(1, 4, {1, -1, 2, 0});
  model.prepare.options.kind = PreparationKind::kStandardize;
  model.prepare.shift = {1, 2, 3, 4};
  model.prepare.scale = {1, 0.25, 4, 1};
  EXPECT_EQ(Draw(model, Unscaled()).pixels,
            Draw(ModelOf(1, 4, {1, -4, 0.5, 0}), Unscaled()).pixels);
}

TEST_F(FeaturesTest, RefusesPreparationsThatDoNotFitTheModel) {
  Model model = ModelOf(1, 4);
  model.prepare.options.kind = PreparationKind::kStandardize;
  model.prepare.scale = {1, 2, 3};
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, model, {}), HasSubstr("expected 4 numbers, found 3"));
}

TEST_F(FeaturesTest, InputsLessTheirMeanAreShownAsWeightsLessTheirs) {
  Model model = ModelOf(1, 4, {1, -1, 3, 5});
  model.prepare.options.kind = PreparationKind::kGlobal;
  model.prepare.deviation = 2;
  EXPECT_EQ(Draw(model, Unscaled()).pixels, Draw(ModelOf(1, 4, {-1, -3, 1, 3}), Unscaled()).pixels);
}

TEST_F(FeaturesTest, ADeepUnitsDirectionGoesThroughThePreparationToo) {
  Model model = DeepModel(Activation::kLinear);
  model.prepare.options.kind = PreparationKind::kRange;
  model.prepare.shift = {0, 0, 0, 0};
  model.prepare.scale = {1, 2, 0.5, 1};
  EXPECT_EQ(Draw(model, Unscaled()).pixels,
            Draw(ModelOf(2, 4, {1, 1, -2, 0, 0, -1, -1, 0}), Unscaled()).pixels);
}

TEST_F(FeaturesTest, PlanarColoursArePixelsInAnotherOrder) {
  constexpr int64_t kPixels = 6;
  const Model interleaved = ModelOf(2, 3 * kPixels);
  Model planar = interleaved;
  for (int64_t unit = 0; unit < 2; ++unit) {
    for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
      for (int64_t channel = 0; channel < 3; ++channel) {
        const int64_t first = unit * 3 * kPixels;
        planar.parameters[static_cast<size_t>(first + channel * kPixels + pixel)] =
            interleaved.parameters[static_cast<size_t>(first + pixel * 3 + channel)];
      }
    }
  }
  FeaturesOptions options = Unscaled();
  options.shape = PictureShape{2, 3, 3};
  const Picture expected = Draw(interleaved, options);
  EXPECT_NE(Draw(planar, options).pixels, expected.pixels);
  options.planar = true;
  EXPECT_EQ(Draw(planar, options).pixels, expected.pixels);
}

TEST_F(FeaturesTest, RefusesPlanarPicturesWithoutColour) {
  FeaturesOptions options;
  options.planar = true;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, ModelOf(1, 16), options),
              AllOf(HasSubstr("--planar"), HasSubstr("4x4")));
}

TEST_F(FeaturesTest, RefusesLayersThatTheEncoderDoesNotHave) {
  FeaturesOptions options;
  for (const int64_t layer : {int64_t{3}, int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
    options.layer = layer;
    EXPECT_THAT(MessageFor(ErrorKind::kUsage, DeepModel(Activation::kTanh), options),
                AllOf(HasSubstr("--layer"), HasSubstr("1 to 2")));
  }
}

TEST_F(FeaturesTest, RefusesNormsThatAreNone) {
  FeaturesOptions options;
  for (const double norm : {0.0, -1.0, std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    options.norm = norm;
    EXPECT_THAT(MessageFor(ErrorKind::kUsage, DeepModel(Activation::kTanh), options),
                HasSubstr("--norm"));
  }
}

TEST(ParsePictureShapeTest, ReadsGreyAndColour) {
  const PictureShape grey = ParsePictureShape("28x20");
  EXPECT_EQ(grey.height, 28);
  EXPECT_EQ(grey.width, 20);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(ParsePictureShape("8x9x3").channels, 3);
  EXPECT_EQ(ParsePictureShape("8x9x1").channels, 1);
}

TEST(ParsePictureShapeTest, RefusesAnythingElse) {
  for (const char* text :
       {"", "28", "x", "28x", "x28", "28x28x", "28x28x2", "28x28x3x1", "0x28", "-1x28", "28 x 28",
        "28X28", "+8x8", "8x8.5", "99999999999999999999x1"}) {
    try {
      ParsePictureShape(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(std::string("'") + text + "'"));
    }
  }
}

}  // namespace
}  // namespace rhohat
