// What a model's file consists of, for those who write and read it (docs/formats/model.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/safetensors.h"
#include "network/parameters.h"
#include "rhohat/error.h"
#include "rhohat/model.h"
#include "rhohat/option_fields.h"

namespace rhohat {

inline constexpr std::string_view kModelFormat = "rhohat-model";
inline constexpr int64_t kModelFormatVersion = 1;

// Of a checkpoint without a model: the first evaluation was not over.
inline constexpr std::string_view kCheckpointFormat = "rhohat-checkpoint";
// What names of the state's tensors begin with, beside the model's.
inline constexpr std::string_view kStatePrefix = "state.";

// The options that may have changed the result. They refer to `model`.
std::vector<OptionField> ModelFields(Model& model);

// The tensors that a preparation is stored as: name, extents, values.
template <class Values>
struct PreparationTensor {
  std::string name;
  std::vector<int64_t> shape;
  Values* values;
};

// `deviation` stands for the only number that is not in a vector. P and Values may be const.
template <class P, class Values>
std::vector<PreparationTensor<Values>> TensorsOf(P& preparation, int64_t inputs,
                                                 Values& deviation) {
  switch (preparation.options.kind) {
    case PreparationKind::kNone:
      return {};
    case PreparationKind::kRange:
    case PreparationKind::kStandardize:
      return {{"prepare.shift", {inputs}, &preparation.shift},
              {"prepare.scale", {inputs}, &preparation.scale}};
    case PreparationKind::kGlobal:
      return {{"prepare.deviation", {1}, &deviation}};
    case PreparationKind::kZca:
    case PreparationKind::kPca:
      return {{"prepare.shift", {inputs}, &preparation.shift},
              {"prepare.matrix", {inputs, inputs}, &preparation.matrix},
              {"prepare.inverse", {inputs, inputs}, &preparation.inverse}};
  }
  throw Error(ErrorKind::kInternal, "unknown preparation");
}

// Of a file with the model; the parameters are `bytes`, in the model's precision, which `model`
// need not have itself. The views are of both.
SafetensorsMetadata MetadataOf(const Model& model);
std::vector<TensorView> TensorViewsOf(const Model& model, std::span<const std::byte> parameters);

// The text that names the data in a file's table of strings, and what it says. Throws
// nlohmann::json::exception where it cannot be understood.
std::string DataJson(const DataIdentity& data);
DataIdentity ParseDataJson(const std::string& text);

inline NetworkShape ShapeOf(const Model& model) { return {model.inputs, model.network}; }

bool AllFinite(const std::vector<double>& values);

}  // namespace rhohat
