#include "data/hdf5_blocks.h"

#include <gmock/gmock.h>
#include <hdf5.h>

#include <cstring>

#include "data/hdf5_attribute.h"
#include "data/hdf5_dataset.h"
#include "rhohat/error.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

using Shape = std::vector<hsize_t>;

// The numbers from 0 on, in C order.
void WriteCounting(const std::string& path, const Shape& shape, const Shape& chunk) {
  const Hdf5Lock lock;
  const auto axes = static_cast<int>(shape.size());
  hsize_t count = 1;
  for (const hsize_t length : shape) count *= length;
  std::vector<int32_t> values(count);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  const Hdf5Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  const Hdf5Handle space(H5Screate_simple(axes, shape.data(), nullptr), H5Sclose);
  const Hdf5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (!chunk.empty()) H5Pset_chunk(create.id(), axes, chunk.data());
  const Hdf5Handle dataset(H5Dcreate2(file.id(), "x", H5T_NATIVE_INT32, space.id(), H5P_DEFAULT,
                                      create.id(), H5P_DEFAULT),
                           H5Dclose);
  ASSERT_GE(H5Dwrite(dataset.id(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            0);
}

TEST(Hdf5Blocks, HandOverEveryElementOnceInRunsOfBoundedLength) {
  const TemporaryFolder folder;
  const std::string path = folder / "file.h5";
  for (const Shape& shape : {Shape{5, 7}, Shape{1, 9}, Shape{9, 1}, Shape{4, 3, 5}}) {
    for (const hsize_t chunk_length : {0, 1, 2, 4}) {
      Shape chunk;
      for (const hsize_t length : shape) chunk.push_back(std::min(chunk_length, length));
      if (chunk_length == 0) chunk.clear();
      WriteCounting(path, shape, chunk);
      const Hdf5DataSetInfo info = Hdf5DataSet::Open(path, "x", false).info();
      for (const size_t block_bytes : {4, 12, 40, 100, 100000}) {
        std::vector<int32_t> seen(static_cast<size_t>(info.rows * info.columns), -1);
        ReadByBlocks(info, block_bytes, [&](int64_t first, std::span<const std::byte> elements) {
          EXPECT_LE(elements.size(), std::max<size_t>(block_bytes, 64 * 4));
          ASSERT_LE(static_cast<size_t>(first) * 4 + elements.size(), seen.size() * 4);
          for (size_t i = 0; i < elements.size() / 4; ++i) {
            int32_t& place = seen[static_cast<size_t>(first) + i];
            EXPECT_EQ(place, -1);
            std::memcpy(&place, elements.data() + 4 * i, 4);
          }
        });
        for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i);
      }
    }
  }
}

TEST(Hdf5Blocks, RefuseADataSetThatChanged) {
  const TemporaryFolder folder;
  const std::string path = folder / "file.h5";
  WriteCounting(path, {4, 6}, {});
  const Hdf5DataSetInfo info = Hdf5DataSet::Open(path, "x", false).info();
  WriteCounting(path, {6, 4}, {});
  EXPECT_THROW(ReadByBlocks(info, 100, [](int64_t, std::span<const std::byte>) {}), Error);
}

TEST(Hdf5Attribute, IsReadWhereItIsText) {
  const TemporaryFolder folder;
  const std::string path = folder / "file.h5";
  WriteRows<float>(path, {ElementKind::kFloat32, false}, 2, {1, 2, 3, 4});
  {
    const Hdf5Lock lock;
    const Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), 6);
    const Hdf5Handle text(H5Acreate_by_name(file.id(), "data", "text", type.id(), space.id(),
                                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                          H5Aclose);
    H5Awrite(text.id(), type.id(), "double");
    const Hdf5Handle number(H5Acreate_by_name(file.id(), "data", "number", H5T_NATIVE_INT32,
                                              space.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                            H5Aclose);
  }
  EXPECT_EQ(ReadTextAttribute(path, "/data", "text"), "double");
  EXPECT_EQ(ReadTextAttribute(path, "/data", "number"), std::nullopt);
  EXPECT_EQ(ReadTextAttribute(path, "/data", "other"), std::nullopt);
  EXPECT_EQ(ReadTextAttribute(path, "/other", "text"), std::nullopt);
  EXPECT_TRUE(HasAttribute(path, "/data", "number"));
  EXPECT_FALSE(HasAttribute(path, "/", "number"));
  EXPECT_THROW(HasAttribute(folder / "missing", "/", "number"), Error);
}

}  // namespace
}  // namespace rhohat
