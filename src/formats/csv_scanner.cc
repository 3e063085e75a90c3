#include "formats/csv_scanner.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "base/units.h"
#include "rhohat/error.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace rhohat {
namespace {

constexpr size_t kBlock = 64;
constexpr size_t kLeastBuffer = 4;  // holds a byte order mark
constexpr size_t kNotFound = SIZE_MAX;

// Bit i tells whether character i ends a line or is a quote.
#ifdef __SSE2__
uint64_t FindSpecials(const char* block) {
  const __m128i line_feed = _mm_set1_epi8('\n');
  const __m128i carriage_return = _mm_set1_epi8('\r');
  const __m128i quote = _mm_set1_epi8('"');
  uint64_t bits = 0;
  for (size_t i = 0; i < kBlock; i += 16) {
    __m128i text;
    std::memcpy(&text, block + i, sizeof(text));
    const __m128i ends =
        _mm_or_si128(_mm_cmpeq_epi8(text, line_feed), _mm_cmpeq_epi8(text, carriage_return));
    const __m128i specials = _mm_or_si128(ends, _mm_cmpeq_epi8(text, quote));
    bits |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(specials))) << i;
  }
  return bits;
}
#else
uint64_t FindSpecials(const char* block) {
  uint64_t bits = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool special = block[i] == '\n' || block[i] == '\r' || block[i] == '"';
    bits |= static_cast<uint64_t>(special) << i;
  }
  return bits;
}
#endif

// \r\n is one.
int64_t CountLineEnds(const char* begin, const char* end) {
  int64_t count = 0;
  for (const char* at = begin; at != end; ++at) {
    const bool pair = *at == '\r' && at + 1 != end && at[1] == '\n';
    count += (*at == '\n' || (*at == '\r' && !pair)) ? 1 : 0;
  }
  return count;
}

}  // namespace

CsvScanner::CsvScanner(std::unique_ptr<ByteStream> stream, const CsvLimits& limits)
    : stream_(std::move(stream)),
      limits_(limits),
      buffer_(std::max(limits.buffer_bytes, kLeastBuffer) + kBlock) {}

void CsvScanner::Start(CsvDialect dialect) {
  stream_->Rewind();
  dialect_ = dialect;
  begin_ = end_ = 0;
  stream_ended_ = false;
  before_data_ = true;
  line_ = 1;
  ReadMore();
  SkipByteOrderMark();
}

void CsvScanner::SkipByteOrderMark() {
  constexpr size_t kLookedAt = 64;
  const std::string_view first(buffer_.data(), std::min(end_, kLookedAt));
  std::string_view found;
  if (first.find('\0') != first.npos) found = "bytes that are 0, as in UTF-16 or in binary data";
  if (first.starts_with("\xFF\xFE") || first.starts_with("\xFE\xFF")) found = "UTF-16";
  if (!found.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected text in ASCII or UTF-8, found {}; save it as UTF-8",
                            path(), found));
  }
  if (first.starts_with("\xEF\xBB\xBF")) begin_ = 3;
}

bool CsvScanner::Next(CsvRecord& record) {
  while (true) {
    if (begin_ == end_ && !stream_ended_) ReadMore();
    if (begin_ == end_) return false;
    RecordEnd end;
    while (!FindRecordEnd(end)) ReadMore();
    record.text = {buffer_.data() + begin_, end.text - begin_};
    record.line = line_;
    CheckLength(record.text.size());
    const bool left_out = IsComment() || IsBlankLine(record.text);
    begin_ = end.next;
    line_ += end.lines + 1;
    if (left_out) continue;
    before_data_ = false;
    return true;
  }
}

bool CsvScanner::FindRecordEnd(RecordEnd& end) const {
  end.lines = 0;
  const bool comment = IsComment();
  size_t at = begin_;
  while ((at = FindSpecial(at)) != end_) {
    if (buffer_[at] == '"') {
      size_t behind = at + 1;
      if (!comment && OpensField(at)) {
        behind = FindClosingQuote(at + 1);
        if (behind == kNotFound && stream_ended_) ThrowUnclosed(end.lines);
        if (behind == kNotFound) return false;
        end.lines += CountLineEnds(buffer_.data() + at, buffer_.data() + behind);
      }
      at = behind;
      continue;
    }
    const bool last = at + 1 == end_;
    // Whether a \n follows this \r is to be read yet.
    if (buffer_[at] == '\r' && last && !stream_ended_) return false;
    const bool pair = buffer_[at] == '\r' && !last && buffer_[at + 1] == '\n';
    end.text = at;
    end.next = at + (pair ? 2 : 1);
    return true;
  }
  end.text = end.next = end_;
  return stream_ended_;
}

bool CsvScanner::OpensField(size_t quote) const {
  if (dialect_.runs_of_blanks) return quote == begin_ || dialect_.IsBlank(buffer_[quote - 1]);
  size_t field = quote;
  while (field != begin_ && dialect_.IsBlank(buffer_[field - 1])) --field;
  return field == begin_ || buffer_[field - 1] == dialect_.delimiter;
}

size_t CsvScanner::FindClosingQuote(size_t from) const {
  while (true) {
    const void* const found = std::memchr(buffer_.data() + from, '"', end_ - from);
    if (found == nullptr) return kNotFound;
    from = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
    if (from == end_) return stream_ended_ ? from : kNotFound;
    if (buffer_[from] != '"') return from;
    ++from;
  }
}

size_t CsvScanner::FindSpecial(size_t from) const {
  const size_t block = from & ~(kBlock - 1);
  if (block != block_) {
    if (from == end_) return end_;
    block_ = block;
    specials_ = FindSpecials(buffer_.data() + block);
  }
  uint64_t bits = specials_ & (~uint64_t{0} << (from % kBlock));
  while (bits == 0) {
    if (block_ + kBlock >= end_) return end_;
    block_ += kBlock;
    bits = specials_ = FindSpecials(buffer_.data() + block_);
  }
  // Behind end_ there are remains of what was read before.
  return std::min(end_, block_ + static_cast<size_t>(std::countr_zero(bits)));
}

bool CsvScanner::IsBlankLine(std::string_view text) const {
  return std::ranges::all_of(text, [this](char c) { return dialect_.IsBlank(c); });
}

void CsvScanner::ReadMore() {
  const size_t kept = end_ - begin_;
  CheckLength(kept);
  std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
  begin_ = 0;
  // At least half of the buffer is filled anew, so that what is looked at again stays little.
  const size_t room = buffer_.size() - kBlock;
  if (kept > room / 2) buffer_.resize(2 * room + kBlock);
  const std::span<char> free = std::span(buffer_).subspan(kept, buffer_.size() - kBlock - kept);
  const size_t got = stream_->Read(std::as_writable_bytes(free));
  end_ = kept + got;
  stream_ended_ = got < free.size();
  block_ = kNotFound;
}

void CsvScanner::CheckLength(size_t bytes) const {
  if (bytes <= limits_.record_bytes) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: line {}: expected at most {} to the end of the line, found more; is "
                          "a quote left open?",
                          path(), line_, FormatBytes(limits_.record_bytes)));
}

void CsvScanner::ThrowUnclosed(int64_t lines_before) const {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: line {}: expected a closing quote for the one that opens there, "
                          "found the end of the file",
                          path(), line_ + lines_before));
}

}  // namespace rhohat
