#include "formats/matlab_source.h"

#include <gmock/gmock.h>
#include <matio.h>

#include "tests/formats/matlab_files.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

class MatlabSourceTest : public testing::Test {
 protected:
  std::unique_ptr<RowSource> Open(const std::string& path, const std::string& variable = "") {
    return OpenMatlab(path, variable, scratch_.Path(""));
  }

  std::vector<double> Read(const std::vector<MatlabVariable>& variables,
                           const std::string& variable = "", int64_t block = 0) {
    return ReadAll(*Open(scratch_.Write("file", MatlabFile(variables)), variable), block);
  }

  std::string MessageFor(ErrorKind kind, const std::string& bytes,
                         const std::string& variable = "") {
    const std::string path = scratch_.Write("file", bytes);
    const std::string message = MessageOf(kind, [&] { ReadAll(*Open(path, variable)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }

  // `values` are of a 3×2 matrix, column after column.
  template <class T>
  void ExpectReads(uint32_t type, ElementKind kind, const std::vector<T>& values) {
    for (const bool big : {false, true}) {
      for (const bool compressed : {false, true}) {
        const auto source =
            Open(scratch_.Write("file", MatlabFile({{.axes = {3, 2},
                                                     .type = type,
                                                     .elements = Stored(values, big),
                                                     .compressed = compressed,
                                                     .big_endian = big}})));
        EXPECT_EQ(source->type(), (ElementType{kind, big && sizeof(T) > 1}));
        EXPECT_EQ(source->rows(), 3);
        std::vector<double> rows;
        for (const size_t i : {0, 3, 1, 4, 2, 5}) rows.push_back(static_cast<double>(values[i]));
        EXPECT_THAT(ReadAll(*source), ElementsAreArray(rows)) << type << compressed;
        EXPECT_THAT(ReadAll(*source, 2), ElementsAreArray(rows)) << type << compressed;
      }
    }
  }

  ScratchFolder scratch_;
};

MatlabVariable Bytes(const std::string& name, const std::vector<int32_t>& axes) {
  int32_t count = 1;
  for (const int32_t length : axes) count *= length;
  std::string elements;
  for (int32_t i = 0; i < count; ++i) elements += static_cast<char>(i);
  return {.name = name, .axes = axes, .type = 2, .elements = elements};
}

TEST_F(MatlabSourceTest, ReadsEveryTypeInEitherByteOrderPackedOrNot) {
  ExpectReads<int8_t>(1, ElementKind::kInt8, {0, 1, -128, 127, 5, 6});
  ExpectReads<uint8_t>(2, ElementKind::kUint8, {0, 1, 128, 255, 5, 6});
  ExpectReads<int16_t>(3, ElementKind::kInt16, {0, 258, INT16_MIN, INT16_MAX, 5, 6});
  ExpectReads<uint16_t>(4, ElementKind::kUint16, {0, 258, 32768, UINT16_MAX, 5, 6});
  ExpectReads<int32_t>(5, ElementKind::kInt32, {0, 258, INT32_MIN, INT32_MAX, 5, 6});
  ExpectReads<uint32_t>(6, ElementKind::kUint32, {0, 258, 1U << 31, UINT32_MAX, 5, 6});
  ExpectReads<float>(7, ElementKind::kFloat32, {0, 1.5F, -3e38F, 1e-40F, 5, 6});
  ExpectReads<double>(9, ElementKind::kFloat64, {0, 0.1, -1e308, 5e-324, 5, 6});
  ExpectReads<int64_t>(12, ElementKind::kInt64, {0, 258, INT64_MIN, int64_t{1} << 53, 5, 6});
  ExpectReads<uint64_t>(13, ElementKind::kUint64, {0, 258, 1, uint64_t{1} << 63, 5, 6});
}

TEST_F(MatlabSourceTest, FlattensTrailingAxesAsNumPyDoes) {
  // numpy.arange(24).reshape((2, 3, 4), order='F').reshape(2, -1)
  const std::vector<double> rows = {0, 6, 12, 18, 2, 8, 14, 20, 4, 10, 16, 22,
                                    1, 7, 13, 19, 3, 9, 15, 21, 5, 11, 17, 23};
  MatlabVariable variable = Bytes("x", {2, 3, 4});
  EXPECT_THAT(Read({variable}), ElementsAreArray(rows));
  EXPECT_THAT(Read({variable}, "x", 1), ElementsAreArray(rows));
  variable.compressed = true;
  EXPECT_THAT(Read({variable}), ElementsAreArray(rows));
}

TEST_F(MatlabSourceTest, ReadsNumbersSmallEnoughToLieInTheirTag) {
  for (const bool compressed : {false, true}) {
    MatlabVariable variable = Bytes("name of more than four", {2, 2});
    variable.compressed = compressed;
    EXPECT_THAT(Read({variable}), ElementsAre(0, 2, 1, 3));
  }
}

TEST_F(MatlabSourceTest, TakesTheOnlyMatrixAmongOtherVariables) {
  const MatlabVariable text = {
      .name = "t", .class_number = 4, .axes = {1, 2}, .type = 16, .elements = "ab"};
  const MatlabVariable nested = {
      .name = "s", .class_number = 2, .axes = {3, 3}, .type = 99, .elements = "not looked into"};
  const MatlabVariable complex = {
      .name = "z", .flags = 0x800, .axes = {2, 2}, .type = 2, .elements = "abcd"};
  const MatlabVariable empty = {.name = "e", .axes = {0, 3}, .type = 9};
  const MatlabVariable nameless = {.name = "", .axes = {2, 2}, .type = 2, .elements = "abcd"};
  EXPECT_THAT(Read({text, nested, Bytes("n", {1, 1}), Bytes("v", {1, 3}), Bytes("x", {2, 2}),
                    complex, empty, nameless}),
              ElementsAre(0, 2, 1, 3));
}

TEST_F(MatlabSourceTest, ReadsTheArrayThatIsNamed) {
  const std::vector<MatlabVariable> variables = {Bytes("x", {2, 2}), Bytes("v", {3, 1}),
                                                 Bytes("y", {2, 3})};
  EXPECT_THAT(Read(variables, "v"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Read(variables, "y"), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, MatlabFile(variables)),
              AllOf(HasSubstr("x: 2×2 double"), HasSubstr("y: 2×3 double")));
  EXPECT_THAT(MessageFor(ErrorKind::kNoInput, MatlabFile(variables), "w"),
              AllOf(HasSubstr("an array w"), HasSubstr("x: 2×2 double")));
}

TEST_F(MatlabSourceTest, RefusesWhatIsNoFullArrayOfRealNumbersByName) {
  struct Case {
    uint32_t class_number;
    uint32_t flags;
    const char* found;
  };
  for (const Case& refused : {Case{1, 0, "cell"}, Case{2, 0, "struct"}, Case{3, 0, "object"},
                              Case{4, 0, "char"}, Case{5, 0, "sparse"}, Case{16, 0, "function"},
                              Case{6, 0x800, "complex double"}, Case{99, 0, "unknown"}}) {
    MatlabVariable variable = Bytes("x", {2, 3});
    variable.class_number = refused.class_number;
    variable.flags = refused.flags;
    EXPECT_THAT(MessageFor(ErrorKind::kBadData, MatlabFile({variable}), "x"),
                HasSubstr(std::string("x: 2×3 ") + refused.found));
    EXPECT_THAT(MessageFor(ErrorKind::kBadData, MatlabFile({variable})), HasSubstr(refused.found));
  }
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, MatlabFile({{.axes = {3, 0}, .type = 9}}), "x"),
              HasSubstr("at least one row"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, MatlabFile({})), HasSubstr("found none"));
}

TEST_F(MatlabSourceTest, RefusesAFileCutShortAnywhere) {
  for (const bool compressed : {false, true}) {
    MatlabVariable variable = Bytes("x", {5, 3});
    variable.compressed = compressed;
    const std::string whole = MatlabFile({variable});
    // The text before byte 124 means nothing.
    for (size_t length = 124; length < whole.size(); ++length) {
      MessageFor(ErrorKind::kBadData, whole.substr(0, length));
    }
    MessageFor(ErrorKind::kBadData, whole + "more");
  }
}

TEST_F(MatlabSourceTest, SurvivesEveryByteThatIsDamaged) {
  for (const bool compressed : {false, true}) {
    MatlabVariable variable = Bytes("x", {5, 3});
    variable.compressed = compressed;
    const std::string whole = MatlabFile({variable});
    for (size_t i = 124; i < whole.size(); ++i) {
      for (const int mask : {0x01, 0xff}) {
        if (mask == 0x01 && compressed) continue;
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ mask);
        const std::string path = scratch_.Write("file", damaged);
        try {
          const auto source = Open(path);
          EXPECT_EQ(ReadAll(*source).size(),
                    static_cast<size_t>(source->rows() * source->columns()));
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr(path));
        }
      }
    }
  }
}

TEST_F(MatlabSourceTest, RefusesAxesThatTheFileCannotHold) {
  for (const std::vector<int32_t>& axes :
       std::vector<std::vector<int32_t>>{{INT32_MAX, INT32_MAX},
                                         {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
                                         {65536, 65536, 65536, 65536, 16},
                                         {-1, -4},
                                         {3, 2},
                                         std::vector<int32_t>(40, 1)}) {
    for (const bool compressed : {false, true}) {
      MessageFor(
          ErrorKind::kBadData,
          MatlabFile({{.axes = axes, .type = 2, .elements = "abcd", .compressed = compressed}}));
    }
  }
}

TEST_F(MatlabSourceTest, NoticesTheChecksumOfPackedArrays) {
  MatlabVariable variable = Bytes("x", {5, 3});
  variable.compressed = true;
  std::string bytes = MatlabFile({variable});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, bytes), HasSubstr("compressed array"));
}

TEST_F(MatlabSourceTest, LeavesNothingInTheSpoolFolder) {
  MatlabVariable variable = Bytes("x", {5, 3});
  variable.compressed = true;
  Read({variable});
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(MatlabSourceTest, ReadsWhatAnotherLibraryWrites) {
  std::vector<float> values(30);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  for (const matio_compression compression : {MAT_COMPRESSION_NONE, MAT_COMPRESSION_ZLIB}) {
    const std::string path = scratch_.Path("file");
    mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    ASSERT_NE(file, nullptr);
    size_t axes[2] = {10, 3};
    matvar_t* variable = Mat_VarCreate("x", MAT_C_SINGLE, MAT_T_SINGLE, 2, axes, values.data(), 0);
    EXPECT_EQ(Mat_VarWrite(file, variable, compression), 0);
    Mat_VarFree(variable);
    Mat_Close(file);
    const auto source = Open(path);
    EXPECT_EQ(source->type(), (ElementType{ElementKind::kFloat32, false}));
    const std::vector<double> read = ReadAll(*source, 4);
    ASSERT_EQ(read.size(), values.size());
    for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i], values[i % 3 * 10 + i / 3]);
  }
}

TEST_F(MatlabSourceTest, RefusesOtherFilesWithTheWayOutForVersion4) {
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, std::string(200, '\0')), HasSubstr("-v7"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, ""), HasSubstr("MATLAB"));
  MessageFor(ErrorKind::kBadData, MatlabHeader().substr(0, 126) + "XX");
  MessageOf(ErrorKind::kNoInput, [&] { Open(scratch_.Path("missing")); });
}

TEST(LooksLikeMatlabTest, AsksForTheTextThatMatlabBeginsWith) {
  const auto looks = [](const std::string& text) {
    return LooksLikeMatlab(std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(looks(MatlabHeader()));
  EXPECT_TRUE(looks("MATLAB 7.3 MAT-file, Platform: GLNXA64"));
  EXPECT_FALSE(looks("MATLAB 7.4 MAT-file"));
  EXPECT_FALSE(looks("MATLAB 5.0"));
}

}  // namespace
}  // namespace rhohat
