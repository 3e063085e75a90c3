#include "train/grid.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>

#include "base/text.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "train/optimizer_names.h"
#include "train/run_folder.h"

namespace rhohat {
namespace {

constexpr std::string_view kOptions[] = {
    "rho",        "beta",      "lambda",  "gamma",         "kappa",    "noise",
    "iterations", "tolerance", "history", "learning-rate", "momentum", "gradient-tolerance"};

// Why another option cannot be one of them.
struct Reason {
  std::string_view option;  // or heading, where it begins with a capital
  std::string_view why;
};
constexpr Reason kReasons[] = {
    {"hidden", "the models of a grid have one width"},
    {"optimizer", "the models of a grid go the same way through the rows"},
    {"seed", "it chooses the rows of samples, which the models of a grid share"},
    {"first-sample", "the models of a grid share their samples"},
    {"growth", "the models of a grid share their samples"},
    {"sample-limit", "the models of a grid share their samples"},
    {"Network", "the models of a grid have one network"},
    {"Input", "the models of a grid get the same rows"},
    {"Data", "the models of a grid get the same rows"},
    {"Computation", "the models of a grid get the same blocks of rows"},
    {"Resources", "the models of a grid share them"},
    {"Run", "it is about all models of a grid"},
};

bool CanVary(std::string_view option) {
  return std::ranges::find(kOptions, option) != std::end(kOptions);
}

std::vector<std::string> OptionNames() { return {std::begin(kOptions), std::end(kOptions)}; }

std::string WhyNot(const OptionField& field) {
  for (const Reason& reason : kReasons) {
    if (reason.option == field.name || reason.option == field.group) {
      return fmt::format("cannot vary: {}", reason.why);
    }
  }
  return fmt::format("cannot vary: expected one of {}", JoinNames(OptionNames()));
}

// Collects faults as one line.
class Faults {
 public:
  void Note(const std::string& fault) { line_ += (line_.empty() ? "" : "; ") + fault; }
  void Throw() const {
    if (!line_.empty()) throw Error(ErrorKind::kUsage, line_);
  }

 private:
  std::string line_;
};

// ---- Axes --------------------------------------------------------------------------------------

void CheckValues(const GridAxis& axis, const OptionField& field, Faults& faults) {
  if (axis.values.empty())
    faults.Note(fmt::format("--grid {}: expected values, found none", axis.option));
  std::vector<std::string> seen;
  for (const std::string& value : axis.values) {
    try {
      field.set(value);
    } catch (const Error& error) {
      faults.Note(fmt::format("--grid {}={}: {}", axis.option, value, error.what()));
      continue;
    }
    if (std::ranges::find(seen, field.get()) != seen.end()) {
      faults.Note(fmt::format("--grid {}: {} is given twice", axis.option, field.get()));
    }
    seen.push_back(field.get());
  }
}

// Axes in the order of the options' list, which is that of the help.
std::vector<GridAxis> CheckedAxes(TrainOptions scratch, const std::vector<GridAxis>& axes) {
  const std::vector<OptionField> fields = Fields(scratch);
  Faults faults;
  if (axes.empty()) faults.Note("--grid: expected at least one option, found none");
  for (const GridAxis& axis : axes) {
    if (std::ranges::find(fields, axis.option, &OptionField::name) != fields.end()) continue;
    const std::string nearest = NearestName(axis.option, OptionNames());
    faults.Note(fmt::format("--grid {}: no such option: {}", axis.option,
                            nearest.empty()
                                ? fmt::format("expected one of {}", JoinNames(OptionNames()))
                                : fmt::format("did you mean {}?", nearest)));
  }
  std::vector<GridAxis> checked;
  for (const OptionField& field : fields) {
    const auto count = std::ranges::count(axes, field.name, &GridAxis::option);
    if (count == 0) continue;
    checked.push_back(*std::ranges::find(axes, field.name, &GridAxis::option));
    if (count > 1) faults.Note(fmt::format("--grid: {} is given twice", field.name));
    if (!CanVary(field.name)) {
      faults.Note(fmt::format("--grid: {} {}", field.name, WhyNot(field)));
    } else {
      CheckValues(checked.back(), field, faults);
    }
  }
  faults.Throw();
  return checked;
}

void CheckCount(std::span<const GridAxis> axes) {
  size_t models = 1;
  for (const GridAxis& axis : axes) {
    models *= axis.values.size();
    if (models <= kMostGridModels) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("--grid: expected at most {} models, found more: an array of jobs can "
                            "share them out",
                            kMostGridModels));
  }
}

// ---- The options that they share ---------------------------------------------------------------

void CheckShared(const TrainOptions& options) {
  Faults faults;
  if (options.greedy) {
    faults.Note(
        "--grid: not with --greedy, whose layers are trained on rows of their own: an "
        "array of jobs can train such models");
  }
  const std::vector<OptimizerKind>& methods = options.optimizer.methods;
  if (std::ranges::any_of(methods, IsStochastic)) {
    faults.Note(
        "--grid: not with --optimizer sgd or adam, whose models step after mini-batches, "
        "each in its own time: an array of jobs can train such models");
  }
  // A later sample would be held beside the rows that are kept for others.
  if (std::ranges::count(methods.begin() + (methods.empty() ? 0 : 1), methods.end(),
                         OptimizerKind::kProgressive) > 0) {
    faults.Note("--grid: --optimizer progressive: expected as the first method, or not at all");
  }
  faults.Throw();
}

// ---- Points ------------------------------------------------------------------------------------

void Set(TrainOptions& options, const GridAxis& axis, const std::string& value) {
  const std::vector<OptionField> fields = Fields(options);
  std::ranges::find(fields, axis.option, &OptionField::name)->set(value);
}

// Folders have names of up to 255 bytes.
void CheckName(const std::string& name) {
  constexpr size_t kMostBytes = 255;
  if (name.size() <= kMostBytes) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("--grid: {}: expected values of up to {} bytes in all, for the name of a "
                          "folder, found {}",
                          name, kMostBytes, name.size()));
}

// A fault that all have is none of the grid.
void Validate(const std::vector<GridModel>& models) {
  std::vector<std::string> faults;
  for (const GridModel& model : models) {
    try {
      model.options.Validate();
      faults.emplace_back();
    } catch (const Error& error) {
      faults.emplace_back(error.what());
    }
  }
  if (std::ranges::count(faults, faults.front()) == std::ssize(faults)) {
    if (!faults.front().empty()) throw Error(ErrorKind::kUsage, faults.front());
    return;
  }
  const auto first = std::ranges::find_if_not(faults, &std::string::empty) - faults.begin();
  const auto i = static_cast<size_t>(first);
  throw Error(ErrorKind::kUsage, fmt::format("--grid {}: {}", models[i].name, faults[i]));
}

}  // namespace

GridAxis ParseGridAxis(std::string_view text) {
  const size_t equals = text.find('=');
  GridAxis axis{.option = std::string(text.substr(0, equals)), .values = {}};
  if (axis.option.starts_with("--")) axis.option.erase(0, 2);
  const std::string_view values = equals == text.npos ? "" : text.substr(equals + 1);
  if (!values.empty()) axis.values = Split(values, ',');
  const bool is_sound = !axis.option.empty() && !axis.values.empty() &&
                        std::ranges::find(axis.values, "") == axis.values.end();
  if (!is_sound) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--grid: expected an option and its values, such as rho=0.05,0.1, "
                            "found '{}'",
                            text));
  }
  return axis;
}

bool IsGridFolder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code fault;  // ends the loop
  if (fs::exists(fs::path(folder) / kConfigName, fault)) return false;
  for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (CanVary(name.substr(0, name.find('='))) && name.find('=') != name.npos &&
        fs::exists(entry->path() / kConfigName, ignored)) {
      return true;
    }
  }
  return false;
}

std::vector<GridModel> GridModels(const TrainOptions& options, const std::vector<GridAxis>& axes) {
  CheckShared(options);
  const std::vector<GridAxis> checked = CheckedAxes(options, axes);
  CheckCount(checked);
  std::vector<GridModel> models = {{.name = "", .options = options}};
  for (const GridAxis& axis : checked) {
    std::vector<GridModel> longer;
    for (const GridModel& model : models) {
      for (const std::string& value : axis.values) {
        GridModel& point = longer.emplace_back(model);
        point.name += fmt::format("{}{}={}", point.name.empty() ? "" : ",", axis.option, value);
        Set(point.options, axis, value);
      }
    }
    models = std::move(longer);
  }
  Validate(models);
  for (GridModel& model : models) {
    CheckName(model.name);
    model.options.run_directory =
        (std::filesystem::path(options.run_directory) / model.name).string();
  }
  return models;
}

}  // namespace rhohat
