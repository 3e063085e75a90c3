#include "tools/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::array kCommands = {
    Command{"train", "train a model on all rows of HDF5 files", RunTrain, true},
    Command{"status", "say where training runs are", RunStatusCommand, false},
    Command{"evaluate", "compute J and its terms over a data set", RunEvaluate, true},
    Command{"encode", "write the code of every row", RunEncode, true},
    Command{"reconstruct", "write the model's reconstruction of every row", RunReconstruct, true},
    Command{"score", "write how badly each row is reconstructed", RunScore, true},
    Command{"gradcheck", "compare the gradient with central differences", RunGradcheck, true},
    Command{"features", "draw what each hidden unit looks for", RunFeatures, false},
    Command{"plan", "say what a training run would take: memory, disk, time", RunPlan, false},
    Command{"bench", "measure how fast this machine trains, and what binds", RunBench, true},
    Command{"convert", "make HDF5 of NumPy, CSV, pictures, MATLAB and more", RunConvert, true},
    Command{"synth", "make up patches with the statistics of photographs", RunSynth, true},
    Command{"shuffle", "write all rows in a random order", RunShuffle, true},
    Command{"info", "say what a file holds and how fast it can be read", RunInfo, true},
};

constexpr const char* kExitCodes = R"(Exit codes:
  0         done
  64        usage: unknown flags, missing or impossible values
  65        a data set or a model is damaged or does not fit
  66        an input does not exist or may not be read
  70        a fault in rhohat, a failed gradcheck, or no memory left
  73        an output cannot be created
  74        reading or writing failed, a full disk included
  75        stopped on request, and can be gone on with: train --resume
  130, 143  stopped by SIGINT, by SIGTERM, with nothing to go on with; 138 by SIGUSR1
)";

}  // namespace

const Command& FindCommand(const std::string& name) {
  const auto* command = std::ranges::find(kCommands, name, &Command::name);
  if (command != kCommands.end()) return *command;
  const bool is_flag = name.starts_with('-');
  std::vector<std::string> names = {"--help", "--version"};
  for (const Command& candidate : kCommands) names.emplace_back(candidate.name);
  const std::string nearest = NearestName(name, names);
  const std::string advice =
      nearest.empty() ? "see 'rhohat --help'" : fmt::format("did you mean {}?", nearest);
  throw Error(ErrorKind::kUsage,
              fmt::format("unknown {} {}: {}", is_flag ? "flag" : "command", name, advice));
}

std::string OverviewText() {
  std::string text =
      "rhohat trains sparse autoencoders, exactly, on data that does not fit in memory.\n\n"
      "Usage: rhohat COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += fmt::format("  {:<11} {}\n", command.name, command.summary);
  }
  text += "\n'rhohat COMMAND --help' says more; 'rhohat --version' names the version.\n\n";
  return text + kExitCodes;
}

}  // namespace rhohat
