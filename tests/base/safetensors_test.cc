#include "base/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

const std::vector<float> kFloats = {1.0F, -2.5F, 3e-40F, 1e30F, 0.1F, -0.0F};
const std::vector<double> kDoubles = {0.1, -1e300, 5e-324};

std::vector<TensorView> Tensors() {
  return {{"weight", TensorType::kF32, {2, 3}, std::as_bytes(std::span(kFloats))},
          {"bias", TensorType::kF64, {3}, std::as_bytes(std::span(kDoubles))},
          {"empty", TensorType::kF32, {0, 7}, {}},
          {"number", TensorType::kF32, {}, std::as_bytes(std::span(kFloats).first(1))}};
}

const SafetensorsMetadata kMetadata = {{"format", "test"}, {"text", "\"quoted\"\n\xcf\x81"}};

void Put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Changes one byte of a file in place.
void Poke(const std::string& path, size_t offset, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

// A file of a header and so many bytes of data, as another program would write it.
std::string Container(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string content(sizeof length, '\0');
  std::memcpy(content.data(), &length, sizeof length);
  return content + header + std::string(data_bytes, '\0');
}

// The message that reading the file gives, which must be one line and begin with its name.
std::string FaultOf(const std::string& path, ErrorKind kind = ErrorKind::kBadData) {
  try {
    SafetensorsFile::Read(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), kind) << message;
    EXPECT_TRUE(message.starts_with(path + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  return "";
}

std::string FaultOf(const TemporaryFolder& folder, const std::string& header, size_t data_bytes) {
  Put(folder / "foreign", Container(header, data_bytes));
  return FaultOf(folder / "foreign");
}

// The numbers of a tensor of either type.
std::vector<double> TensorValues(const TensorView& tensor) {
  std::vector<double> values(tensor.bytes.size() / TensorTypeBytes(tensor.type));
  if (values.empty()) return values;
  if (tensor.type == TensorType::kF64) {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    float value = 0;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof value, sizeof value);
    values[i] = value;
  }
  return values;
}

TEST(Safetensors, GiveBackWhatWasWritten) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", kMetadata, Tensors());
  const SafetensorsFile file = SafetensorsFile::Read(folder / "file");
  EXPECT_TRUE(file.has_checksum());
  EXPECT_EQ(file.metadata(), kMetadata);
  const std::vector<TensorView> expected = Tensors();
  ASSERT_EQ(file.tensors().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(file.tensors()[i].name, expected[i].name);
    EXPECT_EQ(file.tensors()[i].type, expected[i].type);
    EXPECT_EQ(file.tensors()[i].shape, expected[i].shape);
    EXPECT_TRUE(std::ranges::equal(file.tensors()[i].bytes, expected[i].bytes));
  }
  ASSERT_NE(file.Find("bias"), nullptr);
  EXPECT_EQ(TensorValues(*file.Find("bias")), kDoubles);
  EXPECT_EQ(TensorValues(*file.Find("weight")),
            std::vector<double>(kFloats.begin(), kFloats.end()));
  EXPECT_EQ(file.Find("missing"), nullptr);
}

TEST(Safetensors, KeepTheirBytesWhenMoved) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", {}, Tensors());
  SafetensorsFile file = SafetensorsFile::Read(folder / "file");
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(TensorValues(*moved.Find("bias")), kDoubles);
}

TEST(Safetensors, AreTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "a", kMetadata, Tensors());
  WriteSafetensors(folder / "b", kMetadata, Tensors());
  EXPECT_EQ(ReadWholeFile(folder / "a"), ReadWholeFile(folder / "b"));
}

// The layout is a promise to other programs: a change of these bytes is a change of the format.
TEST(Safetensors, HaveTheLayoutOfTheFormat) {
  const TemporaryFolder folder;
  const std::vector<TensorView> tensors = Tensors();
  WriteSafetensors(folder / "file", {{"a", "b"}}, std::span(tensors).first(2));
  const std::string content = ReadWholeFile(folder / "file");
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  EXPECT_EQ((length + 8) % 64, 0U);
  ASSERT_EQ(content.size(), 8 + length + 24 + 24);
  const auto header = nlohmann::json::parse(content.substr(8, length));
  EXPECT_EQ(header["weight"].dump(), R"({"data_offsets":[0,24],"dtype":"F32","shape":[2,3]})");
  EXPECT_EQ(header["bias"].dump(), R"({"data_offsets":[24,48],"dtype":"F64","shape":[3]})");
  EXPECT_EQ(header["__metadata__"]["a"], "b");
  const std::string checksum = header["__metadata__"]["checksum"];
  EXPECT_EQ(checksum.size(), 9U + 32U);
  EXPECT_TRUE(checksum.starts_with("xxh3-128:"));
  EXPECT_EQ(std::memcmp(content.data() + 8 + length, kFloats.data(), 24), 0);
}

TEST(Safetensors, DetectEveryFlippedByte) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", {{"config", "{\"hidden\":\"3\"}"}}, Tensors());
  const std::string path = folder / "file";
  const std::string content = ReadWholeFile(path);
  for (size_t i = 0; i < content.size(); ++i) {
    for (const int mask : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      Poke(path, i, static_cast<char>(content[i] ^ mask));
      ASSERT_NE(FaultOf(path), "") << "byte " << i << " of " << content.size() << ", mask " << mask;
    }
    Poke(path, i, content[i]);
  }
  EXPECT_EQ(FaultOf(path), "");
}

// A name of another letter or a value of another prefix must not pass for a file without checksum.
TEST(Safetensors, DetectEveryOtherByteAroundTheChecksum) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", {}, {});
  const std::string path = folder / "file";
  const std::string content = ReadWholeFile(path);
  for (size_t i = 8; i < content.find(':', content.find("xxh3")) + 2; ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      if (static_cast<char>(byte) == content[i]) continue;
      Poke(path, i, static_cast<char>(byte));
      ASSERT_NE(FaultOf(path), "") << "byte " << i << " became " << byte;
    }
    Poke(path, i, content[i]);
  }
  EXPECT_EQ(FaultOf(path), "");
}

TEST(Safetensors, DetectTruncationAtEveryLength) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", kMetadata, Tensors());
  const std::string content = ReadWholeFile(folder / "file");
  Put(folder / "short", content);
  for (size_t length = content.size(); length-- > 0;) {
    std::filesystem::resize_file(folder / "short", length);
    ASSERT_NE(FaultOf(folder / "short"), "") << "length " << length;
  }
  Put(folder / "long", content + '\0');
  EXPECT_NE(FaultOf(folder / "long"), "");
}

TEST(Safetensors, SayThatDamagedDataIsDamaged) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", {}, Tensors());
  std::string content = ReadWholeFile(folder / "file");
  content.back() = static_cast<char>(content.back() ^ 1);
  Put(folder / "file", content);
  EXPECT_EQ(FaultOf(folder / "file"), (folder / "file") + ": damaged: its checksum does not match");
}

TEST(Safetensors, AcceptFilesOfOtherPrograms) {
  const TemporaryFolder folder;
  const std::string path = folder / "foreign";
  // In another order than its data, with spaces, and without metadata.
  Put(path, Container(R"({"b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},)"
                      R"( "a": {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}}   )",
                      12));
  const SafetensorsFile file = SafetensorsFile::Read(path);
  EXPECT_FALSE(file.has_checksum());
  EXPECT_TRUE(file.metadata().empty());
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(TensorValues(*file.Find("b")), std::vector<double>{0});
}

TEST(Safetensors, AcceptAFileWithoutTensors) {
  const TemporaryFolder folder;
  Put(folder / "foreign", Container("{}", 0));
  EXPECT_TRUE(SafetensorsFile::Read(folder / "foreign").tensors().empty());
}

TEST(Safetensors, RefuseAHeaderLengthThatCannotBe) {
  const TemporaryFolder folder;
  for (const uint64_t length : {uint64_t{3}, uint64_t{99'999'999}, uint64_t{100'000'001},
                                uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string content(8, '\0');
    std::memcpy(content.data(), &length, sizeof length);
    Put(folder / "hostile", content + "{}");
    EXPECT_NE(FaultOf(folder / "hostile").find("header"), std::string::npos) << length;
  }
}

TEST(Safetensors, RefuseAHeaderBeyondTheFormatsLimit) {
  const TemporaryFolder folder;
  const std::string path = folder / "hostile";
  const uint64_t length = 100'000'001;
  std::string content(8, '\0');
  std::memcpy(content.data(), &length, sizeof length);
  Put(path, content + "{}");
  std::filesystem::resize_file(path, length + 8);  // sparse: takes no space on the disk
  EXPECT_NE(FaultOf(path).find("at most 100000000 bytes"), std::string::npos);
}

struct Hostile {
  const char* what;
  const char* header;
  size_t data_bytes;
};

TEST(Safetensors, RefuseHeadersThatMakeNoSense) {
  const TemporaryFolder folder;
  const Hostile headers[] = {
      {"empty", "", 0},
      {"not JSON", "{,}", 0},
      {"text behind it", "{} x", 0},
      {"a list", "[]", 0},
      {"not UTF-8", "{\"__metadata__\":{\"a\":\"\xff\"}}", 0},
      {"metadata not a table", R"({"__metadata__":[]})", 0},
      {"metadata not of strings", R"({"__metadata__":{"a":1}})", 0},
      {"entry not a table", R"({"a":1})", 0},
      {"entry empty", R"({"a":{}})", 0},
      {"no type", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4},
      {"type not a string", R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4},
      {"unknown type", R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4},
      {"no shape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4},
      {"more than the three", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4},
      {"negative shape", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4},
      {"broken shape", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4},
      {"nested shape", R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4},
      {"too little", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
      {"too much", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8},
      {"one offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}})", 4},
      {"three offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4},
      {"offsets swapped", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4},
      {"out of bounds", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 4},
      {"beyond the end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4},
      {"data without tensor", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8},
      {"overlap",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12},
      {"the same data twice",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
      {"a gap",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
       12},
      {"shape overflows to nothing",
       R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0},
      {"shape overflows to its size",
       R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4},
      {"shape beyond 63 bits",
       R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4},
      {"shape beyond 64 bits",
       R"({"a":{"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,4]}})", 4},
      {"offsets beyond 63 bits",
       R"({"a":{"dtype":"F32","shape":[1],)"
       R"("data_offsets":[18446744073709551612,18446744073709551615]}})",
       4},
      {"a name twice",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
      {"a name twice, spelt otherwise",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
      {"a field twice", R"({"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}})",
       4},
      {"two tables of metadata", R"({"__metadata__":{},"__metadata__":{}})", 0},
      {"a checksum that is none", R"({"__metadata__":{"checksum":"abc"}})", 0},
      {"a checksum too short", R"({"__metadata__":{"checksum":"xxh3-128:00"}})", 0},
      {"a checksum by another name", R"({"__metadata__":{"checksun":"xxh3-128:00"}})", 0},
      {"line breaks in a name", "{\"a\\nb\":1}", 0},
  };
  for (const Hostile& hostile : headers) {
    EXPECT_NE(FaultOf(folder, hostile.header, hostile.data_bytes), "") << hostile.what;
  }
}

TEST(Safetensors, RefuseHeadersMadeToExhaustMemoryOrStack) {
  const TemporaryFolder folder;
  constexpr size_t kMany = 1'000'000;
  std::string nested_objects = "{\"a\":";
  for (size_t i = 0; i < kMany; ++i) nested_objects += "{\"a\":";
  EXPECT_NE(FaultOf(folder, nested_objects, 0), "");
  EXPECT_NE(FaultOf(folder, "{\"a\":" + std::string(kMany, '['), 0), "");
  std::string long_list = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1";
  for (size_t i = 0; i < kMany; ++i) long_list += ",1";
  EXPECT_NE(FaultOf(folder, long_list + "],\"data_offsets\":[0,4]}}", 4).find("too long"),
            std::string::npos);
}

TEST(Safetensors, RefuseWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_NE(FaultOf(folder / "missing", ErrorKind::kNoInput), "");
  EXPECT_NE(FaultOf(folder.path().string(), ErrorKind::kNoInput).find("found a folder"),
            std::string::npos);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_NE(FaultOf(folder / "pipe", ErrorKind::kNoInput), "");
}

TEST(Safetensors, AreWrittenWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const std::vector<float> large(100'000);
  const TensorView tensor = {"large", TensorType::kF32, {100'000}, std::as_bytes(std::span(large))};
  try {
    const FileSizeLimit limit(100'000);
    WriteSafetensors(folder / "file", {}, {{tensor}});
    FAIL() << "wrote more than there was space for";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, AreNotWrittenFromTensorsThatContradictThemselves) {
  const TemporaryFolder folder;
  const auto kind_for = [&](const std::vector<TensorView>& tensors,
                            const SafetensorsMetadata& metadata) {
    try {
      WriteSafetensors(folder / "file", metadata, tensors);
      return ErrorKind::kIo;
    } catch (const Error& error) {
      return error.kind();
    }
  };
  const auto bytes = std::as_bytes(std::span(kFloats));
  EXPECT_EQ(kind_for({{"a", TensorType::kF32, {5}, bytes}}, {}), ErrorKind::kInternal);
  EXPECT_EQ(kind_for({{"a", TensorType::kF32, {-2, -3}, bytes}}, {}), ErrorKind::kInternal);
  EXPECT_EQ(kind_for({{"__metadata__", TensorType::kF32, {6}, bytes}}, {}), ErrorKind::kInternal);
  EXPECT_EQ(
      kind_for({{"a", TensorType::kF32, {6}, bytes}, {"a", TensorType::kF32, {6}, bytes}}, {}),
      ErrorKind::kInternal);
  EXPECT_EQ(kind_for({}, {{"checksum", "mine"}}), ErrorKind::kInternal);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, ReplaceWhatIsNotUtf8) {
  const TemporaryFolder folder;
  WriteSafetensors(folder / "file", {{"path", "caf\xe9.h5"}}, {});
  EXPECT_EQ(SafetensorsFile::Read(folder / "file").metadata().at("path"), "caf\xef\xbf\xbd.h5");
}

}  // namespace
}  // namespace rhohat
