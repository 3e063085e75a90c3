// rhohat bench: how fast this machine trains, and what stops it from being faster.
#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/units.h"
#include "rhohat/bench.h"
#include "rhohat/config.h"
#include "tools/command.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "bench",
      .description =
          "Measures how fast this machine evaluates J and its gradient, under each schedule, and "
          "what stops it from being faster: the network's matrix products alone, on all threads; "
          "reading and decoding the rows; or moving numbers through memory. The smallest of these "
          "ceilings binds. All are measured in turn, several times, and medians are printed. Takes "
          "the flags of train for network, objective, computation and resources.",
      .arguments = {{"[DATA...]",
                     "HDF5 files, of which as many rows are used as fit the time; they are not "
                     "prepared. Without any, random rows in a temporary file."}},
      .required = {},
      .examples = {{"rhohat bench", "784 inputs and 196 hidden units, on random rows."},
                   {"rhohat bench data.h5 --hidden 400 --seconds 60",
                    "Whether training on this file would wait for products, reading or memory."},
                   {"rhohat bench --inputs 64 --hidden 25 --schedule two-pass --json",
                    "One schedule of a small network, for a script to read."}}};
}

std::vector<OptionField> BenchFields(BenchOptions& options, bool& json) {
  std::vector<OptionField> fields;
  const auto append = [&](std::vector<OptionField> part) {
    std::ranges::move(part, std::back_inserter(fields));
  };
  const std::string group = "Measuring";
  append({CountField({"inputs", "N", "Width of random rows; 784 if not given.", group},
                     options.inputs),
          PositiveField({"seconds", "S", "Time to spend, about.", group}, options.seconds),
          SwitchField({"json", "", "Print one JSON object.", group}, json)});
  append(Fields(options.network));
  append(Fields(options.objective));
  append(Fields(options.compute));
  append(Fields(options.resources));
  append(Fields(options.data));
  return fields;
}

// What a run's configuration has beside is not looked at.
std::vector<std::string> ReadBenchConfig(const std::string& path, BenchOptions& options) {
  TrainOptions run;
  run.data = options.data;
  run.network = options.network;
  run.objective = options.objective;
  run.compute = options.compute;
  run.resources = options.resources;
  std::vector<std::string> names = ReadConfig(path, run);
  options.data = std::move(run.data);
  options.network = std::move(run.network);
  options.objective = std::move(run.objective);
  options.compute = run.compute;
  options.resources = run.resources;
  return names;
}

// ---- For scripts -------------------------------------------------------------------------------

// What is infinite becomes null.
nlohmann::ordered_json JsonOf(const ScheduleMeasurement& schedule) {
  if (!schedule.refusal.empty()) {
    return {{"schedule", schedule.schedule}, {"refused", schedule.refusal}};
  }
  return {{"schedule", schedule.schedule},
          {"rows_per_second", schedule.rows_per_second},
          {"nominal_flops_per_row", schedule.nominal_flops_per_row},
          {"nominal_flops_per_second", schedule.nominal_flops_per_second()},
          {"flops_per_row", schedule.flops_per_row},
          {"flops_per_second", schedule.flops_per_second()},
          {"bytes_per_row", schedule.bytes_per_row},
          {"reads_per_row", schedule.reads_per_row},
          {"seconds", schedule.seconds},
          {"wait_seconds", schedule.wait_seconds},
          {"product_flops_per_second", schedule.product_flops_per_second},
          {"ceilings",
           {{"products", schedule.ceilings.products},
            {"reading", schedule.ceilings.reading},
            {"memory", schedule.ceilings.memory}}},
          {"bound_by", schedule.ceilings.binding()},
          {"fraction", schedule.fraction},
          {"fraction_least", schedule.fraction_least},
          {"fraction_most", schedule.fraction_most},
          {"product_share", schedule.product_share}};
}

std::string AsJson(const BenchResult& result) {
  nlohmann::ordered_json schedules = nlohmann::ordered_json::array();
  for (const ScheduleMeasurement& schedule : result.schedules) {
    schedules.push_back(JsonOf(schedule));
  }
  nlohmann::ordered_json json = {
      {"network", result.network},
      {"precision", result.precision},
      {"source", result.source},
      {"rows", result.rows},
      {"rows_in_data", result.rows_in_data},
      {"columns", result.columns},
      {"threads", result.threads},
      {"kernels", result.kernels},
      {"lanes", result.lanes},
      {"block_rows", result.block_rows},
      {"rounds", result.rounds},
      {"seconds", result.seconds},
      {"memory_bytes_per_second", result.memory_bytes_per_second},
      {"read_bytes_per_second", result.read_bytes_per_second},
      {"decode_rows_per_second", result.decode_rows_per_second},
      {"first_decode_rows_per_second", result.first_decode_rows_per_second},
      {"schedules", schedules},
      {"threads_against_one", nullptr},
      {"remarks", result.remarks}};
  if (result.threads_against_one) json["threads_against_one"] = *result.threads_against_one;
  return json.dump(2) + "\n";
}

// ---- For people --------------------------------------------------------------------------------

std::string Rate(double rows_per_second) {
  return std::isfinite(rows_per_second) ? fmt::format("{:.3g}", rows_per_second) : "–";
}

std::string Giga(double rate) { return fmt::format("{:.3g}", rate * 1e-9); }

std::string SubjectLines(const BenchResult& result) {
  const std::string part =
      result.rows < result.rows_in_data ? fmt::format(" of {}", result.rows_in_data) : "";
  return AlignedLines(
      {{"network", fmt::format("{}, {}", result.network, result.precision)},
       {"rows", fmt::format("{}{} from {}", result.rows, part, result.source)},
       {"threads", fmt::format("{} ({} kernels); {} lanes, blocks of {} rows", result.threads,
                               result.kernels, result.lanes, result.block_rows)},
       {"measured",
        fmt::format("{} times in {}; medians", result.rounds, FormatSeconds(result.seconds))}});
}

std::string MachineLines(const BenchResult& result) {
  Lines lines;
  for (const ScheduleMeasurement& schedule : result.schedules) {
    if (!schedule.refusal.empty()) continue;
    lines.emplace_back(
        "products", fmt::format("{} GFLOP/s, bare, of {}", Giga(schedule.product_flops_per_second),
                                schedule.schedule));
  }
  lines.emplace_back(
      "reading",
      fmt::format("{} GB/s as stored; {} rows/s decoded, {} the first time",
                  Giga(result.read_bytes_per_second), Rate(result.decode_rows_per_second),
                  Rate(result.first_decode_rows_per_second)));
  lines.emplace_back("memory", fmt::format("{} GB/s", Giga(result.memory_bytes_per_second)));
  return AlignedLines(lines);
}

std::string EvaluationTable(const BenchResult& result) {
  std::string table = fmt::format("{:<10}{:>10}{:>9}{:>9}{:>9}   {}\n", "evaluation", "rows/s",
                                  "GFLOP/s", "done", "waiting", "of the ceiling that binds");
  for (const ScheduleMeasurement& schedule : result.schedules) {
    if (!schedule.refusal.empty()) {
      table += fmt::format("{:<10}  refused: {}\n", schedule.schedule, schedule.refusal);
      continue;
    }
    table +=
        fmt::format("{:<10}{:>10}{:>9}{:>9}{:>7.0f} %   {:.2f} of {} ({:.2f} to {:.2f})\n",
                    schedule.schedule, Rate(schedule.rows_per_second),
                    Giga(schedule.nominal_flops_per_second()), Giga(schedule.flops_per_second()),
                    100 * schedule.wait_seconds / schedule.seconds, schedule.fraction,
                    schedule.ceilings.binding(), schedule.fraction_least, schedule.fraction_most);
  }
  return table +
         "GFLOP/s counts two passes, 12nh a row with one hidden layer; done: as computed.\n";
}

std::string CeilingTable(const BenchResult& result) {
  std::string table = fmt::format("{:<10}{:>10}{:>9}{:>9}   {}\n", "ceilings", "products",
                                  "reading", "memory", "products' share of processor time");
  for (const ScheduleMeasurement& schedule : result.schedules) {
    if (!schedule.refusal.empty()) continue;
    table += fmt::format("{:<10}{:>10}{:>9}{:>9}   {:.2f}\n", schedule.schedule,
                         Rate(schedule.ceilings.products), Rate(schedule.ceilings.reading),
                         Rate(schedule.ceilings.memory), schedule.product_share);
  }
  return table + "Rows/s if nothing else took time; the least of the three binds.\n";
}

std::string AsText(const BenchResult& result) {
  std::string text = SubjectLines(result) + "\n" + MachineLines(result) + "\n" +
                     EvaluationTable(result) + "\n" + CeilingTable(result);
  if (result.threads_against_one) {
    text += fmt::format("\n{} threads against one: {:.2f} times the rows/s\n", result.threads,
                        *result.threads_against_one);
  }
  for (const std::string& remark : result.remarks) text += "\n" + Wrap(remark, 0, false);
  return text;
}

}  // namespace

void RunBench(const Arguments& arguments, const std::atomic<bool>& stop) {
  BenchOptions options;
  bool json = false;
  OptionFlags flags(Help());
  flags.Add(BenchFields(options, json));
  flags.AddConfig("Measuring",
                  [&](const std::string& path) { return ReadBenchConfig(path, options); });
  if (!flags.Parse(arguments)) return;

  if (!flags.positionals().empty()) options.data.files = flags.positionals();
  ProgressDisplay display;
  const BenchResult result = Bench(options, {&display, &stop});
  display.Finish();
  Print(json ? AsJson(result) : AsText(result));
}

}  // namespace rhohat
