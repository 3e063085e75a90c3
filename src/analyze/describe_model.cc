#include "analyze/describe_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <vector>

#include "network/parameters.h"
#include "rhohat/model.h"
#include "rhohat/option_fields.h"

namespace rhohat {
namespace {

// "784–256–64–256–784, tanh, linear output, tied weights, float32".
std::string NetworkText(const Model& model) {
  const NetworkShape shape(model.inputs, model.network);
  std::string text = fmt::format("{}, {}", shape.Text(), InfoOf(model.network.activation).name);
  if (model.network.decoder != model.network.activation) {
    text += fmt::format(", {} output", InfoOf(model.network.decoder).name);
  }
  if (model.network.tied) text += ", tied weights";
  return text + (model.compute.precision == Precision::kFloat64 ? ", float64" : ", float32");
}

// "loss squared, rho 0.05, …".
std::string ValuesText(const std::vector<OptionField>& fields) {
  std::string text;
  for (const OptionField& field : fields) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", field.name, field.get());
  }
  return text;
}

std::string OptionLines(Model& model) {
  return DescriptionLine("input", ValuesText(Fields(model.prepare.options))) +
         DescriptionLine("objective", ValuesText(Fields(model.objective))) +
         DescriptionLine("optimiser", ValuesText(Fields(model.optimizer)));
}

std::string DataLines(const DataIdentity& data) {
  std::string text = DescriptionLine(
      "data", fmt::format("{} rows × {} columns from {} {}", data.rows, data.columns,
                          data.files.size(), data.files.size() == 1 ? "file" : "files"));
  for (const DataIdentity::File& part : data.files) {
    text += DescriptionLine(
        "", fmt::format("{}:{}, {} rows of {}", part.path, part.dataset, part.rows, part.type));
  }
  return text;
}

std::string RangeText(std::span<const double> values) {
  const auto [smallest, largest] = std::ranges::minmax(values);
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  return fmt::format("mean {:.4g}, from {:.4g} to {:.4g}", mean, smallest, largest);
}

// One for each of the encoder's layers.
std::string RhoHatLines(const Model& model) {
  if (model.rho_hat.empty()) return "";
  const NetworkShape shape(model.inputs, model.network);
  if (shape.depth() == 1) return DescriptionLine("rho_hat", RangeText(model.rho_hat));
  std::string text;
  for (int64_t layer = 0; layer < shape.depth(); ++layer) {
    const auto units = std::span(model.rho_hat)
                           .subspan(static_cast<size_t>(shape.encoder_offset(layer)),
                                    static_cast<size_t>(shape.width(layer + 1)));
    text += DescriptionLine(layer == 0 ? "rho_hat" : "",
                            fmt::format("layer {}: {}", layer + 1, RangeText(units)));
  }
  return text;
}

}  // namespace

std::string DescriptionLine(const std::string& name, const std::string& value) {
  return fmt::format("  {:<14}{}\n", name, value);
}

std::string DescribeModel(const std::string& file) {
  Model model = LoadModel(file);
  std::string text = fmt::format("{}: a rhohat model\n", file);
  text += DescriptionLine("network", NetworkText(model));
  text += OptionLines(model);
  text += DescriptionLine("trained", fmt::format("{} iterations, J = {:.6g}; {}", model.iterations,
                                                 model.cost, model.stop_reason));
  text += DataLines(model.data);
  text +=
      DescriptionLine("checksum", model.was_checked ? "matches: every byte is as it was written"
                                                    : "none, so that damage would not be noticed");
  return text + RhoHatLines(model);
}

}  // namespace rhohat
