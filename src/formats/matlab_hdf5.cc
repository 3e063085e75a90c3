#include "formats/matlab_hdf5.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "data/hdf5_attribute.h"
#include "data/hdf5_blocks.h"
#include "data/hdf5_catalog.h"
#include "data/hdf5_dataset.h"
#include "formats/matlab_array.h"
#include "formats/spool_file.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kBlockBytes = size_t{32} << 20;
constexpr char kClassAttribute[] = "MATLAB_class";

constexpr std::array<std::string_view, 11> kNumberClasses = {"double", "single", "int8",   "uint8",
                                                             "int16",  "uint16", "int32",  "uint32",
                                                             "int64",  "uint64", "logical"};

bool IsNumberClass(const std::optional<std::string>& name) {
  // Without the attribute, another program wrote the data set.
  return !name || std::ranges::find(kNumberClasses, *name) != kNumberClasses.end();
}

// A data set of the file's root.
MatlabArray Describe(const std::string& path, const Hdf5CatalogEntry& entry) {
  MatlabArray array{.name = entry.path.substr(1)};
  const std::optional<std::string> class_name =
      ReadTextAttribute(path, entry.path, kClassAttribute);
  array.kind = PrintableName(class_name.value_or("numbers"));
  if (!IsNumberClass(class_name) || entry.is_external) return array;
  if (HasAttribute(path, entry.path, "MATLAB_empty")) {
    array.kind = "empty " + array.kind;
  } else if (!entry.has_rows) {
    // A number of two parts is no number to the layer below.
    array.kind += ", complex or of one axis";
  } else {
    try {
      array.shape = Hdf5DataSet::Open(path, entry.path, false).info().shape;
      std::ranges::reverse(array.shape);
      array.is_numbers = true;
    } catch (const Error& error) {
      // Another array may be meant; where this one is, its name brings the reason.
      if (error.kind() != ErrorKind::kBadData) throw;
      array.kind += ", damaged";
    }
  }
  return array;
}

std::vector<MatlabArray> ListArrays(const std::string& path) {
  std::vector<MatlabArray> arrays;
  for (const Hdf5CatalogEntry& entry : ListDataSets(path)) {
    // Below the root are fields of structs, and behind '#' the content of cells.
    const bool is_variable = entry.path.rfind('/') == 0 && !entry.path.starts_with("/#");
    if (is_variable) arrays.push_back(Describe(path, entry));
  }
  return arrays;
}

// Structs and sparse matrices are groups, which the catalog does not list.
void AddGroup(const std::string& path, const std::string& variable,
              std::vector<MatlabArray>& arrays) {
  if (variable.empty() || std::ranges::count(arrays, variable, &MatlabArray::name) > 0) return;
  const std::optional<std::string> class_name =
      ReadTextAttribute(path, "/" + variable, kClassAttribute);
  if (!class_name) return;
  const bool is_sparse = HasAttribute(path, "/" + variable, "MATLAB_sparse");
  arrays.push_back(
      {.name = variable, .kind = (is_sparse ? "sparse " : "") + PrintableName(*class_name)});
}

}  // namespace

std::unique_ptr<RowSource> OpenMatlabHdf5(const std::string& path, const std::string& variable,
                                          const std::string& spool_folder) {
  std::vector<MatlabArray> arrays = ListArrays(path);
  AddGroup(path, variable, arrays);
  const MatlabArray& chosen = ChooseArray(path, variable, arrays);
  const Hdf5DataSetInfo info = Hdf5DataSet::Open(path, "/" + chosen.name, false).info();
  CheckIsStored(info);
  const size_t element_bytes = ElementBytes(info.element);
  const int64_t elements = CheckedProduct(info.rows, info.columns, info.where());
  SpoolFile spool(spool_folder, static_cast<uint64_t>(elements) * element_bytes);
  ReadByBlocks(info, kBlockBytes, [&](int64_t first, std::span<const std::byte> run) {
    spool.WriteAt(static_cast<uint64_t>(first) * element_bytes, run);
  });
  return MatlabRows(spool.Finish(fmt::format("{}:{}", path, PrintableName(chosen.name))), 0,
                    info.element, {info.shape.rbegin(), info.shape.rend()});
}

}  // namespace rhohat
