// The reader against a parser that goes from character to character: over random tables written in
// all the ways there are, and over random rubbish.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/formats/csv_files.h"

namespace rhohat {
namespace {

using Records = std::vector<std::vector<std::string>>;

// The fields of all records, without blanks around them and quotes; nothing where a quote is left
// open. A field with text behind its closing quote keeps its quotes.
class NaiveParser {
 public:
  NaiveParser(const std::string& text, char delimiter) : text_(text), delimiter_(delimiter) {}

  std::optional<Records> Parse() {
    Records records;
    while (at_ < text_.size()) {
      if (records.empty() && text_[at_] == '#') {
        while (!AtLineEnd()) ++at_;
      } else if (std::vector<std::string> record = Record(); !IsBlank(record)) {
        records.push_back(std::move(record));
      }
      if (open_quote_) return std::nullopt;
      SkipLineEnd();
    }
    return records;
  }

 private:
  bool spaces() const { return delimiter_ == ' '; }
  bool BlankAt(size_t at) const {
    return at < text_.size() && (text_[at] == ' ' || (text_[at] == '\t' && delimiter_ != '\t'));
  }
  bool AtLineEnd() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }
  bool AtDelimiter() const {
    return !AtLineEnd() && (spaces() ? BlankAt(at_) : text_[at_] == delimiter_);
  }
  void SkipBlanks() {
    while (BlankAt(at_)) ++at_;
  }
  void SkipLineEnd() {
    if (at_ + 1 < text_.size() && text_[at_] == '\r' && text_[at_ + 1] == '\n') ++at_;
    ++at_;
  }

  // A blank line is one field that is empty and was never quoted.
  bool IsBlank(const std::vector<std::string>& record) const {
    return record.empty() || (record.size() == 1 && record[0].empty() && !quoted_);
  }

  std::vector<std::string> Record() {
    std::vector<std::string> fields;
    if (spaces()) SkipBlanks();
    if (spaces() && AtLineEnd()) return fields;
    while (true) {
      fields.push_back(Field());
      if (spaces()) {
        SkipBlanks();
        if (AtLineEnd()) return fields;
      } else {
        if (AtLineEnd()) return fields;
        ++at_;  // the delimiter
      }
    }
  }

  std::string Field() {
    SkipBlanks();
    quoted_ = !AtLineEnd() && text_[at_] == '"';
    const size_t begin = at_;
    if (quoted_) {
      SkipQuoted();
      const size_t behind = at_;
      if (!spaces()) SkipBlanks();
      if (AtLineEnd() || AtDelimiter()) return Trim(text_.substr(begin + 1, behind - begin - 2));
    }
    while (!AtLineEnd() && !AtDelimiter()) ++at_;
    return Trim(text_.substr(begin, at_ - begin));
  }

  void SkipQuoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') continue;
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        ++at_;
        continue;
      }
      ++at_;
      return;
    }
    open_quote_ = true;
  }

  static std::string Trim(const std::string& text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return "";
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  }

  const std::string& text_;
  char delimiter_;
  size_t at_ = 0;
  bool quoted_ = false;
  bool open_quote_ = false;
};

// The values of all fields, NaN for those that are missing; nothing where the text is not a table
// of numbers. Only for text without letters other than in NA.
std::optional<std::vector<double>> NaiveValues(const std::string& text, char delimiter) {
  const std::optional<Records> records = NaiveParser(text, delimiter).Parse();
  if (!records || records->empty()) return std::nullopt;
  std::vector<double> values;
  for (const std::vector<std::string>& record : *records) {
    if (record.size() != records->front().size()) return std::nullopt;
    for (const std::string& field : record) {
      char* end = nullptr;
      const double value = std::strtod(field.c_str(), &end);
      const bool missing = field.empty() || field == "NA";
      if (!missing && end != field.c_str() + field.size()) return std::nullopt;
      values.push_back(missing ? std::nan("") : value);
    }
  }
  return values;
}

void ExpectSame(const std::vector<double>& found, const std::vector<double>& expected,
                const std::string& text) {
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  EXPECT_TRUE(std::ranges::equal(found, expected, same)) << text;
}

class CsvAgainstNaiveTest : public testing::Test {
 protected:
  size_t Below(size_t limit) { return random_() % limit; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  std::string AnyOf(const std::vector<std::string>& choices) {
    return choices[Below(choices.size())];
  }
  CsvLimits SomeLimits() { return {.buffer_bytes = 1 + Below(OneIn(2) ? 8 : 300)}; }

  std::string NumberField() {
    const double value = (static_cast<double>(Below(2'000'001)) - 1e6) / 1000;
    char text[40];
    std::snprintf(text, sizeof(text), OneIn(3) ? "%.17g" : OneIn(3) ? "%.3e" : "%g", value);
    return text;
  }

  // `delimiter` decides what must be quoted.
  std::string Written(const std::string& field, char delimiter) {
    const bool spaces = delimiter == ' ';
    std::string written = field;
    if (OneIn(4) || field.empty()) written = "\"" + field + "\"";
    if (field.empty() && !spaces && OneIn(2)) written = "";
    if (!spaces && OneIn(5)) written = " " + written;
    if (!spaces && OneIn(5)) written += "  ";
    return written;
  }

  std::string TextField(char delimiter) {
    const std::string d(1, delimiter);
    return AnyOf({"\"a" + d + "b\"", "\"\n\"", "\"\r\n" + d + "\r\"", "\"say \"\"x\"\"\"",
                  "\"\"\"\"", "x\"y\"", "word", "\"\n\n" + std::string(Below(70), 'z') + "\"",
                  "\"#\""});
  }

  std::string Delimiter(char delimiter) {
    return delimiter == ' ' ? AnyOf({" ", "   ", "\t", " \t"}) : std::string(1, delimiter);
  }

  std::mt19937_64 random_{2024};
  CsvFiles files_;
};

// Numbers in the columns that are wanted, text in column 1, which is not.
TEST_F(CsvAgainstNaiveTest, GivesTheNumbersOfRandomTablesForAnyQuotingBufferAndBlock) {
  for (int trial = 0; trial < 400; ++trial) {
    const char delimiter = ",;\t| "[Below(5)];
    const size_t columns = 2 + Below(4);
    std::string text = OneIn(4) ? "\xEF\xBB\xBF" : "";
    if (OneIn(3)) text += "# a \"comment\n";
    std::vector<double> expected;
    for (size_t row = 0, rows = 1 + Below(20); row < rows; ++row) {
      while (OneIn(6)) text += AnyOf({"\n", "\r\n", delimiter == ' ' ? "  \n" : "\n"});
      for (size_t column = 0; column < columns; ++column) {
        if (column > 0) text += Delimiter(delimiter);
        if (column == 1) {
          text += TextField(delimiter);
          continue;
        }
        const std::string field = OneIn(10) ? AnyOf({"", "NA", "null"}) : NumberField();
        const bool missing = field.empty() || field[0] == 'N' || field[0] == 'n';
        expected.push_back(missing ? std::nan("") : std::strtod(field.c_str(), nullptr));
        text += Written(field, delimiter);
      }
      text += AnyOf({"\n", "\r\n", "\r"});
    }
    if (OneIn(3)) text.pop_back();
    CsvOptions options = {.header = "no", .missing = "nan", .columns = {"0"}};
    options.delimiter = delimiter;
    if (columns > 2) options.columns.push_back("2-" + std::to_string(columns - 1));
    const auto source = files_.Open(OneIn(3) ? Gzip(text) : text, options, SomeLimits());
    for (int pass = 0; pass < 2; ++pass) {
      ExpectSame(CsvValues(*source, static_cast<int64_t>(Below(8))), expected, text);
    }

    options.missing = "skip";
    std::vector<double> whole_rows;
    for (size_t row = 0; row < expected.size(); row += columns - 1) {
      const auto first = expected.begin() + static_cast<ptrdiff_t>(row);
      const auto last = first + static_cast<ptrdiff_t>(columns - 1);
      if (std::none_of(first, last, [](double v) { return std::isnan(v); })) {
        whole_rows.insert(whole_rows.end(), first, last);
      }
    }
    if (whole_rows.empty()) continue;
    const auto whole = files_.Open(text, options, SomeLimits());
    ExpectSame(CsvValues(*whole, static_cast<int64_t>(Below(8))), whole_rows, text);
  }
}

TEST_F(CsvAgainstNaiveTest, AcceptsAndRefusesTheSameRubbish) {
  const std::vector<std::string> pieces = {"1",  "2.5",  ",",  ",", "\"",   "\"", "\n",
                                           "\r", " ",    "\t", "#", "NA",   "-3", "|",
                                           "\n", "\"\"", "\n", ",", "\"7\""};
  int accepted = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    std::string text;
    for (size_t i = Below(14); i > 0; --i) text += AnyOf(pieces);
    const char delimiter = ",| \t"[Below(4)];
    CsvOptions options = {.header = "no", .missing = "nan"};
    options.delimiter = delimiter;
    const std::optional<std::vector<double>> expected = NaiveValues(text, delimiter);
    std::optional<std::vector<double>> found;
    try {
      found = files_.Read(text, options, SomeLimits());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData) << text;
    }
    ASSERT_EQ(found.has_value(), expected.has_value()) << text << "|" << delimiter;
    if (!expected) continue;
    ++accepted;
    ExpectSame(*found, *expected, text);
  }
  EXPECT_GT(accepted, 300);
}

}  // namespace
}  // namespace rhohat
