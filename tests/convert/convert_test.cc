#include "rhohat/convert.h"

#include <gmock/gmock.h>
#include <hdf5.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "base/atomic_file.h"
#include "tests/formats/test_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// The bytes of a data set as they are stored, read by the HDF5 library alone.
struct DataSetContent {
  std::vector<hsize_t> shape;
  std::vector<hsize_t> chunk;
  size_t element_bytes = 0;
  H5T_class_t element_class = H5T_NO_CLASS;
  std::string bytes;

  template <class T>
  std::vector<T> As() const {
    EXPECT_EQ(element_bytes, sizeof(T));
    std::vector<T> values(bytes.size() / sizeof(T));
    std::copy_n(bytes.data(), values.size() * sizeof(T), reinterpret_cast<char*>(values.data()));
    return values;
  }
};

DataSetContent ReadDataSet(const std::string& path, const std::string& name = "data") {
  DataSetContent content;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t dataset = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  const hid_t type = H5Dget_type(dataset);
  const hid_t space = H5Dget_space(dataset);
  const hid_t properties = H5Dget_create_plist(dataset);
  EXPECT_GE(dataset, 0) << path;
  content.shape.resize(static_cast<size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, content.shape.data(), nullptr);
  content.chunk.resize(content.shape.size());
  H5Pget_chunk(properties, static_cast<int>(content.chunk.size()), content.chunk.data());
  content.element_bytes = H5Tget_size(type);
  content.element_class = H5Tget_class(type);
  EXPECT_TRUE(content.element_bytes == 1 || H5Tget_order(type) == H5T_ORDER_LE);
  content.bytes.resize(content.shape[0] * content.shape[1] * content.element_bytes);
  EXPECT_GE(H5Dread(dataset, type, space, space, H5P_DEFAULT, content.bytes.data()), 0);
  H5Pclose(properties);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(dataset);
  H5Fclose(file);
  return content;
}

class ConvertTest : public testing::Test {
 protected:
  std::string Npy(const std::string& name, const std::string& descr, const std::string& shape,
                  const std::string& elements) {
    return scratch_.Write(name, NpyFile(NpyHeaderText(descr, shape), elements));
  }

  std::string SmallIdx(const std::string& name) {
    return scratch_.Write(
        name, IdxFile(0x08, {2, 1, 3}, Stored<uint8_t>({0, 51, 102, 153, 204, 255}, false)));
  }

  ConvertOptions Options(const std::vector<std::string>& inputs) const {
    ConvertOptions options;
    options.inputs = inputs;
    options.output.path = scratch_.Path("out.h5");
    return options;
  }

  // The message, after a check that nothing was left behind.
  std::string MessageFor(ErrorKind kind, const ConvertOptions& options) {
    const size_t before = scratch_.FileCount();
    const std::string message = MessageOf(kind, [&] { Convert(options, {}); });
    EXPECT_EQ(scratch_.FileCount(), before);
    return message;
  }

  ScratchFolder scratch_;
};

TEST_F(ConvertTest, KeepsRowsAndTypeByDefault) {
  const ConvertResult result = Convert(Options({SmallIdx("a")}), {});
  EXPECT_EQ(result.rows, 2);
  EXPECT_EQ(result.columns, 3);
  EXPECT_EQ(result.type, "uint8");
  EXPECT_EQ(result.bytes_written, std::filesystem::file_size(scratch_.Path("out.h5")));
  const DataSetContent content = ReadDataSet(scratch_.Path("out.h5"));
  EXPECT_THAT(content.shape, ElementsAre(2, 3));
  EXPECT_THAT(content.As<uint8_t>(), ElementsAre(0, 51, 102, 153, 204, 255));
}

TEST_F(ConvertTest, RowsBehindTheEndAreRefusedHoweverManyTheyAre) {
  ConvertOptions options = Options({SmallIdx("a")});
  options.rows = "1:3";  // as many as there are
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("rows 1:3"));
}

TEST_F(ConvertTest, ClipsEveryValueOfAMillionAtNoCost) {
  const std::vector<int64_t> below(1 << 20, -5);
  ConvertOptions options =
      Options({Npy("a", "<i8", "(1024, 1024)", Stored<int64_t>(below, false))});
  options.clip = true;
  options.output.force = true;
  for (const std::string dtype : {"uint8", "uint64"}) {
    options.dtype = dtype;
    Convert(options, {});
    EXPECT_EQ(ReadDataSet(scratch_.Path("out.h5")).bytes.find_first_not_of('\0'),
              std::string::npos);
  }
}

TEST_F(ConvertTest, ClipsWhatLiesAmongValuesThatFit) {
  ConvertOptions options =
      Options({Npy("a", "<f4", "(1, 6)", Stored<float>({1, -7, 2, 300, 1e30F, 3}, false))});
  options.dtype = "uint8";
  options.clip = true;
  Convert(options, {});
  EXPECT_THAT(ReadDataSet(scratch_.Path("out.h5")).As<uint8_t>(),
              ElementsAre(1, 0, 2, 255, 255, 3));
}

TEST_F(ConvertTest, DoesNotAdviseToClipWhatCannotBeClipped) {
  ConvertOptions options = Options({Npy("a", "<f4", "(1, 1)", Stored<float>({NAN}, false))});
  options.dtype = "uint8";
  options.clip = true;
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, options), Not(HasSubstr("--clip")));
}

TEST_F(ConvertTest, ConcatenatesFilesOfDifferentFormatsInTheGivenOrder) {
  const std::string idx = SmallIdx("a");
  const std::string npy = Npy("b", ">i2", "(1, 3)", Stored<int16_t>({-1, 256, 7}, true));
  const ConvertResult result = Convert(Options({npy, idx, npy}), {});
  EXPECT_EQ(result.type, "int16");
  EXPECT_THAT(ReadDataSet(scratch_.Path("out.h5")).As<int16_t>(),
              ElementsAre(-1, 256, 7, 0, 51, 102, 153, 204, 255, -1, 256, 7));
}

TEST_F(ConvertTest, ScaleMakesFloat32) {
  ConvertOptions options = Options({SmallIdx("a")});
  options.scale = 1.0 / 255;
  EXPECT_EQ(Convert(options, {}).type, "float32");
  const std::vector<float> values = ReadDataSet(scratch_.Path("out.h5")).As<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], static_cast<float>(static_cast<double>(51 * i) * (1.0 / 255)));
  }
}

TEST_F(ConvertTest, ConvertsToTheTypeAskedFor) {
  ConvertOptions options =
      Options({Npy("a", "<f8", "(1, 3)", Stored<double>({0.1, -2.5, 3.5}, false))});
  options.output.dataset = "rows";
  options.output.force = true;
  options.dtype = "int8";
  EXPECT_EQ(Convert(options, {}).type, "int8");
  EXPECT_THAT(ReadDataSet(options.output.path, "rows").As<int8_t>(), ElementsAre(0, -2, 4));
  options.dtype = "float16";
  Convert(options, {});
  EXPECT_THAT(ReadDataSet(options.output.path, "rows").As<uint16_t>(),
              ElementsAre(0x2E66, 0xC100, 0x4300));
  options.dtype = "float32";
  options.scale = 2;
  Convert(options, {});
  EXPECT_THAT(ReadDataSet(options.output.path, "rows").As<float>(), ElementsAre(0.2F, -5, 7));
}

TEST_F(ConvertTest, KeepsEveryBitWhereNothingChangesIncludingNan) {
  const std::vector<uint32_t> bits = {0x7F800001, 0xFFC12345, 0x7F800000,
                                      0x80000000, 1,          0x3F800000};
  for (const bool big : {false, true}) {
    ConvertOptions options = Options({Npy("a", big ? ">f4" : "<f4", "(2, 3)", Stored(bits, big))});
    options.output.force = true;
    Convert(options, {});
    EXPECT_EQ(ReadDataSet(options.output.path).As<uint32_t>(), bits);
  }
}

TEST_F(ConvertTest, KeepsEveryBitOfWideIntegers) {
  const std::vector<int64_t> values = {INT64_MAX, INT64_MAX - 1, (int64_t{1} << 53) + 1, 0};
  ConvertOptions options = Options({Npy("a", ">i8", "(2, 2)", Stored(values, true))});
  options.dtype = "uint64";
  Convert(options, {});
  EXPECT_THAT(ReadDataSet(options.output.path).As<int64_t>(), values);
  options.inputs = {Npy("b", "<i8", "(2, 2)", Stored<int64_t>({1, 2, 3, -4}, false))};
  options.output.force = true;
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, options), HasSubstr("row 1, column 1: -4 does not"));
}

TEST_F(ConvertTest, NamesRowAndColumnOfAValueThatDoesNotFit) {
  const std::string a = Npy("a", "<f8", "(1, 2)", Stored<double>({1, 2}, false));
  std::vector<double> values(2 * 10'000, 1);
  values[2 * 7654 + 1] = 256;
  const std::string b = Npy("b", "<f8", "(10000, 2)", Stored(values, false));
  ConvertOptions options = Options({a, b});
  options.dtype = "uint8";
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, options),
              HasSubstr(b + " row 7654, column 1: 256 does not fit uint8"));
  values[2 * 7654 + 1] = std::numeric_limits<double>::quiet_NaN();
  Npy("b", "<f8", "(10000, 2)", Stored(values, false));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, options),
              EndsWith("nan does not fit uint8; choose another --dtype"));
}

TEST_F(ConvertTest, StreamsManyBlocksAndTellsProgress) {
  struct Progress : RunObserver {
    void OnRows(int64_t done, int64_t total) override {
      EXPECT_GT(done, last);
      EXPECT_EQ(total, 30'000);
      last = done;
      ++calls;
    }
    int64_t last = 0;
    int calls = 0;
  } progress;
  std::vector<uint16_t> values(15'000 * 250);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(i * 40503U);
  const std::string path = Npy("a", ">u2", "(15000, 250)", Stored(values, true));
  ConvertOptions options = Options({path, path});
  options.output.chunk_rows = 777;
  Convert(options, {.observer = &progress});
  EXPECT_EQ(progress.last, 30'000);
  EXPECT_GE(progress.calls, 4);
  const DataSetContent content = ReadDataSet(options.output.path);
  EXPECT_THAT(content.chunk, ElementsAre(777, 250));
  const std::vector<uint16_t> stored = content.As<uint16_t>();
  ASSERT_EQ(stored.size(), 2 * values.size());
  EXPECT_TRUE(std::equal(values.begin(), values.end(), stored.begin()));
  EXPECT_TRUE(std::equal(values.begin(), values.end(), stored.begin() + 15'000 * 250));
}

TEST_F(ConvertTest, StopsWhenAskedAndLeavesNothing) {
  const std::atomic<bool> stop = true;
  const ConvertOptions options = Options({SmallIdx("a")});
  EXPECT_THROW(Convert(options, {.stop = &stop}), Stopped);
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(ConvertTest, ReplacesAnOutputOnlyWhenToldTo) {
  ConvertOptions options = Options({SmallIdx("a")});
  scratch_.Write("out.h5", "precious");
  EXPECT_THAT(MessageFor(ErrorKind::kCannotCreate, options), HasSubstr("--force"));
  EXPECT_EQ(std::filesystem::file_size(options.output.path), 8U);
  options.output.force = true;
  Convert(options, {});
  EXPECT_THAT(ReadDataSet(options.output.path).shape, ElementsAre(2, 3));
}

TEST_F(ConvertTest, AFailureKeepsTheOldOutput) {
  ConvertOptions options =
      Options({scratch_.Write("a", Gzip(IdxFile(0x08, {2, 3}, "abcdef")).substr(0, 30))});
  options.output.force = true;
  scratch_.Write("out.h5", "precious");
  MessageFor(ErrorKind::kBadData, options);
  EXPECT_EQ(std::filesystem::file_size(options.output.path), 8U);
}

TEST_F(ConvertTest, RefusesAnOutputThatIsAnInput) {
  const std::string path = SmallIdx("a");
  std::filesystem::create_symlink(path, scratch_.Path("out.h5"));
  ConvertOptions options = Options({path});
  options.output.force = true;
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options), HasSubstr("is also an input"));
}

TEST_F(ConvertTest, RefusesFilesOfDifferentWidth) {
  const std::string a = SmallIdx("a");
  const std::string b = Npy("b", "|u1", "(2, 2)", "abcd");
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, Options({a, b})),
              AllOf(HasSubstr(b + ": expected 3 columns as in " + a), HasSubstr("found 2")));
}

TEST_F(ConvertTest, RefusesAMissingInputAndAFolderThatIsNotThere) {
  EXPECT_THAT(MessageFor(ErrorKind::kNoInput, Options({scratch_.Path("missing")})),
              HasSubstr("missing"));
  ConvertOptions options = Options({SmallIdx("a")});
  options.output.path = scratch_.Path("no/such/folder/out.h5");
  EXPECT_THAT(MessageFor(ErrorKind::kCannotCreate, options), HasSubstr(options.output.path));
}

TEST_F(ConvertTest, ListsAllFaultsOfTheOptionsAtOnce) {
  ConvertOptions options;
  options.output.chunk_rows = -1;
  options.scale = std::numeric_limits<double>::infinity();
  options.dtype = "int16-be";
  EXPECT_THAT(MessageFor(ErrorKind::kUsage, options),
              AllOf(HasSubstr("no input"), HasSubstr("no output"), HasSubstr("--scale"),
                    HasSubstr("--chunk-rows"), HasSubstr("int16-be")));
}

TEST_F(ConvertTest, TheSameInputGivesTheSameBytes) {
  ConvertOptions options = Options({SmallIdx("a")});
  options.scale = 0.5;
  Convert(options, {});
  options.output.path = scratch_.Path("again.h5");
  Convert(options, {});
  const std::string again = ReadWholeFile(options.output.path);
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), again);
}

}  // namespace
}  // namespace rhohat
