// What --help prints, laid out from the same lists that the flags are made from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/option_fields.h"

namespace rhohat {

// What a subcommand says about itself.
struct CommandHelp {
  struct Argument {
    std::string name;  // "DATA..." where there may be several, "[DATA...]" where there may be none
    std::string help;
  };
  struct Example {
    std::string command;
    std::string purpose;
  };
  std::string name;         // "train"
  std::string description;  // one paragraph
  std::vector<Argument> arguments;
  std::vector<std::string> required;  // flags that must be given, without their dashes
  std::vector<Example> examples;
};

// "rhohat train DATA... --hidden H --run DIR [options]".
std::string UsageLine(const CommandHelp& help, std::span<const OptionField> fields);

// All of it: description, usage, arguments, options by group with their defaults, examples. Groups
// stand in the order of their first field.
std::string HelpText(const CommandHelp& help, std::span<const OptionField> fields);

// `text` in lines of at most 80 columns, each after `indent` spaces. The first line starts without
// the indent where `text` goes on from something printed before.
std::string Wrap(std::string_view text, size_t indent, bool indent_first);

}  // namespace rhohat
