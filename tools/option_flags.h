// A subcommand's command line: option fields become flags.
//
// Values pass through the field's own `set`, so a bad value reads the same on the command line as
// in a configuration file. Faults are reported in the order that helps most: an unknown flag first
// (what follows from it is noise), then those of a configuration file, then what is missing, then
// bad values.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rhohat/option_fields.h"
#include "tools/help_text.h"

namespace rhohat {

class OptionFlags {
 public:
  explicit OptionFlags(CommandHelp help) : help_(std::move(help)) {}

  // The fields' functions refer to their options, which must outlive this.
  void Add(std::vector<OptionField> fields);

  // Adds --config FILE under the heading `group`. `read` sets the options that the file has, before
  // those of flags are set, and returns their names; "files" stands for the first argument. What
  // the file has is not missing.
  using ReadFile = std::function<std::vector<std::string>(const std::string& path)>;
  void AddConfig(const std::string& group, ReadFile read);

  // The same for `flag`, which must be added already: where `path_of` its value is not empty, that
  // is the file, and --config is refused.
  void AlsoConfig(std::string flag, std::function<std::string(const std::string& value)> path_of);

  // Reads the arguments and sets the options. False where help was asked for, and printed. Throws
  // Error(kUsage).
  bool Parse(const std::vector<std::string>& arguments);

  // Sets once more every option that was given: for options whose defaults were replaced since, as
  // by a model's own.
  void Apply() const;

  // On the command line, not in a configuration file.
  bool IsFlagGiven(const std::string& name) const { return !GivenValue(name).empty(); }

  // The arguments that are no flags; as many as the help names, or more where its last is "X...".
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  struct Given {
    const OptionField* field;
    std::string value;
  };

  void CheckUnknown(std::vector<std::string> leftover) const;
  void ReadConfigFile();
  std::string GivenValue(const std::string& name) const;
  void CheckMissing() const;
  void CheckTooMany() const;
  bool IsGiven(const std::string& name) const;

  CommandHelp help_;
  std::vector<OptionField> fields_;
  std::vector<Given> given_;
  std::vector<std::string> positionals_;
  std::string config_path_;
  ReadFile read_config_;
  std::string config_flag_;  // of AlsoConfig()
  std::function<std::string(const std::string& value)> config_path_of_;
  std::vector<std::string> in_config_;  // names of options
};

}  // namespace rhohat
