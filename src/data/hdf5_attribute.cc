#include "data/hdf5_attribute.h"

#include <hdf5.h>

#include <algorithm>

#include "data/hdf5_handle.h"
#include "data/hdf5_open.h"

namespace rhohat {
namespace {

constexpr size_t kMostTextBytes = 4096;

herr_t RefuseLink(const char* /*parent_file*/, const char* /*parent_group*/,
                  const char* /*child_file*/, const char* /*child_object*/, unsigned* /*access*/,
                  hid_t /*file_access*/, void* /*data*/) {
  return -1;
}

// Not valid where there is none. The file may be closed before it.
Hdf5Handle OpenAttribute(const std::string& file, const std::string& object,
                         const std::string& name) {
  const Hdf5Handle opened = OpenHdf5File(file);
  const Hdf5Handle access(H5Pcreate(H5P_LINK_ACCESS), H5Pclose);
  H5Pset_elink_cb(access.id(), RefuseLink, nullptr);
  const Hdf5Handle found(H5Oopen(opened.id(), object.c_str(), access.id()), H5Oclose);
  Hdf5Handle attribute;
  if (found.valid() && H5Aexists(found.id(), name.c_str()) > 0) {
    attribute = Hdf5Handle(H5Aopen(found.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
  }
  H5Eclear2(H5E_DEFAULT);
  return attribute;
}

}  // namespace

std::optional<std::string> ReadTextAttribute(const std::string& file, const std::string& object,
                                             const std::string& name) {
  const Hdf5Lock lock;
  const Hdf5Handle attribute = OpenAttribute(file, object, name);
  if (!attribute.valid()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  const size_t bytes = H5Tget_size(type.id());
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 || bytes == 0 ||
      bytes > kMostTextBytes || H5Sget_simple_extent_npoints(space.id()) != 1) {
    return std::nullopt;
  }
  std::string text(bytes, '\0');
  if (H5Aread(attribute.id(), type.id(), text.data()) < 0) {
    ThrowHdf5(file + ":" + object, "cannot read its attribute " + name);
  }
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

bool HasAttribute(const std::string& file, const std::string& object, const std::string& name) {
  const Hdf5Lock lock;
  return OpenAttribute(file, object, name).valid();
}

}  // namespace rhohat
