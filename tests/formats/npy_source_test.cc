#include "formats/npy_source.h"

#include <gmock/gmock.h>

#include <numeric>

#include "formats/open_rows.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::string SmallNpy() {
  return NpyFile(NpyHeaderText("<i2", "(3, 2)"), Stored<int16_t>({1, -2, 3, -4, 5, 256}, false));
}

class NpySourceTest : public testing::Test {
 protected:
  std::string MessageFor(const std::string& bytes) {
    const std::string path = scratch_.Write("file", bytes);
    const std::string message = MessageOf(ErrorKind::kBadData, [&] { ReadAll(*OpenRows(path)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }

  // A header with room for one 8-byte element behind it.
  std::string MessageForHeader(const std::string& header) {
    return MessageFor(NpyFile(header, "12345678"));
  }

  std::vector<double> Read(const std::string& bytes) {
    return ReadAll(*OpenRows(scratch_.Write("file", bytes)));
  }

  template <class T>
  void ExpectReads(const std::string& dtype, ElementKind kind, const std::vector<T>& values) {
    for (const char order : {'<', '>', '=', '|'}) {
      const bool big = order == '>';
      const std::string descr = order + dtype;
      const auto source = OpenRows(
          scratch_.Write("file", NpyFile(NpyHeaderText(descr, "(2, 1, 2)"), Stored(values, big))));
      EXPECT_EQ(source->type(), (ElementType{kind, big && sizeof(T) > 1})) << descr;
      EXPECT_THAT(ReadAll(*source),
                  ElementsAreArray(std::vector<double>(values.begin(), values.end())))
          << descr;
    }
  }

  ScratchFolder scratch_;
};

TEST_F(NpySourceTest, ReadsEveryRealTypeInEveryByteOrder) {
  ExpectReads<uint8_t>("b1", ElementKind::kUint8, {0, 1, 1, 0});
  ExpectReads<int8_t>("i1", ElementKind::kInt8, {0, 1, -128, 127});
  ExpectReads<uint8_t>("u1", ElementKind::kUint8, {0, 1, 128, 255});
  ExpectReads<int16_t>("i2", ElementKind::kInt16, {0, 258, INT16_MIN, INT16_MAX});
  ExpectReads<uint16_t>("u2", ElementKind::kUint16, {0, 258, 32768, UINT16_MAX});
  ExpectReads<int32_t>("i4", ElementKind::kInt32, {0, 258, INT32_MIN, INT32_MAX});
  ExpectReads<uint32_t>("u4", ElementKind::kUint32, {0, 258, 1U << 31, UINT32_MAX});
  ExpectReads<int64_t>("i8", ElementKind::kInt64, {0, 258, INT64_MIN, int64_t{1} << 53});
  ExpectReads<uint64_t>("u8", ElementKind::kUint64, {0, 258, 1, uint64_t{1} << 63});
  ExpectReads<float>("f4", ElementKind::kFloat32, {0, 1.5F, -3e38F, 1e-40F});
  ExpectReads<double>("f8", ElementKind::kFloat64, {0, 0.1, -1e308, 5e-324});
}

TEST_F(NpySourceTest, ReadsHalfPrecision) {
  const std::vector<uint16_t> bits = {0x3C00, 0xC000, 0x7BFF, 0x0001};
  for (const bool big : {false, true}) {
    EXPECT_THAT(Read(NpyFile(NpyHeaderText(big ? ">f2" : "<f2", "(2, 2)"), Stored(bits, big))),
                ElementsAre(1, -2, 65504, 0x1p-24));
  }
}

TEST_F(NpySourceTest, ReadsEveryVersionPlainAndGzipped) {
  const std::string elements = Stored<int16_t>({1, -2, 3, -4}, false);
  for (const int version : {1, 2, 3}) {
    const std::string file = NpyFile(NpyHeaderText("<i2", "(2, 2)"), elements, version);
    EXPECT_THAT(Read(file), ElementsAre(1, -2, 3, -4));
    EXPECT_THAT(Read(Gzip(file)), ElementsAre(1, -2, 3, -4));
  }
}

TEST_F(NpySourceTest, GivesTheSameRowsForAnyBlockSizeInEveryPass) {
  const auto source = OpenRows(scratch_.Write("file", SmallNpy()));
  for (const int64_t block : {1, 2, 3, 1}) {
    EXPECT_THAT(ReadAll(*source, block), ElementsAre(1, -2, 3, -4, 5, 256));
  }
}

TEST_F(NpySourceTest, AcceptsTheWaysThatWritersSpellTheHeader) {
  const std::string element = "\x07";
  for (const char* header : {
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)}",
           "{\"shape\": (1, 1), \"descr\": \"|u1\", \"fortran_order\": False,}",
           "{'descr':'|u1','fortran_order':False,'shape':(1,1,),}",
           "{'shape': (1L, 1L), 'fortran_order': False, 'descr': '|u1'}  ",
           " { 'shape' : ( 1 , 1 ) , 'fortran_order' : False , 'descr' : '|u1' , } ",
       }) {
    EXPECT_THAT(Read(NpyFile(header, element)), ElementsAre(7)) << header;
  }
}

TEST_F(NpySourceTest, RefusesHeadersThatAreNotSuchADictionary) {
  for (const char* header : {
           "",
           "{",
           "{}",
           "{'descr': '<f8', 'fortran_order': False}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)} x",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), 'more': 1}",
           "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)}",
           "{'descr': '<f8', 'fortran_order': 0, 'shape': (1, 1)}",
           "{'descr': '<f8', 'fortran_order': Falsehood, 'shape': (1, 1)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': [1, 1]}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, -1)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1.5)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1,, 1)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1 1)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 99999999999999999999)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1}",
           "{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (1, 1)}",
           "{'descr': '<f8, 'fortran_order': False, 'shape': (1, 1)}",
           "{'descr': [('a', '<f8'), 'fortran_order': False, 'shape': (1, 1)}",
           "{'descr': <f8, 'fortran_order': False, 'shape': (1, 1)}",
           "__import__('os')",
       }) {
    EXPECT_THAT(MessageForHeader(header), HasSubstr("header makes no sense at byte")) << header;
  }
  std::string axes = "(";
  for (int i = 0; i < 1000; ++i) axes += "1, ";
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", axes + ")")), HasSubstr("at most 64 axes"));
}

TEST_F(NpySourceTest, RefusesOtherTypesByName) {
  for (const char* descr :
       {"|O", "<c8", "<U5", "|S3", "<M8[ns]", "<f16", "|V8", "f8", "<f3", "<", ""}) {
    EXPECT_THAT(MessageForHeader(NpyHeaderText(descr, "(1, 1)")),
                HasSubstr(std::string("dtype ") + descr));
  }
  EXPECT_THAT(MessageForHeader("{'descr': [('a', '<f4', (2,)), ('b', '<f4')], "
                               "'fortran_order': False, 'shape': (1, 1)}"),
              HasSubstr("dtype [('a', '<f4', (2,)), ('b', '<f4')]"));
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8\n\x1b[31m", "(1, 1)")),
              HasSubstr("dtype <f8??[31m"));
}

TEST_F(NpySourceTest, SaysWhatOtherTypesAreAndTheWayOut) {
  const auto message_for = [&](const char* descr) {
    return MessageForHeader(NpyHeaderText(descr, "(1, 1)"));
  };
  EXPECT_THAT(message_for("|O"), HasSubstr("found Python objects (dtype |O); stack them"));
  EXPECT_THAT(message_for("<c16"), HasSubstr("array.real"));
  EXPECT_THAT(message_for("<f16"), HasSubstr("array.astype('float64')"));
  EXPECT_THAT(message_for("<M8[ns]"), HasSubstr("found dates"));
  EXPECT_THAT(message_for("<m8[s]"), HasSubstr("found durations"));
  EXPECT_THAT(MessageForHeader("{'descr': [('a', '<f8')], 'fortran_order': False, "
                               "'shape': (1, 1)}"),
              HasSubstr("structured_to_unstructured"));
}

TEST_F(NpySourceTest, ReadsHeadersInUtf8) {
  const std::string fields =
      "{'descr': [('gr\xc3\xb6\xc3\x9f"
      "e', '<f8')], "
      "'fortran_order': False, 'shape': (1, 1)}";
  EXPECT_THAT(MessageFor(NpyFile(fields, "12345678", 3)), HasSubstr("('gr????e', '<f8')"));
}

TEST_F(NpySourceTest, TruthValuesMustBeZeroOrOne) {
  for (const bool fortran : {false, true}) {
    const std::string header = std::string("{'descr': '|b1', 'fortran_order': ") +
                               (fortran ? "True" : "False") + ", 'shape': (2, 2)}";
    EXPECT_EQ(Read(NpyFile(header, std::string("\0\1\1\0", 4))), (std::vector<double>{0, 1, 1, 0}));
    EXPECT_THAT(MessageFor(NpyFile(header, std::string("\0\1\1\2", 4))),
                HasSubstr("row 1, column 1: expected 0 or 1 of a boolean, found 2"));
  }
}

TEST_F(NpySourceTest, ReadsFortranOrderAsNumPyFlattensIt) {
  // numpy.arange(24).reshape(2, 3, 4), stored with the first axis fastest.
  std::vector<int32_t> stored;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) stored.push_back(12 * i + 4 * j + k);
    }
  }
  std::vector<double> expected(24);
  std::iota(expected.begin(), expected.end(), 0);
  for (const bool big : {false, true}) {
    const std::string header = std::string("{'descr': '") + (big ? ">i4" : "<i4") +
                               "', 'fortran_order': True, 'shape': (2, 3, 4)}";
    const std::string path = scratch_.Write("file", NpyFile(header, Stored(stored, big)));
    for (const int64_t block : {0, 1, 2}) EXPECT_EQ(ReadAll(*OpenRows(path), block), expected);
  }
}

TEST_F(NpySourceTest, FortranOrderOfOneLongAxisIsReadInOneGo) {
  const std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 4, 1)}";
  EXPECT_THAT(Read(Gzip(NpyFile(header, "\1\2\3\4"))), ElementsAre(1, 2, 3, 4));
}

TEST_F(NpySourceTest, PackedFortranOrderNeedsAFolderToUnpackTo) {
  const std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}";
  const std::string packed = Gzip(NpyFile(header, "\1\2\3\4\5\6"));
  EXPECT_THAT(MessageFor(packed), HasSubstr("numpy.ascontiguousarray"));
  const std::string path = scratch_.Write("file", packed);
  const auto source = OpenNpy(std::make_unique<FileStream>(path), scratch_.Path(""));
  for (const int64_t block : {0, 1, 2}) {
    EXPECT_THAT(ReadAll(*source, block), ElementsAre(1, 3, 5, 2, 4, 6));
  }
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(NpySourceTest, RefusesArraysThatAreNotRows) {
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", "()")), HasSubstr("no axes"));
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", "(1,)")), HasSubstr("reshape"));
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", "(0, 4)")), HasSubstr("length 0"));
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", "(4, 0)")), HasSubstr("length 0"));
}

TEST_F(NpySourceTest, RefusesUnknownVersionsAndLongHeaders) {
  EXPECT_THAT(MessageFor(NpyFile(NpyHeaderText("<f8", "(1, 1)"), "12345678", 4)),
              HasSubstr("found 4.0"));
  const std::string claim = std::string("\x93NUMPY\x02") + '\0' + "\xFF\xFF\xFF\xFF";
  EXPECT_THAT(MessageFor(claim + "{}"), HasSubstr("found a length of 4294967295"));
}

TEST_F(NpySourceTest, RefusesEveryProperPrefixAndAnyMore) {
  const std::string fortran = "{'descr': '<i2', 'fortran_order': True, 'shape': (3, 2)}";
  for (const std::string& whole : {SmallNpy(), NpyFile(fortran, "123456789abc")}) {
    for (size_t size = 0; size < whole.size(); ++size) MessageFor(whole.substr(0, size));
    EXPECT_THAT(MessageFor(whole + "x"), HasSubstr("goes on after its rows"));
  }
}

TEST_F(NpySourceTest, RefusesSizesThatTheFileCannotHold) {
  for (const char* shape : {"(9223372036854775807, 9223372036854775807)",
                            "(9223372036854775807, 2)", "(1, 1152921504606846976)",
                            "(1, 1152921504606846975)", "(4294967296, 4294967296, 4294967296)"}) {
    EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", shape)), HasSubstr("too large")) << shape;
  }
  EXPECT_THAT(MessageForHeader(NpyHeaderText("<f8", "(1, 115292150460684697)")),
              HasSubstr("cut short"));
}

TEST_F(NpySourceTest, DamagedHeadersNeverCrash) {
  const std::string whole = SmallNpy();
  for (size_t i = 0; i < 128; ++i) {
    for (int value = 0; value < 256; value += 7) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      const std::string path = scratch_.Write("file", damaged);
      try {
        ReadAll(*OpenRows(path));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      }
    }
  }
}

}  // namespace
}  // namespace rhohat
