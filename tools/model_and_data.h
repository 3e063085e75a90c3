// What evaluate, encode, reconstruct, score and gradcheck have in common: a model, data to run it
// on, and flags that stand above what the model was trained with.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "rhohat/analyze.h"
#include "tools/command.h"
#include "tools/option_flags.h"

namespace rhohat {

struct ModelAndData {
  Model model;
  AnalyzeOptions options;
  ObjectiveOptions objective;
};

// The arguments "MODEL DATA..." as help names them.
std::vector<CommandHelp::Argument> ModelAndDataArguments();

void AddModelAndDataFlags(OptionFlags& flags, ModelAndData& inputs);
// The objective's, all of them: --loss, --rho, --beta, --lambda, …
void AddObjectiveFlags(OptionFlags& flags, ModelAndData& inputs);

// After `flags` were parsed: loads the model, takes over its settings, and sets the flags given on
// top of them.
void LoadInputs(const OptionFlags& flags, ModelAndData& inputs);

// --out, of the commands that write rows.
OptionField OutputField(std::string& output);

// A whole command that writes something for every row: `function` writes it to --out, and `what`
// names it.
using RowFunction = void (*)(const Model& model, const AnalyzeOptions& options,
                             const std::string& output, const RunControl& control);
void RunOnEveryRow(const CommandHelp& help, const char* what, RowFunction function,
                   const Arguments& arguments, const std::atomic<bool>& stop);

}  // namespace rhohat
