// Option fields that belong to the program alone, and selections from the library's lists.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/grid.h"
#include "rhohat/option_fields.h"
#include "rhohat/output.h"

namespace rhohat {

// What a flag is called and says; the functions below add how it is read.
struct FlagText {
  std::string name;
  std::string placeholder;
  std::string help;
  std::string group = "Options";
};

OptionField TextField(FlagText text, std::string& value);
OptionField SwitchField(FlagText text, bool& value);
// "on" or "off", for what is on unless told otherwise.
OptionField OnOffField(FlagText text, bool& value);
// A whole number, `least` or more. `value` 0 stands for "not given" and shows no default.
OptionField CountField(FlagText text, int64_t& value, int64_t least = 1);
// A number other than 0, or a fraction of two: "0.25", "1/255". `value` 0 stands for "not given".
OptionField FactorField(FlagText text, double& value);
// Above 0.
OptionField PositiveField(FlagText text, double& value);

// Values of an option for a grid of models; one axis each time that it is given.
OptionField GridField(std::vector<GridAxis>& axes);

// How the HDF5 file that a command writes is laid out.
std::vector<OptionField> OutputFields(OutputOptions& options);

// Those of `fields` that are named, in their own order.
std::vector<OptionField> Only(std::vector<OptionField> fields,
                              std::initializer_list<std::string_view> names);

// The same fields, with "model's" for a default in help.
std::vector<OptionField> WithModelsDefaults(std::vector<OptionField> fields);

}  // namespace rhohat
