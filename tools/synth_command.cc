// rhohat synth: data made up, to try things on.
#include <fmt/core.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "rhohat/error.h"
#include "rhohat/synth.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "synth",
          .description =
              "Makes up patches of pictures that have the statistics of photographs, any number of "
              "them, as one HDF5 data set: discs of all sizes that hide one another. A network "
              "trained on them learns to look for edges. Values are float32 from 0.1 to 0.9. A row "
              "depends on its number, the seed and the options about patches only.",
          .arguments = {{"OUT.h5", "HDF5 file to write."}},
          .required = {"rows"},
          .examples = {{"rhohat synth patches.h5 --rows 100000 --patch 16x16",
                        "100 MB of patches, 16 pixels high and wide."},
                       {"rhohat synth edges.h5 --rows 100000 --patch 16x16 --min-radius 8",
                        "Long edges and little detail: 100 units can learn these well."},
                       {"rhohat synth test.h5 --rows 10000 --seed 2",
                        "Other patches of the same kind, to evaluate a model on."}}};
}

OptionField PatchField(FlagText text, SynthOptions& options) {
  OptionField field = CountField(std::move(text), options.patch_height);
  field.get = [&options] {
    return fmt::format("{}x{}", options.patch_height, options.patch_width);
  };
  field.set = [&options](std::string_view given) {
    const HeightWidth size = ParseHeightWidth(given, "--patch");
    options.patch_height = size.height;
    options.patch_width = size.width;
  };
  return field;
}

std::vector<OptionField> PatchFields(SynthOptions& options, ComputeOptions& compute) {
  std::vector<OptionField> fields = {
      CountField({"rows", "N", "Patches to make, one a row.", "Patches"}, options.rows),
      PatchField({"patch", "HxW", "Height and width of a patch in pixels.", "Patches"}, options),
      PositiveField(
          {"min-radius", "PIXELS",
           "Radius of the smallest discs: large for long edges, 1 for detail.", "Patches"},
          options.min_radius),
      PositiveField(
          {"max-radius", "PIXELS",
           "Radius of the largest discs. Four times the patch's longer side if not given.",
           "Patches"},
          options.max_radius),
      SwitchField({"keep-brightness", "",
                   "Keep greys as painted, instead of removing each patch's mean.", "Patches"},
                  options.keep_brightness)};
  for (OptionField& field : Only(Fields(compute), {"seed"})) {
    field.group = "Patches";
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

void RunSynth(const Arguments& arguments, const std::atomic<bool>& stop) {
  SynthOptions options;
  ComputeOptions compute;
  OptionFlags flags(Help());
  flags.Add(PatchFields(options, compute));
  flags.Add(OutputFields(options.output));
  flags.Add(Fields(options.resources));
  if (!flags.Parse(arguments)) return;

  options.output.path = flags.positionals().front();
  options.seed = compute.seed;
  ProgressDisplay display;
  const SynthResult result = Synthesize(options, {&display, &stop});
  display.Finish();
  Print(AlignedLines(
      {{"rows", fmt::format("{}", result.rows)},
       {"columns", fmt::format("{}", result.columns)},
       {"size", FormatBytes(result.bytes_written)},
       {"written to", fmt::format("{}:/{}", options.output.path, options.output.dataset)}}));
}

}  // namespace rhohat
