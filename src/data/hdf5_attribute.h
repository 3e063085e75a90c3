// Attributes of the objects in an HDF5 file: what other programs note beside their numbers.
#pragma once

#include <optional>
#include <string>

namespace rhohat {

// The text of the attribute `name` of the data set or group at the path `object`; nothing where
// there is no such object in the file, or no such attribute of fixed length. Throws as
// Hdf5DataSet::Open does where the file cannot be opened.
std::optional<std::string> ReadTextAttribute(const std::string& file, const std::string& object,
                                             const std::string& name);

// Whether there is such an attribute, of whatever type.
bool HasAttribute(const std::string& file, const std::string& object, const std::string& name);

}  // namespace rhohat
