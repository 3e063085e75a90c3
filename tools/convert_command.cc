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
          "Makes one HDF5 data set of files in other formats, or of HDF5 in another layout: NumPy "
          ".npy and .npz, CSV (plain or gzipped), IDX (plain or gzipped), PNG and JPEG, "
          "safetensors, "
          "MATLAB .mat, headerless binary, HDF5 and NetCDF-4. Formats are told by content. Rows "
          "are "
          "streamed, so inputs may be larger than memory. The output appears under its name once "
          "it is whole.",
      .arguments = {{"IN...",
                     "Files, folders of pictures, and quoted patterns such as 'part*.npy', which "
                     "stand for the matching files in natural order. Their rows are joined in "
                     "this order."},
                    {"OUT.h5", "HDF5 file to write."}},
      .required = {},
      .examples = {
          {"rhohat convert train-images-idx3-ubyte.gz mnist.h5 --scale 1/255",
           "Bytes from 0 to 255 become float32 from 0 to 1."},
          {"rhohat convert 'part*.npy' all.h5", "Arrays one below the other: part2 before part10."},
          {"rhohat convert table.csv.gz table.h5 --use-columns age,height,3-7 --missing skip",
           "Some columns, by name or number, of the rows that have them all."},
          {"rhohat convert photos/ patches.h5 --patch 8x8 --count 100000 --color grey --scale "
           "1/255",
           "Random patches of the pictures in a folder."},
          {"rhohat convert slow.h5 fast.h5 --dtype float32 --compress gzip:1 --shuffle-bytes",
           "Another layout: chunks of whole rows, about 1 MiB each."},
          {"rhohat convert dump.bin dump.h5 --format raw --input-dtype int16-be --columns 768",
           "Numbers without a header."}}};
}

std::vector<OptionField> InputFields(InputOptions& input) {
  const std::string group = "Input";
  return {
      TextField({"format", "NAME",
                 "auto, hdf5, npy, npz, csv, idx, picture, safetensors, matlab, or raw, which "
                 "cannot be told by its content.",
                 group},
                input.format),
      TextField(
          {"array", "NAME",
           "The array, tensor, variable or data set to read, where an input holds several.", group},
          input.array),
      TextField({"delimiter", "CHAR",
                 "CSV: comma, tab, semicolon, space, pipe or a character. Found out if not given.",
                 group},
                input.delimiter),
      TextField(
          {"header", "HOW", "CSV: whether the first line names columns: auto, yes, no.", group},
          input.header),
      TextField(
          {"missing", "HOW",
           "CSV: what an empty field or NA becomes: error, nan, skip (leaves out the row), or "
           "a number.",
           group},
          input.missing),
      TextField({"color", "HOW", "Pictures: as-stored, grey or rgb.", group}, input.color),
      TextField({"patch", "HxW",
                 "Pictures: cut random patches of this height and width, --count of them.", group},
                input.patch),
      CountField({"count", "N", "Pictures: how many patches.", group}, input.count),
      CountField({"seed", "N", "Pictures: key of the patches' places.", group}, input.seed, 0),
      TextField({"input-dtype", "TYPE",
                 "Headerless: type of the elements, such as float32 or int16-be. --dtype if not "
                 "given.",
                 group},
                input.input_dtype),
      CountField({"columns", "N", "Headerless: elements in a row.", group}, input.columns),
      CountField({"offset", "BYTES", "Headerless: bytes before the first row.", group},
                 input.offset, 0),
  };
}

std::vector<OptionField> RowFields(ConvertOptions& options) {
  const std::string group = "Rows";
  return {
      TextField({"rows", "BEGIN:END", "Take these rows of all; either may be left out.", group},
                options.rows),
      TextField({"use-columns", "LIST",
                 "Take these columns, in this order: numbers from 0, ranges 3-7, names of CSV "
                 "columns.",
                 group},
                options.use_columns),
      TextField(
          {"dtype", "TYPE",
           "Type of the output's elements: int8 to int64, uint8 to uint64, float16, bfloat16, "
           "float32 or float64. The input's own if not given, float32 with --scale.",
           group},
          options.dtype),
      FactorField({"scale", "FACTOR",
                   "Multiply every value: a number, or a fraction such as 1/255.", group},
                  options.scale),
      SwitchField({"clip", "",
                   "Values that --dtype cannot hold become the nearest that it can, instead of an "
                   "error.",
                   group},
                  options.clip),
  };
}

}  // namespace

void RunConvert(const Arguments& arguments, const std::atomic<bool>& stop) {
  ConvertOptions options;
  OptionFlags flags(Help());
  DataOptions data;
  flags.Add(InputFields(options.input));
  flags.Add(Only(Fields(data), {"follow-external", "reader"}));
  flags.Add(RowFields(options));
  flags.Add(OutputFields(options.output));
  flags.Add(Fields(options.resources));
  if (!flags.Parse(arguments)) return;

  options.input.follow_external = data.follow_external;
  options.input.reader = data.reader;
  options.inputs = flags.positionals();
  options.output.path = options.inputs.back();
  options.inputs.pop_back();
  ProgressDisplay display;
  const ConvertResult result = Convert(options, {&display, &stop});
  display.Finish();
  Print(AlignedLines(
      {{"rows", fmt::format("{}", result.rows)},
       {"columns", fmt::format("{}", result.columns)},
       {"type", result.type},
       {"size", FormatBytes(result.bytes_written)},
       {"written to", fmt::format("{}:/{}", options.output.path, options.output.dataset)}}));
}

}  // namespace rhohat
