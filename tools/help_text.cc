#include "tools/help_text.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhohat {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kHelpColumn = 26;

// Characters on the screen: the bytes that do not continue a UTF-8 character.
size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

// Name on the left, help on the right, below each other where the name is long.
std::string Entry(std::string_view name, std::string_view help) {
  std::string line = fmt::format("  {}", name);
  const size_t width = DisplayWidth(line);
  if (width + 2 > kHelpColumn) {
    line += '\n' + Wrap(help, kHelpColumn, true);
  } else {
    line += std::string(kHelpColumn - width, ' ') + Wrap(help, kHelpColumn, false);
  }
  return line;
}

std::string FlagName(const OptionField& field) {
  return field.placeholder.empty() ? fmt::format("--{}", field.name)
                                   : fmt::format("--{} {}", field.name, field.placeholder);
}

bool IsRequired(const CommandHelp& help, const OptionField& field) {
  return std::ranges::find(help.required, field.name) != help.required.end();
}

// The field's help and its default. A switch is off and needs no saying so.
std::string FlagHelp(const CommandHelp& help, const OptionField& field) {
  if (IsRequired(help, field)) return field.help + " (required)";
  const std::string value = field.placeholder.empty() ? "" : field.get();
  return value.empty() ? field.help : fmt::format("{} [{}]", field.help, value);
}

std::vector<std::string> Groups(std::span<const OptionField> fields) {
  std::vector<std::string> groups;
  for (const OptionField& field : fields) {
    if (std::ranges::find(groups, field.group) == groups.end()) groups.push_back(field.group);
  }
  return groups;
}

std::string OptionsText(const CommandHelp& help, std::span<const OptionField> fields) {
  std::string text;
  for (const std::string& group : Groups(fields)) {
    text += fmt::format("\n{}:\n", group);
    for (const OptionField& field : fields) {
      if (field.group == group) text += Entry(FlagName(field), FlagHelp(help, field));
    }
  }
  return text + "\nHelp:\n" + Entry("--help, -h", "Print this and exit.");
}

std::string ExamplesText(const CommandHelp& help) {
  std::string text = "\nExamples:\n";
  for (const CommandHelp::Example& example : help.examples) {
    text += fmt::format("  {}\n{}", example.command, Wrap(example.purpose, 6, true));
  }
  return text;
}

}  // namespace

std::string Wrap(std::string_view text, size_t indent, bool indent_first) {
  const std::string margin(indent, ' ');
  std::string wrapped = indent_first ? margin : "";
  size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const size_t width = DisplayWidth(word);
    if (column > indent && column + 1 + width > kWidth) {
      wrapped += '\n' + margin;
      column = indent;
    }
    if (column > indent) wrapped += ' ';
    wrapped += word;
    column += width + (column > indent ? 1 : 0);
  }
  return wrapped + '\n';
}

std::string UsageLine(const CommandHelp& help, std::span<const OptionField> fields) {
  std::string line = "rhohat " + help.name;
  for (const CommandHelp::Argument& argument : help.arguments) line += ' ' + argument.name;
  for (const OptionField& field : fields) {
    if (IsRequired(help, field)) line += ' ' + FlagName(field);
  }
  return fields.empty() ? line : line + " [options]";
}

std::string HelpText(const CommandHelp& help, std::span<const OptionField> fields) {
  std::string text = Wrap(help.description, 0, true);
  text += fmt::format("\nUsage: {}\n\nArguments:\n", UsageLine(help, fields));
  for (const CommandHelp::Argument& argument : help.arguments) {
    text += Entry(argument.name, argument.help);
  }
  return text + OptionsText(help, fields) + ExamplesText(help);
}

}  // namespace rhohat
