#include "base/units.h"

#include <fmt/core.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// The power of 1024 that a unit stands for, or -1.
int PowerOfUnit(std::string_view unit) {
  if (unit.empty() || unit == "B") return 0;
  constexpr std::string_view kLetters = "KMGT";
  const size_t index =
      kLetters.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front()))));
  const std::string_view rest = unit.substr(1);
  if (index == kLetters.npos || !(rest.empty() || rest == "B" || rest == "iB")) return -1;
  return static_cast<int>(index) + 1;
}

// Reads a number of at least 0 off the front of `text`; −1 where there is none.
double TakeNumber(std::string_view& text) {
  double number = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (status != std::errc() || !std::isfinite(number) || std::signbit(number)) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// "7h45m", or a number alone; −1 where it is neither.
double DurationInUnits(std::string_view text) {
  constexpr std::array<std::pair<char, double>, 4> kUnits = {
      {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  double seconds = 0;
  size_t next = 0;  // units come once each, from large to small
  while (!text.empty()) {
    const double number = TakeNumber(text);
    if (number < 0) return -1;
    if (text.empty()) return next == 0 ? number : -1;
    while (next < kUnits.size() && kUnits[next].first != text.front()) ++next;
    if (next == kUnits.size()) return -1;
    seconds += number * kUnits[next++].second;
    text.remove_prefix(1);
  }
  return next == 0 ? -1 : seconds;
}

// "HH:MM:SS" or "D-HH:MM:SS"; −1 where it is neither.
double DurationByColons(std::string_view text) {
  double days = 0;
  if (text.find('-') != text.npos) {
    days = TakeNumber(text);
    if (days < 0 || text.front() != '-') return -1;
    text.remove_prefix(1);
  }
  double seconds = 24 * days;
  for (int part = 0; part < 3; ++part) {
    if (part > 0 && !text.starts_with(':')) return -1;
    if (part > 0) text.remove_prefix(1);
    const double number = TakeNumber(text);
    if (number < 0) return -1;
    seconds = (part == 0 ? seconds : 60 * seconds) + number;
  }
  return text.empty() ? seconds : -1;
}

}  // namespace

uint64_t ParseBytes(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const int power = PowerOfUnit(unit);
  const double bytes = std::ldexp(number, 10 * power);
  if (status != std::errc() || power < 0 || !(bytes >= 1) || bytes > 9e18) {
    throw Error(ErrorKind::kUsage,
                fmt::format("'{}' is not a size: write for example 192M, 4G or 1.5G", text));
  }
  return static_cast<uint64_t>(bytes);
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} {}", bytes, bytes == 1 ? "byte" : "bytes");
  const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

std::string FormatSeconds(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "unknown";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

double ParseDuration(std::string_view text) {
  constexpr double kMost = 1e9;
  const double seconds =
      text.find(':') == text.npos ? DurationInUnits(text) : DurationByColons(text);
  if (seconds >= 0 && seconds <= kMost) return seconds;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("'{}' is not a time: write for example 90s, 10m, 7h45m or 07:45:00", text));
}

std::string ExactDuration(double seconds) {
  const double whole = std::floor(seconds / 60);
  const double rest = seconds - 60 * whole;
  if (seconds < 60 || 60 * whole + rest != seconds) return fmt::format("{}s", seconds);
  const auto minutes = static_cast<int64_t>(whole);
  std::string text;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes % 60 > 0) text += fmt::format("{}m", minutes % 60);
  if (rest > 0) text += fmt::format("{}s", rest);
  return text;
}

HeightWidth ParseHeightWidth(std::string_view text, std::string_view flag) {
  HeightWidth size;
  const char* end = text.data() + text.size();
  const size_t cross = text.find('x');
  const auto height = std::from_chars(text.data(), end, size.height);
  if (cross != text.npos && height.ptr == text.data() + cross) {
    const auto width = std::from_chars(height.ptr + 1, end, size.width);
    if (width.ec == std::errc() && width.ptr == end && size.height > 0 && size.width > 0) {
      return size;
    }
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: expected height and width such as 16x16, found '{}'", flag, text));
}

int64_t CheckedProduct(int64_t a, int64_t b, std::string_view what) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: {} × {} is too large", what, a, b));
  }
  return product;
}

}  // namespace rhohat
