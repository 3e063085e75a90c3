#include "formats/csv_source.h"

#include <gmock/gmock.h>

#include <clocale>
#include <limits>
#include <locale>

#include "tests/formats/csv_files.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::StartsWith;

class CsvSourceTest : public testing::Test {
 protected:
  CsvFiles files_;
};

TEST_F(CsvSourceTest, ReadsNumbersInColumns) {
  const auto source = files_.Open("1,2.5,-3\n4e2,+5,.5\n");
  EXPECT_EQ(source->rows(), 2);
  EXPECT_EQ(source->columns(), 3);
  EXPECT_EQ(source->type(), (ElementType{ElementKind::kFloat64, false}));
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2.5, -3, 400, 5, 0.5));
}

TEST_F(CsvSourceTest, ReadsGzip) {
  EXPECT_THAT(files_.Read(Gzip("a,b\n1,2\n3,4\n")), ElementsAre(1, 2, 3, 4));
}

TEST_F(CsvSourceTest, GivesTheSameRowsForAnyBlockSizeInEveryPass) {
  const auto source = files_.Open("1,2\n3,4\n5,6\n7,8\n9,10\n");
  for (const int64_t block : {1, 2, 3, 5, 1}) {
    EXPECT_THAT(CsvValues(*source, block), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  }
}

TEST_F(CsvSourceTest, RangesMayLeaveOutRowsAndBeginAgain) {
  const auto source = files_.Open("0\n1\n2\n3\n4\n");
  RawRows raw;
  for (const int64_t row : {1, 3, 4, 4, 2, 0}) {
    FetchAndUnpack(*source, {row, row + 1}, raw);
    double value = -1;
    DecodeRows<double>(*source, raw, {&value, 1});
    EXPECT_EQ(value, static_cast<double>(row));
  }
  EXPECT_THAT(MessageOf(ErrorKind::kInternal,
                        [&] {
                          source->Fetch({4, 6}, raw);
                        }),
              HasSubstr("rows 4 to 6 of 5"));
}

TEST_F(CsvSourceTest, LinesEndWithLineFeedCarriageReturnOrBothOrNothing) {
  for (const char* text : {"1,2\n3,4\n", "1,2\r\n3,4\r\n", "1,2\r3,4\r", "1,2\r\n3,4", "1,2\n3,4\r",
                           "1,2\r3,4\n", "\n\r\n\r1,2\r\n\r\n\n3,4\r\r"}) {
    EXPECT_THAT(files_.Read(text), ElementsAre(1, 2, 3, 4)) << text;
  }
}

TEST_F(CsvSourceTest, SkipsAByteOrderMark) {
  EXPECT_THAT(files_.Read("\xEF\xBB\xBF"
                          "1,2\n"),
              ElementsAre(1, 2));
  const auto source = files_.Open(
      "\xEF\xBB\xBF"
      "x,y\n1,2\n",
      {.columns = {"x"}});
  EXPECT_THAT(CsvValues(*source), ElementsAre(1));
}

TEST_F(CsvSourceTest, SkipsBlankLinesAndCommentsBeforeTheData) {
  EXPECT_THAT(files_.Read("# made \"by hand\n\n  \n#,,,\nx,y\n\n1,2\n \t \n3,4\n\n"),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(files_.Message("1,2\n# late\n"),
              StartsWith("line 2: expected 2 fields as in line 1, found 1"));
}

TEST_F(CsvSourceTest, FindsTheDelimiterOut) {
  for (const char* text :
       {"1,2\n3,4\n", "1\t2\n3\t4\n", "1;2\n3;4\n", "1|2\n3|4\n", "1 2\n3 4\n",
        "  1   2\n 3 \t4  \n", "1, 2\n3, 4\n", "1 , 2\n3 , 4\n", "1 ;2\n3 ;4\n",
        "a b,c d\n1,2\n3,4\n", "a,b;c,d\n1;2\n3;4\n", "\"a;b\",\"c;d\"\n1,2\n3,4\n"}) {
    EXPECT_THAT(files_.Read(text), ElementsAre(1, 2, 3, 4)) << text;
  }
  EXPECT_EQ(files_.Open("1\n2\n3\n4\n")->columns(), 1);
  EXPECT_EQ(files_.Open("weight, in kg\n2\n3\n4\n")->columns(), 1);
  EXPECT_THAT(files_.Read("1\t\t3\n4\t\t6\n", {.missing = "0"}), ElementsAre(1, 0, 3, 4, 0, 6));
}

TEST_F(CsvSourceTest, TakesTheDelimiterThatIsGiven) {
  EXPECT_THAT(files_.Read("1:2\n", {.delimiter = ":"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1\t2\n", {.delimiter = "tab"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1\t2\n", {.delimiter = "\t"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1  2\n", {.delimiter = " "}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1\t 2\n", {.delimiter = "space"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1,2\n", {.delimiter = "comma"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1;2\n", {.delimiter = "semicolon"}), ElementsAre(1, 2));
  EXPECT_THAT(files_.Read("1|2\n", {.delimiter = "pipe"}), ElementsAre(1, 2));
  for (const char* bad : {"\"", "#", "\n", "5", ".", "-", "e", "commas", ",,", "\xC2\xA7"}) {
    EXPECT_THAT(files_.Message("1,2\n", {.delimiter = bad}, ErrorKind::kUsage),
                StartsWith("--delimiter: expected comma, tab"));
  }
}

TEST_F(CsvSourceTest, QuotedFieldsHoldDelimitersLineEndsAndQuotes) {
  const CsvOptions options = {.header = "no", .columns = {"0", "2"}};
  EXPECT_THAT(files_.Read("1,\"a,b\",3\n4,\"c\nd\r\ne\",6\n7,\"say \"\"hi\"\"\",9\n", options),
              ElementsAre(1, 3, 4, 6, 7, 9));
}

TEST_F(CsvSourceTest, NumbersMayBeQuotedAndHaveBlanksAroundThem) {
  EXPECT_THAT(files_.Read("\"1\", \"2\" ,\" 3 \"\n 4 ,\t5\t,6 \n"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(CsvSourceTest, AQuoteInsideAFieldIsACharacter) {
  EXPECT_THAT(files_.Read("1,5\" pipe,3\n4,6\" pipe,6\n", {.header = "no", .columns = {"0", "2"}}),
              ElementsAre(1, 3, 4, 6));
  EXPECT_THAT(files_.Message("1,2\n3,\"4\"5\n"), HasSubstr("expected a number, found '\"4\"5'"));
}

TEST_F(CsvSourceTest, NamesTheLineWhereAQuoteIsLeftOpen) {
  EXPECT_THAT(files_.Message("1,2\n\"3\n\",4\n5,\"6\n7,8\n"),
              StartsWith("line 4: expected a closing quote for the one that opens there, found "
                         "the end of the file"));
  EXPECT_THAT(files_.Message("1,\"a\nb\",\"c\n"), StartsWith("line 2: expected a closing quote"));
}

TEST_F(CsvSourceTest, FindsTheHeaderOut) {
  EXPECT_EQ(files_.Open("x,y\n1,2\n")->rows(), 1);
  EXPECT_EQ(files_.Open("0,1\n1,2\n")->rows(), 2);
  EXPECT_EQ(files_.Open("x,\nNA,2\n", {.missing = "0"})->rows(), 1);
  EXPECT_EQ(files_.Open("NA,1\n1,2\n", {.missing = "0"})->rows(), 2);
  EXPECT_EQ(files_.Open("0,1\n1,2\n", {.header = "yes"})->rows(), 1);
  EXPECT_THAT(files_.Message("x,y\n1,2\n", {.header = "no"}),
              StartsWith("line 1, column 0: expected a number, found 'x'"));
  EXPECT_THAT(files_.Message("1,2\n", {.header = "maybe"}, ErrorKind::kUsage),
              HasSubstr("--header: expected auto, yes or no, found 'maybe'"));
}

// A first row must not be lost because of a slip in it, or a column of text that nobody wants.
TEST_F(CsvSourceTest, AsksWhetherTextBesideNumbersIsAHeader) {
  for (const char* text : {"1O,2\n3,4\n", "1_000,2\n3,4\n", "0x1F,2\n3,4\n", "2,10%\n3,4\n",
                           "label,0,1\n1,2,3\n", "5.1,3.5,setosa\n4.9,3.0,setosa\n"}) {
    EXPECT_THAT(files_.Message(std::string("\n") + text, {.columns = {"1"}}),
                AllOf(StartsWith("line 2: expected names of columns or a row of numbers, found"),
                      HasSubstr("--header yes takes them for names, --header no for a row")));
  }
  const char* text = "5.1,3.5,setosa\n4.9,3.0,setosa\n";
  EXPECT_THAT(files_.Read(text, {.header = "no", .columns = {"0-1"}}),
              ElementsAre(5.1, 3.5, 4.9, 3.0));
  EXPECT_EQ(files_.Open("label,0,1\n1,2,3\n", {.header = "yes"})->rows(), 1);
  EXPECT_THAT(files_.Read("w,h,species\n4.9,3.0,setosa\n", {.columns = {"0-1"}}),
              ElementsAre(4.9, 3.0));
  EXPECT_THAT(files_.Message(text, {.header = "no"}),
              HasSubstr("found 'setosa'; a column of text can be left out with --use-columns"));
}

TEST_F(CsvSourceTest, SaysThatItTookTheFirstLineForNames) {
  EXPECT_THAT(
      files_.Open("# table\nx,y\n1,2\n")->Remark(),
      HasSubstr("line 2 is taken for the names of the columns; --header no makes it a row"));
  EXPECT_EQ(files_.Open("x,y\n1,2\n", {.header = "yes"})->Remark(), "");
  EXPECT_EQ(files_.Open("1,2\n3,4\n")->Remark(), "");
}

TEST_F(CsvSourceTest, PicksColumnsByNameNumberAndRangeInTheOrderGiven) {
  const char* text = "id,x,\"y \"\"1\"\"\",z\na,1,2,3\nb,4,5,6\n";
  EXPECT_THAT(files_.Read(text, {.columns = {"z", "x"}}), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(files_.Read(text, {.columns = {"2-3", "1"}}), ElementsAre(2, 3, 1, 5, 6, 4));
  EXPECT_THAT(files_.Read(text, {.columns = {"y \"1\""}}), ElementsAre(2, 5));
  EXPECT_THAT(files_.Read("1990,1991\n1,2\n", {.header = "yes", .columns = {"1991"}}),
              ElementsAre(2));
}

TEST_F(CsvSourceTest, RefusesColumnsThatAreNotThereOrUnclear) {
  const auto message = [&](const std::vector<std::string>& columns) {
    return files_.Message("speed,height,1,2,2\n1,2,3,4,5\n", {.header = "yes", .columns = columns},
                          ErrorKind::kUsage);
  };
  EXPECT_THAT(message({"sped"}),
              HasSubstr("--use-columns: expected the name of a column or its number, from 0, "
                        "found 'sped'; is 'speed' meant?"));
  EXPECT_THAT(message({"5"}), HasSubstr("expected columns from 0 to 4, found 5"));
  EXPECT_THAT(message({"3-5"}), HasSubstr("expected columns from 0 to 4, found 3-5"));
  EXPECT_THAT(message({"4-3"}), HasSubstr("expected columns from 0 to 4, found 4-3"));
  EXPECT_THAT(message({"0-9999999999999999999999"}), HasSubstr("expected the name of a column"));
  EXPECT_THAT(message({""}), HasSubstr("expected the name of a column"));
  EXPECT_THAT(message({"-1"}), HasSubstr("expected the name of a column"));
  EXPECT_THAT(message({"0-1", "height"}), HasSubstr("column 1 is asked for twice"));
  EXPECT_THAT(message({"1"}), HasSubstr("1 is the name of column 2, and a number as well"));
  EXPECT_THAT(message({"2"}), HasSubstr("2 is the name of columns 3 and 4; give the number"));
  EXPECT_THAT(files_.Message("1,2\n", {.columns = {"x"}}, ErrorKind::kUsage),
              HasSubstr("there is no header with names"));
}

TEST_F(CsvSourceTest, NamesFileLineColumnAndNameOfWhatIsNoNumber) {
  const std::string lines = "id,speed\n" + std::string("1,2\n\n") + "3,\"4\"\n";
  const std::string message =
      MessageOf(ErrorKind::kBadData, [&] { files_.Read(lines + "5,abc\n"); });
  EXPECT_EQ(message,
            files_.Path() + ": line 5, column 1 (\"speed\"): expected a number, found 'abc'");
  EXPECT_THAT(files_.Message(lines + "5,1\x1b[2J\n"), HasSubstr("found '1?[2J'"));
  EXPECT_THAT(files_.Message(lines + "5," + std::string(500, 'x') + "\n"), HasSubstr("x…'"));
}

TEST_F(CsvSourceTest, CountsTheLinesWithinQuotes) {
  EXPECT_THAT(files_.Message("name,x\n\"a\r\nb\rc\nd\",1\ne,bad\n", {.columns = {"x"}}),
              StartsWith("line 6, column 1 (\"x\")"));
}

TEST_F(CsvSourceTest, SaysThatDecimalCommasAreNotRead) {
  EXPECT_THAT(files_.Message("x;y\n3,14;2,5\n"),
              StartsWith("line 2, column 0 (\"x\"): expected a number, found '3,14'; decimal "
                         "commas are not read"));
}

TEST_F(CsvSourceTest, RefusesRecordsWithAnotherNumberOfFields) {
  EXPECT_THAT(files_.Message("1,2\n3,4\n5\n"),
              StartsWith("line 3: expected 2 fields as in line 1, found 1"));
  EXPECT_THAT(files_.Message("#\n1,2\n3,4,5\n"),
              StartsWith("line 3: expected 2 fields as in line 2, found 3"));
  EXPECT_THAT(files_.Message("1,2\n3,4,\n"), StartsWith("line 2: expected 2 fields"));
  EXPECT_THAT(files_.Message("1,2\n3,4\nTotal: two\n"), StartsWith("line 3: expected 2 fields"));
  EXPECT_THAT(files_.Message("1,2\nNA\n", {.missing = "skip"}), StartsWith("line 2: expected 2"));
}

TEST_F(CsvSourceTest, MissingValuesAreAnErrorUnlessARuleIsGiven) {
  const char* text = "x,y\n1,2\n,3\n4,NA\n5,6\n";
  EXPECT_THAT(files_.Message(text),
              StartsWith("line 3, column 0 (\"x\"): expected a number, found an empty field; "
                         "--missing nan, skip or a number"));
  EXPECT_THAT(files_.Message("1,2\n3,NA\n"), HasSubstr("expected a number, found 'NA'; --missing"));
  EXPECT_THAT(files_.Read(text, {.missing = "nan"}),
              ElementsAre(1, 2, IsNan(), 3, 4, IsNan(), 5, 6));
  EXPECT_THAT(files_.Read(text, {.missing = "skip"}), ElementsAre(1, 2, 5, 6));
  EXPECT_THAT(files_.Read(text, {.missing = "-1.5"}), ElementsAre(1, 2, -1.5, 3, 4, -1.5, 5, 6));
  EXPECT_THAT(files_.Read(text, {.missing = "skip", .columns = {"y"}}), ElementsAre(2, 3, 6));
  for (const char* bad : {"", "drop", "inf", "NA"}) {
    EXPECT_THAT(files_.Message(text, {.missing = bad}, ErrorKind::kUsage),
                HasSubstr("--missing: expected error, nan, skip or a number"));
  }
}

TEST_F(CsvSourceTest, RefusesFilesWithoutRows) {
  for (const char* text : {"", "\n\n", "# comment\n", "# comment", "\xEF\xBB\xBF"}) {
    EXPECT_THAT(files_.Message(text), StartsWith("expected rows of numbers, found no text"));
  }
  EXPECT_THAT(files_.Message("x,y\n"),
              HasSubstr("at least one row of numbers, found only a header"));
  EXPECT_THAT(files_.Message("x,y\n1,\n", {.missing = "skip"}), HasSubstr("at least one row"));
}

TEST_F(CsvSourceTest, RefusesUtf16ByName) {
  EXPECT_THAT(files_.Message(std::string("\xFF\xFE"
                                         "1\0,\0",
                                         6)),
              HasSubstr("UTF-16"));
  EXPECT_THAT(files_.Message(std::string("\xFE\xFF\0"
                                         "1",
                                         4)),
              HasSubstr("UTF-16"));
  EXPECT_THAT(files_.Message(std::string("1\0,\0"
                                         "2\0",
                                         6)),
              HasSubstr("UTF-16"));
}

TEST_F(CsvSourceTest, RefusesARecordWithoutEnd) {
  const CsvLimits limits = {.buffer_bytes = 16, .record_bytes = 64};
  const std::string fits(64, '1');
  EXPECT_EQ(files_.Read("1\n" + fits + "\n", {}, limits).size(), 2U);
  for (const std::string& record :
       {fits + "1\n", std::string(10'000, '1'), "\"" + std::string(10'000, '\n'),
        "# " + std::string(100, '-')}) {
    EXPECT_THAT(files_.Message(record, {}, ErrorKind::kBadData, limits),
                StartsWith("line 1: expected at most 64 bytes to the end of the line, found more"));
  }
}

TEST_F(CsvSourceTest, IsNotMisledByTheLocale) {
  class DecimalComma : public std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new DecimalComma));
  const std::string c_before = std::setlocale(LC_NUMERIC, nullptr);
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");  // where there is one
  EXPECT_THAT(files_.Read("1.5,1234.25,1e400\n", {.missing = "0.5"}),
              ElementsAre(1.5, 1234.25, std::numeric_limits<double>::infinity()));
  EXPECT_THAT(files_.Read("1234,\n", {.missing = "0.5"}), ElementsAre(1234, 0.5));
  const std::string message = files_.Message(std::string(2000, '\n') + "1,x1\n", {.header = "no"});
  std::setlocale(LC_NUMERIC, c_before.c_str());
  std::locale::global(before);
  EXPECT_THAT(message, StartsWith("line 2001, column 1"));
}

TEST_F(CsvSourceTest, SaysSoWhenTheFileChangesBetweenPasses) {
  const std::string text = "1,2\n3,4\n5,6\n";
  for (const std::string changed :
       {"", "1,2\n3,4\n", "1,2\n3,4\n5,6\n7,8\n", "1,2\n333,4\n5,6\n", "1,2\n\"3,4\n5,6\n",
        "100000000000000000000,2\n3,4\n5,6\n", "\n", "1;2\n3\n4,5,6,7,8,9\n"}) {
    const auto source = files_.Open(text);
    EXPECT_EQ(CsvValues(*source).size(), 6U);
    files_.Write(changed);
    EXPECT_NE(MessageOf(ErrorKind::kBadData, [&] { CsvValues(*source, 2); }), "") << changed;
  }
}

TEST_F(CsvSourceTest, RefusesGzipThatIsCutShort) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * i) + ",1\n";
  const std::string packed = Gzip(text);
  EXPECT_THAT(files_.Message(packed.substr(0, packed.size() - 4)), HasSubstr("cut short"));
}

TEST_F(CsvSourceTest, LocatesRowsByTheirLineWhereItIsCertain) {
  const auto source = files_.Open("x\n\n1\n2\n\n3\n");
  EXPECT_EQ(source->Locate(0), files_.Path() + " row 0 (line 3)");
  EXPECT_EQ(source->Locate(2), files_.Path() + " row 2 (line 6)");
}

TEST_F(CsvSourceTest, InfinityIsReadAndThenRefusedWithItsPlace) {
  const auto source = files_.Open("1,2\n3,inf\n");
  EXPECT_EQ(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }),
            files_.Path() + " row 1 (line 2), column 1: the value is infinite");
}

TEST(LooksLikeCsvTest, IsTextThatMayBeNumbersInColumns) {
  const auto looks = [](std::string_view text) {
    return LooksLikeCsv(std::as_bytes(std::span(text)));
  };
  for (const char* text : {"1,2\n", "x\ty\r\n", "# c", "\"a\"",
                           "\xEF\xBB\xBF"
                           "1",
                           "\xFF\xFE"
                           "1",
                           "Gr\xF6\xDF"
                           "e;x",
                           " 1 2"}) {
    EXPECT_TRUE(looks(text)) << text;
  }
  for (const std::string_view text :
       {std::string_view(), std::string_view("1\0,\0", 4), std::string_view("\x93NUMPY\x01"),
        std::string_view("\x89HDF\r\n\x1a\n"), std::string_view("PK\x03\x04"),
        std::string_view("{\"a\": 1}"), std::string_view("<html>"), std::string_view("%PDF-1.4"),
        std::string_view("\x1f\x8b\x08")}) {
    EXPECT_FALSE(looks(text)) << text;
  }
}

}  // namespace
}  // namespace rhohat
