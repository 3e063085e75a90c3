// rhohat reconstruct: what the model makes of every row.
#include "tools/command.h"
#include "tools/model_and_data.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "reconstruct",
          .description =
              "Writes the model's reconstruction of every row to an HDF5 file: data set "
              "/reconstruction with one row for each row of DATA, in the same order and the data's "
              "own units, since the preparation that the model asks for is done and undone. The "
              "file appears under its name once it is whole.",
          .arguments = ModelAndDataArguments(),
          .required = {"out"},
          .examples = {{"rhohat reconstruct run/model.safetensors data.h5 --out rows.h5",
                        "To look at beside the originals."},
                       {"rhohat reconstruct run/model.safetensors noisy.h5 --out clean.h5",
                        "Takes the noise out of rows, with a model trained by --noise."}}};
}

}  // namespace

void RunReconstruct(const Arguments& arguments, const std::atomic<bool>& stop) {
  RunOnEveryRow(Help(), "reconstruction", Reconstruct, arguments, stop);
}

}  // namespace rhohat
