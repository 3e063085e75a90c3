// HDF5's filters, ours beside the plain ways: bytes of decoded chunks a second, on one core.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "data/filter_pipeline.h"
#include "data/fletcher32.h"
#include "data/shuffle_bytes.h"
#include "data/shuffle_bytes_reference.h"

namespace rhohat {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// Values as activations have them: of one sign, and mostly small.
std::vector<std::byte> Chunk() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<std::byte> bytes(kChunkBytes);
  for (size_t i = 0; i < kChunkBytes; i += sizeof(float)) {
    const float value = std::round(std::fabs(normal(random)) * 256) / 256;
    std::memcpy(bytes.data() + i, &value, sizeof value);
  }
  return bytes;
}

using Move = void (*)(std::span<const std::byte>, size_t, std::byte*);

void RunMove(benchmark::State& state, Move move) {
  const std::vector<std::byte> in = Chunk();
  std::vector<std::byte> out(kChunkBytes);
  for (auto _ : state) {
    move(in, static_cast<size_t>(state.range(0)), out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunkBytes));
}

void Checksum(benchmark::State& state) {
  const std::vector<std::byte> in = Chunk();
  for (auto _ : state) benchmark::DoNotOptimize(Fletcher32(in));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunkBytes));
}

std::vector<ChunkFilter> Filters(FilterKind kind) {
  return {MakeFilter(FilterKind::kShuffle, 0, 4, kChunkBytes), MakeFilter(kind, 1, 4, kChunkBytes)};
}

void Decode(benchmark::State& state, FilterKind kind) {
  const FilterPipeline pipeline(Filters(kind), kChunkBytes);
  FilterScratch scratch;
  std::vector<std::byte> stored;
  const uint32_t mask = pipeline.Encode(Chunk(), stored, scratch);
  std::vector<std::byte> chunk(kChunkBytes);
  for (auto _ : state) {
    pipeline.Decode(stored, mask, chunk, scratch);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunkBytes));
  state.counters["ratio"] = static_cast<double>(kChunkBytes) / static_cast<double>(stored.size());
}

void Encode(benchmark::State& state, FilterKind kind) {
  const FilterPipeline pipeline(Filters(kind), kChunkBytes);
  FilterScratch scratch;
  const std::vector<std::byte> chunk = Chunk();
  std::vector<std::byte> stored;
  for (auto _ : state) {
    pipeline.Encode(chunk, stored, scratch);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunkBytes));
  state.counters["ratio"] = static_cast<double>(kChunkBytes) / static_cast<double>(stored.size());
}

// What the HDF5 library does for gzip and shuffle, without its locks and copies.
void DecodeByZlib(benchmark::State& state) {
  FilterScratch scratch;
  std::vector<std::byte> stored;
  FilterPipeline(Filters(FilterKind::kGzip), kChunkBytes).Encode(Chunk(), stored, scratch);
  std::vector<std::byte> shuffled(kChunkBytes);
  std::vector<std::byte> chunk(kChunkBytes);
  for (auto _ : state) {
    uLongf size = kChunkBytes;
    if (uncompress(reinterpret_cast<Bytef*>(shuffled.data()), &size,
                   reinterpret_cast<const Bytef*>(stored.data()), stored.size()) != Z_OK) {
      state.SkipWithError("zlib cannot read it");
      break;
    }
    UnshuffleReference(shuffled, 4, chunk.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunkBytes));
}

BENCHMARK_CAPTURE(RunMove, shuffle, &Shuffle)->Arg(2)->Arg(3)->Arg(4)->Arg(8)->Arg(16);
BENCHMARK_CAPTURE(RunMove, shuffle_reference, &ShuffleReference)->Arg(4);
BENCHMARK_CAPTURE(RunMove, unshuffle, &Unshuffle)->Arg(2)->Arg(3)->Arg(4)->Arg(8)->Arg(16);
BENCHMARK_CAPTURE(RunMove, unshuffle_reference, &UnshuffleReference)->Arg(4);
BENCHMARK(Checksum);
BENCHMARK(DecodeByZlib);
BENCHMARK_CAPTURE(Decode, gzip, FilterKind::kGzip);
BENCHMARK_CAPTURE(Decode, zstd, FilterKind::kZstd);
BENCHMARK_CAPTURE(Decode, lz4, FilterKind::kLz4);
BENCHMARK_CAPTURE(Decode, lzf, FilterKind::kLzf);
BENCHMARK_CAPTURE(Encode, gzip, FilterKind::kGzip);
BENCHMARK_CAPTURE(Encode, zstd, FilterKind::kZstd);
BENCHMARK_CAPTURE(Encode, lz4, FilterKind::kLz4);
BENCHMARK_CAPTURE(Encode, lzf, FilterKind::kLzf);

}  // namespace
}  // namespace rhohat
