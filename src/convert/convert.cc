// Other formats to HDF5: looks at every input first, so that what cannot work fails before anything
// is written, then copies block after block.
#include "rhohat/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "convert/encode_elements.h"
#include "convert/joined_rows.h"
#include "convert/open_rows.h"
#include "convert/row_view.h"
#include "convert/write_rows.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void Validate(const ConvertOptions& options) {
  std::vector<std::string> faults;
  if (options.inputs.empty()) faults.emplace_back("no input was given");
  if (options.output.path.empty()) faults.emplace_back("no output was given");
  if (!std::isfinite(options.scale)) faults.emplace_back("--scale must be a finite number");
  if (options.output.chunk_rows < 0) faults.emplace_back("--chunk-rows must not be negative");
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
  CheckOutput(options.output, options.inputs);
  JoinedRows source(options.inputs, [&](size_t i) { return OpenRows(options.inputs[i]); });
  const ElementKind kind = OutputKind(options, source);
  const uint64_t written = WriteRows(
      source, {.type = kind, .scale = options.scale, .clip = options.clip}, options.output,
      options.resources, control, [&](Hdf5Writer& writer) {
        if (options.scale != 0) writer.SetAttribute("scale", fmt::format("{}", options.scale));
      });
  return {.rows = source.rows(),
          .columns = source.columns(),
          .type = ElementName({kind, false}),
          .bytes_read = source.bytes_read(),
          .bytes_written = written};
}

}  // namespace rhohat
