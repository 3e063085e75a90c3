// Reading a model (docs/formats/model.md). What is read is checked as if it came from a stranger:
// shapes against each other, numbers for being finite, and every word of the configuration through
// the same functions as the command line.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/safetensors.h"
#include "base/safetensors_reader.h"
#include "rhohat/error.h"
#include "train/model_file.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

using nlohmann::json;

[[noreturn]] void ThrowBad(const std::string& path, const std::string& fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path, fault));
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : "×", extent);
  return text.empty() ? "a single number" : text;
}

// Throws where the file is HDF5: the likeliest mistake is to give the data in the model's place.
void RefuseHdf5(const std::string& path) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  std::string beginning(kSignature.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  if (file.read(beginning.data(), std::ssize(beginning)) && beginning == kSignature) {
    ThrowBad(path, "expected a model, found an HDF5 file: give the model first, then the data");
  }
}

SafetensorsReader OpenContainer(const std::string& path) {
  try {
    return SafetensorsReader(path);
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

void CheckFormat(const std::string& path, const SafetensorsReader& file, const Metadata& metadata) {
  const auto format = file.metadata().find("format");
  if (format != file.metadata().end() && format->second == kCheckpointFormat) {
    ThrowBad(
        path,
        "a checkpoint that was written before its stage's first evaluation was over: it has no "
        "model yet");
  }
  if (format == file.metadata().end() || format->second != kModelFormat) {
    ThrowBad(path, "not a rhohat model: a safetensors file, but not written by 'rhohat train'");
  }
  const auto version = metadata.Parse<int64_t>("format_version");
  if (version > kModelFormatVersion) {
    ThrowBad(path, fmt::format("written by rhohat {} in format {}, but this program knows formats "
                               "up to {}: use a newer rhohat",
                               metadata.Text("rhohat_version"), version, kModelFormatVersion));
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

// The first layer's weight tells the number of inputs; all else follows from the configuration.
void ReadExtents(const std::string& path, const SafetensorsReader& file, Model& model) {
  const std::string name = model.network.hidden.size() == 1 ? "encoder.weight" : "encoder.0.weight";
  const SafetensorsEntry* weight = file.Find(name);
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

// Floats become doubles without loss.
std::vector<double> ValuesOf(const SafetensorsReader& file, const SafetensorsEntry& tensor,
                             TensorType type) {
  const size_t count = static_cast<size_t>(tensor.end - tensor.begin) / TensorTypeBytes(type);
  std::vector<double> values(type == TensorType::kF64 ? count : 0);
  if (type == TensorType::kF64) {
    file.Read(tensor, std::as_writable_bytes(std::span(values)));
    return values;
  }
  std::vector<float> floats(count);
  file.Read(tensor, std::as_writable_bytes(std::span(floats)));
  values.assign(floats.begin(), floats.end());
  return values;
}

// The tensor's values, checked; `type` is what it must be of.
std::vector<double> ReadTensor(const std::string& path, const SafetensorsReader& file,
                               const std::string& name, const std::vector<int64_t>& shape,
                               TensorType type) {
  const SafetensorsEntry* tensor = file.Find(name);
  if (tensor == nullptr) {
    ThrowBad(path, fmt::format("not a model: it lacks the tensor {}", name));
  }
  if (tensor->shape != shape || tensor->type != TensorTypeName(type)) {
    ThrowBad(path, fmt::format("{}: expected {} of {}, found {} of {}", name, ShapeText(shape),
                               TensorTypeName(type), ShapeText(tensor->shape), tensor->type));
  }
  std::vector<double> values = ValuesOf(file, *tensor, type);
  if (!AllFinite(values)) {
    ThrowBad(path, fmt::format("{}: holds values that are not finite", name));
  }
  return values;
}

void ReadTensors(const std::string& path, const SafetensorsReader& file, Model& model) {
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
  const auto others = std::ranges::count_if(file.tensors(), [](const SafetensorsEntry& tensor) {
    return !tensor.name.starts_with(kStatePrefix);
  });
  if (others != static_cast<std::ptrdiff_t>(count)) {
    ThrowBad(path, fmt::format("expected {} tensors, found {}", count, others));
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

DataIdentity ParseDataJson(const std::string& text) {
  const json value = json::parse(text);
  DataIdentity data;
  for (const json& file : value.at("files")) {
    data.files.push_back({.path = file.at("path").get<std::string>(),
                          .dataset = file.at("dataset").get<std::string>(),
                          .type = file.at("type").get<std::string>(),
                          .rows = file.at("rows").get<int64_t>(),
                          .bytes = file.at("bytes").get<uint64_t>()});
  }
  data.rows = value.at("rows").get<int64_t>();
  data.columns = value.at("columns").get<int64_t>();
  return data;
}

Model LoadModel(const std::string& path) {
  const SafetensorsReader file = OpenContainer(path);
  const Metadata metadata(path, file.metadata());
  CheckFormat(path, file, metadata);
  Model model;
  ReadConfig(path, metadata, model);
  ReadPreparation(path, metadata, model);
  CheckOptions(path, model);
  ReadExtents(path, file, model);
  ReadTensors(path, file, model);
  ReadRhoHat(path, metadata, model);
  metadata.ParseJson("data",
                     [&](const json&) { model.data = ParseDataJson(metadata.Text("data")); });
  model.iterations = metadata.Parse<int64_t>("iterations");
  model.cost = metadata.Parse<double>("cost");
  model.stop_reason = metadata.Text("stop_reason");
  model.was_checked = file.has_checksum();
  return model;
}

}  // namespace rhohat
