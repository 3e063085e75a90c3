// rhohat features: a picture of what each hidden unit looks for.
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "rhohat/analyze.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "features",
      .description =
          "Draws, for each unit of one layer, what excites it most, as a grid of tiles in a PNG "
          "file. In the first layer that is the unit's weights. For a deeper layer an input of the "
          "norm --norm is searched for that makes the unit's own input as large as can be. Where "
          "the model prepares its inputs, tiles show the direction in which the input as it was "
          "before excites the unit most: weights × matrix for whitened inputs. Mid-grey is zero; "
          "each tile has its own scale.",
      .arguments = {{"MODEL", "The model: model.safetensors of a run."}},
      .required = {"out"},
      .examples = {
          {"rhohat features run/model.safetensors --out features.png",
           "The units of the code. Inputs are taken for square pictures where their number is a "
           "square."},
          {"rhohat features deep/model.safetensors --out first.png --layer 1",
           "Of a deep network, the layer next to the input."},
          {"rhohat features run/model.safetensors --out features.png --shape 8x8x3 --scale 4",
           "Colour patches, with 4 × 4 pixels for each input."}}};
}

std::vector<OptionField> Fields(FeaturesOptions& options, std::string& shape, std::string& output) {
  const std::string units = "Units";
  const std::string picture = "Picture";
  return {
      CountField({"layer", "N",
                  "Layer of the encoder, counted from the input. The last one, whose units are the "
                  "code, if not given.",
                  units},
                 options.layer),
      PositiveField({"norm", "R",
                     "Norm of the prepared inputs among which to search, for a layer above the "
                     "first. What excites a deep unit depends on it: the usual norm of the rows "
                     "shows what does so among inputs like them.",
                     units},
                    options.norm),
      TextField({"out", "FILE", "PNG file to write.", picture}, output),
      TextField({"shape", "HxW[x3]",
                 "Height and width of an input as a picture, x3 for colour. Guessed where the "
                 "number of inputs is a square, or three times one.",
                 picture},
                shape),
      SwitchField({"planar", "",
                   "Colour inputs are stored colour after colour: all red, all green, all blue. "
                   "Otherwise they are pixel after pixel.",
                   picture},
                  options.planar),
      CountField(
          {"scale", "N", "Pixels along each side of an input. Chosen if not given.", picture},
          options.scale),
      CountField({"columns", "N", "Tiles in a row of the grid. Chosen if not given.", picture},
                 options.columns)};
}

}  // namespace

void RunFeatures(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  FeaturesOptions options;
  std::string shape;
  std::string output;
  OptionFlags flags(Help());
  flags.Add(Fields(options, shape, output));
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(output, flags.positionals());
  if (!shape.empty()) options.shape = ParsePictureShape(shape);
  DrawFeatures(LoadModel(flags.positionals().front()), options, output);
  Print(AlignedLines({{"features", output}}));
}

}  // namespace rhohat
