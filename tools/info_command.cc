// rhohat info: what a file is, how fast it reads, and what its numbers are like.
#include <fmt/core.h>

#include <algorithm>

#include "rhohat/analyze.h"
#include "rhohat/statistics.h"
#include "tools/command.h"
#include "tools/faults.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "info",
      .description =
          "Says what a file is. Of an HDF5 file: its data sets with their shapes, types, chunks "
          "and "
          "filters, how fast they can be read, why they may be slow, and the command that would "
          "mend it. Of a model: network, objective and training data.",
      .arguments = {{"FILE...", "HDF5 files and models."}},
      .required = {},
      .examples = {{"rhohat info data.h5", "Which data sets there are, and how fast they read."},
                   {"rhohat info data.h5 --stats", "The range, mean and spread of every column."},
                   {"rhohat info run/model.safetensors", "How the model came about."}}};
}

std::string Row(const std::string& name, const ColumnStatistics& column) {
  return fmt::format("{:>9} {:>13.6g} {:>13.6g} {:>13.6g} {:>13.6g} {:>9} {:>9}\n", name,
                     column.minimum, column.maximum, column.mean, column.deviation, column.nans,
                     column.infinities);
}

std::string StatisticsTable(const std::string& where, const DataStatistics& statistics) {
  std::string text = fmt::format("{}: statistics of {} rows\n", where, statistics.rows);
  text += fmt::format("{:>9} {:>13} {:>13} {:>13} {:>13} {:>9} {:>9}\n", "column", "minimum",
                      "maximum", "mean", "deviation", "NaN", "infinite");
  text += Row("all", statistics.overall);
  for (size_t i = 0; i < statistics.of_column.size(); ++i) {
    text += Row(std::to_string(i), statistics.of_column[i]);
  }
  return text;
}

// Names out of files may hold anything; a terminal must not act on it.
std::string WithoutControls(std::string text) {
  const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; };
  std::ranges::replace_if(text, is_control, '?');
  return text;
}

void PrintStatistics(const std::string& path, DataOptions data, const ResourceOptions& resources,
                     const std::atomic<bool>& stop) {
  data.files = {path};
  std::vector<std::string> names = DataSetsIn(path);
  if (!data.dataset.empty()) names = {data.dataset};
  for (const std::string& name : names) {
    data.dataset = name;
    ProgressDisplay display;
    const DataStatistics statistics = ComputeStatistics(data, resources, {&display, &stop});
    display.Finish();
    Print("\n" + WithoutControls(StatisticsTable(fmt::format("{}:{}", path, name), statistics)));
  }
}

}  // namespace

void RunInfo(const Arguments& arguments, const std::atomic<bool>& stop) {
  OptionFlags flags(Help());
  DataOptions options;
  ResourceOptions resources;
  bool stats = false;
  flags.Add(
      {SwitchField({"stats", "",
                    "Read all rows once for the minimum, maximum, mean and standard deviation "
                    "of each column and of all, and how many are NaN or infinite.",
                    "Data"},
                   stats)});
  flags.Add(Fields(options));
  flags.Add(Fields(resources));
  if (!flags.Parse(arguments)) return;
  bool first = true;
  Faults faults;
  for (const std::string& path : flags.positionals()) {
    try {
      std::string text = WithoutControls(DescribeFile(path, options, resources));
      if (!text.ends_with('\n')) text += '\n';
      Print((first ? "" : "\n") + text);
      first = false;
      if (stats) PrintStatistics(path, options, resources, stop);
    } catch (const Error& error) {
      const bool is_of_file =
          error.kind() == ErrorKind::kNoInput || error.kind() == ErrorKind::kBadData;
      if (!is_of_file && error.kind() != ErrorKind::kUsage)
        throw;  // as where nothing can be printed
      faults.Add(error);
    }
  }
  faults.ThrowAny();
}

}  // namespace rhohat
