// rhohat convert: other formats to HDF5.
#include <fmt/core.h>

#include "base/units.h"
#include "rhohat/convert.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "convert",
      .description =
          "Converts IDX files (gzipped or not) and NumPy .npy files to one HDF5 data set. Rows "
          "are streamed, so inputs may be larger than memory. The output appears under its "
          "name once it is whole.",
      .arguments = {{"IN...", "Files to read; their rows are joined in this order."},
                    {"OUT.h5", "HDF5 file to write."}},
      .required = {},
      .examples = {{"rhohat convert train-images-idx3-ubyte.gz mnist.h5 --scale 1/255",
                    "Bytes from 0 to 255 become float32 from 0 to 1."},
                   {"rhohat convert part0.npy part1.npy all.h5", "Two arrays one below the other."},
                   {"rhohat convert rows.npy rows.h5 --dtype float32 --force",
                    "Stores float64 values as float32, in place of an older rows.h5."}}};
}

std::vector<OptionField> ConvertFields(ConvertOptions& options) {
  return {
      TextField({"dataset", "NAME", "Name of the data set in the output.", "Output"},
                options.output.dataset),
      TextField({"dtype", "TYPE",
                 "Type of the output's elements, such as float32 or uint8. The input's own if not "
                 "given, float32 with --scale.",
                 "Output"},
                options.dtype),
      FactorField({"scale", "FACTOR",
                   "Multiply every value: a number, or a fraction such as 1/255.", "Output"},
                  options.scale),
      CountField({"chunk-rows", "N",
                  "Rows in a chunk of the output. Chunks of about 1 MiB if not given.", "Output"},
                 options.output.chunk_rows),
      SwitchField({"force", "", "Replace an output that exists.", "Output"}, options.output.force),
      TextField({"compress", "HOW", "none, gzip:N, zstd:N or lz4.", "Output"},
                options.output.compress),
      SwitchField({"shuffle-bytes", "", "Sort the bytes of a chunk before they are compressed.",
                   "Output"},
                  options.output.shuffle_bytes),
  };
}

}  // namespace

void RunConvert(const Arguments& arguments, const std::atomic<bool>& stop) {
  ConvertOptions options;
  OptionFlags flags(Help());
  flags.Add(ConvertFields(options));
  if (!flags.Parse(arguments)) return;

  options.inputs = flags.positionals();
  options.output.path = options.inputs.back();
  options.inputs.pop_back();
  ProgressDisplay display;
  const ConvertResult result = Convert(options, {&display, &stop});
  display.Finish();
  Print(AlignedLines({{"rows", fmt::format("{}", result.rows)},
                      {"columns", fmt::format("{}", result.columns)},
                      {"type", result.type},
                      {"size", FormatBytes(result.bytes_written)},
                      {"written to", fmt::format("{}:/{}", options.output.path, options.output.dataset)}}));
}

}  // namespace rhohat
