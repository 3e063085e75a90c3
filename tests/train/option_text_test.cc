#include "train/option_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

template <class Function>
std::string UsageFaultOf(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

std::string PreparationFault(const std::string& text) {
  return UsageFaultOf([&] { ParsePreparation(text); });
}

std::string NoiseFault(const std::string& text) {
  return UsageFaultOf([&] { ParseNoise(text); });
}

TEST(OptionTextTest, EveryPreparationHasItsText) {
  using Options = PreparationOptions;
  EXPECT_EQ(ParsePreparation("none"), Options{});
  EXPECT_EQ(ParsePreparation("range:-1:255"),
            (Options{.kind = PreparationKind::kRange, .low = -1, .high = 255}));
  EXPECT_EQ(ParsePreparation("standardize"), (Options{.kind = PreparationKind::kStandardize}));
  EXPECT_EQ(ParsePreparation("global"), (Options{.kind = PreparationKind::kGlobal}));
  EXPECT_EQ(ParsePreparation("zca:0.1"), (Options{.kind = PreparationKind::kZca, .epsilon = 0.1}));
  EXPECT_EQ(ParsePreparation("pca:1e-5"),
            (Options{.kind = PreparationKind::kPca, .epsilon = 1e-5}));
  for (const char* text : {"none", "range:-1:255", "range:0.25:0.5", "standardize", "global",
                           "zca:0.1", "pca:1e-05"}) {
    EXPECT_EQ(PreparationText(ParsePreparation(text)), text);
  }
}

TEST(OptionTextTest, EveryNoiseHasItsText) {
  EXPECT_EQ(ParseNoise("none"), NoiseOptions{});
  EXPECT_EQ(ParseNoise("mask:0.3"), (NoiseOptions{NoiseKind::kMask, 0.3}));
  EXPECT_EQ(ParseNoise("gaussian:2.5"), (NoiseOptions{NoiseKind::kGaussian, 2.5}));
  EXPECT_EQ(ParseNoise("salt-pepper:1e-3"), (NoiseOptions{NoiseKind::kSaltPepper, 1e-3}));
  for (const char* text : {"none", "mask:0.3", "gaussian:2.5", "salt-pepper:0.001"}) {
    EXPECT_EQ(NoiseText(ParseNoise(text)), text);
  }
}

TEST(OptionTextTest, NumbersComeBackToTheLastBit) {
  for (const double number : {1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                              0.1 + 0.2, 1e22, 123456789.0}) {
    const PreparationOptions zca{.kind = PreparationKind::kZca, .epsilon = number};
    EXPECT_EQ(ParsePreparation(PreparationText(zca)), zca) << PreparationText(zca);
    const NoiseOptions gaussian{NoiseKind::kGaussian, number};
    EXPECT_EQ(ParseNoise(NoiseText(gaussian)), gaussian) << NoiseText(gaussian);
  }
  for (const auto& [low, high] : {std::pair(-1.0 / 3, 5e-324), {0.1 + 0.2, 1e22}, {0.1, 1.7e308}}) {
    const PreparationOptions range{.kind = PreparationKind::kRange, .low = low, .high = high};
    EXPECT_EQ(ParsePreparation(PreparationText(range)), range) << PreparationText(range);
  }
  const NoiseOptions mask{NoiseKind::kMask, 1 - std::numeric_limits<double>::epsilon() / 2};
  EXPECT_EQ(ParseNoise(NoiseText(mask)), mask);
}

TEST(OptionTextTest, AnUnknownNameIsAnsweredWithTheChoices) {
  EXPECT_EQ(PreparationFault("whiten"),
            "--prepare: expected none, range:LO:HI, standardize, global, zca:EPS or pca:EPS, found "
            "'whiten'");
  EXPECT_EQ(NoiseFault("blur:1"),
            "--noise: expected none, mask:P, gaussian:S or salt-pepper:P, found 'blur:1'");
  for (const char* text : {"", ":", "None", " none", "none ", "zca;1", "0.5"}) {
    EXPECT_THAT(PreparationFault(text), HasSubstr("zca:EPS or pca:EPS")) << text;
    EXPECT_THAT(NoiseFault(text), HasSubstr("gaussian:S or salt-pepper:P")) << text;
  }
}

TEST(OptionTextTest, WrongNumbersAreAnsweredWithWhatIsExpectedOfThem) {
  for (const char* text :
       {"range", "range:0", "range:0:1:2", "range:0:", "range::1", "range:a:b", "range:1:0",
        "range:1:1", "range:nan:1", "range:0:nan", "range:0:inf", "range:-inf:0", "range:0:1e400",
        "range:-1e308:1e308", "range:0: 1", "range:0:+1"}) {
    EXPECT_THAT(PreparationFault(text), HasSubstr("expected range:LO:HI with numbers LO < HI"))
        << text;
  }
  for (const char* text : {"zca", "zca:", "zca:0", "zca:-0.1", "zca:nan", "zca:inf", "zca:1e-400",
                           "zca:0.1:0.2", "zca:0,1", "zca:0.1x", "zca:0x1p3"}) {
    EXPECT_THAT(PreparationFault(text), HasSubstr("expected zca:EPS with a number EPS above 0"))
        << text;
  }
  EXPECT_THAT(PreparationFault("pca:0"), HasSubstr("expected pca:EPS"));
  EXPECT_THAT(PreparationFault("none:1"), HasSubstr("expected none without a number"));
  EXPECT_THAT(PreparationFault("global:3"), HasSubstr("expected global without a number"));
  EXPECT_THAT(PreparationFault("standardize:"), HasSubstr("expected standardize without"));
  for (const char* text : {"mask", "mask:0", "mask:1", "mask:-0.1", "mask:1.5", "mask:nan"}) {
    EXPECT_THAT(NoiseFault(text), HasSubstr("expected mask:P with a probability P")) << text;
  }
  EXPECT_THAT(NoiseFault("salt-pepper:1"), HasSubstr("expected salt-pepper:P"));
  for (const char* text : {"gaussian", "gaussian:0", "gaussian:-1", "gaussian:inf"}) {
    EXPECT_THAT(NoiseFault(text), HasSubstr("gaussian:S with a standard deviation S above 0"))
        << text;
  }
}

TEST(OptionTextTest, FaultsOfOptionsThatWereNeverTextAreNamedTheSame) {
  EXPECT_EQ(FaultOf(PreparationOptions{}), "");
  EXPECT_EQ(FaultOf(NoiseOptions{}), "");
  EXPECT_EQ(FaultOf(PreparationOptions{.kind = PreparationKind::kRange, .low = 2, .high = 1}),
            PreparationFault("range:2:1"));
  EXPECT_EQ(FaultOf(PreparationOptions{.kind = PreparationKind::kZca}), PreparationFault("zca:0"));
  EXPECT_EQ(FaultOf(NoiseOptions{NoiseKind::kMask, 1}), NoiseFault("mask:1"));
  // What a kind does not use is not looked at.
  EXPECT_EQ(FaultOf(PreparationOptions{.low = 2, .high = 1, .epsilon = -1}), "");
}

}  // namespace
}  // namespace rhohat
