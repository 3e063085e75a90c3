// Which of an HDF5 file's number types we convert ourselves.
#pragma once

#include <hdf5.h>

#include <string>

#include "data/element_type.h"
#include "data/hdf5_handle.h"

namespace rhohat {

// How elements of a stored type are brought into memory.
struct MemoryType {
  ElementType element;  // what arrives in memory
  Hdf5Handle hdf5;      // the same as HDF5 sees it: the stored type itself wherever possible
};

// What a type that is not numbers is called: "strings". The caller holds an Hdf5Lock.
const char* NotNumbersName(hid_t type);

// Enumerations (h5py's booleans) count as their integers. Types of unusual widths, which few files
// have, are left to the library and arrive as float64 or 64-bit integers. Throws Error(kBadData),
// beginning with `where`, for what is not a number. The caller holds an Hdf5Lock.
MemoryType MemoryTypeOf(hid_t stored, const std::string& where);

// The stored type for a file of ours. The caller holds an Hdf5Lock.
hid_t Hdf5TypeOf(ElementType type);

}  // namespace rhohat
