// rhohat score: how badly each row is reconstructed.
#include "base/atomic_file.h"
#include "tools/command.h"
#include "tools/model_and_data.h"
#include "tools/print.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "score",
          .description =
              "Writes the reconstruction loss of every row to an HDF5 file: data set /scores of "
              "float64, one number for each row of DATA, in the same order. Large where a row is "
              "unlike those that the model was trained on. Rows are prepared as the model says, "
              "and seen without noise. The file appears under its name once it is whole.",
          .arguments = ModelAndDataArguments(),
          .required = {"out"},
          .examples = {{"rhohat score run/model.safetensors data.h5 --out scores.h5",
                        "The mean of these is what evaluate calls reconstruction; of a model with "
                        "noise, what it calls so with --noise none."}}};
}

}  // namespace

void RunScore(const Arguments& arguments, const std::atomic<bool>& stop) {
  ModelAndData inputs;
  std::string output;
  OptionFlags flags(Help());
  AddModelAndDataFlags(flags, inputs);
  flags.Add({OutputField(output)});
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(output, flags.positionals());
  LoadInputs(flags, inputs);
  ProgressDisplay display;
  Score(inputs.model, inputs.options, output, {&display, &stop});
  display.Finish();
  Print(AlignedLines({{"scores", output}}));
}

}  // namespace rhohat
