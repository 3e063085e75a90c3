#include "convert/write_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/units.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"
#include "sweep/row_pass.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// A block is some whole chunks of the output: at least this much, so that tiny chunks do not cost
// a task each, and as many rows as the source likes to unpack together.
constexpr int64_t kBlockBytes = int64_t{1} << 20;
constexpr int64_t kMostBlockBytes = int64_t{64} << 20;
// Each chunk in hand takes some memory beside its bytes.
constexpr int64_t kMostChunksInBlock = 4096;

struct Codec {
  std::string_view name;
  FilterKind kind;
  int least_level;
  int most_level;  // 0: has no levels
  int level;       // where none is given
};

constexpr std::array<Codec, 3> kCodecs = {{
    {"gzip", FilterKind::kGzip, 1, 9, 1},
    {"zstd", FilterKind::kZstd, 1, 22, 3},
    {"lz4", FilterKind::kLz4, 0, 0, 0},
}};

[[noreturn]] void ThrowUnknownCompression(std::string_view found) {
  throw Error(ErrorKind::kUsage,
              fmt::format("--compress: expected none, gzip, gzip:1 to gzip:9, zstd, zstd:1 to "
                          "zstd:22 or lz4, found '{}'",
                          found));
}

void SetCompression(std::string_view text, Hdf5WriterOptions& options) {
  if (text == "none") return;
  const std::string_view name = text.substr(0, text.find(':'));
  const auto codec = std::ranges::find(kCodecs, name, &Codec::name);
  if (codec == kCodecs.end()) ThrowUnknownCompression(text);
  options.compression = codec->kind;
  options.level = codec->level;
  if (name.size() == text.size()) return;
  const std::string_view level = text.substr(name.size() + 1);
  const auto [end, status] =
      std::from_chars(level.data(), level.data() + level.size(), options.level);
  if (status != std::errc() || end != level.data() + level.size() || codec->most_level == 0 ||
      options.level < codec->least_level || options.level > codec->most_level) {
    ThrowUnknownCompression(text);
  }
}

int64_t ChunksInBlock(const RowSource& source, int64_t chunk_rows, int64_t row_bytes) {
  const int64_t wanted_rows = std::max(source.ParcelRows(), kBlockBytes / row_bytes);
  const int64_t most_rows = std::max<int64_t>(1, kMostBlockBytes / row_bytes);
  return std::clamp<int64_t>(std::min(wanted_rows, most_rows) / chunk_rows, 1, kMostChunksInBlock);
}

class Writing {
 public:
  Writing(RowSource& source, const RowEncoding& encoding, const OutputOptions& output,
          const ResourceOptions& resources, const RunControl& control)
      : source_(source),
        control_(control),
        element_bytes_(ElementBytes({encoding.type, false})),
        writer_(output.path,
                WriterOptions(output, {encoding.type, false}, source.rows(), source.columns())) {
    const int64_t row_bytes = source.columns() * static_cast<int64_t>(element_bytes_);
    chunks_in_block_ = ChunksInBlock(source, writer_.chunk_rows(), row_bytes);
    plan_ = Plan(Resolve(resources), row_bytes);
    executor_.emplace(plan_.threads);
    for (int64_t i = 0; i < plan_.threads; ++i) workers_.emplace_back(encoding);
    slots_.resize(static_cast<size_t>(plan_.blocks_ahead));
    for (std::vector<EncodedChunk>& slot : slots_) {
      slot.resize(static_cast<size_t>(chunks_in_block_));
    }
  }

  Hdf5Writer& Run() {
    RowPass pass(source_, *executor_,
                 {.block_rows = plan_.block_rows,
                  .lanes = static_cast<int64_t>(slots_.size()),
                  .blocks_ahead = plan_.blocks_ahead,
                  .stop = control_.stop});
    pass.RunOrdered([&](const RawBlock& block) { Encode(block); },
                    [&](RowRange range, int64_t slot) { Write(range, slot); });
    return writer_;
  }

 private:
  // Of a compute thread.
  struct Worker {
    explicit Worker(const RowEncoding& encoding) : encoder(encoding) {}
    RowEncoder encoder;
    FilterScratch scratch;
  };

  // Blocks become smaller where the budget asks for it: that costs speed, and changes no byte.
  MemoryPlan Plan(const ResolvedResources& resources, int64_t row_bytes) {
    while (true) {
      const int64_t block_rows = chunks_in_block_ * writer_.chunk_rows();
      const uint64_t stored_bytes =
          static_cast<uint64_t>(chunks_in_block_) * writer_.MostStoredBytes();
      const auto block_bytes =
          static_cast<uint64_t>(CheckedProduct(block_rows, row_bytes, "a block"));
      MemoryPlanner planner(source_, resources, block_rows);
      planner.Add(
          "encoding",
          static_cast<uint64_t>(resources.threads) * (block_bytes + writer_.EncodingBytes()),
          fmt::format("{} threads, each a block of {} rows and a chunk", resources.threads,
                      block_rows));
      if (chunks_in_block_ == 1 || planner.Fits(stored_bytes)) return planner.Finish(stored_bytes);
      chunks_in_block_ /= 2;
    }
  }

  // Chunks of the block that hold rows.
  int64_t ChunksIn(RowRange range) const {
    return (range.size() + writer_.chunk_rows() - 1) / writer_.chunk_rows();
  }

  void Encode(const RawBlock& block) {
    Worker& worker = workers_[static_cast<size_t>(block.worker)];
    const std::span<const std::byte> rows = worker.encoder.Encode(source_, *block.rows);
    const size_t chunk_bytes = static_cast<size_t>(writer_.chunk_rows()) *
                               static_cast<size_t>(source_.columns()) * element_bytes_;
    std::vector<EncodedChunk>& chunks = slots_[static_cast<size_t>(block.slot)];
    for (size_t i = 0; i < static_cast<size_t>(ChunksIn(block.rows->range)); ++i) {
      const size_t begin = i * chunk_bytes;
      writer_.EncodeChunk(rows.subspan(begin, std::min(chunk_bytes, rows.size() - begin)),
                          worker.scratch, chunks[i]);
    }
  }

  void Write(RowRange range, int64_t slot) {
    for (int64_t i = 0; i < ChunksIn(range); ++i) {
      writer_.AppendChunk(slots_[static_cast<size_t>(slot)][static_cast<size_t>(i)]);
    }
    if (control_.observer != nullptr) control_.observer->OnRows(range.end, source_.rows());
  }

  RowSource& source_;
  const RunControl& control_;
  size_t element_bytes_;
  Hdf5Writer writer_;
  int64_t chunks_in_block_ = 1;
  MemoryPlan plan_;
  std::optional<Executor> executor_;
  std::vector<Worker> workers_;
  std::vector<std::vector<EncodedChunk>> slots_;
};

}  // namespace

Hdf5WriterOptions WriterOptions(const OutputOptions& output, ElementType type, int64_t rows,
                                int64_t columns) {
  Hdf5WriterOptions options{.dataset = output.dataset,
                            .type = type,
                            .rows = rows,
                            .columns = columns,
                            .chunk_rows = output.chunk_rows,
                            .shuffle_bytes = output.shuffle_bytes,
                            .checksum = output.checksum,
                            .replace = output.force};
  SetCompression(output.compress, options);
  return options;
}

void AddOutputFaults(const OutputOptions& output, std::vector<std::string>& faults) {
  if (output.path.empty()) faults.emplace_back("no output was given");
  if (output.dataset.find_first_not_of('/') == std::string::npos) {
    faults.emplace_back("--dataset: expected a name");
  }
  if (output.chunk_rows < 0) faults.emplace_back("--chunk-rows must not be negative");
  try {
    static_cast<void>(WriterOptions(output, {}, 1, 1));
  } catch (const Error& error) {
    faults.emplace_back(error.what());
  }
}

void CheckOutput(const OutputOptions& output, std::span<const std::string> inputs) {
  CheckNotAnInput(output.path, inputs);
  CheckCreatable(output.path);
  std::error_code ignored;
  if (!output.force && fs::exists(output.path, ignored)) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: exists already; --force replaces it", output.path));
  }
}

uint64_t WriteRows(RowSource& source, const RowEncoding& encoding, const OutputOptions& output,
                   const ResourceOptions& resources, const RunControl& control,
                   const std::function<void(Hdf5Writer&)>& describe) {
  try {
    Writing writing(source, encoding, output, resources, control);
    Hdf5Writer& writer = writing.Run();
    if (describe) describe(writer);
    writer.Commit();
  } catch (const Stopped&) {
    throw Stopped(fmt::format("stopped; {} was not written", output.path));
  }
  return fs::file_size(output.path);
}

}  // namespace rhohat
