// A grid of tiles, one a unit: what the picture of a model's features is laid out as.
//
// A tile's values are scaled by the largest magnitude among them, over all its colours, so that
// zero is mid-grey in every tile. Tiles stand row by row with gaps of one input's size.
#pragma once

#include <cstdint>
#include <span>

#include "analyze/png_writer.h"
#include "rhohat/analyze.h"

namespace rhohat {

// Where tiles lie. Lengths are in inputs where not said otherwise; an input is scale×scale pixels.
struct FeatureGrid {
  PictureShape tile;
  bool planar = false;  // a tile's values are colour after colour, not pixel after pixel
  int64_t columns = 1;
  int64_t rows = 1;
  int64_t scale = 1;

  int64_t width() const { return columns * (tile.width + 1) + 1; }
  int64_t height() const { return rows * (tile.height + 1) + 1; }
};

// For `tiles` tiles of `inputs` values, with what the options leave open chosen. Throws
// Error(kUsage) where they do not fit each other or the inputs, or the picture would be too large.
FeatureGrid PlanGrid(const FeaturesOptions& options, int64_t inputs, int64_t tiles);

// The grid without its tiles.
Picture DrawGaps(const FeatureGrid& grid);

// `values`: one finite number for each input. All zeros are mid-grey.
void DrawTile(const FeatureGrid& grid, int64_t tile, std::span<const double> values,
              Picture& picture);

}  // namespace rhohat
