// PNG pictures, decoded with libpng.
//
// Grey of 1, 2 or 4 bits a sample is stretched to 0…255; 16 bits stay 16 bits. A checksum that does
// not fit ends the reading, in chunks that are not needed too. Bytes after the end of the picture
// are not looked at.
#pragma once

#include <memory>

#include "formats/picture.h"

namespace rhohat {

// `input` stands at the signature. Throws Error(kBadData).
std::unique_ptr<PictureDecoder> OpenPng(PictureInput& input, PictureColor color,
                                        const PictureLimits& limits);

}  // namespace rhohat
