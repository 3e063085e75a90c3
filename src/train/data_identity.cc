#include "train/data_identity.h"

namespace rhohat {

DataIdentity IdentityOf(const DataSet& data) {
  DataIdentity identity{.files = {}, .rows = data.rows(), .columns = data.columns()};
  for (const Hdf5DataSetInfo& info : data.files()) {
    identity.files.push_back(
        {info.file, info.dataset, ElementName(info.element), info.rows, info.file_bytes});
  }
  return identity;
}

}  // namespace rhohat
