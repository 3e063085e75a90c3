// rhohat plan: what a training run would take: memory, disk, work and time.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "rhohat/config.h"
#include "rhohat/plan.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "plan",
      .description =
          "Prints what 'rhohat train' would take, without training: where its memory goes, what "
          "its folder needs on the disk, what one evaluation of J and its gradient costs, how "
          "long that takes on this machine, and what to ask a batch system for. Takes the "
          "flags of train, so that a command line can be tried by changing one word.",
      .arguments = {{"DATA...", "HDF5 files; their rows are one data set, in this order."}},
      .required = {"hidden"},
      .examples = {{"rhohat plan data.h5 --hidden 196 --memory 4G",
                    "Whether the run fits into 4 GiB, and the least that it needs."},
                   {"rhohat plan --config run/config.toml",
                    "What a run with these options would take on this machine."},
                   {"rhohat plan part*.h5 --hidden 4096 --measure off --json",
                    "The numbers for a script, without the time."}}};
}

// ---- For scripts -------------------------------------------------------------------------------

nlohmann::ordered_json MemoryJson(const MemoryPlan& plan) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const MemoryPlan::Item& item : plan.items) {
    items.push_back({{"name", item.name}, {"bytes", item.bytes}, {"note", item.note}});
  }
  return {{"items", items},
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
}

nlohmann::ordered_json DiskJson(const DiskPlan& disk) {
  nlohmann::ordered_json json = {
      {"model_bytes", disk.model_bytes}, {"checkpoint_bytes", disk.checkpoint_bytes},
      {"checkpoints", disk.checkpoints}, {"metrics_bytes", disk.metrics_bytes},
      {"total_bytes", disk.total_bytes}, {"free_bytes", nullptr}};
  if (disk.free_bytes) json["free_bytes"] = *disk.free_bytes;
  return json;
}

nlohmann::ordered_json TimeJson(const TimePlan& time) {
  nlohmann::ordered_json methods = nlohmann::ordered_json::array();
  for (const MethodTime& method : time.methods) {
    methods.push_back({{"method", method.method},
                       {"unit", method.unit},
                       {"seconds_each", method.seconds_each},
                       {"units_at_most", method.units},
                       {"data_passes_at_most", method.data_passes},
                       {"seconds_at_most", method.seconds}});
  }
  return {{"rows_measured", time.rows_measured},
          {"seconds_measuring", time.seconds_measuring},
          {"compute_rows_per_second", time.compute_rows_per_second},
          {"reading_rows_per_second", time.reading_rows_per_second},
          {"seconds_per_evaluation", time.seconds_per_evaluation},
          {"bound_by", time.bound_by_reading ? "reading" : "computing"},
          {"methods", methods},
          {"seconds_at_most", time.seconds_at_most},
          {"remarks", time.remarks}};
}

std::string AsJson(const JobPlan& plan) {
  nlohmann::ordered_json json = MemoryJson(plan.memory);
  json["models"] = plan.models;
  json["disk"] = DiskJson(plan.disk);
  json["time"] = plan.time ? TimeJson(*plan.time) : nullptr;
  json["batch_header"] = plan.batch_header;
  return json.dump(2) + "\n";
}

// ---- For people --------------------------------------------------------------------------------

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

std::string DiskLines(const DiskPlan& disk, int64_t models) {
  const std::string free =
      disk.free_bytes ? fmt::format("; {} are free there", FormatBytes(*disk.free_bytes)) : "";
  return AlignedLines(
      {{"disk", fmt::format("up to {} in {}{}", FormatBytes(disk.total_bytes),
                            disk.folder.empty() ? "the run's folder" : disk.folder, free)},
       {"", fmt::format("{}model {}, {} checkpoints of up to {}, metrics {}",
                        models > 1 ? fmt::format("{} models, each: ", models) : "",
                        FormatBytes(disk.model_bytes), disk.checkpoints,
                        FormatBytes(disk.checkpoint_bytes), FormatBytes(disk.metrics_bytes))}});
}

std::string ShortTime(double seconds) {
  return seconds < 10 ? fmt::format("{:.2g} s", seconds) : FormatSeconds(seconds);
}

std::string MethodText(const MethodTime& method) {
  return fmt::format("about {} for each {}{}; up to {} for {} of them",
                     ShortTime(method.seconds_each), method.unit,
                     method.unit == "epoch" ? "" : " over all rows", FormatSeconds(method.seconds),
                     method.units);
}

std::string TimeLines(const TimePlan& time) {
  Lines lines = {
      {"measured", fmt::format("{:.3g} rows/s computed, {:.3g} rows/s read, in {}",
                               time.compute_rows_per_second, time.reading_rows_per_second,
                               FormatSeconds(time.seconds_measuring))},
      {"evaluation", fmt::format("about {}, bound by {}", ShortTime(time.seconds_per_evaluation),
                                 time.bound_by_reading ? "reading" : "computing")}};
  for (const MethodTime& method : time.methods) {
    lines.emplace_back(method.method, MethodText(method));
  }
  lines.emplace_back("in all", fmt::format("up to about {}; less where it converges before",
                                           FormatSeconds(time.seconds_at_most)));
  std::string text = AlignedLines(lines);
  for (const std::string& remark : time.remarks) text += Wrap("– " + remark, 2, true);
  return text;
}

std::string AsText(const JobPlan& plan) {
  std::string text = MemoryTable(plan.memory);
  for (const std::string& warning : plan.memory.warnings) {
    text += Wrap("warning: " + warning, 0, true);
  }
  text += "\n" + WorkLines(plan.memory) + "\n" + DiskLines(plan.disk, plan.models);
  if (plan.disk.free_bytes && *plan.disk.free_bytes < plan.disk.total_bytes) {
    text += "warning: that may be too little room for the run\n";
  }
  if (plan.time) text += "\n" + TimeLines(*plan.time);
  return text + "\nFor a Slurm script:\n" + plan.batch_header;
}

}  // namespace

void RunPlan(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  TrainOptions options;
  bool json = false;
  bool measure = true;
  OptionFlags flags(Help());
  flags.Add(Fields(options));
  flags.AddConfig("Run", [&](const std::string& path) { return ReadConfig(path, options); });
  std::vector<GridAxis> axes;
  flags.Add({GridField(axes)});
  const std::string group = "Plan";
  flags.Add({OnOffField({"measure", "on|off",
                         "Compute on the first rows, for two seconds or so, to say how long a run "
                         "would take.",
                         group},
                        measure),
             SwitchField({"json", "", "Print one JSON object.", group}, json)});
  if (!flags.Parse(arguments)) return;

  if (!flags.positionals().empty()) options.data.files = flags.positionals();
  const JobPlan plan = PlanJob(options, measure, axes);
  Print(json ? AsJson(plan) : AsText(plan));
}

}  // namespace rhohat
