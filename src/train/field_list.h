// What the lists of options are made with: a function for each kind of value.
#pragma once

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"

namespace rhohat {

// What the text of a value that the program may choose itself is.
inline constexpr std::string_view kAuto = "auto";

template <class E>
struct Named {
  E value;
  std::string_view name;
};

[[noreturn]] inline void ThrowUsage(const std::string& name, std::string_view text,
                                    std::string_view fault) {
  throw Error(ErrorKind::kUsage, fmt::format("--{}: '{}' {}", name, text, fault));
}

// The whole of `text` as a number; independent of the locale.
template <class Number>
Number ParseNumber(const std::string& name, std::string_view text, std::string_view kind) {
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::invalid_argument || end != text.data() + text.size()) {
    ThrowUsage(name, text, fmt::format("is not a {}", kind));
  }
  if (status != std::errc()) ThrowUsage(name, text, "is out of range");
  return value;
}

inline int64_t ParseWhole(const std::string& name, std::string_view text) {
  return ParseNumber<int64_t>(name, text, "whole number");
}

inline double ParseFinite(const std::string& name, std::string_view text) {
  const double value = ParseNumber<double>(name, text, "number");
  if (!std::isfinite(value)) ThrowUsage(name, text, "is not a finite number");
  return value;
}

// What the fields of one group have in common; the functions below make one field each.
class FieldList {
 public:
  FieldList(std::string group, bool in_model) : group_(std::move(group)), in_model_(in_model) {}

  void AddNumber(std::string name, std::string help, double& value) {
    OptionField& field = Add(std::move(name), "NUMBER", std::move(help));
    field.get = [&value] { return fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) { value = ParseFinite(n, text); };
  }

  void AddWhole(std::string name, std::string help, int64_t& value) {
    OptionField& field = Add(std::move(name), "N", std::move(help));
    field.get = [&value] { return fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) { value = ParseWhole(n, text); };
  }

  // 0 stands for the program's choice and reads "auto".
  void AddNumberOrAuto(std::string name, std::string help, double& value) {
    OptionField& field = Add(std::move(name), "NUMBER", std::move(help));
    field.type = OptionType::kNumberOrText;
    field.get = [&value] { return value == 0 ? std::string(kAuto) : fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) {
      const double given = text == kAuto ? 0 : ParseFinite(n, text);
      if (given == 0 && text != kAuto) ThrowUsage(n, text, "is not above 0");
      value = given;
    };
  }

  // `automatic`, which stands for the program's choice, reads "auto".
  void AddWholeOrAuto(std::string name, std::string help, int64_t& value, int64_t automatic = 0) {
    OptionField& field = Add(std::move(name), "N", std::move(help));
    field.type = OptionType::kNumberOrText;
    field.get = [&value, automatic] {
      return value == automatic ? std::string(kAuto) : fmt::format("{}", value);
    };
    field.set = [&value, automatic, n = field.name](std::string_view text) {
      const int64_t given = text == kAuto ? automatic : ParseWhole(n, text);
      if (given == automatic && text != kAuto) {
        ThrowUsage(n, text, fmt::format("is not auto, nor a number from {} on", automatic + 1));
      }
      value = given;
    };
  }

  void AddWholeList(std::string name, std::string placeholder, std::string help,
                    std::vector<int64_t>& values) {
    OptionField& field = Add(std::move(name), std::move(placeholder), std::move(help));
    field.type = OptionType::kList;
    field.get = [&values] {
      std::string text;
      for (const int64_t value : values)
        text += fmt::format("{}{}", text.empty() ? "" : ",", value);
      return text;
    };
    field.set = [&values, n = field.name](std::string_view text) {
      std::vector<int64_t> parsed;
      for (const std::string& piece : Split(text, ',')) parsed.push_back(ParseWhole(n, piece));
      values = std::move(parsed);
    };
  }

  void AddNumberList(std::string name, std::string help, std::vector<double>& values) {
    OptionField& field = Add(std::move(name), "NUMBER[,...]", std::move(help));
    field.type = OptionType::kList;
    field.get = [&values] {
      std::string text;
      for (const double value : values) text += fmt::format("{}{}", text.empty() ? "" : ",", value);
      return text;
    };
    field.set = [&values, n = field.name](std::string_view text) {
      std::vector<double> parsed;
      for (const std::string& piece : Split(text, ',')) parsed.push_back(ParseFinite(n, piece));
      values = std::move(parsed);
    };
  }

  // For a value that has a text form of its own; parse() throws Error, naming the option, where it
  // is not one.
  template <class Value>
  void AddParsed(std::string name, std::string placeholder, std::string help, Value& value,
                 std::string (*write)(const Value&), Value (*parse)(std::string_view)) {
    OptionField& field = Add(std::move(name), std::move(placeholder), std::move(help));
    field.type = OptionType::kText;
    field.get = [&value, write] { return write(value); };
    field.set = [&value, parse](std::string_view text) { value = parse(text); };
  }

  void AddText(std::string name, std::string placeholder, std::string help, std::string& value) {
    OptionField& field = Add(std::move(name), std::move(placeholder), std::move(help));
    field.type = OptionType::kText;
    field.get = [&value] { return value; };
    field.set = [&value](std::string_view text) { value = text; };
  }

  void AddSwitch(std::string name, std::string help, bool& value) {
    OptionField& field = Add(std::move(name), "", std::move(help));
    field.type = OptionType::kSwitch;
    field.get = [&value] { return value ? "true" : "false"; };
    field.set = [&value, n = field.name](std::string_view text) {
      if (text != "true" && text != "false") ThrowUsage(n, text, "is none of true, false");
      value = text == "true";
    };
  }

  void AddMemory(std::string name, std::string help, uint64_t& bytes) {
    OptionField& field = Add(std::move(name), "SIZE", std::move(help));
    field.type = OptionType::kNumberOrText;
    field.get = [&bytes] { return bytes == 0 ? std::string(kAuto) : ExactBytes(bytes); };
    field.set = [&bytes, n = field.name](std::string_view text) {
      try {
        bytes = text == kAuto ? 0 : ParseBytes(text);
      } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("--{}: {}", n, error.what()));
      }
    };
  }

  void AddDuration(std::string name, std::string help, double& seconds) {
    OptionField& field = Add(std::move(name), "TIME", std::move(help));
    field.type = OptionType::kNumberOrText;
    field.get = [&seconds] { return ExactDuration(seconds); };
    field.set = [&seconds, n = field.name](std::string_view text) {
      seconds = DurationOf(n, text);
    };
  }

  // 0 stands for no limit and reads "none".
  void AddDurationOrNone(std::string name, std::string help, double& seconds) {
    OptionField& field = Add(std::move(name), "TIME", std::move(help));
    field.type = OptionType::kNumberOrText;
    field.get = [&seconds] { return seconds == 0 ? "none" : ExactDuration(seconds); };
    field.set = [&seconds, n = field.name](std::string_view text) {
      seconds = text == "none" ? 0 : DurationOf(n, text);
      if (seconds == 0 && text != "none") ThrowUsage(n, text, "is not above 0");
    };
  }

  template <class E>
  void AddChoice(const std::string& name, const std::string& help, E& value,
                 const std::vector<Named<E>>& table) {
    OptionField& field = Add(name, Names(table, "|"), help);
    field.type = OptionType::kText;
    field.get = [&value, table] { return NameOf(value, table); };
    field.set = [&value, table, n = field.name](std::string_view text) {
      value = ValueOf(n, text, table);
    };
  }

  // Values of a table, in the order given; `name` is the flag's.
  template <class E>
  void AddChoiceList(const std::string& name, const std::string& help, std::vector<E>& values,
                     const std::vector<Named<E>>& table) {
    OptionField& field = Add(name, Names(table, "|") + "[,...]", help);
    field.type = OptionType::kList;
    field.get = [&values, table] {
      std::string text;
      for (const E value : values) {
        text += text.empty() ? "" : ",";
        text += NameOf(value, table);
      }
      return text;
    };
    field.set = [&values, table, n = field.name](std::string_view text) {
      std::vector<E> parsed;
      for (const std::string& piece : Split(text, ',')) parsed.push_back(ValueOf(n, piece, table));
      values = std::move(parsed);
    };
  }

  std::vector<OptionField> Take() { return std::move(fields_); }

 private:
  template <class E>
  static std::string NameOf(E value, const std::vector<Named<E>>& table) {
    for (const Named<E>& named : table) {
      if (named.value == value) return std::string(named.name);
    }
    throw Error(ErrorKind::kInternal, "an option has a value without a name");
  }

  template <class E>
  static E ValueOf(const std::string& name, std::string_view text,
                   const std::vector<Named<E>>& table) {
    for (const Named<E>& named : table) {
      if (named.name == text) return named.value;
    }
    ThrowUsage(name, text, fmt::format("is none of {}", Names(table, ", ")));
  }

  template <class E>
  static std::string Names(const std::vector<Named<E>>& table, std::string_view separator) {
    std::string names;
    for (const Named<E>& named : table) {
      names += names.empty() ? "" : separator;
      names += named.name;
    }
    return names;
  }

  static double DurationOf(const std::string& name, std::string_view text) {
    try {
      return ParseDuration(text);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("--{}: {}", name, error.what()));
    }
  }

  // In the largest unit that leaves no remainder, so that reading it gives the same number.
  static std::string ExactBytes(uint64_t bytes) {
    std::string_view units = "KMGT";
    std::string_view unit;
    while (!units.empty() && bytes % 1024 == 0) {
      bytes /= 1024;
      unit = units.substr(0, 1);
      units.remove_prefix(1);
    }
    return fmt::format("{}{}", bytes, unit);
  }

  // The reference holds until the next call.
  OptionField& Add(std::string name, std::string placeholder, std::string help) {
    OptionField& field = fields_.emplace_back();
    field.name = std::move(name);
    field.group = group_;
    field.placeholder = std::move(placeholder);
    field.help = std::move(help);
    field.in_model = in_model_;
    return field;
  }

  std::string group_;
  bool in_model_;
  std::vector<OptionField> fields_;
};

}  // namespace rhohat
