// rhohat score: how badly each row is reconstructed.
#include "tools/command.h"
#include "tools/model_and_data.h"

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
  RunOnEveryRow(Help(), "scores", Score, arguments, stop);
}

}  // namespace rhohat
