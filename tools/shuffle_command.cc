// rhohat shuffle: all rows in a random order.
#include <fmt/core.h>

#include <charconv>

#include "base/units.h"
#include "rhohat/error.h"
#include "rhohat/shuffle.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "shuffle",
      .description =
          "Writes the rows of HDF5 files in a random order in which every permutation is equally "
          "likely. Data may be larger than memory; rows are read and written twice, in large "
          "pieces. The order depends on --seed and the number of rows alone. What is half done is "
          "in the folder OUT.h5.shuffle, which takes as much disk as the rows do: after an "
          "interruption the same command goes on from there.",
      .arguments = {{"IN...", "HDF5 files; their rows are one data set, in this order."},
                    {"OUT.h5", "HDF5 file to write; its data set is called as that of the input."}},
      .required = {"seed"},
      .examples = {{"rhohat shuffle acts.h5 shuffled.h5 --seed 1", "Within 1 GiB of memory."},
                   {"rhohat shuffle a.h5 b.h5 mixed.h5 --seed 7 --memory 16G --dataset /layer6",
                    "One data set of two files; with more memory, larger pieces."}}};
}

OptionField SeedField(uint64_t& value) {
  OptionField field;
  field.name = "seed";
  field.group = "Order";
  field.placeholder = "S";
  field.help = "Key of the order: a whole number from 0.";
  field.get = [&value] { return fmt::format("{}", value); };
  field.set = [&value](std::string_view text) {
    const char* end = text.data() + text.size();
    const auto [stopped, status] = std::from_chars(text.data(), end, value);
    if (status != std::errc() || stopped != end) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--seed: expected a whole number from 0, found '{}'", text));
    }
  };
  return field;
}

std::vector<OptionField> MemoryField(ResourceOptions& options) {
  std::vector<OptionField> fields = Only(Fields(options), {"memory"});
  fields.front().help =
      "Limit of resident memory, such as 192M or 4G; more makes larger pieces. auto: 1 GiB.";
  return fields;
}

// The data set is called as the input's, and --dataset names that.
std::vector<OptionField> ShuffleOutputFields(ShuffleOptions& options) {
  std::vector<OptionField> fields =
      Only(OutputFields(options.output),
           {"chunk-rows", "compress", "shuffle-bytes", "checksum", "force"});
  fields.push_back(
      SwitchField({"restart", "", "Start anew where an earlier run was interrupted.", "Output"},
                  options.restart));
  return fields;
}

}  // namespace

void RunShuffle(const Arguments& arguments, const std::atomic<bool>& stop) {
  ShuffleOptions options;
  ResourceOptions resources;
  OptionFlags flags(Help());
  flags.Add({SeedField(options.seed)});
  flags.Add(MemoryField(resources));
  flags.Add(Fields(options.data));
  flags.Add(ShuffleOutputFields(options));
  if (!flags.Parse(arguments)) return;

  options.memory_bytes = resources.memory_bytes;
  options.data.files = flags.positionals();
  options.output.path = options.data.files.back();
  options.data.files.pop_back();
  ProgressDisplay display;
  const ShuffleResult result = Shuffle(options, {&display, &stop});
  display.Finish();
  Print(AlignedLines({{"rows", fmt::format("{}", result.rows)},
                      {"columns", fmt::format("{}", result.columns)},
                      {"type", result.type},
                      {"size", FormatBytes(result.bytes_written)},
                      {"written to", fmt::format("{}:{}", options.output.path, result.dataset)}}));
}

}  // namespace rhohat
