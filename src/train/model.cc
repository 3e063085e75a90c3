// A model as a file: weights are tensors that any safetensors reader understands, and everything
// else is text in the header (docs/formats/model.md).
//
// What is read is checked as if it came from a stranger: shapes against each other, numbers for
// being finite, and every word of the configuration through the same functions as the command line.
#include "rhohat/model.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/safetensors.h"
#include "base/units.h"
#include "base/version.h"
#include "network/parameters.h"
#include "rhohat/error.h"
#include "rhohat/option_fields.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kFormat = "rhohat-model";
constexpr int64_t kFormatVersion = 1;

[[noreturn]] void ThrowBad(const std::string& path, const std::string& fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path, fault));
}

// The options that may have changed the result. They refer to `model`.
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

NetworkShape ShapeOf(const Model& model) { return {model.inputs, model.network}; }

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : "×", extent);
  return text.empty() ? "a single number" : text;
}

// False for NaN too.
bool AllWithin(double limit, const std::vector<double>& values) {
  return std::ranges::all_of(values, [=](double value) { return std::abs(value) <= limit; });
}

bool AllFinite(const std::vector<double>& values) {
  return AllWithin(std::numeric_limits<double>::max(), values);
}

// ---- Writing -----------------------------------------------------------------------------------

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
  return {{"format", std::string(kFormat)},
          {"format_version", fmt::format("{}", kFormatVersion)},
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

// ---- Reading -----------------------------------------------------------------------------------

// Throws where the file is HDF5: the likeliest mistake is to give the data in the model's place.
void RefuseHdf5(const std::string& path) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  std::string beginning(kSignature.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  if (file.read(beginning.data(), std::ssize(beginning)) && beginning == kSignature) {
    ThrowBad(path, "expected a model, found an HDF5 file: give the model first, then the data");
  }
}

SafetensorsFile ReadContainer(const std::string& path) {
  try {
    return SafetensorsFile::Read(path);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kBadData) RefuseHdf5(path);
    throw;
  }
}

// The table of strings, and messages about it.
class Metadata {
 public:
  Metadata(const std::string& path, const SafetensorsMetadata& table)
      : path_(path), table_(table) {}

  const std::string& Text(const std::string& key) const {
    const auto found = table_.find(key);
    if (found == table_.end()) ThrowBad(path_, fmt::format("damaged: it lacks its '{}'", key));
    return found->second;
  }

  bool Has(const std::string& key) const { return table_.contains(key); }

  template <class Number>
  Number Parse(const std::string& key) const {
    const std::string& text = Text(key);
    Number value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size()) Refuse(key);
    return value;
  }

  // Calls read(json), which may throw what nlohmann::json throws where the type is not right.
  template <class Read>
  void ParseJson(const std::string& key, Read&& read) const {
    try {
      read(json::parse(Text(key)));
    } catch (const json::exception&) {
      Refuse(key);
    }
  }

  [[noreturn]] void Refuse(const std::string& key) const {
    ThrowBad(path_, fmt::format("damaged: its '{}' cannot be understood", key));
  }

 private:
  const std::string& path_;
  const SafetensorsMetadata& table_;
};

void CheckFormat(const std::string& path, const SafetensorsFile& file, const Metadata& metadata) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat) {
    ThrowBad(path, "not a rhohat model: a safetensors file, but not written by 'rhohat train'");
  }
  const auto version = metadata.Parse<int64_t>("format_version");
  if (version > kFormatVersion) {
    ThrowBad(path, fmt::format("written by rhohat {} in format {}, but this program knows formats "
                               "up to {}: use a newer rhohat",
                               metadata.Text("rhohat_version"), version, kFormatVersion));
  }
  if (version < 1) metadata.Refuse("format_version");
}

// Options that the file does not name keep their defaults: they came later than the file.
void ReadConfig(const std::string& path, const Metadata& metadata, Model& model) {
  std::map<std::string, std::string> config;
  metadata.ParseJson("config", [&](const json& value) { config = value.get<decltype(config)>(); });
  for (const OptionField& field : ModelFields(model)) {
    const auto entry = config.extract(field.name);
    if (entry.empty()) continue;
    try {
      field.set(entry.mapped());
    } catch (const Error& error) {
      ThrowBad(path,
               fmt::format("its configuration is not one this program knows: {}", error.what()));
    }
  }
  if (!config.empty()) {
    ThrowBad(path, fmt::format("its configuration has an unknown option '{}': use a newer rhohat",
                               config.begin()->first));
  }
}

void ReadDataIdentity(const Metadata& metadata, DataIdentity& data) {
  metadata.ParseJson("data", [&](const json& value) {
    for (const json& file : value.at("files")) {
      data.files.push_back({.path = file.at("path").get<std::string>(),
                            .dataset = file.at("dataset").get<std::string>(),
                            .type = file.at("type").get<std::string>(),
                            .rows = file.at("rows").get<int64_t>(),
                            .bytes = file.at("bytes").get<uint64_t>()});
    }
    data.rows = value.at("rows").get<int64_t>();
    data.columns = value.at("columns").get<int64_t>();
  });
}

// The first layer's weight tells the number of inputs; all else follows from the configuration.
void ReadExtents(const std::string& path, const SafetensorsFile& file, Model& model) {
  const std::string name = model.network.hidden.size() == 1 ? "encoder.weight" : "encoder.0.weight";
  const TensorView* weight = file.Find(name);
  if (weight == nullptr) {
    ThrowBad(path, fmt::format("not a model: it lacks the tensor {}", name));
  }
  if (weight->shape.size() != 2 || weight->shape[0] < 1 || weight->shape[1] < 1) {
    ThrowBad(path, fmt::format("{}: expected a matrix of hidden units × inputs, found {}", name,
                               ShapeText(weight->shape)));
  }
  model.inputs = weight->shape[1];
  try {
    CheckShape(ShapeOf(model));
  } catch (const Error& error) {
    ThrowBad(path, error.what());
  }
}

// The tensor's values, checked; `type` is what it must be of.
std::vector<double> ReadTensor(const std::string& path, const SafetensorsFile& file,
                               const std::string& name, const std::vector<int64_t>& shape,
                               TensorType type) {
  const TensorView* tensor = file.Find(name);
  if (tensor == nullptr) {
    ThrowBad(path, fmt::format("not a model: it lacks the tensor {}", name));
  }
  if (tensor->shape != shape || tensor->type != type) {
    ThrowBad(path, fmt::format("{}: expected {} of {}, found {} of {}", name, ShapeText(shape),
                               TensorTypeName(type), ShapeText(tensor->shape),
                               TensorTypeName(tensor->type)));
  }
  std::vector<double> values = TensorValues(*tensor);
  if (!AllFinite(values)) {
    ThrowBad(path, fmt::format("{}: holds values that are not finite", name));
  }
  return values;
}

void ReadTensors(const std::string& path, const SafetensorsFile& file, Model& model) {
  const TensorType type =
      model.compute.precision == Precision::kFloat64 ? TensorType::kF64 : TensorType::kF32;
  size_t count = 0;
  for (const TensorPlace& place : TensorsOf(ShapeOf(model))) {
    const std::vector<double> values = ReadTensor(path, file, place.name, place.shape, type);
    model.parameters.insert(model.parameters.end(), values.begin(), values.end());
    ++count;
  }
  std::vector<double> deviation;
  for (const auto& tensor : TensorsOf(model.prepare, model.inputs, deviation)) {
    *tensor.values = ReadTensor(path, file, tensor.name, tensor.shape, TensorType::kF64);
    ++count;
  }
  if (!deviation.empty()) model.prepare.deviation = deviation.front();
  if (file.tensors().size() != count) {
    ThrowBad(path, fmt::format("expected {} tensors, found {}", count, file.tensors().size()));
  }
}

void ReadPreparation(const std::string& path, const Metadata& metadata, Model& model) {
  try {
    model.prepare.options = ParsePreparation(metadata.Text("prepare"));
  } catch (const Error&) {
    ThrowBad(path, fmt::format("unknown preparation '{}' of its inputs: use a newer rhohat",
                               metadata.Text("prepare")));
  }
  if (!metadata.Has("input_range")) return;
  metadata.ParseJson("input_range", [&](const json& value) {
    if (value.size() != 2) metadata.Refuse("input_range");
    model.input_low = value.at(0).get<double>();
    model.input_high = value.at(1).get<double>();
  });
  const bool is_range = std::isfinite(model.input_low) && std::isfinite(model.input_high) &&
                        model.input_low <= model.input_high;
  if (!is_range) metadata.Refuse("input_range");
}

void ReadRhoHat(const std::string& path, const Metadata& metadata, Model& model) {
  metadata.ParseJson("rho_hat",
                     [&](const json& value) { model.rho_hat = value.get<std::vector<double>>(); });
  const int64_t units = ShapeOf(model).encoder_units();
  if (std::ssize(model.rho_hat) != units || !AllFinite(model.rho_hat)) {
    ThrowBad(path,
             fmt::format("rho_hat: expected {} numbers, found {}", units, model.rho_hat.size()));
  }
}

// What the program would refuse to train, a file must not ask it to compute.
void CheckOptions(const std::string& path, const Model& model) {
  TrainOptions options;
  options.data.files = {path};
  options.prepare = model.prepare.options;
  options.network = model.network;
  options.objective = model.objective;
  options.compute = model.compute;
  try {
    options.Validate();
  } catch (const Error& error) {
    ThrowBad(path, fmt::format("its configuration contradicts itself: {}", error.what()));
  }
}

}  // namespace

std::vector<Model::Tensor> Model::Tensors() const {
  std::vector<Tensor> tensors;
  for (TensorPlace& place : TensorsOf(ShapeOf(*this))) {
    tensors.push_back({std::move(place.name), std::move(place.shape),
                       std::span(parameters).subspan(place.offset, place.size)});
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
  const size_t each = narrow ? sizeof(float) : sizeof(double);
  std::vector<TensorView> tensors;
  for (const TensorPlace& place : TensorsOf(ShapeOf(model))) {
    tensors.push_back({.name = place.name,
                       .type = narrow ? TensorType::kF32 : TensorType::kF64,
                       .shape = place.shape,
                       .bytes = bytes.subspan(place.offset * each, place.size * each)});
  }
  const std::vector<double> deviation = {model.prepare.deviation};
  for (const auto& tensor : TensorsOf(model.prepare, model.inputs, deviation)) {
    tensors.push_back({.name = tensor.name,
                       .type = TensorType::kF64,
                       .shape = tensor.shape,
                       .bytes = std::as_bytes(std::span(*tensor.values))});
  }
  WriteSafetensors(path, MetadataOf(model), tensors);
}

Model LoadModel(const std::string& path) {
  const SafetensorsFile file = ReadContainer(path);
  const Metadata metadata(path, file.metadata());
  CheckFormat(path, file, metadata);
  Model model;
  ReadConfig(path, metadata, model);
  ReadPreparation(path, metadata, model);
  CheckOptions(path, model);
  ReadExtents(path, file, model);
  ReadTensors(path, file, model);
  ReadRhoHat(path, metadata, model);
  ReadDataIdentity(metadata, model.data);
  model.iterations = metadata.Parse<int64_t>("iterations");
  model.cost = metadata.Parse<double>("cost");
  model.stop_reason = metadata.Text("stop_reason");
  model.was_checked = file.has_checksum();
  return model;
}

}  // namespace rhohat
