// MATLAB files of version 7.3: HDF5 with a header of MATLAB's before it, and the axes reversed.
//
// An array of a×b×c is a data set of shape c×b×a, so that elements lie in MATLAB's order, column
// after column, however they are chunked. They go to a temporary file in that order, chunk by
// chunk, in memory that depends on neither. What an array is, the attribute MATLAB_class says.
#pragma once

#include <memory>
#include <string>

#include "data/row_source.h"

namespace rhohat {

// As OpenMatlab (matlab_source.h), for files of this version.
std::unique_ptr<RowSource> OpenMatlabHdf5(const std::string& path, const std::string& variable,
                                          const std::string& spool_folder);

}  // namespace rhohat
