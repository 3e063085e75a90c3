// Synthetic rows to HDF5: block after block is painted and written.
#include "rhohat/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/atomic_file.h"
#include "convert/synth_source.h"
#include "data/hdf5_writer.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// Rows painted and written at a time.
constexpr int64_t kBlockBytes = int64_t{4} << 20;

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
  if (options.output.empty()) faults.emplace_back("no output was given");
  if (options.dataset.find_first_not_of('/') == std::string::npos) {
    faults.emplace_back("--dataset: expected a name");
  }
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
  if (options.chunk_rows < 0) faults.emplace_back("--chunk-rows must not be negative");
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot synthesize: {}", fmt::join(faults, "; ")));
  }
}

void CheckOutput(const SynthOptions& options) {
  CheckCreatable(options.output);
  std::error_code ignored;
  if (!options.overwrite && fs::exists(options.output, ignored)) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: exists already; --overwrite replaces it", options.output));
  }
}

DeadLeavesOptions PatchOptions(const SynthOptions& options) {
  return {.height = options.patch_height,
          .width = options.patch_width,
          .min_radius = options.min_radius,
          .max_radius = MaxRadius(options),
          .normalize = !options.keep_brightness};
}

// Writes every row of `source`, whose type is the writer's. `output` is for messages.
void WriteAllRows(RowSource& source, Hdf5Writer& writer, const RunControl& control,
                  const std::string& output) {
  const int64_t block_rows =
      std::max<int64_t>(1, kBlockBytes / static_cast<int64_t>(source.MaxRawBytes(1)));
  RawRows raw;
  for (int64_t begin = 0; begin < source.rows(); begin += block_rows) {
    if (control.stop_requested()) {
      throw Stopped(fmt::format("stopped after {} of {} rows; {} was not written", begin,
                                source.rows(), output));
    }
    FetchAndUnpack(source, {begin, std::min(begin + block_rows, source.rows())}, raw);
    writer.Append(raw.bytes);
    if (control.observer != nullptr) control.observer->OnRows(raw.range.end, source.rows());
  }
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
  CheckOutput(options);
  SynthSource source(PatchOptions(options), static_cast<uint64_t>(options.seed), options.rows);
  Hdf5Writer writer(options.output, {.dataset = options.dataset,
                                     .type = source.type(),
                                     .rows = source.rows(),
                                     .columns = source.columns(),
                                     .chunk_rows = options.chunk_rows});
  WriteAllRows(source, writer, control, options.output);
  Describe(options, writer);
  writer.Commit();
  return {.rows = source.rows(),
          .columns = source.columns(),
          .bytes_written = fs::file_size(options.output)};
}

}  // namespace rhohat
