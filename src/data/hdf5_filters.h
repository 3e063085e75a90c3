// Filters as the HDF5 library sees them: which ones a data set has, and those that it lacks,
// registered with it. Private to this layer.
#pragma once

#include <hdf5.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/chunk_filter.h"

namespace rhohat {

struct ListedFilter {
  int number = 0;
  std::string name;                   // as the file has it; ours where it has none; may be empty
  bool optional = false;              // skipped for chunks that it failed for
  std::optional<ChunkFilter> filter;  // nothing for filters that FilterPipeline does not have
};

// The filters of a data set's creation properties, in the order of writing. The caller holds an
// Hdf5Lock. Throws Error(kBadData) with the reason only.
std::vector<ListedFilter> ListFilters(hid_t creation);

// Appends filters to creation properties, for H5Dcreate. The caller holds an Hdf5Lock, and has
// registered the filters. Throws Error(kInternal) where the library does not take one.
void AddFilters(hid_t creation, std::span<const ChunkFilter> filters);

// Teaches the library LZF, Zstandard, LZ4 and Blosc (the last to read only), where it does not know
// them yet. A chunk that is to have more than 1 GiB is refused. Costs nothing from the second call
// on. The caller holds an Hdf5Lock.
void RegisterFilters();

// What H5Dread is to find in a chunk. The library does not check that filters gave it all of one:
// it reads on, beyond the memory that it has. As long as this exists, the filters registered here
// fail for anything shorter, and for anything much longer. For data sets with no more than one
// compressor; the library's own gzip cannot be replaced. The caller holds an Hdf5Lock.
class ExpectedChunk {
 public:
  explicit ExpectedChunk(size_t bytes);
  ~ExpectedChunk();
  ExpectedChunk(const ExpectedChunk&) = delete;
  ExpectedChunk& operator=(const ExpectedChunk&) = delete;

 private:
  size_t before_;
};

}  // namespace rhohat
