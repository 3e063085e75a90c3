// The one list of options: name, help, and how to read and write the value as text.
//
// The program's flags and help, the configuration file of a run, and the configuration inside a
// model are all made from these lists, so none of them can drift from the others.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/options.h"

namespace rhohat {

// What a configuration file has for an option.
enum class OptionType {
  kNumber,
  kSwitch,        // true or false
  kText,          // in quotes, also where it reads like a number
  kNumberOrText,  // 4 or "auto", 1073741824 or "1G"
  kList,          // one or several of these: 196, "200,100", [200, 100]
};

struct OptionField {
  std::string name;         // flag without its dashes, and key in configuration files
  std::string group;        // heading it stands under
  std::string placeholder;  // what a value looks like: "SIZE", "lbfgs|gd"; empty for a switch
  std::string help;
  OptionType type = OptionType::kNumber;
  bool in_model = true;     // may change the result, so it is recorded in the model
  bool repeatable = false;  // may be given several times, and is set for each
  std::function<std::string()> get;
  // Throws Error(kUsage), naming the option, where the text cannot be such a value.
  std::function<void(std::string_view)> set;
};

// Each list's functions refer to the options they were made from, which must outlive them.
std::vector<OptionField> Fields(DataOptions& options);
std::vector<OptionField> Fields(PreparationOptions& options);
std::vector<OptionField> Fields(NetworkOptions& options);
std::vector<OptionField> Fields(ObjectiveOptions& options);
std::vector<OptionField> Fields(ComputeOptions& options);
std::vector<OptionField> Fields(OptimizerOptions& options);
std::vector<OptionField> Fields(ResourceOptions& options);
std::vector<OptionField> Fields(JobOptions& options);
// All of the above except the data's files, in the order that help shows them.
std::vector<OptionField> Fields(TrainOptions& options);

}  // namespace rhohat
