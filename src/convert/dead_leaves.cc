#include "convert/dead_leaves.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

namespace rhohat {
namespace {

constexpr int64_t kWordBits = 64;
constexpr float kDarkest = 0.1F;
constexpr float kBrightest = 0.9F;
constexpr float kRange = kBrightest - kDarkest;

// Samples up to `edge`, of those that lie at 0.5, 1.5, …, limit − 0.5.
int64_t SamplesUpTo(double edge, int64_t limit) {
  return static_cast<int64_t>(std::clamp(edge + 0.5, 0.0, static_cast<double>(limit)));
}

// Bits begin … end − 1 of a word, for 0 ≤ begin < end ≤ 64.
uint64_t BitsBetween(int64_t begin, int64_t end) {
  return (~uint64_t{0} >> (kWordBits - (end - begin))) << begin;
}

}  // namespace

DiscLaw::DiscLaw(const DeadLeavesOptions& options)
    : height_(static_cast<double>(options.height)),
      width_(static_cast<double>(options.width)),
      min_radius_(options.min_radius),
      inverse_(1 / options.min_radius),
      inverse_range_(inverse_ - 1 / options.max_radius),
      inverse2_(inverse_ * inverse_),
      inverse2_range_(inverse2_ - 1 / (options.max_radius * options.max_radius)),
      log_range_(std::log(options.max_radius / options.min_radius)) {
  const double patch = height_ * width_ * inverse2_range_ / 2;
  const double sides = 2 * (height_ + width_) * inverse_range_;
  const double corners = std::numbers::pi * log_range_;
  const double total = patch + sides + corners;
  patch_share_ = patch / total;
  side_share_ = sides / total;
  corner_share_ = corners / total;
}

Disc DiscLaw::Draw(const KeyedRandom& random, uint64_t row, uint64_t number) const {
  const uint64_t index = row * kDrawsPerRow + 2 * number;
  const uint64_t size_and_grey = random.Bits(index);
  const uint64_t place = random.Bits(index + 1);
  const double part = static_cast<double>(size_and_grey >> 24) * 0x1p-40;
  const double first = static_cast<double>(place >> 32) * 0x1p-32;
  const double second = static_cast<double>(place & 0xFFFFFFFF) * 0x1p-32;

  Disc disc;
  disc.grey = static_cast<float>(size_and_grey & 0xFFFFFF) * 0x1p-24F;
  if (part < patch_share_) {
    disc.radius = 1 / std::sqrt(inverse2_ - part / patch_share_ * inverse2_range_);
    disc.x = first * width_;
    disc.y = second * height_;
  } else if (part < patch_share_ + side_share_) {
    disc.radius = 1 / (inverse_ - (part - patch_share_) / side_share_ * inverse_range_);
    PlaceAtSide(first, second * disc.radius, disc);
  } else {
    const double u = (part - patch_share_ - side_share_) / corner_share_;
    disc.radius = min_radius_ * std::exp(u * log_range_);
    PlaceAtCorner(first, second, disc);
  }
  return disc;
}

// `along` runs from 0 to 1 over the upper, the lower, the left and the right side.
void DiscLaw::PlaceAtSide(double along, double depth, Disc& disc) const {
  const double at = along * 2 * (height_ + width_);
  if (at < 2 * width_) {
    const bool upper = at < width_;
    disc.x = upper ? at : at - width_;
    disc.y = upper ? -depth : height_ + depth;
  } else {
    const double down = at - 2 * width_;
    const bool left = down < height_;
    disc.x = left ? -depth : width_ + depth;
    disc.y = left ? down : down - height_;
  }
}

// A point uniform in a disc, whose quarters are then moved apart to the patch's corners.
void DiscLaw::PlaceAtCorner(double turn, double area, Disc& disc) const {
  const double distance = disc.radius * std::sqrt(area);
  const double dx = distance * std::cos(2 * std::numbers::pi * turn);
  const double dy = distance * std::sin(2 * std::numbers::pi * turn);
  disc.x = dx < 0 ? dx : width_ + dx;
  disc.y = dy < 0 ? dy : height_ + dy;
}

LeafCanvas::LeafCanvas(int64_t height, int64_t width)
    : rows_(height * kSamples),
      columns_(width * kSamples),
      words_((columns_ + kWordBits - 1) / kWordBits),
      open_(static_cast<size_t>(rows_ * words_)),
      points_(static_cast<size_t>(rows_ * columns_)) {}

size_t LeafCanvas::MemoryBytes(int64_t height, int64_t width) {
  const int64_t rows = height * kSamples;
  const int64_t columns = width * kSamples;
  const int64_t words = (columns + kWordBits - 1) / kWordBits;
  return static_cast<size_t>(rows * (words * 8 + columns * 4));
}

void LeafCanvas::Clear() {
  std::ranges::fill(open_, ~uint64_t{0});
  const int64_t used = columns_ - (words_ - 1) * kWordBits;
  for (int64_t row = 0; row < rows_; ++row) {
    open_[static_cast<size_t>((row + 1) * words_ - 1)] = BitsBetween(0, used);
  }
  open_points_ = rows_ * columns_;
}

void LeafCanvas::Paint(const Disc& disc) {
  const double x = disc.x * kSamples;
  const double y = disc.y * kSamples;
  const double radius = disc.radius * kSamples;
  const int64_t left = SamplesUpTo(x - radius, columns_);
  const int64_t right = SamplesUpTo(x + radius, columns_);
  const int64_t lower = SamplesUpTo(y + radius, rows_);
  for (int64_t row = SamplesUpTo(y - radius, rows_); row < lower; ++row) {
    // Most of a disc is hidden by those before it: that is found out before a root is taken.
    if (!AnyOpen(row, left, right)) continue;
    const double dy = static_cast<double>(row) + 0.5 - y;
    const double half = std::sqrt(std::max(0.0, radius * radius - dy * dy));
    PaintRow(row, SamplesUpTo(x - half, columns_), SamplesUpTo(x + half, columns_), disc.grey);
  }
}

bool LeafCanvas::AnyOpen(int64_t row, int64_t begin, int64_t end) const {
  const uint64_t* open = &open_[static_cast<size_t>(row * words_)];
  while (begin < end) {
    const int64_t word_begin = begin - begin % kWordBits;
    const int64_t stop = std::min(end, word_begin + kWordBits);
    if ((open[begin / kWordBits] & BitsBetween(begin - word_begin, stop - word_begin)) != 0) {
      return true;
    }
    begin = stop;
  }
  return false;
}

void LeafCanvas::PaintRow(int64_t row, int64_t begin, int64_t end, float grey) {
  uint64_t* open = &open_[static_cast<size_t>(row * words_)];
  float* points = &points_[static_cast<size_t>(row * columns_)];
  while (begin < end) {
    const int64_t word = begin / kWordBits;
    const int64_t word_begin = word * kWordBits;
    const int64_t stop = std::min(end, word_begin + kWordBits);
    uint64_t seen = open[word] & BitsBetween(begin - word_begin, stop - word_begin);
    open[word] &= ~seen;
    // A run of points at a time: what is seen of a row of a disc is mostly one or two.
    while (seen != 0) {
      const int first = std::countr_zero(seen);
      const int count = std::countr_one(seen >> first);
      std::fill_n(points + word_begin + first, count, grey);
      open_points_ -= count;
      seen &= ~BitsBetween(first, first + count);
    }
    begin = stop;
  }
}

void LeafCanvas::Fill(float grey) {
  for (int64_t row = 0; row < rows_; ++row) PaintRow(row, 0, columns_, grey);
}

void LeafCanvas::Average(std::span<float> pixels) const {
  const int64_t height = rows_ / kSamples;
  const int64_t width = columns_ / kSamples;
  for (int64_t i = 0; i < height; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      float sum = 0;
      for (int64_t point = 0; point < kSamples * kSamples; ++point) {
        const int64_t row = i * kSamples + point / kSamples;
        const int64_t column = j * kSamples + point % kSamples;
        sum += points_[static_cast<size_t>(row * columns_ + column)];
      }
      pixels[static_cast<size_t>(i * width + j)] = sum / (kSamples * kSamples);
    }
  }
}

DeadLeaves::DeadLeaves(const DeadLeavesOptions& options, uint64_t seed)
    : options_(options), law_(options), random_(seed, RandomPurpose::kDeadLeaves) {}

void DeadLeaves::Render(uint64_t row, LeafCanvas& canvas, std::span<float> pixels) const {
  canvas.Clear();
  for (uint64_t number = 0; number + 1 < kMostDiscs && !canvas.covered(); ++number) {
    canvas.Paint(law_.Draw(random_, row, number));
  }
  // All is covered with probability 1, if one waits long enough; what is not is the ground.
  if (!canvas.covered()) canvas.Fill(law_.Draw(random_, row, kMostDiscs - 1).grey);
  canvas.Average(pixels);

  if (!options_.normalize) {
    for (float& pixel : pixels) pixel = kDarkest + kRange * pixel;
    return;
  }
  const double sum = std::accumulate(pixels.begin(), pixels.end(), 0.0);
  const auto mean = static_cast<float>(sum / static_cast<double>(pixels.size()));
  for (float& pixel : pixels) {
    const float contrast = std::clamp((pixel - mean) / kMostContrast, -1.0F, 1.0F);
    pixel = (kDarkest + kBrightest) / 2 + contrast * (kRange / 2);
  }
}

}  // namespace rhohat
