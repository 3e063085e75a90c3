#include "rhohat/shuffle.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <functional>
#include <set>

#include "base/atomic_file.h"
#include "convert/bucket_file.h"
#include "convert/shuffle_folder.h"
#include "convert/shuffle_journal.h"
#include "convert/shuffle_run.h"
#include "tests/convert/shuffle_orders.h"
#include "tests/formats/test_rows.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/hdf5_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr int64_t kRows = 1000;
constexpr int64_t kColumns = 6;
constexpr ElementType kFloat = {ElementKind::kFloat32, false};
// Some 25 buckets, 16 blocks in each pass.
constexpr ShuffleTuning kSmall = {
    .bucket_bytes = 1280, .block_bytes = 64 * kColumns * 4, .checkpoint_bytes = 9000};

// Does something once so many rows are done, counted over both passes.
class At : public RunObserver {
 public:
  At(int64_t rows, std::function<void()> act) : rows_(rows), act_(std::move(act)) {}
  void OnRows(int64_t done, int64_t /*total*/) override {
    if (done >= rows_) act_();
  }
  void OnNote(const std::string& line) override { notes.push_back(line); }

  std::vector<std::string> notes;

 private:
  int64_t rows_;
  std::function<void()> act_;
};

class ShuffleTest : public testing::Test {
 protected:
  ShuffleTest() { WriteInput("in.h5", 0, kRows); }

  // Row r is r·kColumns, r·kColumns + 1, …
  std::string WriteInput(const std::string& name, int64_t begin, int64_t end) const {
    std::vector<float> values;
    for (int64_t i = begin * kColumns; i < end * kColumns; ++i) {
      values.push_back(static_cast<float>(i));
    }
    WriteRows(scratch_.Path(name), kFloat, kColumns, values, 100, "some/rows");
    return scratch_.Path(name);
  }

  ShuffleOptions Options(const std::string& output = "out.h5") const {
    ShuffleOptions options;
    options.data.files = {scratch_.Path("in.h5")};
    options.output.path = scratch_.Path(output);
    options.seed = 5;
    return options;
  }

  // What an undisturbed run writes.
  std::string Undisturbed() const {
    Shuffle(Options("undisturbed.h5"), {});
    return ReadWholeFile(scratch_.Path("undisturbed.h5"));
  }

  // Runs until so many rows are done, then is asked to stop.
  std::string StoppedAfter(int64_t rows) const {
    std::atomic<bool> stop = false;
    At observer(rows, [&] { stop = true; });
    try {
      ShuffleWith(Options(), kSmall, {&observer, &stop});
    } catch (const Stopped& stopped) {
      return stopped.what();
    }
    return "";
  }

  void KilledAfter(int64_t rows) const {
    At observer(rows, [] { ::kill(::getpid(), SIGKILL); });
    ShuffleWith(Options(), kSmall, {.observer = &observer});
  }

  std::vector<double> Read(const std::string& name) const {
    DataSet data({.files = {scratch_.Path(name)}});
    return ReadAll(data);
  }

  std::string Folder() const { return scratch_.Path("out.h5.shuffle"); }

  ScratchFolder scratch_;
};

TEST_F(ShuffleTest, WritesEveryRowOnceInTheOrderOfTheKeys) {
  const ShuffleResult result = ShuffleWith(Options(), kSmall, {});
  EXPECT_EQ(result.rows, kRows);
  EXPECT_EQ(result.columns, kColumns);
  EXPECT_EQ(result.type, "float32");
  EXPECT_EQ(result.dataset, "/some/rows");
  EXPECT_EQ(result.bytes_written, fs::file_size(scratch_.Path("out.h5")));
  const std::vector<double> values = Read("out.h5");
  const std::vector<int64_t> order = SortedByKey(ShuffleKeys(5), kRows);
  EXPECT_EQ(std::set<double>(values.begin(), values.end()).size(), values.size());
  ASSERT_EQ(values.size(), static_cast<size_t>(kRows * kColumns));
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(values[i], static_cast<double>(order[i / kColumns] * kColumns) +
                             static_cast<double>(i % kColumns));
  }
}

TEST_F(ShuffleTest, TheFileDependsOnTheSeedAndNotOnMemoryBucketsOrBlocks) {
  const std::string expected = Undisturbed();
  ShuffleOptions options = Options();
  options.output.force = true;
  for (const uint64_t memory : {uint64_t{80} << 20, uint64_t{0}, uint64_t{8} << 30}) {
    options.memory_bytes = memory;
    Shuffle(options, {});
    EXPECT_EQ(ReadWholeFile(options.output.path), expected);
  }
  ShuffleWith(options, {.bucket_bytes = 100, .block_bytes = 1, .checkpoint_seconds = 0.01}, {});
  EXPECT_EQ(ReadWholeFile(options.output.path), expected);
  options.seed = 6;
  Shuffle(options, {});
  EXPECT_NE(ReadWholeFile(options.output.path), expected);
}

TEST_F(ShuffleTest, LeavesNothingButTheOutput) {
  ShuffleWith(Options(), kSmall, {});
  EXPECT_EQ(scratch_.FileCount(), 2U);
}

TEST_F(ShuffleTest, ManyFilesAreOneDataSetOfOneType) {
  WriteRows<double>(scratch_.Path("b.h5"), {ElementKind::kFloat64, false}, kColumns,
                    std::vector<double>(kColumns, -0.1), 0, "some/rows");
  ShuffleOptions options = Options();
  options.data.files.push_back(scratch_.Path("b.h5"));
  EXPECT_EQ(ShuffleWith(options, kSmall, {}).type, "float64");
  const std::vector<double> values = Read("out.h5");
  EXPECT_EQ(values.size(), static_cast<size_t>((kRows + 1) * kColumns));
  EXPECT_EQ(std::ranges::count(values, -0.1), kColumns);
}

TEST_F(ShuffleTest, BitsThatAreNoNumbersPassUnchanged) {
  const std::vector<float> strange = {std::bit_cast<float>(0x7F800001U),
                                      std::bit_cast<float>(0xFFC12345U)};
  WriteRows(scratch_.Path("in.h5"), kFloat, 2, strange);
  Shuffle(Options(), {});
  const std::string bytes = ReadWholeFile(scratch_.Path("out.h5"));
  EXPECT_THAT(bytes, HasSubstr(std::string("\x01\x00\x80\x7F\x45\x23\xC1\xFF", 8)));
}

TEST_F(ShuffleTest, TellsProgressOfBothPasses) {
  struct Progress : RunObserver {
    void OnRows(int64_t done, int64_t total) override {
      EXPECT_GT(done, last);
      EXPECT_EQ(total, 2 * kRows);
      last = done;
    }
    int64_t last = 0;
  } progress;
  ShuffleWith(Options(), kSmall, {.observer = &progress});
  EXPECT_EQ(progress.last, 2 * kRows);
}

// Once in every third block of the first pass, and now and then in the second.
TEST_F(ShuffleTest, GoesOnAfterAnyNumberOfStops) {
  const std::string expected = Undisturbed();
  for (int64_t rows = 1; rows + 64 < kRows; rows += 192) {
    EXPECT_THAT(StoppedAfter(rows), AllOf(HasSubstr("rows were dealt"), HasSubstr(Folder())));
    EXPECT_FALSE(fs::exists(scratch_.Path("out.h5")));
  }
  for (const int64_t rows : {kRows + 1, kRows + 500}) {
    EXPECT_THAT(StoppedAfter(rows), HasSubstr("rows were written"));
  }
  At observer(kRows * 3, [] {});
  ShuffleWith(Options(), kSmall, {.observer = &observer});
  EXPECT_THAT(observer.notes, testing::ElementsAre(HasSubstr("after 1000 of 1000 rows")));
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), expected);
  EXPECT_EQ(scratch_.FileCount(), 3U);
}

TEST_F(ShuffleTest, GoesOnAfterKillsInBothPasses) {
  const std::string expected = Undisturbed();
  for (const int64_t rows : {1, 400, 999, 1100, 1990}) {
    EXPECT_EXIT(KilledAfter(rows), testing::KilledBySignal(SIGKILL), "");
    EXPECT_FALSE(fs::exists(scratch_.Path("out.h5")));
  }
  ShuffleWith(Options(), kSmall, {});
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), expected);
  EXPECT_EQ(scratch_.FileCount(), 3U);  // what the killed runs were writing is gone too
}

// After a power failure anything may be in the file where the journal does not vouch for it.
TEST_F(ShuffleTest, TrustsNothingThatTheJournalDoesNotVouchFor) {
  const std::string expected = Undisturbed();
  EXPECT_EXIT(KilledAfter(500), testing::KilledBySignal(SIGKILL), "");
  std::optional<ShuffleJournal> journal = ReadJournal(Folder() + "/journal");
  ASSERT_TRUE(journal);
  EXPECT_GT(journal->rows_dealt, 200);
  EXPECT_LE(journal->rows_dealt, 512);  // the end of a block
  const ShuffleKeys keys(5);
  std::vector<int64_t> counts(static_cast<size_t>(journal->buckets), 0);
  const auto never = [] { return false; };
  CountRows(keys, {0, journal->rows_dealt}, counts, never);
  std::vector<int64_t> vouched = counts;
  CountRows(keys, {journal->rows_dealt, kRows}, counts, never);
  const BucketLayout layout(counts, kColumns * 4);
  const BucketFile file = BucketFile::Open(Folder() + "/buckets", layout.file_bytes());
  for (size_t bucket = 0; bucket < layout.buckets(); ++bucket) {
    const uint64_t end =
        layout.offset(bucket) + static_cast<uint64_t>(vouched[bucket]) * layout.record_bytes();
    file.WriteAt(end, std::vector<std::byte>(layout.offset(bucket + 1) - end, std::byte{0x5A}));
  }
  ShuffleWith(Options(), kSmall, {});
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), expected);
}

TEST_F(ShuffleTest, GoesOnWithAnotherBudgetAndOtherNamesOfTheSameFiles) {
  const std::string expected = Undisturbed();
  StoppedAfter(300);
  ShuffleOptions options = Options();
  options.memory_bytes = uint64_t{90} << 20;
  fs::create_symlink(options.data.files[0], scratch_.Path("link.h5"));
  options.data.files = {scratch_.Path("link.h5")};
  Shuffle(options, {});
  EXPECT_EQ(ReadWholeFile(options.output.path), expected);
}

TEST_F(ShuffleTest, AnotherSeedOrInputIsRefusedAndSaysWhatDiffers) {
  StoppedAfter(300);
  ShuffleOptions options = Options();
  options.seed = 8;
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { ShuffleWith(options, kSmall, {}); }),
              AllOf(HasSubstr(Folder()), HasSubstr("seed was 5, now 8"), HasSubstr("--restart")));
  options = Options();
  options.data.files.push_back(WriteInput("more.h5", 0, 10));
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { ShuffleWith(options, kSmall, {}); }),
              AllOf(HasSubstr("rows was 1000, now 1010"), HasSubstr("no input 2, now")));
  WriteInput("in.h5", 1, kRows + 1);  // the same size at another time
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { ShuffleWith(Options(), kSmall, {}); }),
              HasSubstr("input 1 time of change was"));
  EXPECT_TRUE(fs::exists(Folder() + "/journal"));
}

TEST_F(ShuffleTest, RestartForgetsAnInterruptedRun) {
  EXPECT_EXIT(KilledAfter(kRows + 300), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(scratch_.FileCount(), 3U);  // the folder, and what was being written
  ShuffleOptions options = Options();
  options.seed = 8;
  options.restart = true;
  ShuffleWith(options, kSmall, {});
  EXPECT_EQ(scratch_.FileCount(), 2U);
  EXPECT_EQ(Read("out.h5")[0],
            static_cast<double>(SortedByKey(ShuffleKeys(8), kRows)[0] * kColumns));
}

TEST_F(ShuffleTest, RestartIsTheWayOutOfADamagedJournal) {
  StoppedAfter(300);
  scratch_.Write("out.h5.shuffle/journal", "nonsense");
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ShuffleWith(Options(), kSmall, {}); }),
              HasSubstr("--restart"));
  ShuffleOptions options = Options();
  options.restart = true;
  EXPECT_EQ(ShuffleWith(options, kSmall, {}).rows, kRows);
  EXPECT_EQ(scratch_.FileCount(), 2U);
}

TEST_F(ShuffleTest, AnInputThatChangesUnderwayIsNoticed) {
  At observer(
      500, [&] { fs::last_write_time(scratch_.Path("in.h5"), fs::file_time_type::clock::now()); });
  const auto run = [&] { ShuffleWith(Options(), kSmall, {.observer = &observer}); };
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, run), HasSubstr("changed while it was read"));
  EXPECT_FALSE(fs::exists(scratch_.Path("out.h5")));
  MessageOf(ErrorKind::kUsage, [&] { ShuffleWith(Options(), kSmall, {}); });
}

TEST_F(ShuffleTest, AFullDiskIsNoticedAtOnceAndLeavesNothing) {
  {
    const FileSizeLimit limit(20'000);
    EXPECT_THAT(MessageOf(ErrorKind::kIo, [&] { ShuffleWith(Options(), kSmall, {}); }),
                HasSubstr("cannot reserve"));
  }
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(ShuffleTest, ADiskThatIsFullLaterKeepsWhatIsDone) {
  const std::string expected = Undisturbed();
  StoppedAfter(kRows);
  {
    const FileSizeLimit limit(20'000);
    At observer(kRows * 3, [] {});
    MessageOf(ErrorKind::kIo, [&] { ShuffleWith(Options(), kSmall, {.observer = &observer}); });
    EXPECT_THAT(observer.notes.back(), HasSubstr("keeps what is done"));
  }
  ShuffleWith(Options(), kSmall, {});
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), expected);
}

TEST_F(ShuffleTest, DamageToWhatIsKeptIsNoticed) {
  StoppedAfter(kRows);
  const BucketFile file =
      BucketFile::Open(Folder() + "/buckets", fs::file_size(Folder() + "/buckets"));
  file.WriteAt(0, std::vector<std::byte>(8, std::byte{0x11}));
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ShuffleWith(Options(), kSmall, {}); }),
              HasSubstr("--restart"));
  ASSERT_EQ(::truncate((Folder() + "/buckets").c_str(), 100), 0);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ShuffleWith(Options(), kSmall, {}); }),
              HasSubstr("found 100; --restart"));
  fs::remove(Folder() + "/buckets");
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ShuffleWith(Options(), kSmall, {}); }),
              HasSubstr("--restart"));
}

TEST_F(ShuffleTest, AnotherProcessAtTheSameOutputIsRefused) {
  const ShuffleFolder folder(scratch_.Path("out.h5"));
  EXPECT_THAT(MessageOf(ErrorKind::kCannotCreate, [&] { Shuffle(Options(), {}); }),
              HasSubstr("another process"));
}

TEST_F(ShuffleTest, TooLittleMemoryNamesTheLeastThatWorks) {
  ShuffleOptions options = Options();
  options.memory_bytes = uint64_t{20} << 20;
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { Shuffle(options, {}); }),
              AllOf(HasSubstr("20.0 MiB is too little to shuffle 1000 rows of 24 bytes: at least"),
                    HasSubstr("is needed")));
  EXPECT_EQ(scratch_.FileCount(), 1U);
}

TEST_F(ShuffleTest, ReplacesAnOutputOnlyWhenToldTo) {
  scratch_.Write("out.h5", "precious");
  EXPECT_THAT(MessageOf(ErrorKind::kCannotCreate, [&] { Shuffle(Options(), {}); }),
              HasSubstr("--force"));
  EXPECT_EQ(ReadWholeFile(scratch_.Path("out.h5")), "precious");
  ShuffleOptions options = Options("in.h5");
  options.output.force = true;
  MessageOf(ErrorKind::kUsage, [&] { Shuffle(options, {}); });
  MessageOf(ErrorKind::kUsage, [&] { Shuffle({}, {}); });
}

}  // namespace
}  // namespace rhohat
