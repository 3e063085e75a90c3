#include "sweep/row_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

// Rows 0, 1, 2, … of one float64 each, `rows_in_parcel` of which come in a parcel. Counts what is
// alive, and reads in several threads.
class ParcelSource final : public RowSource {
 public:
  ParcelSource(int64_t rows, int64_t rows_in_parcel)
      : rows_(rows), rows_in_parcel_(rows_in_parcel) {}

  int64_t rows() const override { return rows_; }
  int64_t columns() const override { return 1; }
  ElementType type() const override { return {ElementKind::kFloat64, false}; }
  size_t MaxRawBytes(int64_t) const override { return 0; }
  size_t ReaderBytes() const override { return 0; }
  int64_t ParcelRows() const override { return rows_in_parcel_; }
  int64_t readers() const override { return 3; }
  std::string Locate(int64_t row) const override { return "row " + std::to_string(row); }
  uint64_t bytes_read() const override { return 0; }

  void Fetch(RowRange range, RawRows& out) override {
    if (range.begin == 0) last_.reset();
    out.Start(range);
    for (int64_t row = range.begin; row < range.end;) {
      const int64_t number = row / rows_in_parcel_;
      if (!last_ || last_->number != number) {
        last_ = std::make_shared<Numbers>(*this, number);
        out.parcels.push_back(last_);
        ++out.new_parcels;
      } else if (out.parcels.empty()) {
        out.parcels.push_back(last_);
      }
      const int64_t first = number * rows_in_parcel_;
      const int64_t end = std::min(range.end, first + rows_in_parcel_);
      out.AddPiece({.type = type(),
                    .first_row = row - range.begin,
                    .rows = end - row,
                    .columns = 1,
                    .data = reinterpret_cast<const std::byte*>(last_->values.data() + row - first),
                    .row_stride = sizeof(double)});
      row = end;
    }
  }

  std::atomic<int64_t> alive = 0;
  std::atomic<int64_t> most_alive = 0;
  std::atomic<int64_t> unpacked = 0;
  std::function<void(int64_t)> before_read;
  std::function<void(int64_t)> before_unpack;

 private:
  struct Numbers final : Parcel {
    Numbers(ParcelSource& source, int64_t n)
        : owner(source), number(n), values(static_cast<size_t>(source.rows_in_parcel_), -1.0) {
      owner.most_alive = std::max(owner.most_alive.load(), ++owner.alive);
    }
    ~Numbers() override { --owner.alive; }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    void Read() override {
      if (owner.before_read) owner.before_read(number);
      read = true;
    }
    void Unpack() override {
      if (owner.before_unpack) owner.before_unpack(number);
      EXPECT_TRUE(read);
      ++owner.unpacked;
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<double>(number * owner.rows_in_parcel_ + static_cast<int64_t>(i));
      }
    }
    ParcelSource& owner;
    int64_t number;
    std::atomic<bool> read = false;
    std::vector<double> values;
  };

  int64_t rows_;
  int64_t rows_in_parcel_;
  std::shared_ptr<Numbers> last_;
};

double SumOf(const RawRows& rows) {
  double sum = 0;
  for (const RawRows::Piece& piece : rows.pieces) {
    for (int64_t i = 0; i < piece.rows; ++i) {
      sum += reinterpret_cast<const double*>(piece.data)[i];
    }
  }
  return sum;
}

TEST(RowPassTest, ParcelsAreUnpackedOnceBeforeAnyBlockThatNeedsThem) {
  for (const int64_t rows_in_parcel : {1, 3, 7, 10, 64, 1000}) {
    for (const int64_t threads : {1, 2, 4}) {
      ParcelSource source(501, rows_in_parcel);
      // Late ones first.
      source.before_unpack = [](int64_t number) {
        if (number % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      };
      Executor executor(threads);
      RowPass pass(source, executor, {.block_rows = 10, .lanes = 4, .blocks_ahead = 6});
      for (int repeat = 0; repeat < 2; ++repeat) {
        std::atomic<int64_t> sum = 0;
        source.unpacked = 0;
        EXPECT_EQ(pass.Run([&](const RawBlock& block) {
          sum += static_cast<int64_t>(SumOf(*block.rows));
        }),
                  4);
        EXPECT_EQ(sum, 501 * 500 / 2) << rows_in_parcel << " rows a parcel";
        EXPECT_EQ(source.unpacked, (501 + rows_in_parcel - 1) / rows_in_parcel);
        // 60 rows in hand, one parcel more at either end.
        EXPECT_LE(source.most_alive, 60 / rows_in_parcel + 2);
      }
    }
  }
}

TEST(RowPassTest, TheFirstParcelThatFailsEndsThePassAndNothingIsLeft) {
  ParcelSource source(500, 7);
  const auto fail_from = [](int64_t number) {
    if (number >= 20) throw Error(ErrorKind::kBadData, std::to_string(number));
  };
  for (const bool reading : {true, false}) {
    source.before_read = reading ? fail_from : std::function<void(int64_t)>();
    source.before_unpack = reading ? std::function<void(int64_t)>() : fail_from;
    Executor executor(3);
    RowPass pass(source, executor, {.block_rows = 10, .lanes = 4, .blocks_ahead = 8});
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::atomic<int64_t> last = 0;
      try {
        pass.Run([&](const RawBlock& block) { last = std::max(last.load(), block.index); });
        FAIL() << "nothing was thrown";
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "20");
      }
      EXPECT_LT(last, 14);  // block 14 begins with row 140, in parcel 20
    }
    EXPECT_LE(source.alive, 1) << "the source itself may keep one";
  }
}

TEST(RowPassTest, WritesInOrderWhileOthersCompute) {
  VectorSource source = VectorSource::Random(400, 1, 3);
  Executor executor(4);
  RowPass pass(source, executor, {.block_rows = 3, .lanes = 8, .blocks_ahead = 8});
  std::vector<int64_t> results(8);
  std::vector<int64_t> written;
  std::atomic<int> writers = 0;
  pass.RunOrdered(
      [&](const RawBlock& block) {
        if (block.index % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
        results[static_cast<size_t>(block.slot)] = block.index;
      },
      [&](RowRange range, int64_t slot) {
        EXPECT_EQ(++writers, 1);
        EXPECT_EQ(range.begin, 3 * static_cast<int64_t>(written.size()));
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        written.push_back(results[static_cast<size_t>(slot)]);
        --writers;
      });
  ASSERT_EQ(written.size(), 134U);
  for (size_t i = 0; i < written.size(); ++i) EXPECT_EQ(written[i], static_cast<int64_t>(i));
}

TEST(RowPassTest, AFailureToWriteReachesTheCallerAndEndsTheWriting) {
  VectorSource source = VectorSource::Random(4000, 1, 3);
  Executor executor(3);
  RowPass pass(source, executor, {.block_rows = 3, .lanes = 8, .blocks_ahead = 8});
  int64_t written = 0;
  EXPECT_THROW(pass.RunOrdered([](const RawBlock&) {},
                               [&](RowRange, int64_t) {
                                 if (++written == 10) throw Error(ErrorKind::kIo, "full");
                               }),
               Error);
  EXPECT_EQ(written, 10);
}

}  // namespace
}  // namespace rhohat
