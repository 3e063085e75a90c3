#include "convert/shuffle_journal.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <system_error>

#include "base/atomic_file.h"
#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kTitle = "rhohat shuffle journal 1";
constexpr std::string_view kIs = " = ";
constexpr std::string_view kBuckets = "buckets";
constexpr std::string_view kRowsDealt = "rows dealt";
constexpr std::string_view kUnfinished = "unfinished";

// A file's name may hold anything, line breaks too.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '\n') escaped += '\\';
    escaped += c == '\n' ? 'n' : c;
  }
  return escaped;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size();
    if (escaped) ++i;
    plain += escaped && text[i] == 'n' ? '\n' : text[i];
  }
  return plain;
}

// By the end of its links: the same file under another name is the same input.
std::string PathOf(const std::string& file) {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::canonical(file, failed);
  return failed ? file : path.string();
}

[[noreturn]] void ThrowDamaged(const std::filesystem::path& path, std::string_view found) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: expected '{}', found {}; --restart starts anew",
                                               path.string(), kTitle, found));
}

int64_t ParseCount(const std::filesystem::path& path, std::string_view text) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value < 0) {
    ThrowDamaged(path, "a count that is none");
  }
  return value;
}

const std::string* Find(const ShuffleIdentity& identity, const std::string& name) {
  for (const auto& [candidate, value] : identity) {
    if (candidate == name) return &value;
  }
  return nullptr;
}

}  // namespace

ShuffleIdentity IdentityOfShuffle(const DataSet& data, uint64_t seed, ElementType type) {
  ShuffleIdentity identity = {{"seed", fmt::format("{}", seed)},
                              {"rows", fmt::format("{}", data.rows())},
                              {"columns", fmt::format("{}", data.columns())},
                              {"type", ElementName(type)}};
  for (size_t i = 0; i < data.files().size(); ++i) {
    const Hdf5DataSetInfo& info = data.files()[i];
    const std::string input = fmt::format("input {}", i + 1);
    identity.emplace_back(input, PathOf(info.file));
    identity.emplace_back(input + " data set", info.dataset);
    identity.emplace_back(input + " shape", fmt::format("{}", fmt::join(info.shape, "×")));
    identity.emplace_back(input + " type", ElementName(info.element));
    identity.emplace_back(input + " bytes", fmt::format("{}", info.file_bytes));
    identity.emplace_back(input + " time of change",
                          fmt::format("{} ns", info.modified_nanoseconds));
  }
  return identity;
}

void WriteJournal(const std::filesystem::path& path, const ShuffleJournal& journal) {
  std::string text = fmt::format("{}\n", kTitle);
  const auto add = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{}{}{}\n", name, kIs, Escape(value));
  };
  for (const auto& [name, value] : journal.identity) add(name, value);
  add(kBuckets, fmt::format("{}", journal.buckets));
  add(kRowsDealt, fmt::format("{}", journal.rows_dealt));
  add(kUnfinished, journal.unfinished);
  AtomicFile file(path);
  file.Write(text);
  file.Commit();
}

std::optional<ShuffleJournal> ReadJournal(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  std::vector<std::string> lines = Split(ReadWholeFile(path), '\n');
  if (lines.front() != kTitle) ThrowDamaged(path, "another first line");
  lines.erase(lines.begin());
  ShuffleJournal journal;
  for (const std::string& line : lines) {
    if (line.empty()) continue;  // after the last line break
    const size_t split = line.find(kIs);
    if (split == line.npos) ThrowDamaged(path, "a line without a value");
    const std::string name = line.substr(0, split);
    const std::string value = Unescape(std::string_view(line).substr(split + kIs.size()));
    if (name == kBuckets) {
      journal.buckets = ParseCount(path, value);
    } else if (name == kRowsDealt) {
      journal.rows_dealt = ParseCount(path, value);
    } else if (name == kUnfinished) {
      journal.unfinished = value;
    } else {
      journal.identity.emplace_back(name, value);
    }
  }
  if (journal.buckets < 1) ThrowDamaged(path, "no buckets");
  return journal;
}

std::string DifferenceOf(const ShuffleIdentity& before, const ShuffleIdentity& now) {
  std::vector<std::string> differences;
  for (const auto& [name, value] : before) {
    const std::string* other = Find(now, name);
    if (other == nullptr) {
      differences.push_back(fmt::format("{} was {}, now there is none", name, value));
    } else if (*other != value) {
      differences.push_back(fmt::format("{} was {}, now {}", name, value, *other));
    }
  }
  for (const auto& [name, value] : now) {
    if (Find(before, name) == nullptr) {
      differences.push_back(fmt::format("there was no {}, now {}", name, value));
    }
  }
  return JoinNames(differences);
}

}  // namespace rhohat
