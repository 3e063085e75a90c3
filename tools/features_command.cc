// rhohat features: a picture of what each hidden unit looks for.
#include "base/atomic_file.h"
#include "rhohat/analyze.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "features",
          .description =
              "Draws, for each hidden unit, the input of norm 1 that excites it most, as a grid of "
              "tiles in a PNG file. Mid-grey is zero; each tile has its own scale.",
          .arguments = {{"MODEL", "The model: model.safetensors of a run."}},
          .required = {"out"},
          .examples = {
              {"rhohat features run/model.safetensors --out features.png",
               "Inputs are taken for square pictures where their number is a square."},
              {"rhohat features run/model.safetensors --out features.png --shape 8x8x3 --scale 4",
               "Colour patches, with 4 × 4 pixels for each input."}}};
}

}  // namespace

void RunFeatures(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  FeaturesOptions options;
  std::string shape;
  std::string output;
  OptionFlags flags(Help());
  flags.Add(
      {TextField({"out", "FILE", "PNG file to write.", "Picture"}, output),
       TextField({"shape", "HxW[x3]",
                  "Height and width of an input as a picture, x3 for colour with channels last. "
                  "Guessed where the number of inputs is a square, or three times one.",
                  "Picture"},
                 shape),
       CountField(
           {"scale", "N", "Pixels along each side of an input. Chosen if not given.", "Picture"},
           options.scale),
       CountField({"columns", "N", "Tiles in a row of the grid. Chosen if not given.", "Picture"},
                  options.columns)});
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(output, flags.positionals());
  if (!shape.empty()) options.shape = ParsePictureShape(shape);
  DrawFeatures(LoadModel(flags.positionals().front()), options, output);
  Print(AlignedLines({{"features", output}}));
}

}  // namespace rhohat
