// The picture of what each unit of a layer looks for.
//
// Units are taken some at a time: their directions among prepared inputs, those turned to the
// inputs as they were, and each drawn as a tile.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "analyze/activation_maximisation.h"
#include "analyze/feature_grid.h"
#include "analyze/original_space.h"
#include "analyze/png_writer.h"
#include "base/aligned_buffer.h"
#include "base/atomic_file.h"
#include "network/parameters.h"
#include "rhohat/analyze.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Units that are searched for together: enough for fast products. A search takes about 1.4 kB for
// each of a unit's inputs (six starts, some thirty vectors each), and so up to 100 MB together.
constexpr int64_t kMostUnitsTogether = 64;
constexpr int64_t kMostValuesTogether = int64_t{1} << 16;

NetworkShape ShapeOf(const Model& model) {
  NetworkShape shape(model.inputs, model.network);
  CheckShape(shape);
  if (std::ssize(model.parameters) == shape.parameters()) return shape;
  throw Error(ErrorKind::kBadData, fmt::format("the model's parameters: expected {}, found {}",
                                               shape.parameters(), model.parameters.size()));
}

// Counted from 0.
int64_t LayerOf(const FeaturesOptions& options, const NetworkShape& shape) {
  if (options.layer == 0) return shape.depth() - 1;
  if (options.layer >= 1 && options.layer <= shape.depth()) return options.layer - 1;
  throw Error(ErrorKind::kUsage,
              fmt::format("--layer: expected 1 to {}, the layers of the model's encoder, found {}",
                          shape.depth(), options.layer));
}

void CheckNorm(double norm) {
  if (norm > 0 && std::isfinite(norm)) return;
  throw Error(ErrorKind::kUsage, fmt::format("--norm: expected a number above 0, found {}", norm));
}

// Values of any size to values that neither overflow nor vanish in what follows. A picture does not
// change by it.
void DivideByLargest(std::span<double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  if (largest == 0) return;
  for (double& value : values) value /= largest;
}

// What each unit of a layer looks for.
class Features {
 public:
  Features(const Model& model, const NetworkShape& shape, int64_t layer, double norm,
           int64_t most_units)
      : preparation_(model.prepare), layer_(layer), flat_(model.parameters), shape_(shape) {
    if (layer > 0) maximiser_.emplace(shape, model.network, flat_, layer, norm, most_units);
  }

  // Row i becomes the direction for unit first + i, in the space of the original inputs.
  void Find(int64_t first, MatrixView<double> directions) {
    if (maximiser_.has_value()) {
      maximiser_->Maximise(first, directions);
    } else {
      const auto weight = ViewParameters(shape_, flat_)[0].weight;
      std::copy_n(weight.row(first), directions.size(), directions.data);
    }
    for (int64_t i = 0; i < directions.rows; ++i) DivideByLargest(RowOf(directions, i));
    ToOriginalSpace(preparation_, directions);
    for (int64_t i = 0; i < directions.rows; ++i) CheckFinite(RowOf(directions, i), first + i);
  }

  static std::span<double> RowOf(MatrixView<double> directions, int64_t row) {
    return {directions.row(row), static_cast<size_t>(directions.columns)};
  }

 private:
  void CheckFinite(std::span<const double> direction, int64_t unit) const {
    if (std::ranges::all_of(direction, [](double value) { return std::isfinite(value); })) return;
    throw Error(ErrorKind::kBadData,
                fmt::format("the model's layer {}, unit {}: expected finite weights, found others",
                            layer_ + 1, unit));
  }

  const Preparation& preparation_;
  int64_t layer_;
  std::span<const double> flat_;
  NetworkShape shape_;
  std::optional<ActivationMaximiser> maximiser_;  // the first layer needs none
};

}  // namespace

void DrawFeatures(const Model& model, const FeaturesOptions& options, const std::string& output) {
  CheckCreatable(output);
  CheckReplacesOnly(output, "a PNG picture", IsPng);
  const NetworkShape shape = ShapeOf(model);
  const int64_t layer = LayerOf(options, shape);
  CheckNorm(options.norm);
  const int64_t units = shape.width(layer + 1);
  const FeatureGrid grid = PlanGrid(options, shape.inputs, units);
  Picture picture = DrawGaps(grid);
  int64_t widest = shape.inputs;  // of what a search holds for each unit
  for (int64_t level = 1; level <= layer; ++level) widest = std::max(widest, shape.width(level));
  const int64_t together =
      std::min(units, std::clamp<int64_t>(kMostValuesTogether / widest, 1, kMostUnitsTogether));
  Features features(model, shape, layer, options.norm, together);
  const AlignedBuffer<double> memory(static_cast<size_t>(together * shape.inputs));
  for (int64_t first = 0; first < units; first += together) {
    const int64_t count = std::min(together, units - first);
    const MatrixView<double> directions(memory.data(), count, shape.inputs);
    features.Find(first, directions);
    for (int64_t i = 0; i < count; ++i) {
      DrawTile(grid, first + i, Features::RowOf(directions, i), picture);
    }
  }
  WritePng(picture, output);
}

}  // namespace rhohat
