#include "train/config_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/version.h"
#include "rhohat/option_fields.h"

namespace rhohat {
namespace {

// A TOML basic string. Bytes that are not UTF-8 pass as they are: a file's name may have them, and
// would not be found under another.
std::string TomlString(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string FilesEntry(const std::vector<std::string>& files) {
  std::string entry = fmt::format("{} = [", kFilesKey);
  for (const std::string& file : files) {
    entry += fmt::format("{}{}", &file == &files.front() ? "" : ", ", TomlString(file));
  }
  return entry + "]\n";
}

// Options that are a number or a word, such as "auto", or a number or a list, are written as what
// they are.
bool IsNumber(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !is_digit(text[0]) || !is_digit(text.back())) return false;
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return false;
  // Neither more digits than a whole number of TOML can have, nor zeros before others.
  return !std::ranges::all_of(text, is_digit) ||
         (text.size() < 18 && (text[0] != '0' || text.size() == 1));
}

std::string TomlValue(const OptionField& field) {
  std::string value = field.get();
  switch (field.type) {
    case OptionType::kSwitch:
      return value;
    case OptionType::kNumber:
      return value == "-0" ? "-0.0" : value;  // TOML's whole numbers have one 0 only
    case OptionType::kText:
      return TomlString(value);
    case OptionType::kNumberOrText:
    case OptionType::kList:
      break;
  }
  return IsNumber(value) ? value : TomlString(value);
}

}  // namespace

// Tables of a TOML file are in lower case by custom.
std::string TableName(std::string group) {
  std::ranges::transform(group, group.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return group;
}

std::string ConfigText(const TrainOptions& options) {
  std::string text =
      fmt::format("# The configuration of this run of rhohat {}, in full.\n", kVersion);
  TrainOptions copy = options;
  std::string group;
  for (const OptionField& field : Fields(copy)) {
    if (field.group != group) {
      group = field.group;
      text += fmt::format("\n[{}]\n", TableName(group));
      if (TableName(group) == kFilesTable) text += FilesEntry(options.data.files);
    }
    text += fmt::format("{} = {}\n", field.name, TomlValue(field));
  }
  return text;
}

}  // namespace rhohat
