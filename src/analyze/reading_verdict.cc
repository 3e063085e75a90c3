#include "analyze/reading_verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/units.h"
#include "data/data_set.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"
#include "sweep/row_pass.h"

namespace rhohat {
namespace {

constexpr double kMebibyte = 1 << 20;

// Chunks below this cost more to find than to read; a thousand of them are noticed.
constexpr double kTinyChunkBytes = 1 << 14;
constexpr double kManyChunks = 1000;

double RowBytes(const Hdf5DataSetInfo& info) {
  return static_cast<double>(info.columns) * static_cast<double>(ElementBytes(info.element));
}

double Overhang(const Hdf5DataSetInfo& info) {
  if (info.chunk.empty()) return 1;
  // Without filters rows of a chunk are read on their own, so that only columns reach over.
  double stored = 1;
  for (size_t axis = info.filters.empty() ? 1 : 0; axis < info.chunk.size(); ++axis) {
    stored *= static_cast<double>(info.ChunksAlong(axis)) * static_cast<double>(info.chunk[axis]) /
              static_cast<double>(info.shape[axis]);
  }
  return stored;
}

std::string Size(double bytes) { return FormatBytes(static_cast<uint64_t>(bytes)); }

void RemarkOnChunks(const Hdf5DataSetInfo& info, ReadingVerdict& verdict) {
  const auto chunk = static_cast<double>(info.ChunkBytes());
  const auto chunks_in_row = static_cast<double>(info.ChunksInRow());
  const double band = chunk * chunks_in_row;
  const double chunks = chunks_in_row * static_cast<double>(info.ChunksAlong(0));
  if (verdict.bytes_per_byte_used > 1.5) {
    verdict.remarks.push_back(
        fmt::format("chunks reach over the edge of the data: {:.1f} bytes are read for one that is "
                    "used",
                    verdict.bytes_per_byte_used));
  }
  if (!info.filters.empty() && band > 64 * kMebibyte) {
    verdict.remarks.push_back(
        fmt::format("chunks are large: {} must be unpacked at once, and about {} held", Size(band),
                    Size(3 * band)));
  }
  if (chunk < kTinyChunkBytes && chunks >= kManyChunks) {
    verdict.remarks.push_back(fmt::format(
        "chunks are tiny: {:.0f} of {}, each found and fetched on its own", chunks, Size(chunk)));
  }
  if (chunks_in_row > 1 && info.chunk[0] > 1) {
    verdict.remarks.push_back(
        fmt::format("chunks cut through the columns: each row is put together from {:.0f} of them",
                    chunks_in_row));
  }
}

// The command that makes a copy which reads well, compressed if the original was.
std::string AdviceFor(const Hdf5DataSetInfo& info, const DataOptions& options) {
  const auto has = [&](const char* filter) {
    return std::ranges::find(info.filters, filter) != info.filters.end();
  };
  const bool compressed =
      static_cast<double>(info.stored_bytes) < RowBytes(info) * static_cast<double>(info.rows) / 2;
  return fmt::format("rhohat convert {} OUT.h5 --array {}{}{}{}", info.file, info.dataset,
                     options.follow_external ? " --follow-external" : "",
                     compressed ? " --compress gzip:1" : "",
                     compressed && has("shuffle") ? " --shuffle-bytes" : "");
}

}  // namespace

ReadingVerdict JudgeReading(const Hdf5DataSetInfo& info, const DataOptions& options) {
  ReadingVerdict verdict;
  verdict.bytes_per_byte_used = Overhang(info);
  verdict.library_reason = info.library_reason;
  if (options.reader == Reader::kLibrary && info.library_reason.empty()) {
    verdict.library_reason = "--reader library asks for it";
  }
  verdict.direct = verdict.library_reason.empty();
  if (!info.library_reason.empty()) {
    verdict.remarks.push_back(
        fmt::format("only the HDF5 library can read it, on one thread: {}", info.library_reason));
  }
  if (!info.chunk.empty()) RemarkOnChunks(info, verdict);
  const bool slow = !verdict.remarks.empty();
  const bool checked = std::ranges::find(info.filters, "fletcher32") != info.filters.end();
  const bool noticed = checked || std::ranges::any_of(info.filters, [](const std::string& name) {
                         return name.starts_with("gzip");
                       });
  if (!noticed) {
    verdict.remarks.emplace_back("no checksums: a damaged block of the disk would go unnoticed");
  }
  if (info.element.kind == ElementKind::kFloat64) {
    verdict.remarks.emplace_back(
        "float64: --dtype float32 would halve what is read, and is what training computes in "
        "unless told otherwise");
  }
  if (slow) {
    verdict.advice = AdviceFor(info, options);
  }
  return verdict;
}

double MeasureReading(const Hdf5DataSetInfo& info, const DataOptions& options,
                      const ResourceOptions& resource_options) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kLeast = std::chrono::milliseconds(200);
  constexpr auto kMost = std::chrono::milliseconds(500);
  DataOptions only = options;
  only.files = {info.file};
  only.dataset = info.dataset;
  DataSet data(only);
  const ResolvedResources resources = Resolve(resource_options);
  const auto block_rows =
      std::max<int64_t>(1, static_cast<int64_t>(kMebibyte / std::max(1.0, RowBytes(info))));
  MemoryPlanner planner(data, resources, block_rows);
  const MemoryPlan plan = planner.Finish();
  Executor executor(plan.threads);
  std::atomic<bool> stop = false;
  std::atomic<int64_t> rows = 0;
  RowPass pass(data, executor,
               {.block_rows = block_rows, .blocks_ahead = plan.blocks_ahead, .stop = &stop});
  const Clock::time_point start = Clock::now();
  try {
    while (Clock::now() - start < kLeast) {
      pass.Run([&](const RawBlock& block) {
        rows += block.rows->range.size();
        if (Clock::now() - start > kMost) stop = true;
      });
    }
  } catch (const Stopped&) {  // enough
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return static_cast<double>(rows) * RowBytes(info) / seconds;
}

}  // namespace rhohat
