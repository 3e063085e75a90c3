#include "formats/csv_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "formats/csv_index.h"
#include "formats/csv_layout.h"
#include "formats/csv_row_parser.h"
#include "formats/csv_scanner.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// A row between Fetch() and Unpack().
struct FetchedRow {
  uint64_t text_end = 0;  // in the text of its block; it begins where the one before ends
  int64_t line = 0;
};

// Where things lie in RawRows::bytes: the values, which Unpack() fills in, the fetched rows, and
// from text_offset on their text.
struct BlockLayout {
  BlockLayout(int64_t rows, int64_t columns)
      : rows_offset(static_cast<size_t>(rows * columns) * sizeof(double)),
        text_offset(rows_offset + static_cast<size_t>(rows) * sizeof(FetchedRow)) {}
  size_t rows_offset;
  size_t text_offset;
};

class CsvSource final : public RowSource {
 public:
  CsvSource(std::unique_ptr<ByteStream> stream, const CsvOptions& options, const CsvLimits& limits)
      : scanner_(std::move(stream), limits),
        parser_(scanner_.path(), FindLayout(scanner_, options), ParseMissingRule(options.missing),
                !options.columns.empty()) {
    CountRows(options);
  }

  int64_t rows() const override { return index_.rows(); }
  int64_t columns() const override { return parser_.layout().columns; }
  ElementType type() const override { return {ElementKind::kFloat64, false}; }
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override {
    return scanner_.MemoryBytes() + parser_.MemoryBytes() + index_.MemoryBytes();
  }
  // After the last row checks that the text ends there too, and with it gzip's checksum.
  void Fetch(RowRange range, RawRows& out) override;
  void Unpack(RawRows& raw) const override;
  std::string Locate(int64_t row) const override;
  bool NamesColumns() const override { return true; }
  std::string Remark() const override;
  // As it is in the file, whichever columns are wanted: "column 7 ("speed")".
  std::string ColumnName(int64_t column) const override;
  uint64_t bytes_read() const override { return scanner_.stream().bytes_read(); }

 private:
  void CountRows(const CsvOptions& options);
  void StartPass();
  bool NextRow(CsvRecord& record);
  // The next row of a pass after the first. Throws Error(kBadData) where it is not what it was.
  void TakeRow(CsvRecord& record);
  void FetchRows(RowRange range, size_t most_bytes, std::vector<std::byte>& bytes);
  [[noreturn]] void ThrowChanged() const;

  CsvScanner scanner_;
  CsvRowParser parser_;
  CsvIndex index_;

  // Of the pass underway.
  int64_t next_row_ = 0;
  uint64_t text_bytes_ = 0;  // of the rows before it
};

void CsvSource::CountRows(const CsvOptions& options) {
  StartPass();
  for (CsvRecord record; NextRow(record);) index_.Add(record.text.size(), record.line);
  if (rows() == 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected at least one row of numbers, found {}", scanner_.path(),
                            options.missing == "skip" ? "none that lacks no value; --missing nan "
                                                        "or a number keeps them"
                                                      : "only a header"));
  }
  CheckedProduct(rows(), columns(), fmt::format("{}: the number of its values", scanner_.path()));
  next_row_ = rows();  // so that the first Fetch() starts a pass
}

void CsvSource::StartPass() {
  scanner_.Start(parser_.layout().dialect);
  CsvRecord header;
  if (parser_.layout().header.exists() && !scanner_.Next(header)) ThrowChanged();
  next_row_ = 0;
  text_bytes_ = 0;
}

bool CsvSource::NextRow(CsvRecord& record) {
  while (scanner_.Next(record)) {
    if (!parser_.IsLeftOut(record)) return true;
  }
  return false;
}

size_t CsvSource::MaxRawBytes(int64_t count) const {
  const auto row_bytes =
      static_cast<int64_t>(sizeof(FetchedRow) + static_cast<size_t>(columns()) * sizeof(double));
  const int64_t most = CheckedProduct(count, row_bytes, "bytes of a block of rows");
  return static_cast<size_t>(most) + index_.MostTextBytes(count);
}

void CsvSource::Fetch(RowRange range, RawRows& out) {
  if (range.begin < 0 || range.end < range.begin || range.end > rows()) {
    throw Error(ErrorKind::kInternal, fmt::format("{}: asked for rows {} to {} of {}",
                                                  scanner_.path(), range.begin, range.end, rows()));
  }
  if (range.begin < next_row_) StartPass();
  CsvRecord record;
  while (next_row_ < range.begin) TakeRow(record);
  const size_t most_bytes = MaxRawBytes(range.size());
  if (out.bytes.capacity() < most_bytes) {
    out.bytes = {};  // so that old and new memory are not there together
    out.bytes.reserve(most_bytes);
  }
  FetchRows(range, most_bytes, out.bytes);
  out.range = range;
  out.SetOnePiece(type(), columns());
  if (next_row_ == rows() && NextRow(record)) ThrowChanged();
}

void CsvSource::FetchRows(RowRange range, size_t most_bytes, std::vector<std::byte>& bytes) {
  const BlockLayout block(range.size(), columns());
  bytes.resize(block.text_offset);
  size_t row_offset = block.rows_offset;
  for (CsvRecord record; next_row_ < range.end;) {
    TakeRow(record);
    const auto text = std::as_bytes(std::span(record.text));
    if (text.size() > most_bytes - bytes.size()) ThrowChanged();
    bytes.insert(bytes.end(), text.begin(), text.end());
    const FetchedRow row = {.text_end = bytes.size() - block.text_offset, .line = record.line};
    std::memcpy(bytes.data() + row_offset, &row, sizeof(row));
    row_offset += sizeof(row);
  }
}

void CsvSource::TakeRow(CsvRecord& record) {
  if (!NextRow(record)) ThrowChanged();
  ++next_row_;
  text_bytes_ += record.text.size();
  if (index_.Contradicts(next_row_, text_bytes_)) ThrowChanged();
}

void CsvSource::Unpack(RawRows& raw) const {
  const BlockLayout block(raw.range.size(), columns());
  const auto width = static_cast<size_t>(columns());
  auto* values = reinterpret_cast<double*>(raw.bytes.data());
  const auto* rows = reinterpret_cast<const FetchedRow*>(raw.bytes.data() + block.rows_offset);
  const char* text = reinterpret_cast<const char*>(raw.bytes.data() + block.text_offset);
  uint64_t begin = 0;
  for (int64_t i = 0; i < raw.range.size(); ++i) {
    const FetchedRow& row = rows[i];
    const CsvRecord record = {.text = {text + begin, row.text_end - begin}, .line = row.line};
    parser_.Parse(record, raw.range.begin + i, {values, width});
    values += width;
    begin = row.text_end;
  }
}

std::string CsvSource::Locate(int64_t row) const {
  const std::optional<int64_t> line = index_.LineOf(row);
  const std::string known = line ? fmt::format(" (line {})", *line) : "";
  return fmt::format("{} row {}{}", scanner_.path(), row, known);
}

std::string CsvSource::Remark() const {
  const CsvLayout& layout = parser_.layout();
  if (!layout.header_was_found) return "";
  return fmt::format(
      "{}: line {} is taken for the names of the columns; --header no makes it a row",
      scanner_.path(), layout.first_line);
}

std::string CsvSource::ColumnName(int64_t column) const {
  const std::span<const int32_t> column_of_field = parser_.layout().column_of_field;
  const auto field = std::ranges::find(column_of_field, column) - column_of_field.begin();
  const std::string name = parser_.layout().header.NameOf(field);
  return RowSource::ColumnName(field) +
         (name.empty() ? "" : fmt::format(" (\"{}\")", ShowText(name)));
}

void CsvSource::ThrowChanged() const {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected the rows that were counted at first, found other text: the "
                          "file has changed while it was read",
                          scanner_.path()));
}

}  // namespace

std::unique_ptr<RowSource> OpenCsv(std::unique_ptr<ByteStream> stream, const CsvOptions& options,
                                   const CsvLimits& limits) {
  return std::make_unique<CsvSource>(std::move(stream), options, limits);
}

bool LooksLikeCsv(std::span<const std::byte> first_bytes) {
  std::string_view text(reinterpret_cast<const char*>(first_bytes.data()), first_bytes.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const std::string_view mark : {"{", "[", "<", "%PDF"}) {
    if (text.starts_with(mark)) return false;
  }
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7F';
    return control && c != '\t' && c != '\n' && c != '\r';
  });
}

}  // namespace rhohat
