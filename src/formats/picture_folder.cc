#include "formats/picture_folder.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <system_error>

#include "base/text.h"
#include "formats/picture.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The digits that `text` begins with, without leading zeros; `text` goes on behind them.
std::string_view TakeNumber(std::string_view& text) {
  const auto end = static_cast<size_t>(std::ranges::find_if_not(text, IsDigit) - text.begin());
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

// Below, at or above 0, as of strcmp.
int CompareNumbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

bool IsPicture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: cannot open: {}", path, ErrnoText(errno)));
  }
  std::array<char, 8> first = {};
  file.read(first.data(), first.size());
  return LooksLikePicture(
      std::as_bytes(std::span(first)).first(static_cast<size_t>(file.gcount())));
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  std::string_view rest_a = a;
  std::string_view rest_b = b;
  while (!rest_a.empty() && !rest_b.empty()) {
    if (IsDigit(rest_a[0]) && IsDigit(rest_b[0])) {
      const int order = CompareNumbers(TakeNumber(rest_a), TakeNumber(rest_b));
      if (order != 0) return order < 0;
    } else {
      if (rest_a[0] != rest_b[0]) {
        return static_cast<unsigned char>(rest_a[0]) < static_cast<unsigned char>(rest_b[0]);
      }
      rest_a.remove_prefix(1);
      rest_b.remove_prefix(1);
    }
  }
  if (rest_a.empty() != rest_b.empty()) return rest_a.empty();
  return a < b;  // they differ in leading zeros at most
}

std::vector<std::string> PicturesIn(const std::string& folder) {
  std::vector<std::string> pictures;
  std::error_code failure;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code gone;  // a link to nothing is no picture
    if (!entry->is_regular_file(gone)) continue;
    std::string path = entry->path().string();
    if (IsPicture(path)) pictures.push_back(std::move(path));
  }
  if (failure) {
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: cannot list the folder: {}", folder, ErrnoText(failure.value())));
  }
  std::ranges::sort(pictures, NaturalLess);
  return pictures;
}

}  // namespace rhohat
