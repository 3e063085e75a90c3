// Opening HDF5 files for reading: private to this layer.
#pragma once

#include <hdf5.h>

#include <string>

#include "data/hdf5_handle.h"

namespace rhohat {

// Opens read-only and without file locks, which some cluster file systems refuse. Throws
// Error(kNoInput) where it does not exist or may not be read, Error(kBadData) where it is not HDF5
// or is cut short. The caller holds an Hdf5Lock.
Hdf5Handle OpenHdf5File(const std::string& file);

// Throws Error(kBadData) where the data set `id` keeps its rows in other files and
// `follow_external` is false, or where a source of a virtual data set is missing (the library would
// read zeros). The caller holds an Hdf5Lock.
void CheckStaysInFile(hid_t id, const std::string& file, const std::string& where,
                      bool follow_external);

}  // namespace rhohat
