#include "data/data_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "data/decode.h"
#include "rhohat/error.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr ElementType kFloat{ElementKind::kFloat32, false};
constexpr ElementType kByte{ElementKind::kUint8, false};

std::vector<float> Counting(size_t count, float first) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

std::vector<double> ReadAll(DataSet& data, int64_t rows_at_once) {
  std::vector<double> all;
  RawRows raw;
  for (int64_t row = 0; row < data.rows(); row += rows_at_once) {
    FetchAndUnpack(data, {row, std::min(data.rows(), row + rows_at_once)}, raw);
    std::vector<double> rows(static_cast<size_t>(raw.range.size() * data.columns()));
    DecodeRows<double>(data, raw, rows);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

// The message of the Error of that kind that opening must throw.
std::string Refusal(const DataOptions& options, ErrorKind kind) {
  try {
    const DataSet data(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(DataSetTest, SeveralFilesOfSeveralTypesAreOneDataSetHoweverTheyAreCut) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "a.h5", kFloat, 3, Counting(21, 0), 2);
  WriteRows<uint8_t>(folder / "b.h5", kByte, 3, {21, 22, 23}, 1);
  WriteRows<float>(folder / "c.h5", kFloat, 3, Counting(12, 24), 100);
  DataSet data({.files = {folder / "a.h5", folder / "b.h5", folder / "c.h5"}});
  ASSERT_EQ(data.rows(), 12);
  ASSERT_EQ(data.columns(), 3);
  std::vector<double> expected(36);
  std::iota(expected.begin(), expected.end(), 0);
  for (const int64_t rows_at_once : {1, 2, 3, 5, 7, 8, 12, 50}) {
    EXPECT_EQ(ReadAll(data, rows_at_once), expected) << rows_at_once;
  }
}

TEST(DataSetTest, LocatesARowInItsFile) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "a.h5", kFloat, 1, Counting(4, 0));
  WriteRows<float>(folder / "b.h5", kFloat, 1, Counting(4, 0));
  const DataSet data({.files = {folder / "a.h5", folder / "b.h5"}});
  EXPECT_EQ(data.Locate(3), (folder / "a.h5") + ":/data row 3");
  EXPECT_EQ(data.Locate(4), (folder / "b.h5") + ":/data row 0");
}

TEST(DataSetTest, CountsTheBytesItReadsAsTheyAreStoredAndEachChunkOnce) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "a.h5", kFloat, 5, Counting(50, 0));
  DataSet data({.files = {folder / "a.h5"}});
  ReadAll(data, 3);
  ReadAll(data, 4);
  constexpr size_t kChecksumBytes = 4;
  EXPECT_EQ(data.bytes_read(), 2 * (50 * sizeof(float) + kChecksumBytes));
}

TEST(DataSetTest, RefusesWhatItCannotUseAndSaysWhy) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "three.h5", kFloat, 3, Counting(9, 0));
  WriteRows<float>(folder / "two.h5", kFloat, 2, Counting(8, 0));
  std::ofstream(folder / "text.h5") << "these are not numbers";
  EXPECT_THAT(Refusal({.files = {folder / "none.h5"}}, ErrorKind::kNoInput),
              HasSubstr("No such file"));
  EXPECT_THAT(Refusal({.files = {folder / "text.h5"}}, ErrorKind::kBadData),
              HasSubstr("is not an HDF5 file"));
  EXPECT_THAT(Refusal({.files = {folder.path().string()}}, ErrorKind::kNoInput),
              HasSubstr("found a folder"));
  EXPECT_THAT(Refusal({.files = {folder / "three.h5"}, .dataset = "/x/y"}, ErrorKind::kNoInput),
              HasSubstr("there is no data set /x/y; there is /data"));
  EXPECT_THAT(Refusal({.files = {folder / "three.h5", folder / "two.h5"}}, ErrorKind::kBadData),
              HasSubstr("expected 3 columns as in"));
}

TEST(DataSetTest, AFileThatChangesUnderwayEndsTheReading) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "a.h5", kFloat, 1, Counting(4, 0));
  WriteRows<float>(folder / "b.h5", kFloat, 1, Counting(4, 0));
  DataSet data({.files = {folder / "a.h5", folder / "b.h5"}});
  ReadAll(data, 8);
  WriteRows<float>(folder / "a.h5", kFloat, 1, Counting(5, 0));
  try {
    ReadAll(data, 8);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("has changed since this run began"));
  }
}

TEST(Hdf5WriterTest, LeavesNothingBehindUnlessCommitted) {
  const TemporaryFolder folder;
  {
    Hdf5Writer writer(folder / "a.h5", {.type = kFloat, .rows = 2, .columns = 2});
    const std::vector<float> row = Counting(2, 0);
    writer.Append(std::as_bytes(std::span(row)));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5WriterTest, TheSameRowsGiveTheSameFileHoweverTheyAreAppended) {
  const TemporaryFolder folder;
  const std::vector<float> values = Counting(600, 0);
  const auto bytes = std::as_bytes(std::span(values));
  for (const size_t rows_at_once : {1U, 7U, 200U}) {
    Hdf5Writer writer(folder / std::to_string(rows_at_once),
                      {.type = kFloat, .rows = 200, .columns = 3, .chunk_rows = 16});
    for (size_t row = 0; row < 200; row += rows_at_once) {
      writer.Append(bytes.subspan(row * 12, std::min<size_t>(rows_at_once, 200 - row) * 12));
    }
    writer.SetAttribute("origin", "test");
    writer.Commit();
  }
  const auto content = [&](const std::string& name) {
    std::ifstream file(folder / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(content("1"), content("7"));
  EXPECT_EQ(content("1"), content("200"));
}

TEST(Hdf5WriterTest, EveryTypeComesBackAsItself) {
  const TemporaryFolder folder;
  for (const char* name : {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
                           "float16", "bfloat16", "float32", "float64"}) {
    const ElementType type = ParseElementType(name);
    const std::vector<std::byte> values(ElementBytes(type) * 4, std::byte{1});
    Hdf5Writer writer(folder / name, {.type = type, .rows = 2, .columns = 2});
    writer.Append(values);
    writer.Commit();
    EXPECT_EQ(ElementName(DataSet({.files = {folder / name}}).type()), name);
  }
}

TEST(Hdf5WriterTest, RefusesAnOutputThatCannotBe) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder / "no/such/folder/a.h5", folder.path().string()}) {
    try {
      const Hdf5Writer writer(path, {.type = kFloat, .rows = 1, .columns = 1});
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
    }
  }
}

}  // namespace
}  // namespace rhohat
