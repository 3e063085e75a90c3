// A trained autoencoder and what is known about it: what model.safetensors holds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rhohat/options.h"
#include "rhohat/preparation.h"

namespace rhohat {

// What the model was trained on, enough to recognise it. Holds no absolute times, so that training
// again on the same files gives the same model file, byte for byte.
struct DataIdentity {
  struct File {
    std::string path;     // as it was given
    std::string dataset;  // inside the file
    std::string type;     // "float32", "uint16-be", …
    int64_t rows = 0;
    uint64_t bytes = 0;  // of the whole file
  };
  std::vector<File> files;
  int64_t rows = 0;
  int64_t columns = 0;
};

// Weights are kept in double whatever the precision they were trained in; a float32 model survives
// the round trip unchanged.
struct Model {
  // One weight matrix (outputs×inputs, row-major) or bias vector, within `parameters`.
  struct Tensor {
    std::string name;  // "encoder.weight", for deep nets "encoder.0.weight", …
    std::vector<int64_t> shape;
    std::span<const double> values;
  };
  std::vector<Tensor> Tensors() const;

  int64_t inputs = 0;              // n
  std::vector<double> parameters;  // weight and bias of layer after layer, from input to output;
                                   // a tied decoder's layers have biases only
  std::vector<double> rho_hat;     // mean activation over the training rows, of each unit of the
                                   // encoder's layers, one layer after another
  double input_low = 0;            // least and greatest entry of the prepared training rows, known
  double input_high = 0;           // where salt-and-pepper noise needs them

  Preparation prepare;
  NetworkOptions network;
  ObjectiveOptions objective;
  ComputeOptions compute;
  OptimizerOptions optimizer;
  DataIdentity data;
  int64_t iterations = 0;   // done in training
  double cost = 0;          // J over the training rows
  std::string stop_reason;  // why training ended

  // Of the file that it was loaded from: whether a checksum vouched for every byte of it.
  bool was_checked = false;
};

// Writes docs/formats/model.md's safetensors file, whole or not at all. Throws
// Error(kCannotCreate) or Error(kIo).
void SaveModel(const Model& model, const std::string& path);

// Reads and checks it. Throws Error(kNoInput) where there is no such file, Error(kBadData) where it
// is not a model, is damaged, or came from a later format.
Model LoadModel(const std::string& path);

}  // namespace rhohat
