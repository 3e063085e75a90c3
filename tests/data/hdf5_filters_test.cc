#include "data/hdf5_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "data/filter_pipeline.h"
#include "data/hdf5_handle.h"
#include "data/hdf5_open.h"
#include "rhohat/error.h"
#include "tests/support/stored_files.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

using ByteVector = std::vector<std::byte>;
using Shape = std::array<hsize_t, 2>;

std::string Fixture(const std::string& name) { return StoredFile("filtered/" + name + ".h5"); }

Hdf5Handle Open(const Hdf5Handle& file, const std::string& name) {
  Hdf5Handle dataset(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
  EXPECT_TRUE(dataset.valid()) << name;
  return dataset;
}

Shape ShapeOf(const Hdf5Handle& dataset) {
  const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose);
  Shape shape = {};
  H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr);
  return shape;
}

// Everything, as stored, by way of the library. Sets the library's reason where that fails.
ByteVector ReadByLibrary(const Hdf5Handle& dataset, std::string& reason) {
  const Hdf5Handle type(H5Dget_type(dataset.id()), H5Tclose);
  const Shape shape = ShapeOf(dataset);
  ByteVector bytes(shape[0] * shape[1] * H5Tget_size(type.id()));
  if (H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    reason = LastHdf5Failure().cause;
  }
  return bytes;
}

ByteVector ReadByLibrary(const Hdf5Handle& dataset) {
  std::string reason;
  ByteVector bytes = ReadByLibrary(dataset, reason);
  EXPECT_EQ(reason, "");
  return bytes;
}

FilterPipeline PipelineOf(hid_t creation, size_t chunk_bytes) {
  std::vector<ChunkFilter> filters;
  for (const ListedFilter& listed : ListFilters(creation)) {
    filters.push_back(listed.filter.value());
  }
  return FilterPipeline(filters, chunk_bytes);
}

// The same, chunk by chunk, by way of ours.
ByteVector ReadByPipeline(const Hdf5Handle& dataset) {
  const Hdf5Handle type(H5Dget_type(dataset.id()), H5Tclose);
  const Hdf5Handle creation(H5Dget_create_plist(dataset.id()), H5Pclose);
  const size_t element = H5Tget_size(type.id());
  const Shape shape = ShapeOf(dataset);
  Shape chunk = {};
  H5Pget_chunk(creation.id(), 2, chunk.data());
  const FilterPipeline pipeline = PipelineOf(creation.id(), chunk[0] * chunk[1] * element);
  FilterScratch scratch;
  ByteVector all(shape[0] * shape[1] * element);
  ByteVector decoded(pipeline.chunk_bytes());
  for (Shape at = {0, 0}; at[0] < shape[0]; at[0] += chunk[0]) {
    for (at[1] = 0; at[1] < shape[1]; at[1] += chunk[1]) {
      hsize_t size = 0;
      H5Dget_chunk_storage_size(dataset.id(), at.data(), &size);
      ByteVector stored(size);
      uint32_t mask = 0;
      EXPECT_GE(H5Dread_chunk(dataset.id(), H5P_DEFAULT, at.data(), &mask, stored.data()), 0);
      pipeline.Decode(stored, mask, decoded, scratch);
      for (hsize_t row = 0; row < std::min(chunk[0], shape[0] - at[0]); ++row) {
        std::memcpy(all.data() + ((at[0] + row) * shape[1] + at[1]) * element,
                    decoded.data() + row * chunk[1] * element,
                    std::min(chunk[1], shape[1] - at[1]) * element);
      }
    }
  }
  return all;
}

std::vector<std::string> DataSets(const Hdf5Handle& file) {
  std::vector<std::string> names;
  hsize_t index = 0;
  const auto note = [](hid_t, const char* name, const H5L_info_t*, void* data) {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return herr_t{0};
  };
  H5Literate(file.id(), H5_INDEX_NAME, H5_ITER_INC, &index, note, &names);
  return names;
}

class FilteredFileTest : public testing::TestWithParam<const char*> {};

TEST_P(FilteredFileTest, ReadsAsItsPlainTwinByLibraryAndByPipeline) {
  const Hdf5Lock lock;
  RegisterFilters();
  const Hdf5Handle file = OpenHdf5File(Fixture(GetParam()));
  const ByteVector plain = ReadByLibrary(Open(file, "plain"));
  int filtered = 0;
  for (const std::string& name : DataSets(file)) {
    if (name == "plain") continue;
    SCOPED_TRACE(name);
    const Hdf5Handle dataset = Open(file, name);
    EXPECT_EQ(ReadByLibrary(dataset), plain);
    EXPECT_EQ(ReadByPipeline(dataset), plain);
    ++filtered;
  }
  EXPECT_GE(filtered, 2);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, FilteredFileTest,
                         testing::Values("library1", "library2", "lzf", "zstd1", "zstd2", "lz4",
                                         "blosc1", "blosc2"),
                         [](const auto& parameter) { return std::string(parameter.param); });

std::vector<std::string> NamesOf(const std::string& path, const std::string& dataset) {
  const Hdf5Handle file = OpenHdf5File(path);
  const Hdf5Handle creation(H5Dget_create_plist(Open(file, dataset).id()), H5Pclose);
  std::vector<std::string> names;
  for (const ListedFilter& listed : ListFilters(creation.id())) {
    names.push_back(FilterName(listed.filter.value()));
  }
  return names;
}

TEST(ListFiltersTest, NamesAndLevelsOfOtherProgramsFilters) {
  const Hdf5Lock lock;
  using testing::ElementsAre;
  EXPECT_THAT(NamesOf(Fixture("library1"), "gzip"), ElementsAre("gzip:9"));
  EXPECT_THAT(NamesOf(Fixture("lzf"), "lzf-shuffle-fletcher32"),
              ElementsAre("shuffle", "lzf", "fletcher32"));
  EXPECT_THAT(NamesOf(Fixture("zstd2"), "zstd-19-shuffle"), ElementsAre("shuffle", "zstd:19"));
  EXPECT_THAT(NamesOf(Fixture("lz4"), "lz4"), ElementsAre("lz4"));
  EXPECT_THAT(NamesOf(Fixture("blosc1"), "lz4hc"), ElementsAre("blosc"));
}

TEST(ListFiltersTest, AnUnknownFilterIsListedByNumber) {
  const Hdf5Lock lock;
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_shuffle(creation.id());
  const unsigned value = 5;
  ASSERT_GE(H5Pset_filter(creation.id(), 32017, H5Z_FLAG_OPTIONAL, 1, &value), 0);
  const std::vector<ListedFilter> filters = ListFilters(creation.id());
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_EQ(filters[0].name, "shuffle");
  EXPECT_EQ(filters[1].number, 32017);
  EXPECT_TRUE(filters[1].optional);
  EXPECT_FALSE(filters[1].filter.has_value());
}

TEST(ListFiltersTest, EveryKindHasItsRegisteredNumber) {
  for (const int number : {1, 2, 3, 32000, 32001, 32004, 32015}) {
    const auto kind = FilterOfNumber(number);
    ASSERT_TRUE(kind.has_value());
    EXPECT_EQ(NumberOf(*kind), number);
  }
  EXPECT_FALSE(FilterOfNumber(4).has_value());
}

// Rows that compress, written through `filters` by the library or as chunks of ours.
class WrittenTest : public testing::Test {
 protected:
  static constexpr Shape kShape = {70, 11};
  static constexpr Shape kChunk = {16, 4};
  static constexpr size_t kChunkBytes = 16 * 4 * sizeof(float);

  WrittenTest() {
    RegisterFilters();
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = static_cast<float>(i / 9);
  }

  Hdf5Handle Create(const std::vector<ChunkFilter>& filters) {
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.id(), 2, kChunk.data());
    AddFilters(creation.id(), filters);
    const Hdf5Handle space(H5Screate_simple(2, kShape.data(), nullptr), H5Sclose);
    Hdf5Handle dataset(
        H5Dcreate2(file_.id(), ("data" + std::to_string(created_++)).c_str(), H5T_IEEE_F32LE,
                   space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
        H5Dclose);
    EXPECT_TRUE(dataset.valid()) << LastHdf5Failure().cause;
    return dataset;
  }

  void ExpectValues(const ByteVector& bytes) const {
    ASSERT_EQ(bytes.size(), values_.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(bytes.data(), values_.data(), bytes.size()), 0);
  }

  Hdf5Lock lock_;
  TemporaryFolder folder_;
  Hdf5Handle file_{
      H5Fcreate((folder_ / "written.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
      H5Fclose};
  std::vector<float> values_ = std::vector<float>(kShape[0] * kShape[1]);
  int created_ = 0;
};

std::vector<ChunkFilter> WithShuffleAndChecksum(FilterKind kind) {
  return {MakeFilter(FilterKind::kShuffle, 0, 4, 256), MakeFilter(kind, 4, 4, 256),
          MakeFilter(FilterKind::kFletcher32, 0, 4, 256)};
}

constexpr FilterKind kWritable[] = {FilterKind::kGzip, FilterKind::kZstd, FilterKind::kLz4,
                                    FilterKind::kLzf};

TEST_F(WrittenTest, WhatTheLibraryWritesThroughRegisteredFiltersOurPipelineReads) {
  for (const FilterKind kind : kWritable) {
    SCOPED_TRACE(KindName(kind));
    const Hdf5Handle dataset = Create(WithShuffleAndChecksum(kind));
    ASSERT_GE(H5Dwrite(dataset.id(), H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values_.data()),
              0);
    H5Dflush(dataset.id());
    EXPECT_LT(H5Dget_storage_size(dataset.id()), values_.size() * sizeof(float));
    ExpectValues(ReadByPipeline(dataset));
    ExpectValues(ReadByLibrary(dataset));
  }
}

TEST_F(WrittenTest, WhatOurPipelineWritesTheLibraryReads) {
  for (const FilterKind kind : kWritable) {
    SCOPED_TRACE(KindName(kind));
    const Hdf5Handle dataset = Create(WithShuffleAndChecksum(kind));
    const FilterPipeline pipeline(WithShuffleAndChecksum(kind), kChunkBytes);
    FilterScratch scratch;
    ByteVector stored;
    std::vector<float> chunk(kChunk[0] * kChunk[1]);
    for (Shape at = {0, 0}; at[0] < kShape[0]; at[0] += kChunk[0]) {
      for (at[1] = 0; at[1] < kShape[1]; at[1] += kChunk[1]) {
        for (size_t i = 0; i < chunk.size(); ++i) {
          const hsize_t row = at[0] + i / kChunk[1];
          const hsize_t column = at[1] + i % kChunk[1];
          const bool inside = row < kShape[0] && column < kShape[1];
          chunk[i] = inside ? values_[row * kShape[1] + column] : 0;
        }
        const uint32_t mask = pipeline.Encode(std::as_bytes(std::span(chunk)), stored, scratch);
        ASSERT_GE(H5Dwrite_chunk(dataset.id(), H5P_DEFAULT, mask, at.data(), stored.size(),
                                 stored.data()),
                  0);
      }
    }
    ExpectValues(ReadByLibrary(dataset));
  }
}

TEST_F(WrittenTest, LzfNotesTheSizeOfAChunkForH5py) {
  const ChunkFilter no_values = {.kind = FilterKind::kLzf};
  const Hdf5Handle dataset = Create({no_values});
  const Hdf5Handle creation(H5Dget_create_plist(dataset.id()), H5Pclose);
  const std::vector<ListedFilter> filters = ListFilters(creation.id());
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_TRUE(filters[0].optional);
  EXPECT_THAT(filters[0].filter.value().values, testing::ElementsAre(4, 0x105, kChunkBytes));
}

// Reads chunks of `chunk_bytes` after the stored bytes of one were replaced; returns the library's
// reason for failing.
std::string ReasonFor(const Hdf5Handle& dataset, const ByteVector& stored,
                      size_t chunk_bytes = 256) {
  const Shape at = {16, 0};
  EXPECT_GE(H5Dwrite_chunk(dataset.id(), H5P_DEFAULT, 0, at.data(), stored.size(), stored.data()),
            0);
  std::string reason;
  const ExpectedChunk expected(chunk_bytes);
  ReadByLibrary(dataset, reason);
  return reason;
}

TEST_F(WrittenTest, DamageUnderRegisteredFiltersIsTheLibrarysErrorWithAReason) {
  const ByteVector noise(100, std::byte{0xF7});
  EXPECT_EQ(ReasonFor(Create({MakeFilter(FilterKind::kZstd, 1, 4, 256)}), noise),
            "its zstd data is damaged");
  EXPECT_EQ(ReasonFor(Create({MakeFilter(FilterKind::kLzf, 1, 4, 256)}), noise),
            "its lzf data is damaged");
  std::filesystem::copy(Fixture("blosc1"), folder_ / "blosc.h5");
  const Hdf5Handle file(H5Fopen((folder_ / "blosc.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT),
                        H5Fclose);
  EXPECT_EQ(ReasonFor(Open(file, "lz4"), noise, 320), "its blosc data is damaged");
}

TEST_F(WrittenTest, AShortChunkIsAnErrorAndNotReadBeyond) {
  for (const FilterKind kind : {FilterKind::kZstd, FilterKind::kLz4, FilterKind::kLzf}) {
    const std::vector<ChunkFilter> filters = {MakeFilter(kind, 1, 4, 256)};
    FilterScratch scratch;
    ByteVector stored;
    FilterPipeline(filters, 40).Encode(ByteVector(40), stored, scratch);
    EXPECT_EQ(ReasonFor(Create(filters), stored), "expected 256 bytes, found 40");
  }
}

TEST_F(WrittenTest, AChunkThatClaimsExabytesTakesNoMemory) {
  ByteVector huge(40, std::byte{0});
  huge[0] = std::byte{0x0F};  // LZ4's size, big-endian
  huge[11] = std::byte{16};
  EXPECT_THAT(ReasonFor(Create({MakeFilter(FilterKind::kLz4, 1, 4, 256)}), huge),
              testing::StartsWith("expected "));
}

}  // namespace
}  // namespace rhohat
