#include "formats/csv_fields.h"

#include <algorithm>
#include <cstring>

namespace rhohat {
namespace {

std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string_view FieldWalker::Next() {
  const char* const begin = SkipBlanks(at_);
  const char* behind = nullptr;
  if (begin != end_ && *begin == '"') behind = FindClosingQuote(begin + 1);
  if (behind != nullptr && EndField(behind)) {
    return TrimBlanks({begin + 1, static_cast<size_t>(behind - begin - 2)});
  }
  const char* const stop = FindDelimiter(behind != nullptr ? behind : begin);
  EndField(stop);
  return TrimBlanks({begin, static_cast<size_t>(stop - begin)});
}

const char* FieldWalker::FindClosingQuote(const char* from) const {
  while (true) {
    const void* const found = std::memchr(from, '"', static_cast<size_t>(end_ - from));
    if (found == nullptr) return nullptr;
    from = static_cast<const char*>(found) + 1;
    if (from == end_ || *from != '"') return from;
    ++from;
  }
}

const char* FieldWalker::FindDelimiter(const char* from) const {
  if (dialect_.runs_of_blanks) {
    while (from != end_ && !dialect_.IsBlank(*from)) ++from;
    return from;
  }
  return std::find(from, end_, dialect_.delimiter);
}

int64_t CountFields(std::string_view record, CsvDialect dialect) {
  int64_t count = 0;
  for (FieldWalker walker(record, dialect); !walker.done(); walker.Next()) ++count;
  return count;
}

std::string ShowText(std::string_view text) {
  constexpr size_t kMostShown = 40;
  std::string shown(text.substr(0, kMostShown));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMostShown ? shown + "…" : shown;
}

std::string ShowField(std::string_view field) { return "'" + ShowText(field) + "'"; }

std::string UnescapeQuotes(std::string_view field) {
  std::string name;
  for (size_t i = 0; i < field.size(); ++i) {
    name += field[i];
    if (field.substr(i, 2) == "\"\"") ++i;
  }
  return name;
}

}  // namespace rhohat
