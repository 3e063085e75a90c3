// Random patches of pictures as rows: height × width × channels of each patch in C order.
//
// Row i is cut from picture ⌊i·M/count⌋ of the M pictures, so all give the same number of patches,
// to within one, and pictures are decoded one after another. Where it is cut is a function of the
// seed and i alone, so neither blocks nor threads change the rows.
//
// A decoded picture is a parcel that the blocks cut from it share; it is decoded once a pass. So
// memory is that of as many pictures as the blocks in hand can touch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "formats/picture.h"

namespace rhohat {

struct PatchOptions {
  int64_t height = 8;
  int64_t width = 8;
  int64_t count = 0;  // in all; at least 1. With fewer than there are pictures some give none
  uint64_t seed = 1;
  PictureColor color = PictureColor::kAsStored;
  PictureLimits limits;
};

// Looks at every header first: pictures may differ in size but not in channels and type, and none
// may be smaller than a patch. Throws Error(kUsage), Error(kNoInput) or Error(kBadData).
std::unique_ptr<RowSource> OpenPatches(std::vector<std::string> files, const PatchOptions& options);

}  // namespace rhohat
