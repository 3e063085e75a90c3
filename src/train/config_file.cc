// Reading a configuration: TOML is parsed by toml++, and its values become the texts that flags
// have, so that an option is read in one way only.
//
// All entries are collected first and set in the order of their lines, so that of several faults
// the first in the file is told.
#include <fmt/core.h>

#include "rhohat/config.h"

// Compiled here and nowhere else: it takes seconds.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/byte_escape.h"
#include "base/input_file.h"
#include "base/text.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "train/config_text.h"

namespace rhohat {
namespace {

struct Entry {
  int64_t line = 0;
  std::string table;  // empty for one outside of all tables
  std::string key;
  const toml::node* value = nullptr;
};

// "run.toml:12: …".
[[noreturn]] void ThrowAt(const std::string& path, int64_t line, const std::string& fault) {
  throw Error(ErrorKind::kUsage, fmt::format("{}:{}: {}", path, line, fault));
}

std::string ReadText(const std::string& path) {
  constexpr uint64_t kMost = uint64_t{16} << 20;
  const InputFile file(path);
  if (file.bytes() > kMost) {
    throw Error(ErrorKind::kUsage, path + ": too large for a configuration file");
  }
  std::string text(file.bytes(), '\0');
  file.ReadAt(0, std::as_writable_bytes(std::span(text)));
  return text;
}

toml::table ParseToml(const std::string& path) {
  try {
    return toml::parse(EscapeToUtf8(ReadText(path)));
  } catch (const toml::parse_error& fault) {
    ThrowAt(path, fault.source().begin.line,
            fmt::format("not TOML: {}", UnescapeFromUtf8(fault.description())));
  }
}

// ---- Which options there are -------------------------------------------------------------------

// Tables and keys, and which belong together.
class Names {
 public:
  explicit Names(std::span<const OptionField> fields) {
    for (const OptionField& field : fields) Add(field.name, TableName(field.group));
    Add(kFilesKey, kFilesTable);
  }

  bool has_table(const std::string& table) const {
    return std::ranges::find(tables_, table) != tables_.end();
  }
  // Empty where there is no such key.
  std::string TableOf(const std::string& key) const {
    const auto found = std::ranges::find(keys_, key);
    return found == keys_.end() ? "" : tables_[static_cast<size_t>(found - keys_.begin())];
  }
  std::string NearestTable(const std::string& table) const { return NearestName(table, tables_); }
  std::string NearestKey(const std::string& key) const { return NearestName(key, keys_); }

 private:
  void Add(const std::string& key, const std::string& table) {
    keys_.push_back(key);
    tables_.push_back(table);
  }

  std::vector<std::string> keys_;
  std::vector<std::string> tables_;  // of each key
};

void CheckTable(const std::string& path, int64_t line, const std::string& table,
                const Names& names) {
  if (names.has_table(table)) return;
  const std::string nearest = names.NearestTable(table);
  ThrowAt(path, line,
          fmt::format("unknown table [{}]{}", table,
                      nearest.empty() ? "" : fmt::format(": did you mean [{}]?", nearest)));
}

void CheckKey(const std::string& path, const Entry& entry, const Names& names) {
  const std::string table = names.TableOf(entry.key);
  if (table.empty()) {
    const std::string nearest = names.NearestKey(entry.key);
    ThrowAt(path, entry.line,
            fmt::format("unknown key '{}'{}{}", entry.key,
                        entry.table.empty() ? "" : fmt::format(" in [{}]", entry.table),
                        nearest.empty() ? ""
                                        : fmt::format(": did you mean '{}' in [{}]?", nearest,
                                                      names.TableOf(nearest))));
  }
  if (!entry.table.empty() && entry.table != table) {
    ThrowAt(path, entry.line,
            fmt::format("'{}' is in [{}]: it belongs in [{}]", entry.key, entry.table, table));
  }
}

// ---- What the file has -------------------------------------------------------------------------

// What a table looked up by its line is: toml++ sorts keys by name.
std::vector<Entry> EntriesOf(const std::string& path, const toml::table& file, const Names& names) {
  std::vector<Entry> entries;
  std::vector<std::pair<int64_t, std::string>> tables;
  const auto add = [&](const std::string& table, const toml::key& key, const toml::node& value) {
    entries.push_back({.line = key.source().begin.line,
                       .table = table,
                       .key = UnescapeFromUtf8(key.str()),
                       .value = &value});
  };
  for (const auto& [key, value] : file) {
    const toml::table* const table = value.as_table();
    if (table == nullptr) {
      add("", key, value);
      continue;
    }
    const std::string name = UnescapeFromUtf8(key.str());
    tables.emplace_back(key.source().begin.line, name);
    for (const auto& [inner_key, inner_value] : *table) add(name, inner_key, inner_value);
  }
  std::ranges::sort(tables);
  for (const auto& [line, name] : tables) CheckTable(path, line, name, names);
  std::ranges::stable_sort(entries, {}, &Entry::line);
  for (const Entry& entry : entries) CheckKey(path, entry, names);
  return entries;
}

std::string_view TypeName(const toml::node& value) {
  switch (value.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or a time";
  }
}

// 400.0 stays told from 400: it is no whole number.
std::string FloatText(double value) {
  std::string text = fmt::format("{}", value);
  const bool reads_whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return reads_whole ? text + ".0" : text;
}

// The text that a flag would have for one value; false where it is none of the types.
bool TakeNumber(const toml::node& value, std::string& text) {
  if (const auto* integer = value.as_integer()) {
    text = fmt::format("{}", integer->get());
  } else if (const auto* floating = value.as_floating_point()) {
    text = FloatText(floating->get());
  } else {
    return false;
  }
  return true;
}

bool TakeString(const toml::node& value, std::string& text) {
  const auto* string = value.as_string();
  if (string == nullptr) return false;
  text = UnescapeFromUtf8(string->get());
  return true;
}

bool TakeSwitch(const toml::node& value, std::string& text) {
  const auto* boolean = value.as_boolean();
  if (boolean == nullptr) return false;
  text = boolean->get() ? "true" : "false";
  return true;
}

bool TakeNumberOrString(const toml::node& value, std::string& text) {
  return TakeNumber(value, text) || TakeString(value, text);
}

bool TakeList(const toml::node& value, std::string& text) {
  const toml::array* const array = value.as_array();
  if (array == nullptr) return TakeNumberOrString(value, text);
  for (const toml::node& element : *array) {
    std::string one;
    if (!TakeNumberOrString(element, one)) return false;
    text += (&element == array->get(0) ? "" : ",") + one;
  }
  return true;
}

// A type of option, as a file has it.
struct Reading {
  bool (*take)(const toml::node& value, std::string& text);
  std::string_view expected;
};

Reading ReadingOf(OptionType type) {
  switch (type) {
    case OptionType::kNumber:
      return {TakeNumber, "a number"};
    case OptionType::kSwitch:
      return {TakeSwitch, "true or false"};
    case OptionType::kText:
      return {TakeString, "a string"};
    case OptionType::kNumberOrText:
      return {TakeNumberOrString, "a number or a string"};
    case OptionType::kList:
      return {TakeList, "a number, a string, or an array of them"};
  }
  throw Error(ErrorKind::kInternal, "an option has no type");
}

// ---- Setting -----------------------------------------------------------------------------------

[[noreturn]] void ThrowType(const std::string& path, const Entry& entry,
                            std::string_view expected) {
  ThrowAt(path, entry.line,
          fmt::format("{}: expected {}, found {}", entry.key, expected, TypeName(*entry.value)));
}

void SetField(const std::string& path, const Entry& entry, const OptionField& field) {
  const Reading reading = ReadingOf(field.type);
  std::string text;
  if (!reading.take(*entry.value, text)) ThrowType(path, entry, reading.expected);
  try {
    field.set(text);
  } catch (const Error& error) {
    const std::string_view fault = error.what();
    ThrowAt(path, entry.line, std::string(fault.substr(fault.starts_with("--") ? 2 : 0)));
  }
}

void SetFiles(const std::string& path, const Entry& entry, std::vector<std::string>& files) {
  const toml::array* const array = entry.value->as_array();
  if (array == nullptr) ThrowType(path, entry, "an array of strings");
  std::vector<std::string> names;
  for (const toml::node& element : *array) {
    if (!TakeString(element, names.emplace_back())) {
      ThrowAt(path, entry.line,
              fmt::format("{}: expected an array of strings, found {} in it", entry.key,
                          TypeName(element)));
    }
  }
  files = std::move(names);
}

}  // namespace

std::vector<std::string> ReadConfig(const std::string& path, TrainOptions& options) {
  const toml::table file = ParseToml(path);
  const std::vector<OptionField> fields = Fields(options);
  std::vector<std::string> set;
  for (const Entry& entry : EntriesOf(path, file, Names(fields))) {
    if (std::ranges::find(set, entry.key) != set.end()) {
      ThrowAt(path, entry.line, fmt::format("'{}' is given twice", entry.key));
    }
    if (entry.key == kFilesKey) {
      SetFiles(path, entry, options.data.files);
    } else {
      SetField(path, entry, *std::ranges::find(fields, entry.key, &OptionField::name));
    }
    set.push_back(entry.key);
  }
  return set;
}

}  // namespace rhohat
