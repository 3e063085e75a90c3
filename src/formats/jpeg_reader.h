// JPEG pictures, decoded with libjpeg(-turbo) as it does by default: the accurate integer transform
// and smooth upsampling, so that the samples are those of most other programs.
//
// Where the library would warn of damage and fill in what is missing, reading ends with an error.
#pragma once

#include <memory>

#include "formats/picture.h"

namespace rhohat {

// `input` stands at the first byte. Throws Error(kBadData).
std::unique_ptr<PictureDecoder> OpenJpeg(PictureInput& input, PictureColor color,
                                         const PictureLimits& limits);

}  // namespace rhohat
