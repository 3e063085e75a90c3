#include "tools/model_and_data.h"

#include "tools/program_fields.h"

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

}  // namespace rhohat
