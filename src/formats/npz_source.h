// NumPy's .npz: a zip archive with one .npy file for each array, as numpy.savez and
// numpy.savez_compressed write it.
#pragma once

#include <memory>
#include <string>

#include "data/row_source.h"
#include "formats/zip_stream.h"

namespace rhohat {

// The rows of one array of the archive at `path`. `array` is its name, with or without ".npy"; if
// empty, the archive must hold just one array that is rows of numbers. `spool_folder` as for
// OpenNpy(). Throws Error(kNoInput) where there is no such file; Error(kBadData) where it is no
// archive of arrays or is damaged; and, with a list of the arrays there are, Error(kNoInput) where
// there is no such array, Error(kUsage) where there are several to choose from, Error(kBadData)
// where none is rows.
std::unique_ptr<RowSource> OpenNpz(const std::string& path, const std::string& array,
                                   const std::string& spool_folder = "");

}  // namespace rhohat
