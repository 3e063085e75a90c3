#include "data/hdf5_filters.h"
#include "rhohat/error.h"
namespace rhohat {
void AddFilters(hid_t properties, const std::vector<ChunkFilter>& filters) {
  for (const ChunkFilter& filter : filters) {
    if (H5Pset_filter(properties, NumberOf(filter.kind), H5Z_FLAG_OPTIONAL, filter.values.size(), filter.values.data()) < 0)
      throw Error(ErrorKind::kInternal, "filter");
  }
}
}
