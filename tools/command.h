// The subcommands of the program.
//
// Each reads its arguments, calls one function of the library and prints what came back. None
// handles a failure: exceptions go up to main.cc, which turns them into one line and an exit code.
#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace rhohat {

// What follows the subcommand's name.
using Arguments = std::vector<std::string>;

struct Command {
  const char* name;
  const char* summary;
  // `stop` becomes true when a signal asks the program to end.
  void (*run)(const Arguments& arguments, const std::atomic<bool>& stop);
  bool can_stop;  // looks at `stop`; the others are short, and a signal just ends them
};

// The one called `name`. Throws Error(kUsage) with the nearest name there is.
const Command& FindCommand(const std::string& name);

// What `rhohat --help` prints: the commands and the exit codes.
std::string OverviewText();

void RunTrain(const Arguments& arguments, const std::atomic<bool>& stop);
void RunEvaluate(const Arguments& arguments, const std::atomic<bool>& stop);
void RunEncode(const Arguments& arguments, const std::atomic<bool>& stop);
void RunReconstruct(const Arguments& arguments, const std::atomic<bool>& stop);
void RunScore(const Arguments& arguments, const std::atomic<bool>& stop);
void RunGradcheck(const Arguments& arguments, const std::atomic<bool>& stop);
void RunFeatures(const Arguments& arguments, const std::atomic<bool>& stop);
void RunPlan(const Arguments& arguments, const std::atomic<bool>& stop);
void RunBench(const Arguments& arguments, const std::atomic<bool>& stop);
void RunConvert(const Arguments& arguments, const std::atomic<bool>& stop);
void RunSynth(const Arguments& arguments, const std::atomic<bool>& stop);
void RunShuffle(const Arguments& arguments, const std::atomic<bool>& stop);
void RunInfo(const Arguments& arguments, const std::atomic<bool>& stop);
void RunStatusCommand(const Arguments& arguments, const std::atomic<bool>& stop);

}  // namespace rhohat
