#include "analyze/feature_grid.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr uint8_t kGapGrey = 56;
constexpr int64_t kGoodSide = 1000;  // pixels
constexpr int64_t kMostPixels = int64_t{1} << 27;

int64_t RoundedRoot(int64_t square) { return std::llround(std::sqrt(static_cast<double>(square))); }

bool IsSquare(int64_t number) {
  const int64_t root = RoundedRoot(number);
  return root * root == number;
}

PictureShape GuessShape(int64_t inputs) {
  if (IsSquare(inputs)) return {RoundedRoot(inputs), RoundedRoot(inputs), 1};
  if (inputs % 3 == 0 && IsSquare(inputs / 3)) {
    return {RoundedRoot(inputs / 3), RoundedRoot(inputs / 3), 3};
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{} inputs are not a square, nor three of them: say with --shape what "
                          "they picture, for example --shape 28x28",
                          inputs));
}

void CheckPictureShape(const PictureShape& shape, int64_t inputs) {
  const std::string name =
      fmt::format("--shape {}x{}x{}", shape.height, shape.width, shape.channels);
  const auto is_length = [](int64_t length) { return length >= 1 && length <= kMostPixelsPerSide; };
  if (!is_length(shape.height) || !is_length(shape.width) ||
      (shape.channels != 1 && shape.channels != 3)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: expected a height and a width of 1 to {}, and 1 or 3 channels",
                            name, kMostPixelsPerSide));
  }
  const int64_t values = shape.height * shape.width * shape.channels;
  if (values != inputs) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: expected as many values as the model has "
                                               "inputs, {}, found {}",
                                               name, inputs, values));
  }
}

PictureShape ShapeFor(const FeaturesOptions& options, int64_t inputs) {
  const PictureShape shape = options.shape.has_value() ? *options.shape : GuessShape(inputs);
  CheckPictureShape(shape, inputs);
  if (options.planar && shape.channels == 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--planar: expected pictures in colour, found grey ones of {}x{}",
                            shape.height, shape.width));
  }
  return shape;
}

// As many columns as make the picture about as wide as high.
int64_t ChooseColumns(const PictureShape& tile, int64_t tiles) {
  const double ratio = static_cast<double>(tile.height + 1) / static_cast<double>(tile.width + 1);
  return static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(tiles) * ratio) - 1e-9));
}

// Throws where the picture would be larger than anything shows.
void CheckSize(const FeatureGrid& grid) {
  const int64_t most_scale = kMostPixelsPerSide / std::max(grid.width(), grid.height());
  const bool fits = grid.scale <= most_scale &&
                    grid.width() * grid.scale <= kMostPixels / (grid.height() * grid.scale);
  if (fits) return;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("the picture would have {}×{} tiles of {}×{} inputs at {}×{} pixels each, "
                  "which is too large; choose a smaller --scale or more --columns",
                  grid.rows, grid.columns, grid.tile.height, grid.tile.width, grid.scale,
                  grid.scale));
}

// Values to greys, of zero to mid-grey.
std::vector<uint8_t> GreysOf(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  std::vector<uint8_t> greys(values.size(), 128);
  if (largest == 0) return greys;
  for (size_t i = 0; i < values.size(); ++i) {
    greys[i] = static_cast<uint8_t>(std::lround(127.5 + 127.5 * (values[i] / largest)));
  }
  return greys;
}

[[noreturn]] void ThrowNotAShape(const std::string& text) {
  throw Error(
      ErrorKind::kUsage,
      fmt::format("'{}' is not a shape: write for example 28x28, or 8x8x3 for colour", text));
}

int64_t ParseLength(const std::string& piece, const std::string& text) {
  int64_t length = 0;
  const char* const end = piece.data() + piece.size();
  const auto [stop, status] = std::from_chars(piece.data(), end, length);
  if (status != std::errc() || stop != end || length < 1) ThrowNotAShape(text);
  return length;
}

}  // namespace

PictureShape ParsePictureShape(const std::string& text) {
  const std::vector<std::string> pieces = Split(text, 'x');
  if (pieces.size() < 2 || pieces.size() > 3) ThrowNotAShape(text);
  PictureShape shape;
  shape.height = ParseLength(pieces[0], text);
  shape.width = ParseLength(pieces[1], text);
  if (pieces.size() == 3) shape.channels = ParseLength(pieces[2], text);
  if (shape.channels != 1 && shape.channels != 3) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("'{}': expected 1 channel, or 3 for colour, found {}", text, shape.channels));
  }
  return shape;
}

FeatureGrid PlanGrid(const FeaturesOptions& options, int64_t inputs, int64_t tiles) {
  if (options.scale < 0 || options.columns < 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--scale {} and --columns {}: neither may be negative", options.scale,
                            options.columns));
  }
  FeatureGrid grid = {.tile = ShapeFor(options, inputs), .planar = options.planar};
  const int64_t columns = options.columns > 0 ? options.columns : ChooseColumns(grid.tile, tiles);
  grid.columns = std::clamp<int64_t>(columns, 1, tiles);
  grid.rows = (tiles + grid.columns - 1) / grid.columns;
  const int64_t longer_side = std::max(grid.width(), grid.height());
  const double fitting = static_cast<double>(kGoodSide) / static_cast<double>(longer_side);
  grid.scale = options.scale > 0 ? options.scale : std::max<int64_t>(1, std::llround(fitting));
  CheckSize(grid);
  return grid;
}

Picture DrawGaps(const FeatureGrid& grid) {
  Picture picture = {.width = grid.width() * grid.scale,
                     .height = grid.height() * grid.scale,
                     .channels = grid.tile.channels,
                     .pixels = {}};
  picture.pixels.assign(static_cast<size_t>(picture.width * picture.height * picture.channels),
                        kGapGrey);
  return picture;
}

void DrawTile(const FeatureGrid& grid, int64_t tile, std::span<const double> values,
              Picture& picture) {
  const std::vector<uint8_t> greys = GreysOf(values);
  const int64_t top = (tile / grid.columns * (grid.tile.height + 1) + 1) * grid.scale;
  const int64_t left = (tile % grid.columns * (grid.tile.width + 1) + 1) * grid.scale;
  const int64_t channels = grid.tile.channels;
  const int64_t pixel_step = grid.planar ? 1 : channels;
  const int64_t channel_step = grid.planar ? grid.tile.height * grid.tile.width : 1;
  for (int64_t y = 0; y < grid.tile.height * grid.scale; ++y) {
    uint8_t* pixel = picture.pixels.data() + ((top + y) * picture.width + left) * channels;
    for (int64_t x = 0; x < grid.tile.width * grid.scale; ++x, pixel += channels) {
      const int64_t input = y / grid.scale * grid.tile.width + x / grid.scale;
      for (int64_t channel = 0; channel < channels; ++channel) {
        pixel[channel] = greys[static_cast<size_t>(input * pixel_step + channel * channel_step)];
      }
    }
  }
}

}  // namespace rhohat
