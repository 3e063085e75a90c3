#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <string>

#include "base/keyed_random.h"
#include "base/text.h"
#include "rhohat/config.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "tests/support/temporary_folder.h"
#include "train/config_text.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Read(const std::string& text, TrainOptions& options) {
  const TemporaryFolder folder;
  std::ofstream(folder / "run.toml", std::ios::binary) << text;
  return ReadConfig(folder / "run.toml", options);
}

TrainOptions OptionsOf(const std::string& text) {
  TrainOptions options;
  Read(text, options);
  return options;
}

// The message behind the file's name.
std::string FaultOf(const std::string& text) {
  try {
    OptionsOf(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    const std::string what = error.what();
    const std::string name = "/run.toml:";
    EXPECT_NE(what.find(name), std::string::npos) << what;
    return what.substr(what.find(name) + name.size());
  }
  return "";
}

TEST(ReadConfigTest, SetsWhatTheFileNamesAndLeavesTheRest) {
  TrainOptions options;
  options.optimizer.history = 3;
  options.compute.seed = 8;
  EXPECT_THAT(Read(R"(# a run
[network]
hidden = 25
tied = true

[computation]
seed = -7

[objective]
lambda = 3e-3
noise = "mask:0.25"
)",
                   options),
              ElementsAre("hidden", "tied", "seed", "lambda", "noise"));
  EXPECT_EQ(options.network.hidden, std::vector<int64_t>{25});
  EXPECT_TRUE(options.network.tied);
  EXPECT_EQ(options.compute.seed, -7);
  EXPECT_EQ(options.objective.lambda, 3e-3);
  EXPECT_EQ(options.objective.noise, (NoiseOptions{NoiseKind::kMask, 0.25}));
  EXPECT_EQ(options.optimizer.history, 3);
}

TEST(ReadConfigTest, AnEmptyFileSetsNothing) {
  TrainOptions options;
  EXPECT_THAT(Read("", options), IsEmpty());
  EXPECT_THAT(Read("# nothing\n[network]\n", options), IsEmpty());
}

TEST(ReadConfigTest, TakesKeysOutsideOfTablesAndDottedOnes) {
  const TrainOptions options = OptionsOf("hidden = 25\nobjective.rho = 0.1\nfiles = [\"a.h5\"]\n");
  EXPECT_EQ(options.network.hidden, std::vector<int64_t>{25});
  EXPECT_EQ(options.objective.rho, std::vector<double>{0.1});
  EXPECT_THAT(options.data.files, ElementsAre("a.h5"));
}

TEST(ReadConfigTest, TakesListsAsArraysAndAsText) {
  for (const char* text : {"hidden = [200, 100]\n", "hidden = \"200,100\"\n"}) {
    EXPECT_THAT(OptionsOf(text).network.hidden, ElementsAre(200, 100));
  }
  EXPECT_THAT(OptionsOf("rho = [0.05, 1e-3, 1.0]").objective.rho, ElementsAre(0.05, 1e-3, 1.0));
  EXPECT_THAT(OptionsOf("optimizer = [\"adam\", \"lbfgs\"]").optimizer.methods,
              ElementsAre(OptimizerKind::kAdam, OptimizerKind::kLbfgs));
}

TEST(ReadConfigTest, TakesNumbersWhereThereMayBeAWordToo) {
  EXPECT_EQ(OptionsOf("threads = 3").resources.threads, 3);
  EXPECT_EQ(OptionsOf("threads = \"auto\"").resources.threads, 0);
  EXPECT_EQ(OptionsOf("memory = 1073741824").resources.memory_bytes, uint64_t{1} << 30);
  EXPECT_EQ(OptionsOf("memory = \"1G\"").resources.memory_bytes, uint64_t{1} << 30);
  EXPECT_EQ(OptionsOf("checkpoint-every = 90").job.checkpoint_seconds, 90);
  EXPECT_EQ(OptionsOf("checkpoint-every = \"1h30m\"").job.checkpoint_seconds, 5400);
  EXPECT_EQ(OptionsOf("lambda = 0").objective.lambda, 0);
}

TEST(ReadConfigTest, SuggestsTheNearestNameForAnUnknownOne) {
  EXPECT_EQ(FaultOf("[objective]\n\nlamda = 1\n"),
            "3: unknown key 'lamda' in [objective]: did you mean 'lambda' in [objective]?");
  EXPECT_EQ(FaultOf("iteration = 5"),
            "1: unknown key 'iteration': did you mean 'iterations' in [optimiser]?");
  EXPECT_EQ(FaultOf("[computation]\nblock_rows = 5"),
            "2: unknown key 'block_rows' in [computation]: did you mean 'block-rows' in "
            "[computation]?");
  EXPECT_EQ(FaultOf("[network]\nfrobnication = 1"), "2: unknown key 'frobnication' in [network]");
  EXPECT_EQ(FaultOf("[optimizer]\n"), "1: unknown table [optimizer]: did you mean [optimiser]?");
  EXPECT_EQ(FaultOf("[frobnication]\nrho = 1"), "1: unknown table [frobnication]");
}

TEST(ReadConfigTest, SaysWhereAKeyBelongs) {
  EXPECT_EQ(FaultOf("[network]\nrho = 0.1"), "2: 'rho' is in [network]: it belongs in [objective]");
  EXPECT_EQ(FaultOf("[run]\nfiles = []"), "2: 'files' is in [run]: it belongs in [data]");
}

TEST(ReadConfigTest, RefusesAKeyThatIsGivenTwice) {
  EXPECT_EQ(FaultOf("rho = 0.1\n[objective]\nrho = 0.2\n"), "3: 'rho' is given twice");
  EXPECT_THAT(FaultOf("[objective]\nrho = 0.1\nrho = 0.2\n"), testing::StartsWith("3: not TOML: "));
}

TEST(ReadConfigTest, RefusesValuesOfTheWrongType) {
  EXPECT_EQ(FaultOf("iterations = \"400\""), "1: iterations: expected a number, found a string");
  EXPECT_EQ(FaultOf("iterations = 400.0"), "1: iterations: '400.0' is not a whole number");
  EXPECT_EQ(FaultOf("lambda = true"), "1: lambda: expected a number, found true or false");
  EXPECT_EQ(FaultOf("lambda = nan"), "1: lambda: 'nan' is not a finite number");
  EXPECT_EQ(FaultOf("tied = \"true\""), "1: tied: expected true or false, found a string");
  EXPECT_EQ(FaultOf("dataset = 3"), "1: dataset: expected a string, found a number");
  EXPECT_EQ(FaultOf("loss = [\"squared\"]"), "1: loss: expected a string, found an array");
  EXPECT_EQ(FaultOf("threads = false"),
            "1: threads: expected a number or a string, found true or false");
  EXPECT_EQ(FaultOf("hidden = [[3]]"),
            "1: hidden: expected a number, a string, or an array of them, found an array");
  EXPECT_EQ(FaultOf("hidden = 1979-05-27"),
            "1: hidden: expected a number, a string, or an array of them, found a date or a time");
  EXPECT_EQ(FaultOf("[network.hidden]\n"),
            "1: hidden: expected a number, a string, or an array of them, found a table");
  EXPECT_EQ(FaultOf("files = \"a.h5\""), "1: files: expected an array of strings, found a string");
  EXPECT_EQ(FaultOf("files = [\"a.h5\", 3]"),
            "1: files: expected an array of strings, found a number in it");
}

TEST(ReadConfigTest, SaysWhatIsWrongWithAValueAsAFlagDoes) {
  EXPECT_EQ(FaultOf("[optimiser]\niterations = 1\noptimizer = \"rprop\""),
            "3: optimizer: 'rprop' is none of lbfgs, progressive, cg, gd, sgd, adam");
  EXPECT_EQ(FaultOf("noise = \"mask:2\""),
            "1: noise: expected mask:P with a probability P between 0 and 1, both excluded, such "
            "as mask:0.3, found 'mask:2'");
}

TEST(ReadConfigTest, OfSeveralFaultsTellsTheFirstInTheFile) {
  EXPECT_EQ(FaultOf("[objective]\nrho = \"x\"\nbeta = \"y\"\n[network]\nactivation = \"z\"\n"),
            "2: rho: 'x' is not a number");
}

TEST(ReadConfigTest, SaysWhereAFileIsNotToml) {
  for (const char* text : {"hidden = 25\nrho 3\n", "hidden = 25\n[network\n", "a = 1\nb = \"x\n"}) {
    EXPECT_THAT(FaultOf(text), testing::StartsWith("2: not TOML: ")) << text;
  }
  EXPECT_THAT(FaultOf(std::string("a = \"\0\"", 7)), testing::StartsWith("1: not TOML: "));
}

TEST(ReadConfigTest, NamesAFileThatIsNotThere) {
  const TemporaryFolder folder;
  TrainOptions options;
  try {
    ReadConfig(folder / "none.toml", options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNoInput);
    EXPECT_THAT(error.what(), testing::HasSubstr("none.toml"));
  }
}

// ---- What a run writes -------------------------------------------------------------------------

// Draws one value after another.
class Draws {
 public:
  explicit Draws(uint64_t seed) : random_(seed, RandomPurpose::kGradientSample) {}

  int64_t Below(int64_t end) {
    return std::min(end - 1,
                    static_cast<int64_t>(random_.Uniform(draw_++) * static_cast<double>(end)));
  }
  uint64_t Bits() { return random_.Bits(draw_++); }
  // Of any size, often a round one.
  double Finite() {
    constexpr double kRound[] = {0, -0.0, 1, 3, 0.1, 1e-5, 1e20, 5e-324, 1e300, -2.5};
    if (Below(2) == 0) return kRound[Below(std::size(kRound))];
    while (true) {
      const auto value = std::bit_cast<double>(Bits());
      if (std::isfinite(value)) return value;
    }
  }
  // A name that a file may have: any bytes but 0, more often those with a meaning in TOML.
  std::string Name() {
    std::string name;
    for (int64_t left = Below(20); left > 0; --left) {
      constexpr std::string_view kSpecial =
          "\"\\\n\r\t'#=[]{},. \x7f\x01\xff\xc3\xa9\xf4\x8f\x82\x80";
      name += Below(2) == 0 ? kSpecial[static_cast<size_t>(Below(std::ssize(kSpecial)))]
                            : static_cast<char>(1 + Below(255));
    }
    return name;
  }
  // Some that would read as a number were they not quoted.
  std::string Text() {
    constexpr const char* kLikeNumbers[] = {"1e5",  "007", "0.10",      "12",
                                            "true", "inf", "1979-05-27"};
    return Below(3) == 0 ? kLikeNumbers[Below(std::size(kLikeNumbers))] : Name();
  }

 private:
  KeyedRandom random_;
  uint64_t draw_ = 0;
};

// Sets every option to something that it can have on its own.
TrainOptions AnyOptions(Draws& draws) {
  TrainOptions options;
  for (const OptionField& field : Fields(options)) {
    const std::string& form = field.placeholder;
    std::vector<std::string> words = Split(form.substr(0, form.find("[,")), '|');
    const std::string word = words[static_cast<size_t>(draws.Below(std::ssize(words)))];
    if (field.type == OptionType::kSwitch) {
      field.set(draws.Below(2) == 0 ? "true" : "false");
    } else if (form == "N") {
      field.set(std::to_string(static_cast<int64_t>(draws.Bits())));
    } else if (form == "NUMBER" && field.type == OptionType::kNumber) {
      field.set(fmt::format("{}", draws.Finite()));
    } else if (form == "NUMBER") {
      field.set(fmt::format("{}", 1 + std::abs(draws.Finite())));
    } else if (form == "NUMBER[,...]") {
      field.set(fmt::format("{},{}", draws.Finite(), draws.Finite()));
      if (draws.Below(2) == 0) field.set(fmt::format("{}", draws.Finite()));
    } else if (form == "H[,H...]") {
      field.set(draws.Below(2) == 0 ? "196" : std::to_string(draws.Bits() >> 1) + ",50");
    } else if (form == "SIZE") {
      field.set(draws.Below(2) == 0 ? "4G" : std::to_string(draws.Bits() >> 12));
    } else if (form == "TIME") {
      field.set(draws.Below(2) == 0
                    ? "7h45m"
                    : fmt::format("{}", 1 + 1e-3 * static_cast<double>(draws.Below(1 << 30))));
    } else if (form == "PATH" || form == "DIR") {
      field.set(draws.Text());
    } else if (field.name == "noise") {
      field.set(draws.Below(2) == 0 ? "none"
                                    : fmt::format("gaussian:{}", std::abs(draws.Finite()) + 1e-9));
    } else if (field.name == "prepare") {
      field.set(draws.Below(2) == 0 ? "global"
                                    : fmt::format("range:{}:255", -std::abs(draws.Finite()) / 2));
    } else {
      field.set(field.type == OptionType::kList ? word + "," + words.front() : word);
    }
  }
  for (int64_t left = draws.Below(4); left > 0; --left) options.data.files.push_back(draws.Name());
  return options;
}

TEST(ReadConfigTest, OfARunsOwnConfigurationIsThatRuns) {
  Draws draws(3);
  for (int round = 0; round < 300; ++round) {
    TrainOptions options = AnyOptions(draws);
    const std::string text = ConfigText(options);
    TrainOptions read;
    const std::vector<std::string> set = Read(text, read);
    EXPECT_EQ(ConfigText(read), text);
    EXPECT_EQ(read.data.files, options.data.files);
    const std::vector<OptionField> wanted = Fields(options);
    const std::vector<OptionField> found = Fields(read);
    EXPECT_EQ(set.size(), wanted.size() + 1);
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(found[i].get(), wanted[i].get()) << wanted[i].name << "\n" << text;
    }
  }
}

}  // namespace
}  // namespace rhohat
