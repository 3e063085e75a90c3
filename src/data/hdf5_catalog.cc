#include "data/hdf5_catalog.h"

#include <fmt/core.h>
#include <hdf5.h>

#include <utility>

#include "base/text.h"
#include "data/hdf5_handle.h"
#include "data/hdf5_open.h"
#include "data/hdf5_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

struct CatalogVisit {
  std::vector<Hdf5CatalogEntry> entries;
};

std::string ShapeText(hid_t space) {
  const int axes = H5Sget_simple_extent_ndims(space);
  if (axes <= 0) return "one value";
  std::vector<hsize_t> shape(static_cast<size_t>(axes));
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  std::string text;
  for (const hsize_t length : shape) text += (text.empty() ? "" : "×") + std::to_string(length);
  return text;
}

Hdf5CatalogEntry DescribeDataSet(hid_t dataset, const std::string& path) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  Hdf5CatalogEntry entry{.path = path, .description = path + ": " + ShapeText(space.id())};
  try {
    const MemoryType memory = MemoryTypeOf(type.id(), path);
    entry.description += " " + ElementName(memory.element);
    entry.has_rows = H5Sget_simple_extent_ndims(space.id()) >= 2;
  } catch (const Error&) {
    // Numbers of a type that cannot be read are told of where they are asked for.
    const H5T_class_t type_class = H5Tget_class(type.id());
    const bool numbers = type_class == H5T_INTEGER || type_class == H5T_FLOAT;
    entry.description +=
        numbers ? " of unusual numbers"
                : std::string(" of ") +
                      NotNumbersName(
                          type.id());  // not an error: there is just nothing here to train on
  }
  return entry;
}

herr_t VisitObject(hid_t root, const char* name, const H5O_info_t* object, void* data) {
  if (object->type != H5O_TYPE_DATASET) return 0;
  const Hdf5Handle dataset(H5Dopen2(root, name, H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) return 0;
  static_cast<CatalogVisit*>(data)->entries.push_back(
      DescribeDataSet(dataset.id(), std::string("/") + name));
  return 0;
}

herr_t VisitLink(hid_t root, const char* name, const H5L_info_t* link, void* data) {
  if (link->type != H5L_TYPE_EXTERNAL) return 0;
  std::vector<char> value(link->u.val_size);
  const char* file = nullptr;
  if (H5Lget_val(root, name, value.data(), value.size(), H5P_DEFAULT) < 0 ||
      H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, nullptr) < 0) {
    return 0;
  }
  const std::string path = std::string("/") + name;
  static_cast<CatalogVisit*>(data)->entries.push_back(
      {.path = path,
       .description = fmt::format("{}: a link into another file ('{}')", path, file),
       .is_external = true});
  return 0;
}

}  // namespace

std::vector<Hdf5CatalogEntry> ListDataSets(const std::string& file) {
  const Hdf5Lock lock;
  const Hdf5Handle opened = OpenHdf5File(file);
  CatalogVisit visit;
  if (H5Ovisit2(opened.id(), H5_INDEX_NAME, H5_ITER_INC, VisitObject, &visit, H5O_INFO_BASIC) < 0 ||
      H5Lvisit(opened.id(), H5_INDEX_NAME, H5_ITER_INC, VisitLink, &visit) < 0) {
    ThrowHdf5(file, "cannot list its data sets");
  }
  return std::move(visit.entries);
}

std::string OnlyDataSet(const std::string& file, bool follow_external) {
  std::vector<std::string> with_rows;
  std::vector<std::string> all;
  bool leads_out = false;
  for (const Hdf5CatalogEntry& entry : ListDataSets(file)) {
    if (entry.has_rows || (entry.is_external && follow_external)) with_rows.push_back(entry.path);
    leads_out |= entry.is_external && !follow_external;
    all.push_back(entry.description);
  }
  if (with_rows.size() == 1) return with_rows.front();
  if (with_rows.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: holds no data set of numbers on two axes or more{}{}", file,
                            all.empty() ? "" : ", only ", JoinNames(all)) +
                    (leads_out ? "; pass --follow-external to allow other files" : ""));
  }
  throw Error(ErrorKind::kUsage, fmt::format("{}: holds several data sets: choose one with "
                                             "--dataset, or --array where it is converted: {}",
                                             file, JoinNames(with_rows)));
}

}  // namespace rhohat
