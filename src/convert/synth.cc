// Synthetic rows to HDF5, painted by all threads.
#include "rhohat/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "convert/synth_source.h"
#include "convert/write_rows.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Where no largest radius is given: large enough that some patches lie on one disc.
double MaxRadius(const SynthOptions& options) {
  if (options.max_radius != 0) return options.max_radius;
  return 4 * static_cast<double>(std::max(options.patch_height, options.patch_width));
}

void AddRadiusFaults(const SynthOptions& options, std::vector<std::string>& faults) {
  // Written so that NaN is a fault.
  if (!(options.min_radius >= kLeastRadius && options.min_radius <= kMostRadius)) {
    faults.push_back(fmt::format("--min-radius: expected {} to {:.0f} pixels, found {}",
                                 kLeastRadius, kMostRadius, options.min_radius));
  } else if (!(MaxRadius(options) > options.min_radius && MaxRadius(options) <= kMostRadius)) {
    faults.push_back(
        fmt::format("--max-radius: expected more than --min-radius, {}, and at most "
                    "{:.0f} pixels, found {}",
                    options.min_radius, kMostRadius, MaxRadius(options)));
  }
}

void Validate(const SynthOptions& options) {
  std::vector<std::string> faults;
  AddOutputFaults(options.output, faults);
  if (options.rows < 1 || options.rows > kMostDeadLeavesRows) {
    faults.push_back(
        fmt::format("--rows: expected 1 to {}, found {}", kMostDeadLeavesRows, options.rows));
  }
  const auto [shorter, longer] = std::minmax(options.patch_height, options.patch_width);
  if (shorter < 1 || longer > kMostPatchSide) {
    faults.push_back(fmt::format("--patch: expected sides of 1 to {} pixels, found {}x{}",
                                 kMostPatchSide, options.patch_height, options.patch_width));
  }
  AddRadiusFaults(options, faults);
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot synthesize: {}", fmt::join(faults, "; ")));
  }
}

DeadLeavesOptions PatchOptions(const SynthOptions& options) {
  return {.height = options.patch_height,
          .width = options.patch_width,
          .min_radius = options.min_radius,
          .max_radius = MaxRadius(options),
          .normalize = !options.keep_brightness};
}

// All that the rows depend on, for whoever finds the file.
void Describe(const SynthOptions& options, Hdf5Writer& writer) {
  writer.SetAttribute("synth", fmt::format("dead leaves, patch {}x{}, seed {}, radii {} to {}{}",
                                           options.patch_height, options.patch_width, options.seed,
                                           options.min_radius, MaxRadius(options),
                                           options.keep_brightness ? ", brightness kept" : ""));
}

}  // namespace

SynthResult Synthesize(const SynthOptions& options, const RunControl& control) {
  Validate(options);
  CheckOutput(options.output, {});
  SynthSource source(PatchOptions(options), static_cast<uint64_t>(options.seed), options.rows);
  const uint64_t written =
      WriteRows(source, {.type = source.type().kind}, options.output, options.resources, control,
                [&](Hdf5Writer& writer) { Describe(options, writer); });
  return {.rows = source.rows(), .columns = source.columns(), .bytes_written = written};
}

}  // namespace rhohat
