// rhohat evaluate: J over a data set, and how well and how sparsely the model describes it.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "tools/command.h"
#include "tools/cost_lines.h"
#include "tools/model_and_data.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

CommandHelp Help() {
  return {
      .name = "evaluate",
      .description =
          "Computes the objective J and its terms over all rows in one pass, with the share of the "
          "rows' variance that the reconstruction explains and how active the hidden units are.",
      .arguments = ModelAndDataArguments(),
      .required = {},
      .examples = {
          {"rhohat evaluate run/model.safetensors test.h5",
           "J of rows that training has not seen."},
          {"rhohat evaluate run/model.safetensors a.h5 b.h5 --json",
           "The same over two files, for a script to read. A number that does not exist, such as "
           "the explained variance of equal rows, is null."},
          {"rhohat evaluate run/model.safetensors test.h5 --beta 0 --lambda 0",
           "The reconstruction error alone."},
          {"rhohat evaluate run/model.safetensors test.h5 --noise none",
           "How well a denoising model reconstructs clean rows."}}};
}

// Numbers that are not finite become null.
std::string AsJson(const Evaluation& result) {
  nlohmann::ordered_json json = {{"rows", result.rows}, {"cost", result.cost.total()}};
  for (const CostTermInfo& term : kCostTerms) json[term.name] = result.cost.*term.value;
  json["explained_variance"] = result.explained_variance;
  json["rho_hat_mean"] = result.rho_hat_mean;
  json["rho_hat_min"] = result.rho_hat_min;
  json["rho_hat_max"] = result.rho_hat_max;
  json["dead_units"] = result.dead_units;
  return json.dump(2) + "\n";
}

std::string AsLines(const Evaluation& result) {
  Lines lines = {{"rows", fmt::format("{}", result.rows)}};
  AddCostLines(result, lines);
  lines.emplace_back("explained variance", Number(result.explained_variance));
  lines.emplace_back("dead units",
                     fmt::format("{} of {}", result.dead_units, result.rho_hat.size()));
  return AlignedLines(lines);
}

}  // namespace

void RunEvaluate(const Arguments& arguments, const std::atomic<bool>& stop) {
  ModelAndData inputs;
  bool json = false;
  OptionFlags flags(Help());
  AddObjectiveFlags(flags, inputs);
  AddModelAndDataFlags(flags, inputs);
  flags.Add({SwitchField({"json", "", "Print one JSON object.", "Output"}, json)});
  if (!flags.Parse(arguments)) return;

  LoadInputs(flags, inputs);
  ProgressDisplay display;
  const Evaluation result =
      Evaluate(inputs.model, inputs.options, inputs.objective, {&display, &stop});
  display.Finish();
  Print(json ? AsJson(result) : AsLines(result));
}

}  // namespace rhohat
