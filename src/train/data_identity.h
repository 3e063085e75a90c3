// What a model remembers of the data it was trained on.
#pragma once

#include "data/data_set.h"
#include "rhohat/model.h"

namespace rhohat {

DataIdentity IdentityOf(const DataSet& data);

}  // namespace rhohat
