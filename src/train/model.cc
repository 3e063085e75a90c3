// A model as a file: weights are tensors that any safetensors reader understands, and everything
// else is text in the header (docs/formats/model.md). What is read back is in load_model.cc.
#include "rhohat/model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/safetensors.h"
#include "base/version.h"
#include "rhohat/error.h"
#include "train/model_file.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string ConfigJson(const Model& model) {
  Model copy;
  copy.network = model.network;
  copy.objective = model.objective;
  copy.compute = model.compute;
  copy.optimizer = model.optimizer;
  ordered_json config = ordered_json::object();
  for (const OptionField& field : ModelFields(copy)) config[field.name] = field.get();
  return config.dump();
}

// False for NaN too.
bool AllWithin(double limit, const std::vector<double>& values) {
  return std::ranges::all_of(values, [=](double value) { return std::abs(value) <= limit; });
}

bool IsConsistent(const Preparation& preparation, int64_t inputs) {
  const std::vector<double> deviation = {preparation.deviation};
  return std::ranges::all_of(TensorsOf(preparation, inputs, deviation), [](const auto& tensor) {
    int64_t size = 1;
    for (const int64_t extent : tensor.shape) size *= extent;
    return std::ssize(*tensor.values) == size && AllFinite(*tensor.values);
  });
}

// A model that LoadModel would refuse is a fault of the program that made it.
void CheckConsistent(const Model& model, const std::string& path) {
  const NetworkShape shape = ShapeOf(model);
  CheckShape(shape);
  // Beyond this, a weight would be infinite in the file.
  const double limit = model.compute.precision == Precision::kFloat32
                           ? double{std::numeric_limits<float>::max()}
                           : std::numeric_limits<double>::max();
  const bool sound =
      std::isfinite(model.cost) && std::ssize(model.parameters) == shape.parameters() &&
      AllWithin(limit, model.parameters) && std::ssize(model.rho_hat) == shape.encoder_units() &&
      AllFinite(model.rho_hat) && std::isfinite(model.input_low) &&
      std::isfinite(model.input_high) && IsConsistent(model.prepare, model.inputs);
  if (!sound) {
    throw Error(
        ErrorKind::kInternal,
        fmt::format("{}: cannot save: the model contradicts itself or is not finite", path));
  }
}

}  // namespace

std::vector<OptionField> ModelFields(Model& model) {
  std::vector<OptionField> fields;
  const auto append = [&](std::vector<OptionField> part) {
    for (OptionField& field : part) {
      if (field.in_model) fields.push_back(std::move(field));
    }
  };
  append(Fields(model.network));
  append(Fields(model.objective));
  append(Fields(model.compute));
  append(Fields(model.optimizer));
  return fields;
}

bool AllFinite(const std::vector<double>& values) {
  return AllWithin(std::numeric_limits<double>::max(), values);
}

std::vector<Model::Tensor> Model::Tensors() const {
  std::vector<Tensor> tensors;
  for (TensorPlace& place : TensorsOf(ShapeOf(*this))) {
    tensors.push_back({std::move(place.name), std::move(place.shape),
                       std::span(parameters).subspan(place.offset, place.size)});
  }
  return tensors;
}

// File names that are not UTF-8 lose their faulty bytes: JSON cannot hold them, and they only
// serve to recognise the data.
std::string DataJson(const DataIdentity& data) {
  ordered_json files = ordered_json::array();
  for (const DataIdentity::File& file : data.files) {
    files.push_back({{"path", file.path},
                     {"dataset", file.dataset},
                     {"type", file.type},
                     {"rows", file.rows},
                     {"bytes", file.bytes}});
  }
  const ordered_json identity = {{"files", files}, {"rows", data.rows}, {"columns", data.columns}};
  return identity.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

SafetensorsMetadata MetadataOf(const Model& model) {
  return {{"format", std::string(kModelFormat)},
          {"format_version", fmt::format("{}", kModelFormatVersion)},
          {"rhohat_version", kVersion},
          {"config", ConfigJson(model)},
          {"prepare", PreparationText(model.prepare.options)},
          {"input_range", json({model.input_low, model.input_high}).dump()},
          {"rho_hat", json(model.rho_hat).dump()},
          {"data", DataJson(model.data)},
          {"iterations", fmt::format("{}", model.iterations)},
          {"cost", fmt::format("{}", model.cost)},
          {"stop_reason", model.stop_reason}};
}

std::vector<TensorView> TensorViewsOf(const Model& model, std::span<const std::byte> parameters) {
  const bool narrow = model.compute.precision == Precision::kFloat32;
  const size_t each = narrow ? sizeof(float) : sizeof(double);
  std::vector<TensorView> tensors;
  for (const TensorPlace& place : TensorsOf(ShapeOf(model))) {
    tensors.push_back({.name = place.name,
                       .type = narrow ? TensorType::kF32 : TensorType::kF64,
                       .shape = place.shape,
                       .bytes = parameters.subspan(place.offset * each, place.size * each)});
  }
  const std::vector<double> stand_in;
  for (const auto& tensor : TensorsOf(model.prepare, model.inputs, stand_in)) {
    const std::span<const double> values = tensor.values == &stand_in
                                               ? std::span(&model.prepare.deviation, 1)
                                               : std::span<const double>(*tensor.values);
    tensors.push_back({.name = tensor.name,
                       .type = TensorType::kF64,
                       .shape = tensor.shape,
                       .bytes = std::as_bytes(values)});
  }
  return tensors;
}

void SaveModel(const Model& model, const std::string& path) {
  CheckConsistent(model, path);
  const bool narrow = model.compute.precision == Precision::kFloat32;
  std::vector<float> floats(narrow ? model.parameters.size() : 0);
  for (size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(model.parameters[i]);
  const std::span<const std::byte> bytes =
      narrow ? std::as_bytes(std::span(floats)) : std::as_bytes(std::span(model.parameters));
  WriteSafetensors(path, MetadataOf(model), TensorViewsOf(model, bytes));
}

}  // namespace rhohat
