// Where rows come from: anything that can hand over consecutive rows as they are stored.
//
// Reading is split in two, so that the slow and serial part is as small as can be. Fetch() brings
// the stored bytes and is called by one thread in ascending order; DecodeRows() turns them into
// numbers of the wanted type, checks that they are finite, and is called by many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/element_type.h"

namespace rhohat {

struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;  // one past the last
  int64_t size() const { return end - begin; }
};

// Consecutive rows as stored. Kept and filled again, so that memory is allocated once.
struct RawRows {
  // Rows of one type, at `byte_offset` in `bytes`, one after another without gaps.
  struct Piece {
    ElementType type;
    int64_t rows = 0;
    size_t byte_offset = 0;
  };
  RowRange range;  // global row numbers
  std::vector<Piece> pieces;
  std::vector<std::byte> bytes;
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t rows() const = 0;
  virtual int64_t columns() const = 0;

  // The type that holds every row without loss, as far as the types of the parts allow.
  virtual ElementType type() const = 0;

  // The most that `bytes` of `count` consecutive rows can take.
  virtual size_t MaxRawBytes(int64_t count) const = 0;

  // Memory that the source itself may hold on to while it is read (caches, windows of decoders).
  virtual size_t ReaderBytes() const = 0;

  // Fills `out` with the rows of `range`. Called by one thread at a time; ranges ascend without
  // gaps, and a range that starts at row 0 begins a new pass. Throws Error.
  virtual void Fetch(RowRange range, RawRows& out) = 0;

  // Where a row is, for messages: "acts.h5:/layer6 row 17". Thread-safe.
  virtual std::string Locate(int64_t row) const = 0;

  // Bytes that Fetch has handed out so far: of rows as stored, decompressed. Thread-safe.
  virtual uint64_t bytes_read() const = 0;
};

// Converts raw rows to T (float or double): `out` holds range.size() × columns values, row-major.
// Thread-safe. Throws Error(kBadData), naming file, row and column, at the first value that is NaN
// or infinite, or that is in T.
template <class T>
void DecodeRows(const RowSource& source, const RawRows& raw, std::span<T> out);

}  // namespace rhohat
