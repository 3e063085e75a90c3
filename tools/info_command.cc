// rhohat info: what a file is.
#include <algorithm>

#include "rhohat/analyze.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "info",
          .description =
              "Says what a file is: an HDF5 file's data sets with their shapes, types, chunks and "
              "filters, or a model's network, objective and training data.",
          .arguments = {{"FILE...", "HDF5 files and models."}},
          .required = {},
          .examples = {{"rhohat info data.h5", "Which data sets there are to train on."},
                       {"rhohat info run/model.safetensors", "How the model came about."}}};
}

}  // namespace

void RunInfo(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  OptionFlags flags(Help());
  DataOptions options;
  flags.Add(Only(Fields(options), {"follow-external", "reader"}));
  if (!flags.Parse(arguments)) return;
  bool first = true;
  for (const std::string& path : flags.positionals()) {
    std::string text = DescribeFile(path, options);
    // Names out of files may hold anything; a terminal must not act on it.
    const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; };
    std::ranges::replace_if(text, is_control, '?');
    if (!text.ends_with('\n')) text += '\n';
    Print((first ? "" : "\n") + text);
    first = false;
  }
}

}  // namespace rhohat
