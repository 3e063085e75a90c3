#include "tools/program_fields.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

OptionField Field(FlagText text) {
  OptionField field;
  field.name = std::move(text.name);
  field.group = std::move(text.group);
  field.placeholder = std::move(text.placeholder);
  field.help = std::move(text.help);
  return field;
}

[[noreturn]] void ThrowBadValue(const std::string& name, std::string_view found,
                                std::string_view expected) {
  throw Error(ErrorKind::kUsage,
              fmt::format("--{}: expected {}, found '{}'", name, expected, found));
}

// False where `text` is more or less than one number.
template <typename T>
bool ReadNumber(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, status] = std::from_chars(text.data(), end, value);
  return status == std::errc() && stopped == end;
}

bool ReadFactor(std::string_view text, double& value) {
  const size_t slash = text.find('/');
  double denominator = 1;
  const bool read = ReadNumber(text.substr(0, slash), value) &&
                    (slash == text.npos || ReadNumber(text.substr(slash + 1), denominator));
  value /= denominator;
  return read && std::isfinite(value) && value != 0;
}

}  // namespace

OptionField TextField(FlagText text, std::string& value) {
  OptionField field = Field(std::move(text));
  field.type = OptionType::kText;
  field.get = [&value] { return value; };
  field.set = [&value, name = field.name](std::string_view given) {
    if (given.empty()) ThrowBadValue(name, given, "some text");
    value = given;
  };
  return field;
}

OptionField SwitchField(FlagText text, bool& value) {
  OptionField field = Field(std::move(text));
  field.get = [&value] { return value ? "true" : "false"; };
  field.set = [&value, name = field.name](std::string_view given) {
    if (given != "true" && given != "false") ThrowBadValue(name, given, "true or false");
    value = given == "true";
  };
  return field;
}

OptionField OnOffField(FlagText text, bool& value) {
  OptionField field = Field(std::move(text));
  field.get = [&value] { return value ? "on" : "off"; };
  field.set = [&value, name = field.name](std::string_view given) {
    if (given != "on" && given != "off") ThrowBadValue(name, given, "on or off");
    value = given == "on";
  };
  return field;
}

OptionField CountField(FlagText text, int64_t& value, int64_t least) {
  OptionField field = Field(std::move(text));
  field.get = [&value] { return value == 0 ? "" : fmt::format("{}", value); };
  field.set = [&value, least, name = field.name](std::string_view given) {
    int64_t count = 0;
    if (!ReadNumber(given, count) || count < least) {
      ThrowBadValue(name, given, fmt::format("a whole number, {} or more", least));
    }
    value = count;
  };
  return field;
}

OptionField FactorField(FlagText text, double& value) {
  OptionField field = Field(std::move(text));
  field.get = [&value] { return value == 0 ? "" : fmt::format("{:g}", value); };
  field.set = [&value, name = field.name](std::string_view given) {
    double factor = 0;
    if (!ReadFactor(given, factor)) {
      ThrowBadValue(name, given, "a number other than 0, or a fraction such as 1/255");
    }
    value = factor;
  };
  return field;
}

OptionField PositiveField(FlagText text, double& value) {
  OptionField field = FactorField(std::move(text), value);
  field.set = [&value, name = field.name](std::string_view given) {
    double number = 0;
    if (!ReadNumber(given, number) || !std::isfinite(number) || number <= 0) {
      ThrowBadValue(name, given, "a number above 0");
    }
    value = number;
  };
  return field;
}

OptionField GridField(std::vector<GridAxis>& axes) {
  OptionField field = Field({"grid", "OPTION=V[,V...]",
                             "Train a model for each of these values of an option, from one read "
                             "of the data; given several times, for each combination. Each model "
                             "has its own folder in --run.",
                             "Grid"});
  field.repeatable = true;
  field.get = [] { return ""; };
  field.set = [&axes](std::string_view given) { axes.push_back(ParseGridAxis(given)); };
  return field;
}

std::vector<OptionField> OutputFields(OutputOptions& options) {
  const std::string group = "Output";
  return {
      TextField({"dataset", "NAME", "Name of the data set in the output.", group}, options.dataset),
      CountField({"chunk-rows", "N",
                  "Rows in a chunk of the output. Chunks of about 1 MiB if not given.", group},
                 options.chunk_rows),
      TextField({"compress", "HOW",
                 "none, gzip:1 to gzip:9, zstd:1 to zstd:22, or lz4. Every program that knows HDF5 "
                 "reads gzip; zstd and lz4 need a plugin there (h5py: hdf5plugin).",
                 group},
                options.compress),
      SwitchField({"shuffle-bytes", "",
                   "Sort the bytes of a chunk by significance first: compresses better.", group},
                  options.shuffle_bytes),
      OnOffField({"checksum", "on|off",
                  "fletcher32 on every chunk, so that damage is noticed when it is read.", group},
                 options.checksum),
      SwitchField({"force", "", "Replace an output that exists.", group}, options.force),
  };
}

std::vector<OptionField> Only(std::vector<OptionField> fields,
                              std::initializer_list<std::string_view> names) {
  std::erase_if(fields, [&](const OptionField& field) {
    return std::find(names.begin(), names.end(), field.name) == names.end();
  });
  return fields;
}

std::vector<OptionField> WithModelsDefaults(std::vector<OptionField> fields) {
  for (OptionField& field : fields) field.get = [] { return "model's"; };
  return fields;
}

}  // namespace rhohat
