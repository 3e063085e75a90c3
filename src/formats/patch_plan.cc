#include "formats/patch_plan.h"

#include <algorithm>

namespace rhohat {
namespace {

__extension__ using Wide = unsigned __int128;

Wide Product(int64_t a, int64_t b) { return static_cast<Wide>(a) * static_cast<Wide>(b); }

// Uniform in [0, n): the upper half of 64 random bits × n.
int64_t Below(int64_t n, uint64_t bits) {
  return static_cast<int64_t>((static_cast<Wide>(bits) * static_cast<Wide>(n)) >> 64);
}

}  // namespace

PatchPlan::PatchPlan(int64_t patches, int64_t pictures, int64_t height, int64_t width,
                     uint64_t seed)
    : patches_(patches),
      pictures_(pictures),
      height_(height),
      width_(width),
      random_(seed, RandomPurpose::kPatch) {}

int64_t PatchPlan::PictureOf(int64_t row) const {
  return static_cast<int64_t>(Product(row, pictures_) / static_cast<Wide>(patches_));
}

int64_t PatchPlan::FirstRowAfter(int64_t picture) const {
  const auto divisor = static_cast<Wide>(pictures_);
  return static_cast<int64_t>((Product(picture + 1, patches_) + divisor - 1) / divisor);
}

int64_t PatchPlan::MostRowsOfPicture() const { return (patches_ - 1) / pictures_ + 1; }

int64_t PatchPlan::MostPicturesOf(int64_t count) const {
  const int64_t rows = std::min(count, patches_);
  if (rows < 1) return 0;
  // Two rows that are d apart have pictures at most ⌊d·pictures/patches⌋ + 1 apart.
  const Wide apart = Product(rows - 1, pictures_) / static_cast<Wide>(patches_);
  return std::min({rows, pictures_, static_cast<int64_t>(apart) + 2});
}

PatchPlan::Corner PatchPlan::CornerOf(int64_t row, int64_t picture_height,
                                      int64_t picture_width) const {
  const uint64_t draw = 2 * static_cast<uint64_t>(row);
  return {.y = Below(picture_height - height_ + 1, random_.Bits(draw)),
          .x = Below(picture_width - width_ + 1, random_.Bits(draw + 1))};
}

}  // namespace rhohat
