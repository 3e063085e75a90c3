#include "base/text.h"

#include <algorithm>
#include <numeric>
#include <system_error>

namespace rhohat {
namespace {

// Levenshtein's distance by dynamic programming over one row.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string NearestName(std::string_view name, std::span<const std::string> candidates) {
  std::string nearest;
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // What was left unfinished is nearer than any slip of the finger.
    const bool begins_it = name.size() >= 2 && candidate.starts_with(name);
    const size_t distance = begins_it ? 0 : EditDistance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string JoinNames(std::span<const std::string> names) {
  constexpr size_t kMost = 12;
  std::string joined;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == kMost && names.size() > kMost + 1) {
      return joined + " and " + std::to_string(names.size() - kMost) + " more";
    }
    if (i > 0) joined += i + 1 == names.size() ? " and " : ", ";
    joined += names[i];
  }
  return joined;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t end = text.find(separator);
    pieces.emplace_back(text.substr(0, end));
    if (end == text.npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string ErrnoText(int code) { return std::generic_category().message(code); }

}  // namespace rhohat
