// Cuts a stream of text into records: lines, except that line ends within quotes are text.
//
// This is the part of reading CSV that must be done in order, so it does as little as can be: it
// looks for line ends and quotes, 64 characters at a time, and leaves the fields to others. Lines
// end with \n, \r\n or \r, the last one perhaps with nothing. A UTF-8 byte order mark, lines that
// are empty or blank, and lines that begin with # before the first record are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/byte_stream.h"
#include "formats/csv_fields.h"
#include "formats/csv_options.h"

namespace rhohat {

struct CsvRecord {
  std::string_view text;  // without its line end; valid until the next record is asked for
  int64_t line = 0;       // where it begins, from 1
};

// For one thread at a time.
class CsvScanner {
 public:
  CsvScanner(std::unique_ptr<ByteStream> stream, const CsvLimits& limits);

  // Goes to the first record. Throws Error(kBadData) for text that is not ASCII or UTF-8 at first
  // sight: UTF-16, or bytes that are 0.
  void Start(CsvDialect dialect);

  // Returns false at the end. Throws Error(kBadData) for a quote that is never closed and a record
  // that is too long, naming the line. Only after Start().
  bool Next(CsvRecord& record);

  const ByteStream& stream() const { return *stream_; }
  const std::string& path() const { return stream_->path(); }
  size_t MemoryBytes() const { return buffer_.capacity() + stream_->BufferBytes(); }

 private:
  // Where a record's text ends, and where the next one begins.
  struct RecordEnd {
    size_t text = 0;
    size_t next = 0;
    int64_t lines = 0;  // line ends in the text
  };

  void SkipByteOrderMark();
  // False: the end is not in the buffer yet.
  bool FindRecordEnd(RecordEnd& end) const;
  bool IsComment() const { return before_data_ && buffer_[begin_] == '#'; }
  bool OpensField(size_t quote) const;
  // One past the closing quote, or kNotFound.
  size_t FindClosingQuote(size_t from) const;
  // The first line end or quote from `from` on, or end_.
  size_t FindSpecial(size_t from) const;
  bool IsBlankLine(std::string_view text) const;
  // Makes room and reads more behind what there is from begin_ on.
  void ReadMore();
  void CheckLength(size_t bytes) const;
  [[noreturn]] void ThrowUnclosed(int64_t lines_before) const;

  std::unique_ptr<ByteStream> stream_;
  CsvLimits limits_;
  CsvDialect dialect_;
  std::vector<char> buffer_;  // with room behind it for a whole block of characters
  size_t begin_ = 0;          // of the next record
  size_t end_ = 0;            // of what was read
  bool stream_ended_ = false;
  bool before_data_ = true;
  int64_t line_ = 1;  // of the next record

  // The line ends and quotes of the block of characters that was looked at last, as bits.
  mutable size_t block_ = 0;
  mutable uint64_t specials_ = 0;
};

}  // namespace rhohat
