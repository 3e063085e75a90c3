// What a record of text is made of: fields between delimiters, some of them in quotes (RFC 4180).
//
// A quote opens a quoted field only where the field begins, blanks aside: anywhere else it is a
// character like any other. Within, "" stands for a quote, and delimiters and line ends are text.
// Where anything but blanks follows the closing quote, the quotes are part of the field's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/csv_number.h"

namespace rhohat {

struct CsvDialect {
  char delimiter = ',';
  // Any run of spaces and tabs is one delimiter, and none at either end of a record.
  bool runs_of_blanks = false;

  // What may stand around a field and is not part of it.
  bool IsBlank(char c) const { return c == ' ' || (c == '\t' && delimiter != '\t'); }
};

// Walks the fields of one record from left to right.
class FieldWalker {
 public:
  FieldWalker(std::string_view record, CsvDialect dialect)
      : at_(record.data()), end_(record.data() + record.size()), dialect_(dialect) {
    if (!dialect_.runs_of_blanks) return;
    at_ = SkipBlanks(at_);
    done_ = at_ == end_;
  }

  bool done() const { return done_; }

  // The next field, without the blanks around it and its quotes; a "" in it stays two quotes. Only
  // where not done().
  std::string_view Next();

  // The next field where it is a decimal number without quotes, as nearly all are; else false, and
  // the field is still the next one. Only where not done().
  bool NextNumber(double& value) {
    const char* const number = SkipBlanks(at_);
    const char* const behind = ScanNumber(number, end_, value);
    return behind != nullptr && EndField(behind);
  }

 private:
  const char* SkipBlanks(const char* from) const {
    while (from != end_ && dialect_.IsBlank(*from)) ++from;
    return from;
  }

  // Goes on to the next field if there are only blanks between `behind` and the end of this one.
  bool EndField(const char* behind) {
    const char* const stop = SkipBlanks(behind);
    if (stop == end_) {
      done_ = true;
    } else if (dialect_.runs_of_blanks ? stop == behind : *stop != dialect_.delimiter) {
      return false;
    }
    at_ = done_ || dialect_.runs_of_blanks ? stop : stop + 1;
    return true;
  }

  // One past the closing quote of what begins behind `from`, or nullptr.
  const char* FindClosingQuote(const char* from) const;
  const char* FindDelimiter(const char* from) const;

  const char* at_;
  const char* end_;
  CsvDialect dialect_;
  bool done_ = false;
};

int64_t CountFields(std::string_view record, CsvDialect dialect);

// For messages: shortened, and without anything that could break the line.
std::string ShowText(std::string_view text);

// The same in single quotes.
std::string ShowField(std::string_view field);

// A name from the header: its "" taken for ".
std::string UnescapeQuotes(std::string_view field);

}  // namespace rhohat
