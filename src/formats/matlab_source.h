// MATLAB's .mat files, of versions 5 (saved with -v6 or -v7) and 7.3, which is HDF5.
//
// The first axis counts rows, the others are flattened to columns, so that the result is that of
// scipy.io.loadmat(file)[name].reshape(rows, -1), type included. MATLAB stores column after column:
// an array of version 5 that is not compressed is read where it lies; any other is unpacked to a
// temporary file first, once, while it is opened. Version 4 is refused: its files have no mark
// that they could be told by.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "data/row_source.h"

namespace rhohat {

// Whether a file that starts with these bytes, 19 or more, means to be MATLAB's.
bool LooksLikeMatlab(std::span<const std::byte> first_bytes);

// The rows of the array named `variable`, or of the only real array with two axes longer than one
// where that is empty. What must be unpacked goes to `spool_folder`. Throws Error(kNoInput) where
// there is no such file or array, Error(kUsage) where a name is needed, Error(kBadData) where the
// file is damaged or the array is not rows of real numbers, Error(kIo) where the folder is full.
std::unique_ptr<RowSource> OpenMatlab(const std::string& path, const std::string& variable,
                                      const std::string& spool_folder);

}  // namespace rhohat
