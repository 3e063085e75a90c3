// Where rows come from: anything that can hand over consecutive rows as they are stored.
//
// Reading is cut into steps, so that the slow and serial part is as small as can be:
//
//   Fetch        one thread, in ascending order    says where the rows are; reads what must be read
//                                                  in order
//   Read         some reading threads at once      brings stored bytes that can come in any order
//   Unpack       many compute threads at once      decompresses, parses: stored bytes to elements
//   DecodeRows   many compute threads at once      elements to numbers of the wanted type, all of
//                                                  them finite
//
// What several blocks of rows share, such as a compressed chunk, is a Parcel: it is read and
// unpacked once, before the first of the blocks that need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/input_file.h"
#include "data/element_type.h"

namespace rhohat {

struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;  // one past the last
  int64_t size() const { return end - begin; }
};

// Stored bytes that are read and unpacked as a whole. Destroyed when the last block that needs it
// is done.
class Parcel {
 public:
  virtual ~Parcel() = default;

  // Brings the stored bytes. Called once, by a reading thread. Throws Error.
  virtual void Read() = 0;

  // Makes elements of them, where the pieces of the rows point. Called once, by a compute thread,
  // after Read(). Throws Error.
  virtual void Unpack() = 0;
};

// Consecutive rows as stored. Kept and filled again, so that memory is allocated once.
struct RawRows {
  // A rectangle of elements of one type: `rows` rows from `first_row` (counted from range.begin) ×
  // `columns` columns from `first_column`. Row i begins at data + i × row_stride; its elements lie
  // one after another. The pieces cover every element of the range once.
  struct Piece {
    ElementType type;
    int64_t first_row = 0;
    int64_t rows = 0;
    int64_t first_column = 0;
    int64_t columns = 0;
    const std::byte* data = nullptr;  // valid after Unpack()
    size_t row_stride = 0;            // in bytes; 0 where all rows are the same
  };
  // Bytes of a file that belong at `byte_offset` in `bytes`.
  struct Segment {
    std::shared_ptr<const InputFile> file;
    uint64_t offset = 0;  // in the file
    size_t bytes = 0;
    size_t byte_offset = 0;
  };

  RowRange range;  // global row numbers
  std::vector<Piece> pieces;
  std::vector<std::byte> bytes;  // what the pieces point to, where it is not a parcel's

  std::vector<Segment> segments;  // what Read() brings

  // What must be unpacked before the pieces can be looked at. The last `new_parcels` of them are
  // needed here for the first time: whoever reads these rows reads and unpacks those.
  std::vector<std::shared_ptr<Parcel>> parcels;
  size_t new_parcels = 0;

  // Whatever must live as long as these rows are in hand.
  std::shared_ptr<void> keep_alive;

  // Empties everything but `bytes`.
  void Start(RowRange rows);

  // Adds a piece, as part of the last one where it goes on from there.
  void AddPiece(const Piece& piece);

  // Adds a segment, as part of the last one where it goes on from there.
  void AddSegment(Segment segment);

  // Makes `bytes` one piece: all of range × columns elements of `type`, row-major, without gaps.
  void SetOnePiece(ElementType type, int64_t columns);
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t rows() const = 0;
  virtual int64_t columns() const = 0;

  // The type that holds every row without loss, as far as the types of the parts allow.
  virtual ElementType type() const = 0;

  // The most that RawRows of `count` consecutive rows can take beside parcels: the `bytes`, and
  // what says where the rows lie where that is not little.
  virtual size_t MaxRawBytes(int64_t count) const = 0;

  // The most that parcels can take while any `count` consecutive rows are in hand.
  virtual size_t ParcelBytes(int64_t /*count*/) const { return 0; }

  // Memory that the source itself may hold on to while it is read: indexes, caches, windows of
  // decoders.
  virtual size_t ReaderBytes() const = 0;

  // Memory that one compute thread may take while it unpacks.
  virtual size_t UnpackBytes() const { return 0; }

  // Rows that are unpacked together, at most: blocks in hand should cover a few of these.
  virtual int64_t ParcelRows() const { return 1; }

  // Reading threads that Read() and Parcel::Read() can make use of.
  virtual int64_t readers() const { return 1; }

  // Prepares `out` for the rows of `range`, and reads what can only be read in order. Called by
  // one thread at a time; ranges ascend, and one that starts before the end of the last begins a
  // new pass. Throws Error.
  virtual void Fetch(RowRange range, RawRows& out) = 0;

  // Reads the rest of what Fetch() prepared, beside the parcels: its segments. Throws Error.
  virtual void Read(RawRows& rows);

  // Completes the pieces of rows that were read, and whose parcels are unpacked. Thread-safe for
  // different rows. Throws Error.
  virtual void Unpack(RawRows& /*rows*/) const {}

  // Where rows are not numbered as in the data set that they were chosen from, their numbers there;
  // else empty. Thread-safe.
  virtual std::span<const int64_t> Numbers(RowRange /*range*/) const { return {}; }

  // Where a row is, for messages: "acts.h5:/layer6 row 17". Thread-safe.
  virtual std::string Locate(int64_t row) const = 0;

  // Whether columns are called by more than their number.
  virtual bool NamesColumns() const { return false; }

  // What a column is called in messages: "column 3". Thread-safe.
  virtual std::string ColumnName(int64_t column) const;

  // One line on how the rows are understood, where the user may have meant it otherwise; else
  // empty.
  virtual std::string Remark() const { return ""; }

  // Bytes read from storage so far, as they are stored. Thread-safe.
  virtual uint64_t bytes_read() const = 0;
};

// All steps up to Unpack(), one after another: for callers without threads.
void FetchAndUnpack(RowSource& source, RowRange range, RawRows& out);

// Converts raw rows to T (float or double): `out` holds range.size() × columns values, row-major.
// Thread-safe. Throws Error(kBadData), naming file, row and column, at the first value that is NaN
// or infinite, or that is in T.
template <class T>
void DecodeRows(const RowSource& source, const RawRows& raw, std::span<T> out);

}  // namespace rhohat
