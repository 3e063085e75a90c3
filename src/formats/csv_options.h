// How text with numbers in columns is to be read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rhohat {

struct CsvOptions {
  // "": found out from the first records (comma, tab, semicolon, | or runs of spaces). Else
  // "comma", "tab", "semicolon", "space" (runs of spaces and tabs), "pipe", or one character.
  std::string delimiter;

  // Whether the first record names the columns: "yes", "no", or "auto": it does where there is text
  // in it and no number; text beside numbers is an error.
  std::string header = "auto";

  // What becomes of a field that is empty or says NA, N/A, #N/A, NaN, null, none or ? in any case:
  // "error"; "nan"; "skip", which leaves out rows that lack a wanted value; or a number that is put
  // in its place.
  std::string missing = "error";

  // Names from the header, numbers from 0, or ranges of them ("3-7", both included), in the order
  // wanted; empty: all.
  std::vector<std::string> columns;
};

// For tests, which make them small.
struct CsvLimits {
  size_t buffer_bytes = size_t{256} << 10;  // read at a time; grows to hold a record
  size_t record_bytes = size_t{64} << 20;   // the longest record that is accepted
};

}  // namespace rhohat
