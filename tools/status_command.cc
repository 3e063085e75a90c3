// rhohat status: where training runs are, by what they have left in their folders.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/units.h"
#include "rhohat/error.h"
#include "rhohat/status.h"
#include "tools/command.h"
#include "tools/faults.h"
#include "tools/option_flags.h"
#include "tools/print.h"
#include "tools/program_fields.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "status",
      .description =
          "Says where training runs are: whether they run, how far they have come, how long they "
          "may still take, where their last checkpoint is, and whether they look stalled. Only "
          "reads, also on another host than the run's. The exit code is 0 where every folder holds "
          "a run, whatever its state.",
      .arguments = {{"DIR...", "Folders of runs."}},
      .required = {},
      .examples = {{"rhohat status run", "One run, in some lines."},
                   {"rhohat status sweep-4711/*", "Many runs, in a line each."},
                   {"rhohat status run --json",
                    "The same for a script: one JSON object a line. What is not known is null."}}};
}

// What is out of files must not act on a terminal.
std::string Plain(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string StateText(const RunStatus& status) {
  return fmt::format("{}{}", RunStateName(status.state), status.stalled ? ", looks stalled" : "");
}

std::string OwnerText(const RunStatus& status) {
  if (status.process == 0) return "";
  const std::string job = status.job.empty() ? "" : fmt::format(", job {}", status.job);
  return Plain(fmt::format("process {} on {}{}", status.process, status.host, job));
}

// What the state means for whoever looks, in a few words.
std::string Remark(const std::string& folder, const RunStatus& status) {
  const std::string silence = FormatSeconds(status.silent_seconds);
  const std::string begins_anew =
      status.checkpoint ? "" : "; there is no checkpoint, so it begins anew";
  switch (status.state) {
    case RunState::kNotStarted:
      return "nothing of it was done yet";
    case RunState::kRunning:
      return status.stalled ? fmt::format("nothing was written for {}", silence) : "";
    case RunState::kFinished:
      return fmt::format("its model is {}/model.safetensors", folder);
    case RunState::kStopped:
    case RunState::kFailed:
    case RunState::kInterrupted:
      return fmt::format("goes on with: rhohat train --resume {}{}", folder, begins_anew);
    case RunState::kUnknown:
      return fmt::format("its host is another one; nothing was written for {}", silence);
  }
  return "";
}

std::string IterationText(const RunStatus& status) {
  const IterationMetrics& last = *status.last;
  std::string text = fmt::format("{}", last.iteration);
  if (status.last_iteration) text += fmt::format(" of at most {}", *status.last_iteration);
  if (!last.optimizer.empty()) text += ", " + last.optimizer;
  if (!last.stage.empty()) text += ", " + last.stage;
  return Plain(text);
}

std::string CostText(const IterationMetrics& last) {
  switch (last.cost_over) {
    case CostOver::kAllRows:
      return Number(last.cost.total());
    case CostOver::kSample:
      return Number(last.cost.total()) + ", over a sample of the rows";
    case CostOver::kEpoch:
      return Number(last.cost.total()) + ", over an epoch's batches";
  }
  return "";
}

std::string TimeText(const RunStatus& status) {
  std::string text = FormatSeconds(status.last->seconds);
  if (status.line_seconds > 0) {
    const bool is_short = status.line_seconds < 10;
    text += fmt::format(", lately {} an iteration",
                        is_short ? fmt::format("{:.2g} s", status.line_seconds)
                                 : FormatSeconds(status.line_seconds));
  }
  if (status.seconds_left)
    text += fmt::format("; {} left at most", FormatSeconds(*status.seconds_left));
  return text;
}

std::string CheckpointText(const RunStatus& status) {
  if (!status.checkpoint) return "none";
  const RunStatus::Checkpoint& checkpoint = *status.checkpoint;
  std::string text = Plain(checkpoint.file);
  if (checkpoint.iteration) text += fmt::format(", iteration {}", *checkpoint.iteration);
  return text + fmt::format(", {} old", FormatSeconds(checkpoint.age_seconds));
}

std::string AsLines(const std::string& folder, const RunStatus& status) {
  Lines lines = {{"state", StateText(status)}};
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) lines.emplace_back(name, text);
  };
  add("", Plain(Remark(folder, status)));
  add("by", OwnerText(status));
  if (status.last) {
    add("iteration", IterationText(status));
    add("J", CostText(*status.last));
    add("data passes", Number(status.last->data_passes));
    add("time", TimeText(status));
  }
  add("last written", FormatSeconds(status.silent_seconds) + " ago");
  add("checkpoint", CheckpointText(status));
  add("warning", Plain(status.last_warning));
  return AlignedLines(lines);
}

std::string TableRow(const std::string& folder, const RunStatus& status) {
  const auto& last = status.last;
  return fmt::format("{:<28} {:>9} {:>12} {:>9} {:>13} {:>13}  {}\n", StateText(status),
                     last ? fmt::format("{}", last->iteration) : "-",
                     last ? Number(last->cost.total()) : "-",
                     last ? fmt::format("{:.4g}", last->data_passes) : "-",
                     last ? FormatSeconds(last->seconds) : "-",
                     FormatSeconds(status.silent_seconds), Plain(folder));
}

std::string TableHead() {
  return fmt::format("{:<28} {:>9} {:>12} {:>9} {:>13} {:>13}  {}\n", "state", "iteration", "J",
                     "passes", "time", "written ago", "run");
}

std::string AsJson(const std::string& folder, const RunStatus& status) {
  using nlohmann::ordered_json;
  const auto text = [](const std::string& value) {
    return value.empty() ? ordered_json() : ordered_json(value);
  };
  ordered_json json = {{"run", folder},
                       {"state", RunStateName(status.state)},
                       {"stalled", status.stalled},
                       {"host", text(status.host)},
                       {"process", status.process > 0 ? ordered_json(status.process) : nullptr},
                       {"job", text(status.job)}};
  for (const char* name : {"iteration", "last_iteration", "stage", "optimizer", "cost", "cost_over",
                           "data_passes", "seconds", "seconds_left"}) {
    json[name] = nullptr;
  }
  if (status.last) {
    const IterationMetrics& last = *status.last;
    json["iteration"] = last.iteration;
    json["stage"] = text(last.stage);
    json["optimizer"] = text(last.optimizer);
    json["cost"] = last.cost.total();
    json["cost_over"] = CostOverName(last.cost_over);
    json["data_passes"] = last.data_passes;
    json["seconds"] = last.seconds;
  }
  if (status.last_iteration) json["last_iteration"] = *status.last_iteration;
  if (status.seconds_left) json["seconds_left"] = *status.seconds_left;
  json["silent_seconds"] = status.silent_seconds;
  json["checkpoint"] = nullptr;
  if (status.checkpoint) {
    const RunStatus::Checkpoint& checkpoint = *status.checkpoint;
    json["checkpoint"] = {
        {"file", checkpoint.file},
        {"iteration", checkpoint.iteration ? ordered_json(*checkpoint.iteration) : nullptr},
        {"age_seconds", checkpoint.age_seconds}};
  }
  json["last_warning"] = text(status.last_warning);
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void RunStatusCommand(const Arguments& arguments, const std::atomic<bool>& /*stop*/) {
  bool json = false;
  OptionFlags flags(Help());
  flags.Add({SwitchField({"json", "", "Print one JSON object a run.", "Output"}, json)});
  if (!flags.Parse(arguments)) return;

  const std::vector<std::string>& folders = flags.positionals();
  const bool table = !json && folders.size() > 1;
  if (table) Print(TableHead());
  Faults faults;
  for (const std::string& folder : folders) {
    try {
      const RunStatus status = ReadRunStatus(folder);
      const std::string text = table ? TableRow(folder, status) : AsLines(folder, status);
      Print(json ? AsJson(folder, status) : text);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNoInput) throw;
      faults.Add(error);
    }
  }
  faults.ThrowAny();
}

}  // namespace rhohat
