#include "tools/model_and_data.h"

#include "base/atomic_file.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {

std::vector<CommandHelp::Argument> ModelAndDataArguments() {
  return {{"MODEL", "The model: model.safetensors of a run."},
          {"DATA...", "HDF5 files; their rows are one data set, in this order."}};
}

void AddModelAndDataFlags(OptionFlags& flags, ModelAndData& inputs) {
  flags.Add(Fields(inputs.options.data));
  flags.Add(WithModelsDefaults(
      Only(Fields(inputs.options.compute), {"precision", "lanes", "block-rows"})));
  flags.Add(Fields(inputs.options.resources));
}

void AddObjectiveFlags(OptionFlags& flags, ModelAndData& inputs) {
  flags.Add(WithModelsDefaults(Fields(inputs.objective)));
}

void LoadInputs(const OptionFlags& flags, ModelAndData& inputs) {
  const std::vector<std::string>& positionals = flags.positionals();
  inputs.model = LoadModel(positionals.front());
  inputs.options.data.files.assign(positionals.begin() + 1, positionals.end());
  inputs.options.compute = inputs.model.compute;
  inputs.objective = inputs.model.objective;
  flags.Apply();
}

OptionField OutputField(std::string& output) {
  return TextField({"out", "FILE", "HDF5 file to write.", "Output"}, output);
}

void RunOnEveryRow(const CommandHelp& help, const char* what, RowFunction function,
                   const Arguments& arguments, const std::atomic<bool>& stop) {
  ModelAndData inputs;
  std::string output;
  OptionFlags flags(help);
  AddModelAndDataFlags(flags, inputs);
  flags.Add({OutputField(output)});
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(output, flags.positionals());
  LoadInputs(flags, inputs);
  ProgressDisplay display;
  function(inputs.model, inputs.options, output, {&display, &stop});
  display.Finish();
  Print(AlignedLines({{what, output}}));
}

}  // namespace rhohat
