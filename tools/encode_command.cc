// rhohat encode: the code of every row.
#include "base/atomic_file.h"
#include "tools/command.h"
#include "tools/model_and_data.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "encode",
          .description =
              "Writes the code (the hidden units' activations) of every row to an HDF5 file: data "
              "set /codes with one row for each row of DATA, in the same order. Rows are prepared "
              "as the model says, and seen without noise. The file appears under its name once it "
              "is whole.",
          .arguments = ModelAndDataArguments(),
          .required = {"out"},
          .examples = {{"rhohat encode run/model.safetensors data.h5 --out codes.h5",
                        "Codes in the model's own precision."},
                       {"rhohat encode deep/model.safetensors data.h5 --layer 1 --out first.h5",
                        "What the first layer of a deep encoder makes of the rows."},
                       {"rhohat encode run/model.safetensors a.h5 b.h5 --out codes.h5 --memory 2G",
                        "Two files, one after the other, within 2 GiB of memory."}}};
}

}  // namespace

void RunEncode(const Arguments& arguments, const std::atomic<bool>& stop) {
  ModelAndData inputs;
  EncodeOptions options;
  OptionFlags flags(Help());
  AddModelAndDataFlags(flags, inputs);
  flags.Add(
      {CountField({"layer", "N",
                   "The encoder's layer to write, from 1. The innermost if not given.", "Output"},
                  options.layer),
       OutputField(options.output)});
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(options.output, flags.positionals());
  LoadInputs(flags, inputs);
  options.analyze = inputs.options;
  ProgressDisplay display;
  Encode(inputs.model, options, {&display, &stop});
  display.Finish();
  Print(AlignedLines({{"codes", options.output}}));
}

}  // namespace rhohat
