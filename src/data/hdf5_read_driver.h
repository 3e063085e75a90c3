// How the HDF5 library reads files for us: a file driver of our own. Private to this layer.
//
// It takes no locks, which some cluster file systems refuse; does not go on behind the end of a
// file, where the library's own drivers make up zeros; does not gather metadata in a cache whose
// code believes what a damaged file says; and can note where raw data would be read instead of
// reading it.
#pragma once

#include <hdf5.h>

#include <cstddef>

#include "data/hdf5_handle.h"

namespace rhohat {

// What the driver saw of the last raw read.
struct RawRead {
  bool noting = false;  // else raw data is read as any other
  int reads = 0;
  haddr_t offset = 0;
  size_t bytes = 0;
};

// File access properties for H5Fopen. `raw_read` may be null; else it must outlive the file. The
// caller holds an Hdf5Lock.
Hdf5Handle ReadAccess(RawRead* raw_read = nullptr);

}  // namespace rhohat
