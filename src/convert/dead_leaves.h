// Pictures that have the statistics of photographs, at no cost: the dead-leaves model.
//
// Opaque discs fall on the plane, each of one grey, until all of it is covered; a picture is what
// is seen from above (Matheron 1968; Lee, Mumford, Huang: "Occlusion models for natural images",
// IJCV 2001). Radii have density ∝ r⁻³ between two limits, the one law that looks the same at every
// scale, so the picture's power falls about as f⁻², its derivatives have heavy tails, and it is
// made of what photographs are made of: edges where one thing hides another.
//
// Seen from above, the disc that fell last comes first. So discs are drawn front to back, a point
// takes the first disc that covers it, and nothing that is hidden is ever painted.
//
// Only discs that touch the patch are drawn. The centres of discs of radius r that touch an H×W
// patch fill the patch dilated by r, whose area is HW + 2(H+W)r + πr². Radius and centre therefore
// have the joint law
//
//   r⁻³ (HW + 2(H+W)r + πr²) dr,  centre uniform in the dilated patch,
//
// a mixture of three power laws, each with an inverse in closed form, and with a place of its own:
//
//   part      weight                     radius from a uniform u         centre
//   patch     HW (a⁻² − b⁻²) / 2         (a⁻² − u (a⁻² − b⁻²))^(−1/2)    uniform in the patch
//   sides     2(H+W) (a⁻¹ − b⁻¹)         (a⁻¹ − u (a⁻¹ − b⁻¹))⁻¹         in four strips of depth r
//   corners   π ln(b / a)                a (b / a)^u                     in four quarter discs
//
// with a and b the smallest and the largest radius. Nothing is rejected, and the patch has no
// border that could be told from its middle: it is a window on an endless picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/keyed_random.h"

namespace rhohat {

struct DeadLeavesOptions {
  int64_t height = 16;  // of the patch, in pixels, at most kMostPatchSide
  int64_t width = 16;
  double min_radius = 1;   // pixels; below about one they would be noise from pixel to pixel
  double max_radius = 64;  // pixels, above min_radius
  // Takes from each patch its mean and brings what is left to a standard contrast: see
  // DeadLeaves::Render().
  bool normalize = true;
};

constexpr int64_t kMostPatchSide = 1024;
constexpr double kLeastRadius = 0.25;  // finer than the samples of a pixel, nothing is seen
constexpr double kMostRadius = 1e6;

// The random numbers of a patch are those of index row × kDrawsPerRow and above, two for a disc.
constexpr uint64_t kDrawsPerRow = uint64_t{1} << 22;
constexpr uint64_t kMostDiscs = kDrawsPerRow / 2;
constexpr int64_t kMostDeadLeavesRows = int64_t{1} << 42;

// In pixels from the patch's upper left corner; pixel (i, j) is [j, j+1) × [i, i+1).
struct Disc {
  double x = 0;
  double y = 0;
  double radius = 0;
  float grey = 0;  // uniform in [0, 1)
};

// The law of discs that touch a patch. Thread-safe.
class DiscLaw {
 public:
  explicit DiscLaw(const DeadLeavesOptions& options);

  // Disc `number`, counted from the front, of the picture of `row`.
  Disc Draw(const KeyedRandom& random, uint64_t row, uint64_t number) const;

 private:
  void PlaceAtSide(double along, double depth, Disc& disc) const;
  void PlaceAtCorner(double turn, double area, Disc& disc) const;

  double height_;
  double width_;
  double min_radius_;
  double inverse_;         // a⁻¹
  double inverse_range_;   // a⁻¹ − b⁻¹
  double inverse2_;        // a⁻²
  double inverse2_range_;  // a⁻² − b⁻²
  double log_range_;       // ln(b / a)
  double patch_share_;     // of the discs: centre in the patch
  double side_share_;      // beyond a side
  double corner_share_;    // beyond a corner
};

// What is painted and what is still open; a pixel is kSamples × kSamples points. Kept from patch to
// patch by one thread, so that memory is allocated once.
class LeafCanvas {
 public:
  static constexpr int64_t kSamples = 4;

  LeafCanvas(int64_t height, int64_t width);
  static size_t MemoryBytes(int64_t height, int64_t width);

  void Clear();
  // Paints what is open under the disc, which must have been drawn after all those before it.
  void Paint(const Disc& disc);
  // Paints all that is open.
  void Fill(float grey);
  bool covered() const { return open_points_ == 0; }

  // The mean of each pixel's points.
  void Average(std::span<float> pixels) const;

 private:
  bool AnyOpen(int64_t row, int64_t begin, int64_t end) const;
  void PaintRow(int64_t row, int64_t begin, int64_t end, float grey);

  int64_t rows_;     // of points
  int64_t columns_;  // of points
  int64_t words_;    // of a row
  int64_t open_points_ = 0;
  std::vector<uint64_t> open_;  // rows × words: a bit is set while its point is open
  std::vector<float> points_;   // rows × columns
};

// One patch a row, a function of seed, row and options alone. Thread-safe.
class DeadLeaves {
 public:
  DeadLeaves(const DeadLeavesOptions& options, uint64_t seed);

  // Patch `row`, height × width values in [0.1, 0.9], where the outputs of a sigmoid decoder can
  // follow. `canvas` is of the patch's size; what is on it does not matter.
  //
  // As painted, greys are spread evenly from 0.1 to 0.9, with a mean of 0.5 over many patches. A
  // third to three fifths of their variance is then the brightness of whole patches, and a network
  // of 100 units was seen to spend half of them on it. So patches are normalised unless asked
  // otherwise, as the classic recipe for photographs has it: each patch's mean is taken away, what
  // is left is cut off at kMostContrast, about three standard deviations, and [-kMostContrast,
  // kMostContrast] becomes [0.1, 0.9]. Contrast is the same factor for all patches: a patch on one
  // disc stays flat.
  void Render(uint64_t row, LeafCanvas& canvas, std::span<float> pixels) const;

  static constexpr float kMostContrast = 0.6F;  // of greys in [0, 1)

 private:
  DeadLeavesOptions options_;
  DiscLaw law_;
  KeyedRandom random_;
};

}  // namespace rhohat
