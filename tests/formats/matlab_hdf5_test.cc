#include "formats/matlab_hdf5.h"

#include <gmock/gmock.h>
#include <hdf5.h>

#include <filesystem>
#include <fstream>

#include "data/hdf5_handle.h"
#include "formats/matlab_source.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

// Lays a file out as MATLAB does: 512 bytes before HDF5 begins, and axes reversed.
class MatlabHdf5File {
 public:
  explicit MatlabHdf5File(const std::string& path) : path_(path) {
    const Hdf5Handle create(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_userblock(create.id(), 512);
    file_ = Hdf5Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, create.id(), H5P_DEFAULT), H5Fclose);
  }

  ~MatlabHdf5File() {
    file_.Close();
    std::string header = "MATLAB 7.3 MAT-file, Platform: GLNXA64";
    header.resize(124, ' ');
    header += std::string("\x00\x02IM", 4);
    header.resize(512, '\0');
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.write(header.data(), static_cast<std::streamsize>(header.size()));
  }

  // `values` in HDF5's order, of the shape in HDF5's order; without values nothing is written.
  template <class T>
  void Add(const std::string& name, const std::string& class_name, std::vector<hsize_t> shape,
           hid_t type, const std::vector<T>& values, std::vector<hsize_t> chunk = {}) {
    const auto axes = static_cast<int>(shape.size());
    const Hdf5Handle space(H5Screate_simple(axes, shape.data(), nullptr), H5Sclose);
    const Hdf5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (!chunk.empty()) {
      H5Pset_chunk(create.id(), axes, chunk.data());
      H5Pset_deflate(create.id(), 3);
    }
    const Hdf5Handle dataset(H5Dcreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT,
                                        create.id(), H5P_DEFAULT),
                             H5Dclose);
    if (!values.empty()) {
      H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    SetClass(dataset.id(), class_name);
  }

  void AddGroup(const std::string& name, const std::string& class_name, bool sparse) {
    const Hdf5Handle group(
        H5Gcreate2(file_.id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    SetClass(group.id(), class_name);
    if (sparse) SetNumber(group.id(), "MATLAB_sparse");
  }

  void MarkEmpty(const std::string& name) {
    const Hdf5Handle dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    SetNumber(dataset.id(), "MATLAB_empty");
  }

 private:
  static void SetClass(hid_t object, const std::string& class_name) {
    if (class_name.empty()) return;
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), class_name.size());
    SetAttribute(object, "MATLAB_class", type.id(), class_name.data());
  }

  static void SetNumber(hid_t object, const char* name) {
    const uint8_t one = 1;
    SetAttribute(object, name, H5T_NATIVE_UINT8, &one);
  }

  static void SetAttribute(hid_t object, const char* name, hid_t type, const void* value) {
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(H5Acreate2(object, name, type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                               H5Aclose);
    H5Awrite(attribute.id(), type, value);
  }

  const Hdf5Lock lock_;
  std::string path_;
  Hdf5Handle file_;
};

class MatlabHdf5Test : public testing::Test {
 protected:
  std::unique_ptr<RowSource> Open(const std::string& variable = "") {
    return OpenMatlab(path_, variable, scratch_.Path(""));
  }

  std::string MessageFor(ErrorKind kind, const std::string& variable = "") {
    const std::string message = MessageOf(kind, [&] { ReadAll(*Open(variable)); });
    EXPECT_THAT(message, HasSubstr(path_));
    return message;
  }

  ScratchFolder scratch_;
  std::string path_ = scratch_.Path("file.mat");
};

TEST_F(MatlabHdf5Test, TurnsTheAxesRoundHoweverTheyAreChunked) {
  for (const std::vector<hsize_t>& chunk :
       std::vector<std::vector<hsize_t>>{{}, {3, 4}, {1, 1}, {2, 3}, {1, 4}, {3, 1}}) {
    MatlabHdf5File(path_).Add("x", "double", {3, 4}, H5T_NATIVE_DOUBLE, Counting(12), chunk);
    const auto source = Open();
    EXPECT_EQ(source->rows(), 4);
    EXPECT_EQ(source->type(), (ElementType{ElementKind::kFloat64, false}));
    EXPECT_THAT(ReadAll(*source), ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
    EXPECT_THAT(ReadAll(*source, 3), ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
  }
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(MatlabHdf5Test, FlattensTrailingAxesAsNumPyDoes) {
  // MATLAB's reshape(0:23, 2, 3, 4), as in the test of version 5.
  MatlabHdf5File(path_).Add("x", "double", {4, 3, 2}, H5T_NATIVE_DOUBLE, Counting(24), {3, 2, 2});
  EXPECT_THAT(ReadAll(*Open()), ElementsAreArray({0, 6, 12, 18, 2, 8, 14, 20, 4, 10, 16, 22,
                                                  1, 7, 13, 19, 3, 9, 15, 21, 5, 11, 17, 23}));
}

TEST_F(MatlabHdf5Test, ReadsLogicalsAsBytes) {
  MatlabHdf5File(path_).Add<uint8_t>("x", "logical", {2, 2}, H5T_NATIVE_UINT8, {0, 1, 1, 1});
  const auto source = Open("x");
  EXPECT_EQ(source->type(), (ElementType{ElementKind::kUint8, false}));
  EXPECT_THAT(ReadAll(*source), ElementsAre(0, 1, 1, 1));
}

TEST_F(MatlabHdf5Test, TakesTheOnlyMatrixAmongOtherVariables) {
  {
    MatlabHdf5File file(path_);
    file.Add("n", "double", {1, 1}, H5T_NATIVE_DOUBLE, Counting(1));
    file.Add<uint16_t>("t", "char", {2, 2}, H5T_NATIVE_UINT16, {97, 98, 99, 100});
    file.Add<uint64_t>("e", "double", {2}, H5T_NATIVE_UINT64, {0, 3});
    file.MarkEmpty("e");
    file.AddGroup("s", "struct", false);
    file.Add("s/field", "double", {2, 2}, H5T_NATIVE_DOUBLE, Counting(4));
    file.AddGroup("#refs#", "", false);
    file.Add("#refs#/a", "double", {2, 2}, H5T_NATIVE_DOUBLE, Counting(4));
    file.Add("x", "double", {2, 2}, H5T_NATIVE_DOUBLE, Counting(4));
  }
  EXPECT_THAT(ReadAll(*Open()), ElementsAre(0, 2, 1, 3));
}

TEST_F(MatlabHdf5Test, RefusesWhatIsNoFullArrayOfRealNumbersByName) {
  const Hdf5Handle complex(H5Tcreate(H5T_COMPOUND, 16), H5Tclose);
  H5Tinsert(complex.id(), "real", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(complex.id(), "imag", 8, H5T_NATIVE_DOUBLE);
  {
    MatlabHdf5File file(path_);
    file.Add<uint16_t>("t", "char", {2, 2}, H5T_NATIVE_UINT16, {97, 98, 99, 100});
    file.Add<uint64_t>("c", "cell", {2, 2}, H5T_NATIVE_UINT64, {1, 2, 3, 4});
    file.Add("z", "double", {2, 2}, complex.id(), Counting(8));
    file.Add<uint64_t>("e", "single", {2}, H5T_NATIVE_UINT64, {0, 3});
    file.MarkEmpty("e");
    file.AddGroup("s", "struct", false);
    file.AddGroup("p", "double", true);
  }
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "t"), HasSubstr("t: char"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "c"), HasSubstr("c: cell"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "z"), HasSubstr("complex"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "e"), HasSubstr("e: empty single"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "s"), HasSubstr("s: struct"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData, "p"), HasSubstr("p: sparse double"));
  EXPECT_THAT(MessageFor(ErrorKind::kBadData), AllOf(HasSubstr("t: char"), HasSubstr("c: cell")));
  EXPECT_THAT(MessageFor(ErrorKind::kNoInput, "w"), HasSubstr("t: char"));
}

TEST_F(MatlabHdf5Test, RefusesAShapeThatWasNeverWritten) {
  MatlabHdf5File(path_).Add<double>("x", "double", {1U << 20, 1U << 30}, H5T_NATIVE_DOUBLE, {},
                                    {1024, 1024});
  EXPECT_THAT(MessageFor(ErrorKind::kBadData), HasSubstr("never written"));
}

TEST_F(MatlabHdf5Test, RefusesAFileCutShort) {
  MatlabHdf5File(path_).Add("x", "double", {30, 40}, H5T_NATIVE_DOUBLE, Counting(1200), {7, 9});
  const uint64_t size = std::filesystem::file_size(path_);
  for (const uint64_t length : {size - 1, size / 2, uint64_t{600}, uint64_t{512}, uint64_t{130}}) {
    std::filesystem::resize_file(path_, length);
    MessageFor(ErrorKind::kBadData);
  }
}

}  // namespace
}  // namespace rhohat
