// Pictures as rows: one picture is one row, height × width × channels in C order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "formats/picture.h"

namespace rhohat {

struct PictureOptions {
  PictureColor color = PictureColor::kAsStored;
  PictureLimits limits;
};

// Row i is files[i]. Looks at every header first: all must have one shape. Pixels are decoded by
// Unpack(), which reads the files. Throws Error(kUsage) for no files, Error(kNoInput) or
// Error(kBadData).
std::unique_ptr<RowSource> OpenPictures(std::vector<std::string> files,
                                        const PictureOptions& options);

// What looking at the headers of pictures told, for sources of them.
struct PictureSurvey {
  size_t most_work_bytes = 0;
  uint64_t most_file_bytes = 0;

  // Takes in one more. Throws Error(kNoInput) or Error(kBadData).
  PictureShape LookAt(const std::string& path, PictureColor color, const PictureLimits& limits);
};

// Throws Error(kBadData) where a file is no longer what the survey saw.
void CheckUnchanged(const PictureShape& surveyed, const PictureDecoder& decoder,
                    const std::string& path);

// Memory of a list of paths.
size_t PathBytes(const std::vector<std::string>& paths);

}  // namespace rhohat
