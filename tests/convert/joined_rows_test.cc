#include "convert/joined_rows.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

// Sources of two rows of one column: 0 and 1, 10 and 11, …; counts how often each was opened.
JoinedRows Join(size_t count, std::vector<int>& opened) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  opened.assign(count, 0);
  return JoinedRows(std::move(names), [&opened](size_t i) -> std::unique_ptr<RowSource> {
    ++opened[i];
    const auto first = static_cast<double>(10 * i);
    return std::make_unique<VectorSource>(2, 1, std::vector<double>{first, first + 1});
  });
}

std::vector<double> ReadOneByOne(RowSource& source) {
  std::vector<double> values;
  for (int64_t row = 0; row < source.rows(); ++row) {
    RawRows raw;
    FetchAndUnpack(source, {row, row + 1}, raw);
    double value = 0;
    DecodeRows<double>(source, raw, std::span(&value, 1));
    values.push_back(value);
  }
  return values;
}

// Opening may mean to count the lines of a text, or to unpack an array.
TEST(JoinedRowsTest, OpensAnOnlyInputOnceForSeveralPasses) {
  std::vector<int> opened;
  JoinedRows rows = Join(1, opened);
  EXPECT_EQ(ReadOneByOne(rows), (std::vector<double>{0, 1}));
  EXPECT_EQ(ReadOneByOne(rows), (std::vector<double>{0, 1}));
  EXPECT_EQ(opened, (std::vector<int>{1}));
}

TEST(JoinedRowsTest, OpensSeveralInputsAsTheRowsReachThem) {
  std::vector<int> opened;
  JoinedRows rows = Join(3, opened);
  EXPECT_EQ(opened, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(ReadOneByOne(rows), (std::vector<double>{0, 1, 10, 11, 20, 21}));
  EXPECT_EQ(opened, (std::vector<int>{1, 2, 2}));  // the first is still open
}

}  // namespace
}  // namespace rhohat
