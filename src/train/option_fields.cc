// Every option's name, help and text form, in one place: add an option here, and flags, help,
// configuration files and models have it.
#include "rhohat/option_fields.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// What the text of a value that the program may choose itself is.
constexpr std::string_view kAuto = "auto";

template <class E>
struct Named {
  E value;
  std::string_view name;
};

constexpr Named<Reader> kReaders[] = {
    {Reader::kAuto, "auto"}, {Reader::kDirect, "direct"}, {Reader::kLibrary, "library"}};
constexpr Named<Activation> kActivations[] = {{Activation::kSigmoid, "sigmoid"}};
constexpr Named<Loss> kLosses[] = {{Loss::kSquared, "squared"}};
constexpr Named<Schedule> kSchedules[] = {{Schedule::kAuto, kAuto},
                                          {Schedule::kTwoPass, "two-pass"}};
constexpr Named<Precision> kPrecisions[] = {{Precision::kFloat32, "float32"},
                                            {Precision::kFloat64, "float64"}};
constexpr Named<OptimizerKind> kOptimizers[] = {{OptimizerKind::kLbfgs, "lbfgs"},
                                                {OptimizerKind::kGradientDescent, "gd"}};

[[noreturn]] void ThrowUsage(const std::string& name, std::string_view text,
                             std::string_view fault) {
  throw Error(ErrorKind::kUsage, fmt::format("--{}: '{}' {}", name, text, fault));
}

// The whole of `text` as a number; independent of the locale.
template <class Number>
Number ParseNumber(const std::string& name, std::string_view text, std::string_view kind) {
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::invalid_argument || end != text.data() + text.size()) {
    ThrowUsage(name, text, fmt::format("is not a {}", kind));
  }
  if (status != std::errc()) ThrowUsage(name, text, "is out of range");
  return value;
}

int64_t ParseWhole(const std::string& name, std::string_view text) {
  return ParseNumber<int64_t>(name, text, "whole number");
}

double ParseFinite(const std::string& name, std::string_view text) {
  const double value = ParseNumber<double>(name, text, "number");
  if (!std::isfinite(value)) ThrowUsage(name, text, "is not a finite number");
  return value;
}

// What the fields of one group have in common; the functions below make one field each.
class FieldList {
 public:
  FieldList(std::string group, bool in_model) : group_(std::move(group)), in_model_(in_model) {}

  void AddNumber(std::string name, std::string help, double& value) {
    OptionField& field = Add(std::move(name), "NUMBER", std::move(help));
    field.get = [&value] { return fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) { value = ParseFinite(n, text); };
  }

  void AddWhole(std::string name, std::string help, int64_t& value) {
    OptionField& field = Add(std::move(name), "N", std::move(help));
    field.get = [&value] { return fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) { value = ParseWhole(n, text); };
  }

  // Zero stands for the program's choice, and reads "auto".
  void AddWholeOrAuto(std::string name, std::string help, int64_t& value) {
    OptionField& field = Add(std::move(name), "N", std::move(help));
    field.is_text = true;
    field.get = [&value] { return value == 0 ? std::string(kAuto) : fmt::format("{}", value); };
    field.set = [&value, n = field.name](std::string_view text) {
      value = text == kAuto ? 0 : ParseWhole(n, text);
    };
  }

  void AddWholeList(std::string name, std::string placeholder, std::string help,
                    std::vector<int64_t>& values) {
    OptionField& field = Add(std::move(name), std::move(placeholder), std::move(help));
    field.is_text = true;
    field.get = [&values] {
      std::string text;
      for (const int64_t value : values)
        text += fmt::format("{}{}", text.empty() ? "" : ",", value);
      return text;
    };
    field.set = [&values, n = field.name](std::string_view text) {
      std::vector<int64_t> parsed;
      for (const std::string& piece : Split(text, ',')) parsed.push_back(ParseWhole(n, piece));
      values = std::move(parsed);
    };
  }

  void AddText(std::string name, std::string placeholder, std::string help, std::string& value) {
    OptionField& field = Add(std::move(name), std::move(placeholder), std::move(help));
    field.is_text = true;
    field.get = [&value] { return value; };
    field.set = [&value](std::string_view text) { value = text; };
  }

  void AddSwitch(std::string name, std::string help, bool& value) {
    OptionField& field = Add(std::move(name), "", std::move(help));
    field.get = [&value] { return value ? "true" : "false"; };
    field.set = [&value, n = field.name](std::string_view text) {
      if (text != "true" && text != "false") ThrowUsage(n, text, "is none of true, false");
      value = text == "true";
    };
  }

  void AddMemory(std::string name, std::string help, uint64_t& bytes) {
    OptionField& field = Add(std::move(name), "SIZE", std::move(help));
    field.is_text = true;
    field.get = [&bytes] { return bytes == 0 ? std::string(kAuto) : ExactBytes(bytes); };
    field.set = [&bytes, n = field.name](std::string_view text) {
      try {
        bytes = text == kAuto || text == "0" ? 0 : ParseBytes(text);
      } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("--{}: {}", n, error.what()));
      }
    };
  }

  template <class E>
  void AddChoice(const std::string& name, const std::string& help, E& value,
                 std::span<const Named<E>> table) {
    OptionField& field = Add(name, Names(table, "|"), help);
    field.is_text = true;
    field.get = [&value, table] {
      for (const Named<E>& named : table) {
        if (named.value == value) return std::string(named.name);
      }
      throw Error(ErrorKind::kInternal, "an option has a value without a name");
    };
    field.set = [&value, table, n = field.name](std::string_view text) {
      for (const Named<E>& named : table) {
        if (named.name == text) {
          value = named.value;
          return;
        }
      }
      ThrowUsage(n, text, fmt::format("is none of {}", Names(table, ", ")));
    };
  }

  std::vector<OptionField> Take() { return std::move(fields_); }

 private:
  template <class E>
  static std::string Names(std::span<const Named<E>> table, std::string_view separator) {
    std::string names;
    for (const Named<E>& named : table) {
      names += names.empty() ? "" : separator;
      names += named.name;
    }
    return names;
  }

  // In the largest unit that leaves no remainder, so that reading it gives the same number.
  static std::string ExactBytes(uint64_t bytes) {
    std::string_view units = "KMGT";
    std::string_view unit;
    while (!units.empty() && bytes % 1024 == 0) {
      bytes /= 1024;
      unit = units.substr(0, 1);
      units.remove_prefix(1);
    }
    return fmt::format("{}{}", bytes, unit);
  }

  // The reference holds until the next call.
  OptionField& Add(std::string name, std::string placeholder, std::string help) {
    OptionField& field = fields_.emplace_back();
    field.name = std::move(name);
    field.group = group_;
    field.placeholder = std::move(placeholder);
    field.help = std::move(help);
    field.in_model = in_model_;
    return field;
  }

  std::string group_;
  bool in_model_;
  std::vector<OptionField> fields_;
};

}  // namespace

std::vector<OptionField> Fields(DataOptions& options) {
  FieldList list("Data", false);
  list.AddText("dataset", "PATH", "Data set inside each file; needed where a file has several.",
               options.dataset);
  list.AddSwitch("follow-external", "Follow links, storage and virtual data sets into other files.",
                 options.follow_external);
  list.AddChoice<Reader>("reader",
                         "Who reads HDF5: rhohat itself on all threads, or the HDF5 library on "
                         "one, with the same result. auto: the library only where it must.",
                         options.reader, kReaders);
  return list.Take();
}

std::vector<OptionField> Fields(NetworkOptions& options) {
  FieldList list("Network", true);
  list.AddWholeList("hidden", "H", "Units of the hidden layer.", options.hidden);
  list.AddChoice<Activation>("activation", "Activation function of the hidden units.",
                             options.activation, kActivations);
  list.AddChoice<Activation>("decoder", "Activation function of the output units.", options.decoder,
                             kActivations);
  return list.Take();
}

std::vector<OptionField> Fields(ObjectiveOptions& options) {
  FieldList list("Objective", true);
  list.AddChoice<Loss>("loss", "Distance between a row and its reconstruction.", options.loss,
                       kLosses);
  list.AddNumber("rho", "Target mean activation of a hidden unit, between 0 and 1.", options.rho);
  list.AddNumber("beta", "Weight of the sparsity penalty; 0 leaves it out.", options.beta);
  list.AddNumber("lambda", "Weight decay; 0 leaves it out.", options.lambda);
  return list.Take();
}

std::vector<OptionField> Fields(ComputeOptions& options) {
  FieldList list("Computation", true);
  list.AddChoice<Schedule>("schedule", "How often rows are read for one gradient.",
                           options.schedule, kSchedules);
  list.AddChoice<Precision>("precision", "Type of the numbers computed with.", options.precision,
                            kPrecisions);
  list.AddWholeOrAuto("lanes",
                      "Sums that rows are dealt to, a power of two; auto: by network size.",
                      options.lanes);
  list.AddWholeOrAuto("block-rows", "Rows computed at a time; auto: by network size.",
                      options.block_rows);
  list.AddWhole("seed", "Key of every random number.", options.seed);
  return list.Take();
}

std::vector<OptionField> Fields(OptimizerOptions& options) {
  FieldList list("Optimiser", true);
  list.AddChoice<OptimizerKind>("optimizer", "L-BFGS, or gradient descent with momentum.",
                                options.kind, kOptimizers);
  list.AddWhole("iterations", "Stop after so many iterations.", options.iterations);
  list.AddNumber("tolerance",
                 "Stop when ten iterations lowered the cost by less than this fraction; 0: never.",
                 options.tolerance);
  list.AddNumber("gradient-tolerance", "Stop when the gradient's norm is at most this.",
                 options.gradient_tolerance);
  list.AddWhole("history", "lbfgs: pairs of steps and gradient changes kept.", options.history);
  list.AddNumber("learning-rate", "gd: step length.", options.learning_rate);
  list.AddNumber("momentum", "gd: fraction of the last step kept, from 0 to below 1.",
                 options.momentum);
  return list.Take();
}

std::vector<OptionField> Fields(ResourceOptions& options) {
  FieldList list("Resources", false);
  list.AddMemory("memory",
                 "Limit of resident memory, such as 192M or 4G; auto: half of what is there.",
                 options.memory_bytes);
  list.AddWholeOrAuto("threads", "Compute threads; auto: all the processors it may run on.",
                      options.threads);
  return list.Take();
}

std::vector<OptionField> Fields(TrainOptions& options) {
  std::vector<OptionField> fields;
  const auto append = [&](std::vector<OptionField> part) {
    std::move(part.begin(), part.end(), std::back_inserter(fields));
  };
  append(Fields(options.network));
  append(Fields(options.objective));
  append(Fields(options.compute));
  append(Fields(options.optimizer));
  append(Fields(options.resources));
  append(Fields(options.data));
  FieldList run("Run", false);
  run.AddText("run", "DIR", "Folder for the model, metrics, log and configuration; created.",
              options.run_directory);
  append(run.Take());
  return fields;
}

}  // namespace rhohat
