#include "train/option_text.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

template <class Kind>
struct Form {
  Kind kind;
  std::string_view name;
  size_t numbers;  // behind the name, each after a colon
  // What is expected of the whole text.
  std::string_view expected;
};

constexpr Form<PreparationKind> kPreparations[] = {
    {PreparationKind::kNone, "none", 0, "none without a number"},
    {PreparationKind::kRange, "range", 2,
     "range:LO:HI with numbers LO < HI that the data lies between, such as range:0:255"},
    {PreparationKind::kStandardize, "standardize", 0, "standardize without a number"},
    {PreparationKind::kGlobal, "global", 0, "global without a number"},
    {PreparationKind::kZca, "zca", 1, "zca:EPS with a number EPS above 0, such as zca:0.1"},
    {PreparationKind::kPca, "pca", 1, "pca:EPS with a number EPS above 0, such as pca:0.1"}};

constexpr Form<NoiseKind> kNoises[] = {
    {NoiseKind::kNone, "none", 0, "none without a number"},
    {NoiseKind::kMask, "mask", 1,
     "mask:P with a probability P between 0 and 1, both excluded, such as mask:0.3"},
    {NoiseKind::kGaussian, "gaussian", 1,
     "gaussian:S with a standard deviation S above 0, such as gaussian:0.1"},
    {NoiseKind::kSaltPepper, "salt-pepper", 1,
     "salt-pepper:P with a probability P between 0 and 1, both excluded, such as salt-pepper:0.1"}};

constexpr std::string_view kPrepareFlag = "--prepare";
constexpr std::string_view kPrepareChoices =
    "none, range:LO:HI, standardize, global, zca:EPS or pca:EPS";
constexpr std::string_view kNoiseFlag = "--noise";
constexpr std::string_view kNoiseChoices = "none, mask:P, gaussian:S or salt-pepper:P";

std::string Fault(std::string_view flag, std::string_view expected, std::string_view found) {
  return fmt::format("{}: expected {}, found '{}'", flag, expected, found);
}

[[noreturn]] void ThrowUsage(const std::string& fault) { throw Error(ErrorKind::kUsage, fault); }

template <class Kind>
const Form<Kind>& FormOf(Kind kind, std::span<const Form<Kind>> forms) {
  for (const Form<Kind>& form : forms) {
    if (form.kind == kind) return form;
  }
  throw Error(ErrorKind::kInternal, "an unknown kind of preparation or noise");
}

// The whole of `text` as a number.
std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Kind>
struct Parsed {
  Kind kind;
  std::vector<double> numbers;  // as many as the form has
};

template <class Kind>
Parsed<Kind> ParseForm(std::string_view flag, std::string_view choices,
                       std::span<const Form<Kind>> forms, std::string_view text) {
  const std::vector<std::string> pieces = Split(text, ':');
  for (const Form<Kind>& form : forms) {
    if (form.name != pieces[0]) continue;
    Parsed<Kind> parsed{form.kind, {}};
    for (const std::string& piece : std::span(pieces).subspan(1)) {
      const std::optional<double> number = ParseNumber(piece);
      if (!number) ThrowUsage(Fault(flag, form.expected, text));
      parsed.numbers.push_back(*number);
    }
    if (parsed.numbers.size() != form.numbers) ThrowUsage(Fault(flag, form.expected, text));
    return parsed;
  }
  ThrowUsage(Fault(flag, choices, text));
}

std::string FormText(std::string_view name, std::initializer_list<double> numbers) {
  std::string text(name);
  for (const double number : numbers) text += fmt::format(":{}", number);
  return text;
}

bool IsPositive(double value) { return std::isfinite(value) && value > 0; }

bool IsProbability(double value) { return value > 0 && value < 1; }

bool IsSound(const PreparationOptions& options) {
  switch (options.kind) {
    case PreparationKind::kRange:
      return options.low < options.high && std::isfinite(options.high - options.low);
    case PreparationKind::kZca:
    case PreparationKind::kPca:
      return IsPositive(options.epsilon);
    default:
      return true;
  }
}

bool IsSound(const NoiseOptions& options) {
  switch (options.kind) {
    case NoiseKind::kMask:
    case NoiseKind::kSaltPepper:
      return IsProbability(options.amount);
    case NoiseKind::kGaussian:
      return IsPositive(options.amount);
    default:
      return true;
  }
}

}  // namespace

std::string PreparationText(const PreparationOptions& options) {
  const auto& form = FormOf<PreparationKind>(options.kind, kPreparations);
  if (form.numbers == 2) return FormText(form.name, {options.low, options.high});
  if (form.numbers == 1) return FormText(form.name, {options.epsilon});
  return FormText(form.name, {});
}

PreparationOptions ParsePreparation(std::string_view text) {
  const auto parsed =
      ParseForm<PreparationKind>(kPrepareFlag, kPrepareChoices, kPreparations, text);
  PreparationOptions options{.kind = parsed.kind};
  if (parsed.numbers.size() == 2) {
    options.low = parsed.numbers[0];
    options.high = parsed.numbers[1];
  } else if (parsed.numbers.size() == 1) {
    options.epsilon = parsed.numbers[0];
  }
  if (const std::string fault = FaultOf(options); !fault.empty()) ThrowUsage(fault);
  return options;
}

std::string NoiseText(const NoiseOptions& options) {
  const auto& form = FormOf<NoiseKind>(options.kind, kNoises);
  return form.numbers == 1 ? FormText(form.name, {options.amount}) : FormText(form.name, {});
}

NoiseOptions ParseNoise(std::string_view text) {
  const auto parsed = ParseForm<NoiseKind>(kNoiseFlag, kNoiseChoices, kNoises, text);
  NoiseOptions options{.kind = parsed.kind};
  if (parsed.numbers.size() == 1) options.amount = parsed.numbers[0];
  if (const std::string fault = FaultOf(options); !fault.empty()) ThrowUsage(fault);
  return options;
}

std::string FaultOf(const PreparationOptions& options) {
  if (IsSound(options)) return "";
  const auto& form = FormOf<PreparationKind>(options.kind, kPreparations);
  return Fault(kPrepareFlag, form.expected, PreparationText(options));
}

std::string FaultOf(const NoiseOptions& options) {
  if (IsSound(options)) return "";
  const auto& form = FormOf<NoiseKind>(options.kind, kNoises);
  return Fault(kNoiseFlag, form.expected, NoiseText(options));
}

}  // namespace rhohat
