// What one does with a model.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/cost_terms.h"
#include "rhohat/model.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"

namespace rhohat {

// J over a data set, and how well and how sparsely the model describes it.
struct Evaluation {
  int64_t rows = 0;
  CostTerms cost;  // J and its terms
  // 1 − Σ‖x − x̂‖² / Σ‖x − mean‖² over all rows, prepared; not a number where all are equal.
  double explained_variance = 0;
  double rho_hat_mean = 0;
  double rho_hat_min = 0;
  double rho_hat_max = 0;
  // Units whose activation stays within 0.01 over all rows: they say nothing about a row.
  int64_t dead_units = 0;
  std::vector<double> rho_hat;  // of the encoder's layers, one after another
};

struct AnalyzeOptions {
  DataOptions data;
  ComputeOptions compute;  // precision, lanes and block rows as in training
  ResourceOptions resources;
};

// One pass over the rows. The objective's weights are the model's own unless `objective` is given.
Evaluation Evaluate(const Model& model, const AnalyzeOptions& options,
                    const std::optional<ObjectiveOptions>& objective, const RunControl& control);

struct EncodeOptions {
  AnalyzeOptions analyze;
  int64_t layer = 0;   // of the encoder, from 1; 0: the innermost, the code
  std::string output;  // the HDF5 file to write
};

// Three passes whose results are rows, in the order of the data's. Rows are prepared as the model
// says and seen without noise. Each writes an HDF5 file that appears whole or not at all
// (docs/formats/codes.md).

// The activations of a layer of the encoder: data set `/codes`, rows×units of the layer.
void Encode(const Model& model, const EncodeOptions& options, const RunControl& control);

// The reconstruction, in the data's own units: its preparation is undone. Data set
// `/reconstruction`, rows×n.
void Reconstruct(const Model& model, const AnalyzeOptions& options, const std::string& output,
                 const RunControl& control);

// The reconstruction loss ℓ of each row (docs/math.md §2), as the network sees it: data set
// `/scores`, rows×1, in float64. Throws Error(kBadData) where the loss is not defined for a row.
void Score(const Model& model, const AnalyzeOptions& options, const std::string& output,
           const RunControl& control);

// Numeric derivatives against the analytic gradient (docs/math.md §9), in float64.
struct GradientCheck {
  int64_t parameters_checked = 0;
  int64_t parameters = 0;
  double relative_error = 0;  // ‖numeric − analytic‖ / ‖numeric + analytic‖
  // What the rounding of J alone may do to relative_error. Near a minimum, where the gradient is
  // small, it is more than the 1e-8 that a right gradient keeps to elsewhere.
  double rounding_error = 0;
  double cost = 0;
  double gradient_norm = 0;
  std::string worst_parameter;  // "encoder.weight[3, 17]"
};

struct GradientCheckOptions {
  AnalyzeOptions analyze;
  std::optional<ObjectiveOptions> objective;  // the model's own where not given
  int64_t sample = 200;                       // parameters checked; 0 checks them all
  // Where to write ∇J as safetensors under the parameters' own names; empty for nowhere. Written in
  // `analyze.compute.precision`.
  std::string output;
};

GradientCheck CheckGradient(const Model& model, const GradientCheckOptions& options,
                            const RunControl& control);

// How rows are pictures: height×width, or height×width×3 for colour.
struct PictureShape {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
};

// "28x28" or "8x8x3". Throws Error(kUsage).
PictureShape ParsePictureShape(const std::string& text);

struct FeaturesOptions {
  int64_t layer = 0;  // of the encoder, the first is 1; 0 is the last, whose units are the code
  double norm = 1;  // ‖x‖ of the prepared inputs looked for; without effect in the first layer
  std::optional<PictureShape> shape;  // guessed where inputs are a square, or three of them
  bool planar = false;  // colour after colour (3×H×W), not pixel after pixel (H×W×3)
  int64_t scale = 0;    // pixels per input; 0 chooses
  int64_t columns = 0;  // tiles in a row of the grid; 0 chooses
};

// The UFLDL picture: for each unit of a layer what excites it most, each tile scaled to its own
// largest magnitude around mid-grey.
//
// Among prepared inputs x of one norm that is x = W1_j / ‖W1_j‖ in the first layer, and what
// activation maximisation finds in a deeper one. The tile shows the direction in which the input as
// it was before preparation excites the unit most: with a linear preparation P, Pᵀx (for whitened
// patches UFLDL's W1·ZCAWhite). Equal models make equal pictures on the same kind of CPU.
//
// Throws Error(kUsage) where the options do not fit each other or the model, Error(kBadData) where
// the model is not whole or not finite.
void DrawFeatures(const Model& model, const FeaturesOptions& options, const std::string& output);

// What a file is, in lines for a person: HDF5 data sets with shape, type, chunks and filters, how
// fast they can be swept and what would help; a model with its network, objective, data and ρ̂. Of
// `options` the files are not looked at. Throws as the readers do.
std::string DescribeFile(const std::string& path, const DataOptions& options = {},
                         const ResourceOptions& resources = {});

// Paths of the data sets with rows of numbers in an HDF5 file; none for a model. Throws as the
// readers do.
std::vector<std::string> DataSetsIn(const std::string& path);

}  // namespace rhohat
