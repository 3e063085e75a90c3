// Which picture each random patch is cut from, and where: arithmetic only.
#pragma once

#include <cstdint>

#include "base/keyed_random.h"

namespace rhohat {

// `patches` rows, each a patch of height × width pixels of one of the pictures. Immutable, and so
// thread-safe.
class PatchPlan {
 public:
  struct Corner {
    int64_t y = 0;
    int64_t x = 0;
  };

  PatchPlan(int64_t patches, int64_t pictures, int64_t height, int64_t width, uint64_t seed);

  // ⌊row·pictures/patches⌋: all give the same number of patches, to within one.
  int64_t PictureOf(int64_t row) const;

  // The least row whose picture is beyond `picture`: ⌈(picture + 1)·patches/pictures⌉.
  int64_t FirstRowAfter(int64_t picture) const;

  // The most rows that are cut from one picture.
  int64_t MostRowsOfPicture() const;

  // The most pictures that `count` consecutive rows are cut from.
  int64_t MostPicturesOf(int64_t count) const;

  // Where the patch begins in a picture of this size, which is at least its own: uniform over all
  // places, a function of the seed and the row.
  Corner CornerOf(int64_t row, int64_t picture_height, int64_t picture_width) const;

 private:
  int64_t patches_;
  int64_t pictures_;
  int64_t height_;
  int64_t width_;
  KeyedRandom random_;
};

}  // namespace rhohat
