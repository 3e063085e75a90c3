// rhohat plan: where the memory of a training run would go.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "rhohat/config.h"
#include "rhohat/train.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {.name = "plan",
          .description =
              "Prints where the memory of 'rhohat train' would go and what one evaluation of J and "
              "its gradient costs, without training. Takes the flags of train, so that a command "
              "line can be tried by changing one word.",
          .arguments = {{"DATA...", "HDF5 files; their rows are one data set, in this order."}},
          .required = {"hidden"},
          .examples = {{"rhohat plan data.h5 --hidden 196 --memory 4G",
                        "Whether the run fits into 4 GiB, and the least that it needs."},
                       {"rhohat plan part*.h5 --hidden 4096 --precision float64 --json",
                        "The same numbers for a script."}}};
}

std::string AsJson(const MemoryPlan& plan) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const MemoryPlan::Item& item : plan.items) {
    items.push_back({{"name", item.name}, {"bytes", item.bytes}, {"note", item.note}});
  }
  const nlohmann::ordered_json json = {
      {"items", items},
      {"total_bytes", plan.total_bytes},
      {"budget_bytes", plan.budget_bytes},
      {"budget_source", plan.budget_source},
      {"least_bytes", plan.least_bytes},
      {"rows", plan.rows},
      {"columns", plan.columns},
      {"threads", plan.threads},
      {"threads_source", plan.threads_source},
      {"lanes", plan.lanes},
      {"block_rows", plan.block_rows},
      {"blocks_ahead", plan.blocks_ahead},
      {"cache_bytes", plan.cache_bytes},
      {"kept_rows", plan.kept_rows},
      {"schedule", ScheduleName(plan.schedule)},
      {"schedule_reason", plan.schedule_reason},
      {"kept_codes", plan.kept_codes},
      {"flops_per_evaluation", plan.flops_per_evaluation},
      {"bytes_read_per_evaluation", plan.bytes_read_per_evaluation},
      {"warnings", plan.warnings}};
  return json.dump(2) + "\n";
}

std::string MemoryTable(const MemoryPlan& plan) {
  std::vector<MemoryPlan::Item> lines = plan.items;
  lines.push_back({"total", plan.total_bytes, ""});
  lines.push_back({"budget", plan.budget_bytes, plan.budget_source});
  lines.push_back({"least budget", plan.least_bytes, "the smallest --memory that works"});
  size_t width = 0;
  for (const MemoryPlan::Item& line : lines) width = std::max(width, line.name.size());
  std::string table;
  for (const MemoryPlan::Item& line : lines) {
    table += fmt::format("{:<{}}  {:>10}{}{}\n", line.name, width, FormatBytes(line.bytes),
                         line.note.empty() ? "" : "  ", line.note);
  }
  return table;
}

std::string WorkLines(const MemoryPlan& plan) {
  return AlignedLines(
      {{"rows", fmt::format("{} of {} columns", plan.rows, plan.columns)},
       {"threads", fmt::format("{}, {}", plan.threads, plan.threads_source)},
       {"lanes", fmt::format("{}", plan.lanes)},
       {"blocks",
        fmt::format("{} rows each, up to {} held at once", plan.block_rows, plan.blocks_ahead)},
       {"kept", fmt::format("{} rows stay in memory once they are read", plan.kept_rows)},
       {"schedule", fmt::format("{}: {}", ScheduleName(plan.schedule), plan.schedule_reason)},
       {"per evaluation", fmt::format("{:.3g} flops, {} read", plan.flops_per_evaluation,
                                      FormatBytes(plan.bytes_read_per_evaluation))}});
}

}  // namespace

void RunPlan(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  TrainOptions options;
  bool json = false;
  OptionFlags flags(Help());
  flags.Add(Fields(options));
  flags.AddConfig("Run", [&](const std::string& path) { return ReadConfig(path, options); });
  flags.Add({SwitchField({"json", "", "Print one JSON object.", "Output"}, json)});
  if (!flags.Parse(arguments)) return;

  if (!flags.positionals().empty()) options.data.files = flags.positionals();
  const MemoryPlan plan = PlanTraining(options);
  Print(json ? AsJson(plan) : MemoryTable(plan) + "\n" + WorkLines(plan));
}

}  // namespace rhohat
