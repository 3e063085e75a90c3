#include "formats/safetensors_source.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/safetensors.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::string Container(const std::string& header, const std::string& data) {
  return Stored<uint64_t>({header.size()}, false) + header + data;
}

std::string Entry(const std::string& name, const std::string& type, const std::string& shape,
                  size_t begin, size_t end) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

class SafetensorsSourceTest : public testing::Test {
 protected:
  std::string Write(const std::string& entries, const std::string& data) {
    return scratch_.Write("file", Container("{" + entries + "}", data));
  }

  std::string MessageFor(ErrorKind kind, const std::string& path, const std::string& tensor = "") {
    const std::string message =
        MessageOf(kind, [&] { ReadAll(*OpenSafetensorsRows(path, tensor)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }

  template <class T>
  void ExpectReads(const std::string& type, ElementKind kind, const std::vector<T>& values) {
    const std::string data = Stored(values, false);
    const auto source =
        OpenSafetensorsRows(Write(Entry("x", type, "2,1,2", 0, data.size()), data), "");
    EXPECT_EQ(source->type(), (ElementType{kind, false})) << type;
    EXPECT_EQ(source->rows(), 2);
    EXPECT_THAT(ReadAll(*source),
                ElementsAreArray(std::vector<double>(values.begin(), values.end())))
        << type;
  }

  ScratchFolder scratch_;
};

TEST_F(SafetensorsSourceTest, ReadsEveryTypeAndFlattensTrailingAxes) {
  ExpectReads<double>("F64", ElementKind::kFloat64, {0, 0.1, -1e308, 5e-324});
  ExpectReads<float>("F32", ElementKind::kFloat32, {0, 1.5F, -3e38F, 1e-40F});
  ExpectReads<int64_t>("I64", ElementKind::kInt64, {0, 258, INT64_MIN, int64_t{1} << 53});
  ExpectReads<int32_t>("I32", ElementKind::kInt32, {0, 258, INT32_MIN, INT32_MAX});
  ExpectReads<int16_t>("I16", ElementKind::kInt16, {0, 258, INT16_MIN, INT16_MAX});
  ExpectReads<int8_t>("I8", ElementKind::kInt8, {0, 1, -128, 127});
  ExpectReads<uint64_t>("U64", ElementKind::kUint64, {0, 258, 1, uint64_t{1} << 63});
  ExpectReads<uint32_t>("U32", ElementKind::kUint32, {0, 258, 1U << 31, UINT32_MAX});
  ExpectReads<uint16_t>("U16", ElementKind::kUint16, {0, 258, 32768, UINT16_MAX});
  ExpectReads<uint8_t>("U8", ElementKind::kUint8, {0, 1, 128, 255});
  ExpectReads<uint8_t>("BOOL", ElementKind::kUint8, {0, 1, 1, 0});
}

TEST_F(SafetensorsSourceTest, ReadsHalfPrecisions) {
  const auto read = [&](const char* type, const std::vector<uint16_t>& bits) {
    return ReadAll(
        *OpenSafetensorsRows(Write(Entry("x", type, "2,2", 0, 8), Stored(bits, false)), ""));
  };
  EXPECT_THAT(read("F16", {0x3C00, 0xC000, 0x7BFF, 0x0001}), ElementsAre(1, -2, 65504, 0x1p-24));
  EXPECT_THAT(read("BF16", {0x3F80, 0xC000, 0x7F7F, 0x0001}),
              ElementsAre(1, -2, 0x1.fep127, 0x1p-133));
}

TEST_F(SafetensorsSourceTest, GivesTheSameRowsForAnyBlockSizeInEveryPass) {
  const auto source = OpenSafetensorsRows(
      Write(Entry("x", "I16", "3,2", 0, 12), Stored<int16_t>({1, -2, 3, -4, 5, 256}, false)), "x");
  for (const int64_t block : {1, 2, 3, 1}) {
    EXPECT_THAT(ReadAll(*source, block), ElementsAre(1, -2, 3, -4, 5, 256));
  }
  EXPECT_EQ(source->bytes_read(), 48U);
}

TEST_F(SafetensorsSourceTest, ReadsATensorThatLiesBehindOthers) {
  const std::string path =
      Write(Entry("w", "U8", "2,2", 6, 10) + "," + Entry("b", "U8", "2", 0, 2) + "," +
                Entry("v", "U8", "1,4", 2, 6) + ",\"__metadata__\":{\"format\":\"pt\"}",
            "abcdef\x01\x02\x03\x04");
  EXPECT_THAT(ReadAll(*OpenSafetensorsRows(path, "w")), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ReadAll(*OpenSafetensorsRows(path, "v")), ElementsAre('c', 'd', 'e', 'f'));
}

TEST_F(SafetensorsSourceTest, ReadsWhatOurOwnWriterWrote) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const std::string path = scratch_.Path("model");
  WriteSafetensors(path, {{"a", "b"}},
                   {{{"rows", TensorType::kF32, {3, 2}, std::as_bytes(std::span(values))},
                     {"bias", TensorType::kF32, {6}, std::as_bytes(std::span(values))}}});
  EXPECT_THAT(ReadAll(*OpenSafetensorsRows(path, "")), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(SafetensorsSourceTest, ListsTheTensorsWhereOneMustBeNamed) {
  const std::string several =
      Write(Entry("v", "U8", "1,4", 0, 4) + "," + Entry("w", "U8", "2,2", 4, 8), "12345678");
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, several),
              AllOf(HasSubstr("\"v\": 1×4 \"U8\""), HasSubstr("\"w\": 2×2")));
  EXPECT_THAT(MessageFor(ErrorKind::kNoInput, several, "x"), HasSubstr("\"w\": 2×2"));
  const std::string flat = Write(Entry("v", "U8", "4", 0, 4), "1234");
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, flat), HasSubstr("\"v\": 4"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, flat, "v"), HasSubstr("\"v\": 4"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, Write("", "")), HasSubstr("found none"));
}

TEST_F(SafetensorsSourceTest, RefusesTypesThatRowsCannotHave) {
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, Write(Entry("v", "F8_E4M3", "2,2", 0, 4), "1234")),
              HasSubstr("F8_E4M3"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, Write(Entry("v", "C64", "1,1", 0, 8), "12345678")),
              HasSubstr("C64"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, Write(Entry("v", "new\\n", "2,2", 0, 3), "123")),
              HasSubstr("\\n"));
}

TEST_F(SafetensorsSourceTest, RefusesTensorsWithoutRowsOrColumns) {
  for (const char* shape : {"0,3", "3,0", "2,0,4"}) {
    EXPECT_THAT(MessageFor(ErrorKind::kBadData, Write(Entry("v", "U8", shape, 0, 0), "")),
                HasSubstr("at least one row"));
  }
  EXPECT_NE(
      MessageFor(ErrorKind::kBadData, Write(Entry("v", "new", "4611686018427387904,4", 0, 0), "")),
      "");
}

TEST_F(SafetensorsSourceTest, RefusesOffsetsThatOverlapOverflowOrLeaveHoles) {
  for (const std::string& entries :
       {Entry("a", "U8", "2,2", 0, 4) + "," + Entry("b", "U8", "2,2", 2, 6),
        Entry("a", "U8", "2,2", 0, 4) + "," + Entry("b", "U8", "1,1", 5, 6),
        Entry("a", "U8", "2,4", 0, 8), Entry("a", "U8", "2,2", 2, 6),
        Entry("a", "F32", "2,2", 0, 6), Entry("a", "U8", "4294967296,4294967296", 0, 6),
        Entry("a", "F64", "2305843009213693953,1", 0, 8),
        Entry("a", "U8", "2,2", SIZE_MAX - 3, SIZE_MAX),
        Entry("a", "U8", "2,3", 0, 6) + "," + Entry("a", "U8", "2,3", 0, 6)}) {
    EXPECT_NE(MessageFor(ErrorKind::kBadData, Write(entries, "123456"), "a"), "") << entries;
  }
}

TEST_F(SafetensorsSourceTest, RefusesHeadersLongerThanTheFile) {
  for (const uint64_t length : {uint64_t{3}, uint64_t{99'999'999}, uint64_t{1} << 62, UINT64_MAX}) {
    EXPECT_THAT(MessageFor(ErrorKind::kBadData,
                           scratch_.Write("file", Stored<uint64_t>({length}, false) + "{}")),
                HasSubstr("header"));
  }
}

TEST_F(SafetensorsSourceTest, NoticesAFileThatIsCutShort) {
  const std::string path = Write(Entry("x", "U8", "3,2", 0, 6), "123456");
  const uint64_t size = std::filesystem::file_size(path);
  const auto source = OpenSafetensorsRows(path, "");
  std::filesystem::resize_file(path, size - 1);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }), HasSubstr("is cut short"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, path), HasSubstr("cut short"));
  MessageFor(ErrorKind::kNoInput, scratch_.Path("missing"));
}

TEST(LooksLikeSafetensorsTest, AsksForALengthAndABrace) {
  const auto looks = [](const std::string& text) {
    return LooksLikeSafetensors(std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(looks(Container("{}", "")));
  EXPECT_FALSE(looks(Container("", "")));
  EXPECT_FALSE(looks(Container("[]", "")));
  EXPECT_FALSE(looks(Stored<uint64_t>({100'000'001}, false) + "{"));
  EXPECT_FALSE(looks("\x93NUMPY\x01{{"));
}

}  // namespace
}  // namespace rhohat
