// The sources that are made of other sources: joined, and in part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "convert/joined_rows.h"
#include "convert/row_view.h"
#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Row r, column c of input i is 100 i + 10 r + c.
std::unique_ptr<RowSource> Input(size_t i, int64_t rows, int64_t columns = 2) {
  std::vector<double> values;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      values.push_back(static_cast<double>(100 * static_cast<int64_t>(i) + 10 * row + column));
    }
  }
  return std::make_unique<VectorSource>(rows, columns, std::move(values));
}

std::vector<double> ReadAll(RowSource& source, int64_t block) {
  std::vector<double> all;
  RawRows raw;
  for (int64_t begin = 0; begin < source.rows(); begin += block) {
    FetchAndUnpack(source, {begin, std::min(source.rows(), begin + block)}, raw);
    EXPECT_LE(raw.bytes.size(), source.MaxRawBytes(raw.range.size()));
    std::vector<double> rows(static_cast<size_t>(raw.range.size() * source.columns()));
    DecodeRows<double>(source, raw, rows);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

class JoinedInputsTest : public testing::Test {
 protected:
  JoinedRows Join(const std::vector<int64_t>& rows) {
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back("input" + std::to_string(i));
    return {names, [this, rows](size_t i) {
              ++opened_;
              return Input(i, rows[i]);
            }};
  }
  int opened_ = 0;
};

TEST_F(JoinedInputsTest, AreTheSameHoweverBlocksCutTheInputs) {
  JoinedRows joined = Join({3, 1, 1, 4});
  ASSERT_EQ(joined.rows(), 9);
  const std::vector<double> expected = {0,   1,   10,  11,  20,  21,  100, 101, 200,
                                        201, 300, 301, 310, 311, 320, 321, 330, 331};
  for (const int64_t block : {1, 2, 3, 4, 9}) EXPECT_EQ(ReadAll(joined, block), expected) << block;
}

TEST_F(JoinedInputsTest, OneInputIsOpenedOnceForLookingAndReading) {
  JoinedRows joined = Join({5});
  ReadAll(joined, 2);
  ReadAll(joined, 2);
  EXPECT_EQ(opened_, 1);
}

TEST_F(JoinedInputsTest, SeveralInputsAreOpenedAgainAsTheRowsReachThemButTheFirst) {
  JoinedRows joined = Join({2, 2, 2});
  ReadAll(joined, 1);
  EXPECT_EQ(opened_, 5);
}

TEST_F(JoinedInputsTest, SayWhereARowIsInItsInput) {
  const JoinedRows joined = Join({3, 2});
  EXPECT_EQ(joined.Locate(2), "input0 row 2");
  EXPECT_EQ(joined.Locate(4), "input1 row 1");
}

TEST_F(JoinedInputsTest, InputsOfAnotherWidthAreRefused) {
  const auto open = [](size_t i) { return Input(i, 2, i == 0 ? 2 : 3); };
  try {
    JoinedRows({"a", "b"}, open);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("b: expected 2 columns as in a, found 3"));
  }
}

TEST_F(JoinedInputsTest, AnInputThatChangesAfterItWasLookedAtIsRefused) {
  int opened = 0;
  JoinedRows joined({"a", "b"}, [&](size_t i) { return Input(i, ++opened > 2 ? 1 : 2); });
  EXPECT_THROW(ReadAll(joined, 4), Error);
}

TEST(RowViewTest, TakesRowsAndColumnsInTheOrderAskedFor) {
  RowView view(Input(0, 5, 4), {1, 4}, {3, 0, 1, 3});
  EXPECT_EQ(view.columns(), 4);
  for (const int64_t block : {1, 2, 3}) {
    EXPECT_THAT(ReadAll(view, block), ElementsAre(13, 10, 11, 13, 23, 20, 21, 23, 33, 30, 31, 33));
  }
  EXPECT_EQ(view.Locate(0), "memory row 1");
  EXPECT_EQ(view.ColumnName(0), "column 3");
  EXPECT_EQ(view.ColumnName(2), "column 1");
}

TEST(RowViewTest, RefusesRowsAndColumnsThatAreNotThere) {
  EXPECT_THROW(RowView(Input(0, 5), {0, 6}, {}), Error);
  EXPECT_THROW(RowView(Input(0, 5), {3, 3}, {}), Error);
  EXPECT_THROW(RowView(Input(0, 5), {4, 2}, {}), Error);
  EXPECT_THROW(RowView(Input(0, 5), {0, 5}, {2}), Error);
}

}  // namespace
}  // namespace rhohat
