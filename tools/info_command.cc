// rhohat info: what a file is.
#include "rhohat/analyze.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"

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
  if (!flags.Parse(arguments)) return;
  bool first = true;
  for (const std::string& path : flags.positionals()) {
    std::string text = DescribeFile(path);
    if (!text.ends_with('\n')) text += '\n';
    Print((first ? "" : "\n") + text);
    first = false;
  }
}

}  // namespace rhohat
