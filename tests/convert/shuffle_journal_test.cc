#include "convert/shuffle_journal.h"

#include <gmock/gmock.h>

#include "convert/shuffle_folder.h"
#include "tests/formats/test_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ShuffleJournal Sample() {
  return {.identity = {{"seed", "7"}, {"input 1", "/a = b\n\\n c\\.h5"}, {"input 1 bytes", "12"}},
          .buckets = 192,
          .rows_dealt = 1'000'000'007,
          .unfinished = ".out\n.h5.4711.part"};
}

TEST(ShuffleJournalTest, ReadsWhatWasWrittenWhateverAFileIsCalled) {
  const ScratchFolder scratch;
  EXPECT_FALSE(ReadJournal(scratch.Path("journal")));
  WriteJournal(scratch.Path("journal"), Sample());
  const std::optional<ShuffleJournal> read = ReadJournal(scratch.Path("journal"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->identity, Sample().identity);
  EXPECT_EQ(read->buckets, 192);
  EXPECT_EQ(read->rows_dealt, 1'000'000'007);
  EXPECT_EQ(read->unfinished, Sample().unfinished);
}

TEST(ShuffleJournalTest, SaysEveryDifference) {
  ShuffleIdentity now = Sample().identity;
  EXPECT_EQ(DifferenceOf(Sample().identity, now), "");
  now[0].second = "8";
  now[2].first = "input 2";
  EXPECT_EQ(DifferenceOf(Sample().identity, now),
            "seed was 7, now 8, input 1 bytes was 12, now there is none and there was no input 2, "
            "now 12");
}

TEST(ShuffleJournalTest, ADamagedJournalIsRefused) {
  const ScratchFolder scratch;
  const std::string title = "rhohat shuffle journal 1\n";
  for (const std::string& text :
       {std::string(), std::string("rhohat shuffle journal 2\nbuckets = 1\n"), title,
        title + "buckets = x\n", title + "buckets = -3\n", title + "buckets = 99999999999999999999",
        title + "buckets = 2\nnonsense\n", title + "buckets = 0\nrows dealt = 3\n"}) {
    const std::string path = scratch.Write("journal", text);
    EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadJournal(path); }),
                AllOf(HasSubstr(path), HasSubstr("--restart")));
  }
}

TEST(ShuffleFolderTest, GoesAwayUnlessItHasAJournal) {
  const ScratchFolder scratch;
  const std::string output = scratch.Path("out.h5");
  {
    const ShuffleFolder folder(output);
    EXPECT_EQ(folder.path(), scratch.Path("out.h5.shuffle"));
    scratch.Write("out.h5.shuffle/buckets", "rows");
    scratch.Write("out.h5.shuffle/.journal.1.part", "half a journal");
  }
  EXPECT_EQ(scratch.FileCount(), 0U);
  {
    const ShuffleFolder folder(output);
    WriteJournal(folder.journal(), Sample());
  }
  EXPECT_EQ(scratch.FileCount(), 1U);
  ShuffleFolder(output).Clear();
  EXPECT_EQ(scratch.FileCount(), 0U);
}

TEST(ShuffleFolderTest, FilesOfOthersStay) {
  const ScratchFolder scratch;
  std::filesystem::create_directory(scratch.Path("out.h5.shuffle"));
  scratch.Write("out.h5.shuffle/notes.txt", "mine");
  { const ShuffleFolder folder(scratch.Path("out.h5")); }
  EXPECT_TRUE(std::filesystem::exists(scratch.Path("out.h5.shuffle/notes.txt")));
}

TEST(ShuffleFolderTest, OnlyOneAtATimeMayEnter) {
  const ScratchFolder scratch;
  const std::string output = scratch.Path("out.h5");
  const ShuffleFolder folder(output);
  EXPECT_THAT(MessageOf(ErrorKind::kCannotCreate, [&] { const ShuffleFolder second(output); }),
              HasSubstr("another process"));
  EXPECT_TRUE(std::filesystem::exists(folder.path()));
}

}  // namespace
}  // namespace rhohat
