// How fast rows arrive: a sweep of ours (read, unpacked, converted to float32 and checked to be
// finite, on all compute threads) against one thread of H5Dread into float32, in turn, in one run.
// Then the time to open and index a file of many chunks.
//
//   reading_bench [THREADS] [ROWS]
#include <fmt/core.h>
#include <hdf5.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/keyed_random.h"
#include "convert/encode_elements.h"
#include "data/data_set.h"
#include "data/hdf5_writer.h"
#include "sweep/memory_planner.h"
#include "sweep/sweep.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

constexpr int64_t kColumns = 784;
constexpr int64_t kChunkRows = 4096;

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Values as of scanned digits: strokes of one of 256 levels every `gap` runs of 28 pixels, and
// nothing between them. A gap of 5 is about what handwritten digits have.
std::vector<double> Digits(int64_t rows, size_t gap) {
  const KeyedRandom random(1, RandomPurpose::kDeadLeaves);
  std::vector<double> values(static_cast<size_t>(rows * kColumns));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t bits = random.Bits(i / 8) >> (8 * (i % 8)) & 255;
    values[i] = (i / 28) % gap == 0 ? static_cast<double>(bits) / 255 : 0;
  }
  return values;
}

struct Kind {
  std::string name;
  ElementKind element;
  bool shuffle;
  bool gzip;
  bool checksum;
  size_t gap = 5;  // of the digits
};

void Write(const std::string& path, const Kind& kind, int64_t rows) {
  Hdf5WriterOptions options{.type = {kind.element, false},
                            .rows = rows,
                            .columns = kColumns,
                            .chunk_rows = kChunkRows,
                            .shuffle_bytes = kind.shuffle,
                            .level = 1,
                            .checksum = kind.checksum};
  if (kind.gzip) options.compression = FilterKind::kGzip;
  Hdf5Writer writer(path, options);
  const std::vector<double> values = Digits(kChunkRows, kind.gap);
  std::vector<std::byte> stored(values.size() * ElementBytes(options.type));
  EncodeElements(values, kind.element, stored.data());
  for (int64_t row = 0; row < rows; row += kChunkRows) writer.Append(stored);
  writer.Commit();
}

// Seconds for all rows through H5Dread, chunk by chunk.
double ByLibrary(const std::string& path, int64_t rows) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 521, size_t{64} << 20, 1.0);
  const hid_t dataset = H5Dopen2(file, "data", access);
  const hid_t space = H5Dget_space(dataset);
  const hsize_t count[2] = {kChunkRows, kColumns};
  const hid_t memory = H5Screate_simple(2, count, nullptr);
  std::vector<float> values(kChunkRows * kColumns, 1.0F);
  const double start = Seconds();
  for (int64_t row = 0; row < rows; row += kChunkRows) {
    const hsize_t offset[2] = {static_cast<hsize_t>(row), 0};
    H5Sselect_hyperslab(space, H5S_SELECT_SET, offset, nullptr, count, nullptr);
    H5Dread(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data());
  }
  const double seconds = Seconds() - start;
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(dataset);
  H5Pclose(access);
  H5Fclose(file);
  return seconds;
}

double BySweep(Sweep<float>& sweep) {
  const double start = Seconds();
  struct Nothing {
    void Clear() {}
    void Add(const Nothing&) {}
  };
  std::vector<Nothing> nothing(static_cast<size_t>(sweep.lanes()));
  sweep.Run(std::span(nothing), [](const Block<float>&, Nothing&) {});
  return Seconds() - start;
}

void Measure(const TemporaryFolder& folder, const Kind& kind, int64_t rows, int64_t threads) {
  const std::string path = folder / (kind.name + ".h5");
  Write(path, kind, rows);
  DataSet data({.files = {path}, .reader = Reader::kDirect});
  Executor executor(threads);
  const int64_t block_rows = 1024;
  Sweep<float> sweep(data, executor,
                     {.block_rows = block_rows,
                      .blocks_ahead = ComfortableBlocksAhead(data, block_rows, threads)});
  std::vector<double> ratios;
  std::vector<double> rates;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const double library = ByLibrary(path, rows);
    const double ours = BySweep(sweep);
    ratios.push_back(library / ours);
    rates.push_back(static_cast<double>(rows * kColumns * 4) / ours * 1e-9);
  }
  const auto bytes = static_cast<double>(rows * kColumns) *
                     static_cast<double>(ElementBytes({kind.element, false}));
  fmt::print(
      "{:<30} {:4.1f} to 1  {:6.2f} x H5Dread (from {:.2f} to {:.2f}), {:.2f} GB/s of float32\n",
      kind.name, bytes / static_cast<double>(data.files().front().stored_bytes), Median(ratios),
      std::ranges::min(ratios), std::ranges::max(ratios), Median(rates));
  std::filesystem::remove(path);
}

void MeasureOpening(const TemporaryFolder& folder, int64_t chunks) {
  const std::string path = folder / "chunks.h5";
  {
    Hdf5Writer writer(
        path,
        {.type = {ElementKind::kFloat32, false}, .rows = chunks, .columns = 4, .chunk_rows = 1});
    const std::vector<std::byte> rows(static_cast<size_t>(chunks) * 16);
    writer.Append(rows);
    writer.Commit();
  }
  std::vector<double> seconds;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const double start = Seconds();
    const DataSet data({.files = {path}});
    seconds.push_back(Seconds() - start);
  }
  fmt::print("opening and indexing {} chunks: {:.2f} s\n", chunks, Median(seconds));
}

}  // namespace
}  // namespace rhohat

int main(int argc, char** argv) {
  using rhohat::ElementKind;
  const int64_t threads = argc > 1 ? std::atoll(argv[1]) : 2;
  const int64_t rows = argc > 2 ? std::atoll(argv[2]) / 4096 * 4096 : 131072;
  const rhohat::TemporaryFolder folder;
  for (const rhohat::Kind& kind : std::initializer_list<rhohat::Kind>{
           {"uncompressed", ElementKind::kFloat32, false, false, false},
           {"fletcher32", ElementKind::kFloat32, false, false, true},
           {"gzip-1 + shuffle", ElementKind::kFloat32, true, true, false},
           {"gzip-1 + shuffle + fletcher32", ElementKind::kFloat32, true, true, true},
           {"gzip-1 + shuffle, denser", ElementKind::kFloat32, true, true, false, 2},
           {"float16", ElementKind::kFloat16, false, false, false},
           {"uint8", ElementKind::kUint8, false, false, false}}) {
    rhohat::Measure(folder, kind, rows, threads);
  }
  rhohat::MeasureOpening(folder, 256000);
  return 0;
}
