#include "convert/joined_rows.h"

#include <gtest/gtest.h>

#include <numeric>

#include "data/data_set.h"
#include "data/decode.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

constexpr ElementType kFloat{ElementKind::kFloat32, false};

std::vector<float> Counting(size_t count, float first) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

// The steps that are left of `raw`, which was fetched.
std::vector<double> Finish(RowSource& source, RawRows& raw) {
  for (size_t i = raw.parcels.size() - raw.new_parcels; i < raw.parcels.size(); ++i) {
    raw.parcels[i]->Read();
    raw.parcels[i]->Unpack();
  }
  source.Read(raw);
  source.Unpack(raw);
  std::vector<double> values(static_cast<size_t>(raw.range.size() * source.columns()));
  DecodeRows<double>(source, raw, values);
  return values;
}

std::vector<double> AsDoubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

class JoinedRowsTest : public testing::Test {
 protected:
  // Files of 5, 2 and 5 rows of two columns, in compressed chunks of 4 rows.
  JoinedRows Open() const {
    const std::vector<std::string> files = {folder_ / "a.h5", folder_ / "b.h5", folder_ / "c.h5"};
    WriteRows<float>(files[0], kFloat, 2, Counting(10, 0), 4);
    WriteRows<float>(files[1], kFloat, 2, Counting(4, 10), 4);
    WriteRows<float>(files[2], kFloat, 2, Counting(10, 14), 4);
    return {files, [files](size_t i) {
              return std::make_unique<DataSet>(DataOptions{.files = {files[i]}});
            }};
  }

  TemporaryFolder folder_;
};

TEST_F(JoinedRowsTest, RowsAcrossInputsWaitForTheParcelThatABlockBeforeUnpacks) {
  JoinedRows joined = Open();
  RawRows before;
  RawRows across;
  RawRows after;
  joined.Fetch({0, 3}, before);
  joined.Fetch({3, 8}, across);
  joined.Fetch({8, 12}, after);
  EXPECT_EQ(Finish(joined, before), AsDoubles(Counting(6, 0)));
  EXPECT_EQ(Finish(joined, across), AsDoubles(Counting(10, 6)));
  EXPECT_EQ(Finish(joined, after), AsDoubles(Counting(8, 16)));
}

TEST_F(JoinedRowsTest, AreTheSameHoweverTheyAreCutAndInEveryPass) {
  JoinedRows joined = Open();
  for (const int64_t rows_at_once : {1, 2, 3, 5, 7, 12, 12}) {
    RawRows raw;
    std::vector<double> all;
    for (int64_t row = 0; row < joined.rows(); row += rows_at_once) {
      joined.Fetch({row, std::min(joined.rows(), row + rows_at_once)}, raw);
      EXPECT_LE(raw.bytes.size(), joined.MaxRawBytes(rows_at_once));
      const std::vector<double> rows = Finish(joined, raw);
      all.insert(all.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(all, AsDoubles(Counting(24, 0))) << rows_at_once;
  }
}

TEST_F(JoinedRowsTest, BytesReadAfterTheNextInputIsOpenCountToo) {
  JoinedRows joined = Open();
  uint64_t stored = 0;
  for (const char* name : {"a.h5", "b.h5", "c.h5"}) {
    stored += DataSet({.files = {folder_ / name}}).files().front().stored_bytes;
  }
  {
    RawRows first;
    RawRows rest;
    joined.Fetch({0, 5}, first);
    joined.Fetch({5, 12}, rest);
    Finish(joined, first);
    Finish(joined, rest);
  }
  EXPECT_EQ(joined.bytes_read(), stored);
}

}  // namespace
}  // namespace rhohat
