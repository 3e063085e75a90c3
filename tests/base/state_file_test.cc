#include "base/state_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

enum class Colour { kRed, kGreen, kBlue };

// One field of each kind, some of them in groups.
struct Sample {
  int64_t whole = -7;
  uint64_t key = 0x9e3779b97f4a7c15;
  double number = 0.1;
  bool flag = true;
  std::string text = "\"J\" rose\n\xcf\x81";
  Colour colour = Colour::kBlue;
  std::vector<float> floats = {1.5F, -0.0F, 1e-45F};
  std::vector<double> doubles = {0.1, -1e300};
  std::vector<double> grown = {1, 2, 3};

  void Visit(State& state) {
    state.Number("whole", whole);
    state.Number("key", key);
    state.Flag("flag", flag);
    const StateGroup outer(state, "outer");
    state.Number("number", number);
    {
      const StateGroup inner(state, "inner");
      state.Number("number", whole);
      state.Text("text", text);
      state.Array("floats", std::span(floats));
    }
    state.Choice("colour", colour, Colour::kBlue);
    state.Array("doubles", std::span(doubles));
    state.Vector("grown", grown);
  }

  bool operator==(const Sample&) const = default;
};

const Sample kOther = {.whole = 3,
                       .key = 0,
                       .number = 2,
                       .flag = false,
                       .text = "",
                       .colour = Colour::kRed,
                       .floats = {0, 0, 0},
                       .doubles = {0, 0},
                       .grown = {}};

void Save(Sample sample, const std::string& path) {
  StateWriter writer;
  sample.Visit(writer);
  writer.WriteTo(path);
}

void Put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Changes one byte of a file in place.
void Poke(const std::string& path, size_t offset, int byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte));
}

// The message of the Error(kBadData) that loading from the file gives, which must begin with its
// name; "" where there is none.
std::string FaultOf(const std::string& path, const std::function<void(State&)>& load) {
  try {
    StateReader reader(path);
    load(reader);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kBadData) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  return "";
}

std::string FaultOf(const std::string& path) {
  return FaultOf(path, [](State& state) {
    Sample sample;
    sample.Visit(state);
  });
}

// Saves `value` under "x" and loads it again.
template <class V>
V ThereAndBack(const TemporaryFolder& folder, V value) {
  StateWriter writer;
  writer.Number("x", value);
  writer.WriteTo(folder / "number");
  StateReader reader(folder / "number");
  V loaded = 1;
  reader.Number("x", loaded);
  return loaded;
}

TEST(StateFile, GivesBackEveryField) {
  const TemporaryFolder folder;
  Save({}, folder / "file");
  StateReader reader(folder / "file");
  Sample loaded = kOther;
  loaded.Visit(reader);
  EXPECT_EQ(loaded, Sample());
}

TEST(StateFile, GivesBackWholeNumbersOfAnySize) {
  const TemporaryFolder folder;
  using Signed = std::numeric_limits<int64_t>;
  for (const int64_t value : {Signed::min(), Signed::max(), int64_t{0}, int64_t{-1}}) {
    EXPECT_EQ(ThereAndBack(folder, value), value);
  }
  for (const uint64_t value : {std::numeric_limits<uint64_t>::max(), uint64_t{1} << 63}) {
    EXPECT_EQ(ThereAndBack(folder, value), value);
  }
}

TEST(StateFile, GivesBackTheBitsOfEveryNumber) {
  const TemporaryFolder folder;
  using Limits = std::numeric_limits<double>;
  std::vector<double> values = {0.0,
                                -0.0,
                                Limits::denorm_min(),
                                -Limits::denorm_min(),
                                std::nextafter(Limits::min(), 0),
                                Limits::min(),
                                Limits::max(),
                                Limits::lowest(),
                                Limits::infinity(),
                                -Limits::infinity(),
                                0.1,
                                1e22,
                                std::nextafter(1.0, 2)};
  std::mt19937_64 random(7);
  while (values.size() < 60) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isnan(value)) values.push_back(value);
  }
  for (const double value : values) {
    EXPECT_EQ(std::bit_cast<uint64_t>(ThereAndBack(folder, value)), std::bit_cast<uint64_t>(value));
  }
  EXPECT_TRUE(std::isnan(ThereAndBack(folder, Limits::quiet_NaN())));
}

TEST(StateFile, GivesBackTheBitsOfEveryElement) {
  const TemporaryFolder folder;
  std::mt19937_64 random(3);
  std::vector<float> floats(1000);
  std::vector<double> doubles(1000);
  for (float& value : floats) value = std::bit_cast<float>(static_cast<uint32_t>(random()));
  for (double& value : doubles) value = std::bit_cast<double>(random());
  StateWriter writer;
  writer.Array("floats", std::span(floats));
  writer.Array("doubles", std::span(doubles));
  writer.Array("none", std::span<double>());
  writer.WriteTo(folder / "file");

  StateReader reader(folder / "file");
  std::vector<float> loaded_floats(floats.size());
  std::vector<double> loaded_doubles(doubles.size());
  reader.Array("floats", std::span(loaded_floats));
  reader.Array("doubles", std::span(loaded_doubles));
  reader.Array("none", std::span<double>());
  EXPECT_EQ(std::memcmp(floats.data(), loaded_floats.data(), floats.size() * 4), 0);
  EXPECT_EQ(std::memcmp(doubles.data(), loaded_doubles.data(), doubles.size() * 8), 0);
}

TEST(StateFile, IsTheSameBytesAfterALoad) {
  const TemporaryFolder folder;
  Save({}, folder / "first");
  Sample loaded = kOther;
  StateReader reader(folder / "first");
  loaded.Visit(reader);
  Save(loaded, folder / "second");
  EXPECT_EQ(ReadWholeFile(folder / "first"), ReadWholeFile(folder / "second"));
}

TEST(StateFile, NamesFieldsByTheirGroups) {
  const TemporaryFolder folder;
  Save({}, folder / "file");
  const SafetensorsFile file = SafetensorsFile::Read(folder / "file");
  EXPECT_EQ(file.metadata().at("state.whole"), "-7");
  EXPECT_EQ(file.metadata().at("state.outer.number"), "0.1");
  EXPECT_EQ(file.metadata().at("state.outer.inner.number"), "-7");
  ASSERT_NE(file.Find("state.outer.inner.floats"), nullptr);
  EXPECT_EQ(file.Find("state.outer.inner.floats")->shape, std::vector<int64_t>{3});
}

TEST(StateFile, HasOtherTensorsAndMetadataBesideTheState) {
  const TemporaryFolder folder;
  Sample sample;
  StateWriter writer;
  sample.Visit(writer);
  const std::vector<float> weight = {1, 2, 3, 4};
  const TensorView tensor = {"weight", TensorType::kF32, {2, 2}, std::as_bytes(std::span(weight))};
  writer.WriteTo(folder / "file", {{tensor}}, {{"format", "test"}});

  StateReader reader(folder / "file");
  EXPECT_EQ(reader.metadata().at("format"), "test");
  const SafetensorsEntry* const entry = reader.file().Find("weight");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry, &reader.file().tensors().front());
  std::vector<float> read(4);
  reader.file().Read(*entry, std::as_writable_bytes(std::span(read)));
  EXPECT_EQ(read, weight);
  Sample loaded = kOther;
  loaded.Visit(reader);
  EXPECT_EQ(loaded, sample);
}

TEST(StateFile, LongerThanTheBufferIsVerifiedAndRead) {
  const TemporaryFolder folder;
  std::vector<double> values(350'001);
  std::mt19937_64 random(5);
  for (double& value : values) value = static_cast<double>(random());
  StateWriter writer;
  writer.Array("values", std::span(values));
  writer.WriteTo(folder / "file");
  std::vector<double> loaded(values.size());
  const auto load = [&](State& state) { state.Array("values", std::span(loaded)); };
  EXPECT_EQ(FaultOf(folder / "file", load), "");
  EXPECT_EQ(loaded, values);

  const std::string content = ReadWholeFile(folder / "file");
  for (int i = 0; i < 100; ++i) {
    const size_t place = random() % content.size();
    Poke(folder / "file", place, content[place] ^ 1 << random() % 8);
    ASSERT_NE(FaultOf(folder / "file", load), "") << place;
    Poke(folder / "file", place, content[place]);
  }
  EXPECT_EQ(FaultOf(folder / "file", load), "");
}

TEST(StateFile, DetectsEveryFlippedByte) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  Save({}, path);
  const std::string content = ReadWholeFile(path);
  for (size_t i = 0; i < content.size(); ++i) {
    for (const int mask : {0x01, 0x20, 0x80, 0xff}) {
      Poke(path, i, content[i] ^ mask);
      ASSERT_TRUE(FaultOf(path).starts_with(path + ": ")) << "byte " << i << ", mask " << mask;
    }
    Poke(path, i, content[i]);
  }
  EXPECT_EQ(FaultOf(path), "");
}

TEST(StateFile, DetectsTruncationAtEveryLength) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  Save({}, path);
  const std::string content = ReadWholeFile(path);
  for (size_t length = content.size(); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    ASSERT_TRUE(FaultOf(path).starts_with(path + ": ")) << "length " << length;
  }
  Put(path, content + '\0');
  EXPECT_NE(FaultOf(path), "");
}

TEST(StateFile, WithoutAChecksumIsRefused) {
  const TemporaryFolder folder;
  Put(folder / "foreign", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_EQ(FaultOf(folder / "foreign"),
            (folder / "foreign") + ": expected a file with a checksum, found none");
}

TEST(StateFile, SaysWhichFieldDoesNotFit) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  Save({}, path);
  const auto fault = [&](const std::function<void(State&)>& load) {
    const std::string message = FaultOf(path, load);
    EXPECT_TRUE(message.starts_with(path + ": state.")) << message;
    return message.substr(std::min(message.size(), path.size() + 2));
  };
  int64_t whole = 0;
  uint64_t key = 0;
  double number = 0;
  bool flag = false;
  std::string text;
  float floats[3] = {};
  double doubles[3] = {};
  EXPECT_EQ(fault([&](State& s) { s.Number("none", whole); }), "state.none: missing");
  EXPECT_EQ(fault([&](State& s) { s.Text("none", text); }), "state.none: missing");
  EXPECT_EQ(fault([&](State& s) { s.Array("none", std::span(floats)); }), "state.none: missing");
  EXPECT_EQ(fault([&](State& s) { s.Number("key", whole); }),
            "state.key: expected a whole number of 64 bits, found \"11400714819323198485\"");
  EXPECT_EQ(fault([&](State& s) { s.Number("whole", key); }),
            "state.whole: expected a whole number of 64 bits without a sign, found \"-7\"");
  EXPECT_EQ(fault([&](State& s) { s.Number("flag", number); }),
            "state.flag: expected a number, found \"true\"");
  EXPECT_EQ(fault([&](State& s) { s.Flag("whole", flag); }),
            "state.whole: expected true or false, found \"-7\"");
  EXPECT_EQ(fault([&](State& s) {
              const StateGroup group(s, "outer");
              s.Array("doubles", std::span(doubles));
            }),
            "state.outer.doubles: expected 3 numbers, found 2");
  EXPECT_EQ(fault([&](State& s) {
              const StateGroup group(s, "outer");
              s.Array("grown", std::span(floats));
            }),
            "state.outer.grown: expected F32, found F64");
}

// Writes fields as text, whatever the text, beside one tensor.
void SaveTexts(const std::string& path, const SafetensorsMetadata& texts) {
  const std::vector<double> values = {1, 2, 3, 4};
  const TensorView tensor = {
      "state.values", TensorType::kF64, {2, 2}, std::as_bytes(std::span(values))};
  WriteSafetensors(path, texts, {{tensor}});
}

TEST(StateFile, RefusesTextThatIsNoNumberOfItsKind) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  for (const char* text : {"", " 1", "1 ", "+1", "1.5", "0x1", "9223372036854775808", "one"}) {
    SaveTexts(path, {{"state.x", text}});
    int64_t value = 0;
    EXPECT_NE(FaultOf(path, [&](State& s) { s.Number("x", value); }), "") << text;
  }
  for (const char* text : {"", " 1", "1 ", "1e999", "1e-999", "0.1.2", "one"}) {
    SaveTexts(path, {{"state.x", text}});
    double value = 0;
    EXPECT_NE(FaultOf(path, [&](State& s) { s.Number("x", value); }), "") << text;
  }
  for (const char* text : {"", "1", "True", "true "}) {
    SaveTexts(path, {{"state.x", text}});
    bool value = false;
    EXPECT_NE(FaultOf(path, [&](State& s) { s.Flag("x", value); }), "") << text;
  }
}

TEST(StateFile, RefusesAChoiceThatThereIsNot) {
  const TemporaryFolder folder;
  for (const char* text : {"-1", "3", "9223372036854775807"}) {
    SaveTexts(folder / "file", {{"state.colour", text}});
    Colour colour = Colour::kRed;
    const auto load = [&](State& s) { s.Choice("colour", colour, Colour::kBlue); };
    EXPECT_EQ(FaultOf(folder / "file", load),
              (folder / "file") + ": state.colour: expected 0 to 2, found " + text);
    EXPECT_EQ(colour, Colour::kRed);
  }
}

TEST(StateFile, AsksForNoMemoryBecauseOfASizeThatIsWrong) {
  const TemporaryFolder folder;
  for (const char* text : {"-1", "2", "3", "5", "1152921504606846976", "9223372036854775807"}) {
    SaveTexts(folder / "file", {{"state.values.size", text}});
    std::vector<double> values;
    EXPECT_NE(FaultOf(folder / "file", [&](State& s) { s.Vector("values", values); }), "") << text;
    EXPECT_EQ(values.capacity(), 0U);
  }
}

TEST(StateFile, AnArrayHasOneAxis) {
  const TemporaryFolder folder;
  SaveTexts(folder / "file", {});
  std::vector<double> values(4);
  EXPECT_NE(FaultOf(folder / "file", [&](State& s) { s.Array("values", std::span(values)); }), "");
}

TEST(StateFile, IsNotWrittenWithOneNameForTwoFields) {
  const TemporaryFolder folder;
  const auto kind_of = [&](const std::function<void(StateWriter&)>& write) {
    StateWriter writer;
    try {
      write(writer);
      return ErrorKind::kIo;
    } catch (const Error& error) {
      return error.kind();
    }
  };
  double number = 0;
  EXPECT_EQ(kind_of([&](StateWriter& writer) {
              writer.Number("x", number);
              writer.Number("x", number);
            }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_of([&](StateWriter& writer) {
              writer.Array("x", std::span(&number, 1));
              writer.Array("x", std::span(&number, 1));
              writer.WriteTo(folder / "file");
            }),
            ErrorKind::kInternal);
  EXPECT_EQ(kind_of([&](StateWriter& writer) {
              writer.Number("x", number);
              writer.WriteTo(folder / "file", {}, {{"state.x", "1"}});
            }),
            ErrorKind::kInternal);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace rhohat
