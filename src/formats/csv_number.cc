#include "formats/csv_number.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace rhohat {
namespace {

constexpr size_t kMostNumberBytes = 4096;
constexpr int kMostDigits = 19;  // any such number is below 2^64
constexpr uint64_t kMostExactInteger = uint64_t{1} << 53;
constexpr int64_t kMostExactPower = 22;

// All of them are float64 exactly.
constexpr std::array<double, kMostExactPower + 1> kPowersOfTen = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr std::array<uint64_t, 9> kIntegerPowersOfTen = {1,      10,      100,      1000,     10000,
                                                         100000, 1000000, 10000000, 100000000};

constexpr std::array<std::string_view, 8> kMissing = {"na",   "nan",  "n/a",  "#n/a",
                                                      "null", "none", "-nan", "+nan"};
constexpr size_t kLongestMissing = 4;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, Lower);
}

// Eight characters, the first in the lowest byte; zeros for those past the end.
uint64_t LoadEight(const char* from, const char* end) {
  uint64_t eight = 0;
  if (end - from >= 8) {
    std::memcpy(&eight, from, 8);
    return eight;
  }
  for (int i = 0; i < end - from; ++i) {
    eight |= static_cast<uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return eight;
}

// The number that eight digits make, each in a byte as 0 to 9, the first in the lowest: digits are
// added up to pairs, pairs to fours and fours to the whole, all of a kind in one multiplication.
uint64_t CombineEight(uint64_t digits) {
  constexpr uint64_t kEveryFourth = 0x000000FF000000FF;
  constexpr uint64_t kFirstPairs = 100 + (uint64_t{1000000} << 32);
  constexpr uint64_t kSecondPairs = 1 + (uint64_t{10000} << 32);
  const uint64_t pairs = digits * 10 + (digits >> 8);
  return ((pairs & kEveryFourth) * kFirstPairs + ((pairs >> 16) & kEveryFourth) * kSecondPairs) >>
         32;
}

// Moves `at` behind the digits there and appends them to `number`, which wraps around where they
// are too many. Returns how many there are.
inline int TakeDigits(const char*& at, const char* end, uint64_t& number) {
  constexpr uint64_t kZeros = 0x3030303030303030;
  constexpr uint64_t kNineToSign = 0x7676767676767676;  // added to 10 or more, sets the top bit
  constexpr uint64_t kTopBits = 0x8080808080808080;
  int count = 0;
  while (true) {
    const uint64_t digits = LoadEight(at, end) ^ kZeros;
    // A carry out of a byte that is no digit can only disturb those behind it.
    const uint64_t others = ((digits + kNineToSign) | digits) & kTopBits;
    if (others != 0) {
      const int found = std::countr_zero(others) / 8;
      if (found == 0) return count;
      // Shifted up, so that there are zeros before the digits.
      const uint64_t value = CombineEight(digits << (64 - 8 * found));
      number = number * kIntegerPowersOfTen[static_cast<size_t>(found)] + value;
      at += found;
      return count + found;
    }
    number = number * kIntegerPowersOfTen[8] + CombineEight(digits);
    at += 8;
    count += 8;
  }
}

struct Exponent {
  int64_t value = 0;
  const char* end = nullptr;
};

// The exponent at `at`, if there is a whole one; instead of a huge one, something that is huge as
// well.
Exponent ReadExponent(const char* at, const char* end) {
  constexpr int64_t kHuge = int64_t{1} << 40;
  if (at == end || Lower(*at) != 'e') return {0, at};
  const char* digit = at + 1;
  const bool negative = digit != end && *digit == '-';
  if (digit != end && (*digit == '-' || *digit == '+')) ++digit;
  if (digit == end || !IsDigit(*digit)) return {0, at};
  int64_t exponent = 0;
  for (; digit != end && IsDigit(*digit); ++digit) {
    if (exponent < kHuge) exponent = exponent * 10 + (*digit - '0');
  }
  return {negative ? -exponent : exponent, digit};
}

// Whether a number that float64 cannot hold is too large for it, and not too small.
bool IsHuge(const char* begin, const char* end) {
  int64_t before_point = 0;  // digits, from the first that is not 0; negative: zeros behind it
  bool significant = false;
  bool fraction = false;
  const char* at = begin;
  for (; at != end && (IsDigit(*at) || *at == '.'); ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    significant = significant || *at != '0';
    if (!fraction && significant) ++before_point;
    if (fraction && !significant) --before_point;
  }
  return before_point + ReadExponent(at, end).value > 0;
}

// The number without a sign that ends at `end`, in the general way.
const char* ScanSlowly(const char* begin, const char* end, double& value) {
  if (static_cast<size_t>(end - begin) > kMostNumberBytes) return nullptr;
  const auto [stop, status] = std::from_chars(begin, end, value);
  if (stop != end) return nullptr;
  if (status == std::errc::result_out_of_range) {
    value = IsHuge(begin, end) ? std::numeric_limits<double>::infinity() : 0.0;
  }
  return end;
}

}  // namespace

// Most numbers have digits that make an integer below 2^53 and a small power of ten. Both are
// float64 exactly, so that their product or quotient is rounded once and is right (Clinger 1990).
const char* ScanNumber(const char* begin, const char* end, double& value) {
  if (begin == end) return nullptr;
  const bool negative = *begin == '-';
  // Signs come and go as they like, so there is no branch for them to be mispredicted.
  const char* const first = begin + static_cast<int>(negative | (*begin == '+'));
  const char* at = first;
  uint64_t integer = 0;
  for (; at != end && IsDigit(*at); ++at) integer = integer * 10 + static_cast<uint64_t>(*at - '0');
  int64_t digits = at - first;
  int64_t exponent = 0;
  if (at != end && *at == '.') {
    ++at;
    const int decimals = TakeDigits(at, end, integer);
    digits += decimals;
    exponent = -decimals;
  }
  if (digits == 0) return nullptr;
  if (at != end && Lower(*at) == 'e') {
    const Exponent written = ReadExponent(at, end);
    exponent += written.value;
    at = written.end;
  }
  if (digits > kMostDigits || integer > kMostExactInteger || exponent < -kMostExactPower ||
      exponent > kMostExactPower) {
    if (ScanSlowly(first, at, value) == nullptr) return nullptr;
  } else {
    const auto exact = static_cast<double>(static_cast<int64_t>(integer));
    value = exponent < 0 ? exact / kPowersOfTen[static_cast<size_t>(-exponent)]
                         : exact * kPowersOfTen[static_cast<size_t>(exponent)];
  }
  value = std::bit_cast<double>(std::bit_cast<uint64_t>(value) ^ uint64_t{negative} << 63);
  return at;
}

bool IsMissing(std::string_view field) {
  if (field.empty() || field == "?") return true;
  if (field.size() > kLongestMissing || IsDigit(field.back())) return false;
  return std::ranges::any_of(
      kMissing, [field](std::string_view name) { return EqualsIgnoringCase(field, name); });
}

FieldKind ReadField(std::string_view field, double& value) {
  const char* const end = field.data() + field.size();
  if (ScanNumber(field.data(), end, value) == end && !field.empty()) return FieldKind::kNumber;
  if (IsMissing(field)) return FieldKind::kMissing;
  const bool negative = field.front() == '-';
  if (negative || field.front() == '+') field.remove_prefix(1);
  if (!EqualsIgnoringCase(field, "inf") && !EqualsIgnoringCase(field, "infinity")) {
    return FieldKind::kOther;
  }
  value =
      negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return FieldKind::kNumber;
}

}  // namespace rhohat
