#include "formats/picture_folder.h"

#include <gmock/gmock.h>

#include "tests/formats/test_files.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n...";
constexpr std::string_view kJpeg = "\xff\xd8\xff...";

TEST(NaturalLessTest, NumbersCompareByValueAndTheRestByBytes) {
  const std::vector<std::string> sorted = {
      "",        "1",        "2",     "10",     "a",       "part",  "part01", "part1",
      "part1a2", "part1a10", "part2", "part10", "part10a", "partx", "z",      "\xc3\xa9"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(NaturalLess(sorted[i], sorted[j]), i < j) << sorted[i] << " and " << sorted[j];
    }
  }
}

TEST(NaturalLessTest, NumbersMayHaveAnyLength) {
  const std::string nines(100, '9');
  EXPECT_TRUE(NaturalLess("p" + nines, "p1" + std::string(100, '0')));
  EXPECT_FALSE(NaturalLess("p1" + std::string(100, '0'), "p" + nines));
  EXPECT_TRUE(NaturalLess("p0000", "p1"));
}

TEST(PicturesInTest, AreFoundByContentAndInNaturalOrder) {
  const ScratchFolder scratch;
  for (const char* name : {"p10.png", "p9.jpg", "no-extension"}) scratch.Write(name, kPng);
  scratch.Write("p2.png", kJpeg);
  scratch.Write("p3.png", "not a picture");
  scratch.Write("empty.png", "");
  std::filesystem::create_directory(scratch.Path("p4.png"));
  scratch.Write("p4.png/inner.png", kPng);
  std::filesystem::create_symlink("nowhere", scratch.Path("p5.png"));
  std::filesystem::create_symlink("p2.png", scratch.Path("p6.png"));
  std::vector<std::string> names;
  for (const std::string& path : PicturesIn(scratch.Path(""))) {
    names.push_back(std::filesystem::path(path).filename());
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_THAT(names, ElementsAre("no-extension", "p2.png", "p6.png", "p9.jpg", "p10.png"));
}

TEST(PicturesInTest, AnEmptyFolderHasNoneAndAMissingOneIsAnError) {
  const ScratchFolder scratch;
  EXPECT_THAT(PicturesIn(scratch.Path("")), IsEmpty());
  EXPECT_THAT(MessageOf(ErrorKind::kNoInput, [&] { PicturesIn(scratch.Path("none")); }),
              HasSubstr("none: cannot list the folder"));
}

}  // namespace
}  // namespace rhohat
