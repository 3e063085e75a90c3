// rhohat gradcheck: is the gradient that training follows the derivative of J?
#include <fmt/core.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tools/command.h"
#include "tools/model_and_data.h"
#include "tools/print.h"
#include "tools/program_fields.h"
#include "tools/progress_display.h"

namespace rhohat {
namespace {

constexpr double kLargestError = 1e-8;

CommandHelp Help() {
  return {
      .name = "gradcheck",
      .description =
          "Compares the gradient of J with numeric derivatives of J at the model's parameters, in "
          "float64, and fails where they differ by more than 1e-8 relative to their size, or by "
          "more than J's own rounding where that is larger, as it is near a minimum. Evaluates J "
          "four times for each parameter that is checked: use few rows. ReLU and L1 have kinks, "
          "across which a numeric derivative is none: there it can fail for a right gradient.",
      .arguments = ModelAndDataArguments(),
      .required = {},
      .examples = {
          {"rhohat gradcheck run/model.safetensors small.h5", "A sample of the parameters."},
          {"rhohat gradcheck run/model.safetensors small.h5 --all", "Every parameter."},
          {"rhohat gradcheck run/model.safetensors small.h5 --out gradient.safetensors "
           "--precision float64",
           "Keeps the gradient too, under the parameters' own names."}}};
}

std::string AsLines(const GradientCheck& check) {
  return AlignedLines(
      {{"relative error", fmt::format("{:.3g}", check.relative_error)},
       {"from rounding", fmt::format("up to {:.3g}", check.rounding_error)},
       {"checked", fmt::format("{} of {} parameters", check.parameters_checked, check.parameters)},
       {"worst", check.worst_parameter},
       {"J", Number(check.cost)},
       {"gradient norm", Number(check.gradient_norm)}});
}

// Written so that an error that is not a number fails.
void RequireAgreement(const GradientCheck& check) {
  const double allowed = std::max(kLargestError, check.rounding_error);
  if (check.relative_error <= allowed) return;
  throw Error(ErrorKind::kInternal,
              fmt::format("gradient and numeric derivatives of J do not agree: expected a relative "
                          "error of at most {:.3g}, found {:.3g}, worst at {}; the "
                          "numeric ones are too coarse on data far beyond 0 to 1, and near the "
                          "kinks of ReLU and L1",
                          allowed, check.relative_error, check.worst_parameter));
}

}  // namespace

void RunGradcheck(const Arguments& arguments, const std::atomic<bool>& stop) {
  ModelAndData inputs;
  GradientCheckOptions options;
  bool all = false;
  OptionFlags flags(Help());
  AddObjectiveFlags(flags, inputs);
  AddModelAndDataFlags(flags, inputs);
  flags.Add(
      {CountField(
           {"sample", "N",
            "Parameters to check, about: an equal share of every weight and bias, rounded up, or "
            "all of one that has fewer.",
            "Check"},
           options.sample),
       SwitchField({"all", "", "Check every parameter.", "Check"}, all),
       TextField({"out", "FILE",
                  "Write the gradient as safetensors, in the precision of --precision.", "Check"},
                 options.output)});
  if (!flags.Parse(arguments)) return;

  CheckNotAnInput(options.output, flags.positionals());
  LoadInputs(flags, inputs);
  options.analyze = inputs.options;
  options.objective = inputs.objective;
  if (all) options.sample = 0;
  ProgressDisplay display;
  const GradientCheck check = CheckGradient(inputs.model, options, {&display, &stop});
  display.Finish();
  Print(AsLines(check));
  RequireAgreement(check);
}

}  // namespace rhohat
