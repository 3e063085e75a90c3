#include "convert/open_rows.h"

#include <gmock/gmock.h>

#include "tests/convert/test_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string MessageFor(std::string_view bytes) {
  const ScratchFolder scratch;
  const std::string path = scratch.Write("file.npy", bytes);
  return MessageOf(ErrorKind::kBadData, [&] { OpenRows(path); });
}

TEST(OpenRowsTest, ListsWhatIsReadWhereTheFormatIsUnknown) {
  EXPECT_THAT(MessageFor("1.0,2.0\n"), AllOf(HasSubstr("IDX"), HasSubstr(".npy")));
  EXPECT_THAT(MessageFor(""), HasSubstr("an empty file"));
  EXPECT_THAT(MessageFor(std::string(1000, '\0')), HasSubstr("none of these"));
  EXPECT_THAT(MessageFor(Gzip("1.0,2.0\n")), HasSubstr("IDX"));
}

TEST(OpenRowsTest, RecognisesFormatsThatNeedAnotherWay) {
  EXPECT_THAT(MessageFor("\x89HDF\r\n\x1a\n and so on"), HasSubstr("needs no conversion"));
  EXPECT_THAT(MessageFor("PK\x03\x04 and so on"), HasSubstr("numpy.save"));
}

}  // namespace
}  // namespace rhohat
