// How fast a data set can be swept, why it may be slow, and what would help: in lines for a person.
#pragma once

#include <string>
#include <vector>

#include "data/hdf5_dataset_info.h"
#include "rhohat/options.h"

namespace rhohat {

struct ReadingVerdict {
  // Bytes that must be unpacked for one byte that is used: chunks are stored whole, also where they
  // reach over the edge of the data.
  double bytes_per_byte_used = 1;
  bool direct = false;               // past the HDF5 library
  std::string library_reason;        // why not
  std::vector<std::string> remarks;  // what makes reading slow or unsafe, worst first
  std::string advice;                // the command that would mend it, or empty
};

// Of `options` the files are not looked at.
ReadingVerdict JudgeReading(const Hdf5DataSetInfo& info, const DataOptions& options);

// Reads rows from the start, for half a second at most. Returns bytes of rows, as
// they are once unpacked, per second. Throws Error.
double MeasureReading(const Hdf5DataSetInfo& info, const DataOptions& options,
                      const ResourceOptions& resource_options);

}  // namespace rhohat
