#include "tools/option_flags.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "rhohat/error.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

[[noreturn]] void ThrowUsage(const std::string& message) {
  throw Error(ErrorKind::kUsage, message);
}

bool AsksForHelp(const std::vector<std::string>& arguments) {
  const auto end = std::ranges::find(arguments, "--");
  return std::any_of(arguments.begin(), end,
                     [](const std::string& word) { return word == "--help" || word == "-h"; });
}

// CLI11 would take the next argument for the value of "--flag=", so that a script's empty variable
// would swallow it.
void CheckEmptyValues(const std::vector<std::string>& arguments) {
  for (const std::string& word : arguments) {
    if (word == "--") return;
    if (word.size() > 3 && word.starts_with("--") && word.find('=') + 1 == word.size()) {
      ThrowUsage(fmt::format("flag {} has no value", word));
    }
  }
}

CLI::Option* AddFlag(CLI::App& app, const OptionField& field) {
  const std::string flag = "--" + field.name;
  CLI::Option* option = field.placeholder.empty() ? app.add_flag(flag) : app.add_option(flag);
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void ParseWords(CLI::App& app, const std::string& command, std::vector<std::string> words) {
  std::ranges::reverse(words);
  try {
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch& mismatch) {
    const std::string what = mismatch.what();
    ThrowUsage(
        fmt::format("flag {} for '{}' has no value", what.substr(0, what.find(':')), command));
  } catch (const CLI::ParseError& fault) {
    ThrowUsage(fmt::format("'{}': {}", command, fault.what()));
  }
}

}  // namespace

void OptionFlags::Add(std::vector<OptionField> fields) {
  std::ranges::move(fields, std::back_inserter(fields_));
}

void OptionFlags::AddConfig(const std::string& group, ReadFile read) {
  Add({TextField(
      {"config", "FILE",
       "Take options from a TOML file, such as the config.toml of a run; flags beat it.", group},
      config_path_)});
  read_config_ = std::move(read);
}

void OptionFlags::AlsoConfig(std::string flag,
                             std::function<std::string(const std::string& value)> path_of) {
  config_flag_ = std::move(flag);
  config_path_of_ = std::move(path_of);
}

bool OptionFlags::Parse(const std::vector<std::string>& arguments) {
  if (AsksForHelp(arguments)) {
    Print(HelpText(help_, fields_));
    return false;
  }
  CheckEmptyValues(arguments);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_option("arguments", positionals_);
  std::vector<CLI::Option*> options;
  for (const OptionField& field : fields_) options.push_back(AddFlag(app, field));
  ParseWords(app, help_.name, arguments);

  CheckUnknown(app.remaining());
  for (size_t i = 0; i < fields_.size(); ++i) {
    const std::vector<std::string>& values = options[i]->results();
    if (values.size() > 1 && !fields_[i].repeatable) {
      ThrowUsage(fmt::format("flag --{} is given twice", fields_[i].name));
    }
    for (const std::string& value : values) given_.push_back({&fields_[i], value});
  }
  ReadConfigFile();
  CheckMissing();
  CheckTooMany();
  Apply();
  return true;
}

void OptionFlags::Apply() const {
  for (const Given& given : given_) given.field->set(given.value);
}

void OptionFlags::ReadConfigFile() {
  if (!read_config_) return;
  std::string path = GivenValue("config");
  if (config_path_of_) {
    const std::string other = config_path_of_(GivenValue(config_flag_));
    if (!other.empty() && !path.empty()) {
      ThrowUsage(fmt::format("--config: not with --{} {}, whose configuration it is", config_flag_,
                             GivenValue(config_flag_)));
    }
    if (!other.empty()) path = other;
  }
  if (!path.empty()) in_config_ = read_config_(path);
}

// Empty where it is not given.
std::string OptionFlags::GivenValue(const std::string& name) const {
  const auto given = std::ranges::find(
      given_, name, [](const Given& each) -> const std::string& { return each.field->name; });
  return given == given_.end() ? "" : given->value;
}

// CLI11 leaves the "--" after which there are no flags among the leftovers.
void OptionFlags::CheckUnknown(std::vector<std::string> leftover) const {
  std::erase(leftover, "--");
  if (leftover.empty()) return;
  const std::string flag = leftover.front().substr(0, leftover.front().find('='));
  std::vector<std::string> names = {"--help"};
  for (const OptionField& field : fields_) names.push_back("--" + field.name);
  const std::string nearest = NearestName(flag, names);
  ThrowUsage(fmt::format("unknown flag {} for '{}': {}", flag, help_.name,
                         nearest.empty() ? fmt::format("see 'rhohat {} --help'", help_.name)
                                         : fmt::format("did you mean {}?", nearest)));
}

void OptionFlags::CheckMissing() const {
  std::vector<std::string> missing;
  const bool has_files = std::ranges::find(in_config_, "files") != in_config_.end();
  for (size_t i = positionals_.size(); i < help_.arguments.size(); ++i) {
    if (i == 0 && has_files) continue;
    if (!help_.arguments[i].name.starts_with('[')) missing.push_back(help_.arguments[i].name);
  }
  for (const std::string& name : help_.required) {
    if (!IsGiven(name)) missing.push_back("--" + name);
  }
  if (!missing.empty()) {
    ThrowUsage(fmt::format("missing {}: {}", JoinNames(missing), UsageLine(help_, fields_)));
  }
}

// By a flag or by the configuration file.
bool OptionFlags::IsGiven(const std::string& name) const {
  return std::ranges::find(in_config_, name) != in_config_.end() ||
         std::ranges::any_of(given_, [&](const Given& given) { return given.field->name == name; });
}

void OptionFlags::CheckTooMany() const {
  const bool open_ended = std::ranges::any_of(help_.arguments, [](const auto& argument) {
    return argument.name.ends_with("...") || argument.name.ends_with("...]");
  });
  if (!open_ended && positionals_.size() > help_.arguments.size()) {
    ThrowUsage(fmt::format("unexpected argument '{}': {}", positionals_[help_.arguments.size()],
                           UsageLine(help_, fields_)));
  }
}

}  // namespace rhohat
