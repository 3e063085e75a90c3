// Other formats to HDF5: looks at every input first, so that what cannot work fails before anything
// is written, then makes one pass over all of them.
#include "rhohat/convert.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "convert/open_inputs.h"
#include "convert/write_rows.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void Validate(const ConvertOptions& options) {
  std::vector<std::string> faults;
  if (options.inputs.empty()) faults.emplace_back("no input was given");
  AddOutputFaults(options.output, faults);
  if (!std::isfinite(options.scale)) faults.emplace_back("--scale must be a finite number");
  if (!options.dtype.empty() && ParseElementType(options.dtype).big_endian) {
    faults.push_back(
        fmt::format("--dtype {}: outputs are little-endian; leave out -be", options.dtype));
  }
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot convert: {}", fmt::join(faults, "; ")));
  }
}

ElementKind OutputKind(const ConvertOptions& options, const RowSource& source) {
  if (!options.dtype.empty()) return ParseElementType(options.dtype).kind;
  return options.scale != 0 ? ElementKind::kFloat32 : source.type().kind;
}

}  // namespace

ConvertResult Convert(const ConvertOptions& options, const RunControl& control) {
  Validate(options);
  const std::vector<std::string> files = ExpandInputs(options.inputs);
  CheckOutput(options.output, files);
  const std::filesystem::path folder = FollowLinks(options.output.path).parent_path();
  const std::unique_ptr<RowSource> source =
      OpenInputs(files, options, folder.empty() ? "." : folder.string());
  const ElementKind kind = OutputKind(options, *source);
  const uint64_t written =
      WriteRows(*source, {.type = kind, .scale = options.scale, .clip = options.clip},
                options.output, options.resources, control, [&](Hdf5Writer& writer) {
                  if (options.scale != 0)
                    writer.SetAttribute("scale", fmt::format("{}", options.scale));
                });
  // At the end: an error stands alone.
  const std::string remark = source->Remark();
  if (!remark.empty() && control.observer != nullptr) control.observer->OnNote(remark);
  return {.rows = source->rows(),
          .columns = source->columns(),
          .type = ElementName({kind, false}),
          .bytes_read = source->bytes_read(),
          .bytes_written = written};
}

}  // namespace rhohat
