// What data sets an HDF5 file holds.
#pragma once

#include <string>
#include <vector>

namespace rhohat {

// A name and what it is, of each data set in an HDF5 file: "/images: 10000×28×28 float32".
struct Hdf5CatalogEntry {
  std::string path;
  std::string description;
  bool has_rows = false;     // numbers on two axes or more
  bool is_external = false;  // a link into another file; what is there is not known
};

// All data sets reached without leaving the file. Throws as Hdf5DataSet::Open does.
std::vector<Hdf5CatalogEntry> ListDataSets(const std::string& file);

// The data set to use where none was named: the only one with rows. Throws Error(kUsage) where
// there are several, Error(kBadData) where there is none.
std::string OnlyDataSet(const std::string& file, bool follow_external);

}  // namespace rhohat
