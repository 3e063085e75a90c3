#include "formats/npz_source.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/formats/test_rows.h"
#include "tests/formats/zip_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string SmallNpy() {
  return NpyFile(NpyHeaderText("<i2", "(3, 2)"), Stored<int16_t>({1, -2, 3, -4, 5, 256}, false));
}

std::string Labels() { return NpyFile(NpyHeaderText("|u1", "(3,)"), "abc"); }

class NpzSourceTest : public testing::Test {
 protected:
  std::string MessageFor(const std::string& bytes, const std::string& array = "",
                         ErrorKind kind = ErrorKind::kBadData) {
    const std::string path = scratch_.Write("file.npz", bytes);
    const std::string message = MessageOf(kind, [&] { ReadAll(*OpenNpz(path, array)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }

  std::vector<double> Read(const std::string& bytes, const std::string& array = "",
                           int64_t block = 0) {
    return ReadAll(*OpenNpz(scratch_.Write("file.npz", bytes), array), block);
  }

  ScratchFolder scratch_;
};

TEST_F(NpzSourceTest, ReadsEveryKindOfMemberInBlocksOfAnySizeInEveryPass) {
  for (const bool deflate : {false, true}) {
    for (const bool descriptor : {false, true}) {
      for (const bool zip64 : {false, true}) {
        const std::string path = scratch_.Write("file.npz", ZipFile({{.name = "x.npy",
                                                                      .content = SmallNpy(),
                                                                      .deflate = deflate,
                                                                      .descriptor = descriptor,
                                                                      .zip64 = zip64}}));
        const auto source = OpenNpz(path, "x");
        EXPECT_EQ(source->type(), (ElementType{ElementKind::kInt16, false}));
        for (const int64_t block : {1, 2, 3, 1}) {
          EXPECT_THAT(ReadAll(*source, block), ElementsAre(1, -2, 3, -4, 5, 256));
        }
      }
    }
  }
}

TEST_F(NpzSourceTest, APassMayStartAgainBeforeTheLastEnded) {
  const auto source =
      OpenNpz(scratch_.Write("file.npz",
                             ZipFile({{.name = "x.npy", .content = SmallNpy(), .deflate = true}})),
              "");
  RawRows raw;
  source->Fetch({0, 2}, raw);
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, -2, 3, -4, 5, 256));
}

TEST_F(NpzSourceTest, TakesTheOnlyArrayThatIsRows) {
  EXPECT_THAT(Read(ZipFile({{.name = "labels.npy", .content = Labels()},
                            {.name = "x.npy", .content = SmallNpy()},
                            {.name = "readme.txt", .content = "not an array"}})),
              ElementsAre(1, -2, 3, -4, 5, 256));
}

TEST_F(NpzSourceTest, ListsTheArraysWithTheirShapesWhereThereIsNoOneChoice) {
  const std::string two = ZipFile({{.name = "a.npy", .content = SmallNpy()},
                                   {.name = "y.npy", .content = Labels()},
                                   {.name = "b.npy", .content = SmallNpy()}});
  EXPECT_THAT(MessageFor(two, "", ErrorKind::kUsage),
              HasSubstr("found a (3 × 2, <i2) and b (3 × 2, <i2); choose one with --array"));
  EXPECT_THAT(MessageFor(ZipFile({{.name = "y.npy", .content = Labels()}})),
              HasSubstr("found y (3, |u1)"));
  EXPECT_THAT(MessageFor(two, "c", ErrorKind::kNoInput),
              AllOf(HasSubstr("expected an array c, found a (3 × 2, <i2), y (3, |u1)")));
}

TEST_F(NpzSourceTest, NamesMayEndInNpyOrNot) {
  const std::string zip =
      ZipFile({{.name = "a.npy", .content = NpyFile(NpyHeaderText("|u1", "(1, 1)"), "\1")},
               {.name = "b.npy", .content = NpyFile(NpyHeaderText("|u1", "(1, 1)"), "\2")}});
  EXPECT_THAT(Read(zip, "a"), ElementsAre(1));
  EXPECT_THAT(Read(zip, "b.npy"), ElementsAre(2));
}

TEST_F(NpzSourceTest, NamesOfMembersAreNotPaths) {
  for (const std::string name : {"../../etc/passwd", "/etc/passwd", "a/b", "C:\\x"}) {
    const std::string zip = ZipFile({{.name = name + ".npy", .content = SmallNpy()}});
    EXPECT_THAT(Read(zip, name), ElementsAre(1, -2, 3, -4, 5, 256));
    EXPECT_EQ(scratch_.FileCount(), 1U);
  }
}

TEST_F(NpzSourceTest, HostileNamesDoNotBreakTheMessage) {
  const std::string name = "x\n\x1b[31m" + std::string(60'000, 'y') + ".npy";
  const std::string message = MessageFor(ZipFile({{.name = name, .content = Labels()}}));
  EXPECT_LT(message.size(), 400U);
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
}

TEST_F(NpzSourceTest, RefusesSeveralMembersOfTheWantedName) {
  const std::string zip = ZipFile({{.name = "x.npy", .content = SmallNpy()},
                                   {.name = "y.npy", .content = SmallNpy()},
                                   {.name = "x.npy", .content = SmallNpy()}});
  EXPECT_THAT(MessageFor(zip, "x"), HasSubstr("expected one member x.npy, found 2"));
  EXPECT_THAT(Read(zip, "y"), ElementsAre(1, -2, 3, -4, 5, 256));
}

TEST_F(NpzSourceTest, ReadsFortranOrderByWayOfATemporaryFile) {
  const std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}";
  for (const bool deflate : {false, true}) {
    const std::string path = scratch_.Write(
        "file.npz",
        ZipFile(
            {{.name = "x.npy", .content = NpyFile(header, "\1\2\3\4\5\6"), .deflate = deflate}}));
    const auto source = OpenNpz(path, "", scratch_.Path(""));
    for (const int64_t block : {0, 1, 2}) {
      EXPECT_THAT(ReadAll(*source, block), ElementsAre(1, 3, 5, 2, 4, 6));
    }
    EXPECT_EQ(scratch_.FileCount(), 1U);
    EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { OpenNpz(path, ""); }),
                HasSubstr("column after column"));
  }
}

TEST_F(NpzSourceTest, RefusesEncryptedMembersAndOtherMethods) {
  EXPECT_THAT(
      MessageFor(ZipFile({{.name = "x.npy", .content = SmallNpy(), .encrypted = true}}), "x"),
      HasSubstr("file.npz:x: is encrypted"));
  EXPECT_THAT(
      MessageFor(ZipFile({{.name = "x.npy", .content = SmallNpy(), .claimed_method = 14}}), "x"),
      HasSubstr("found method 14"));
}

TEST_F(NpzSourceTest, RefusesMembersWhoseDirectoryLies) {
  const uint64_t size = SmallNpy().size();
  for (const bool deflate : {false, true}) {
    for (const uint64_t claim : {size - 2, size + 2, size + 1000, uint64_t{0}}) {
      MessageFor(ZipFile(
          {{.name = "x.npy", .content = SmallNpy(), .deflate = deflate, .claimed_bytes = claim}}));
    }
    MessageFor(ZipFile(
        {{.name = "x.npy", .content = SmallNpy(), .deflate = deflate, .claimed_checksum = 1}}));
    for (const uint64_t claim : {20, 1'000'000}) {
      MessageFor(ZipFile({{.name = "x.npy",
                           .content = SmallNpy(),
                           .deflate = deflate,
                           .claimed_packed_bytes = claim}}));
    }
  }
}

TEST_F(NpzSourceTest, AHeaderAndADirectoryThatLieInUnisonAreNoticed) {
  // More and fewer elements than there are, as header and directory say both.
  for (const int rows : {2, 4, 1000}) {
    const std::string npy =
        NpyFile(NpyHeaderText("<i2", fmt::format("({}, 2)", rows)), std::string(12, '\1'));
    const uint64_t claim = npy.size() - 12 + static_cast<uint64_t>(rows) * 4;
    for (const bool deflate : {false, true}) {
      MessageFor(
          ZipFile({{.name = "x.npy", .content = npy, .deflate = deflate, .claimed_bytes = claim}}));
    }
  }
}

TEST_F(NpzSourceTest, RefusesBombsWithoutAllocatingWhatTheyClaim) {
  const std::string npy = NpyFile(NpyHeaderText("<f8", "(1, 125000000000)"), "12345678");
  const uint64_t claim = npy.size() - 8 + 1'000'000'000'000;
  EXPECT_THAT(MessageFor(ZipFile({{.name = "x.npy",
                                   .content = npy,
                                   .deflate = true,
                                   .zip64 = true,
                                   .claimed_bytes = claim}})),
              HasSubstr("cannot hold"));
  EXPECT_THAT(MessageFor(ZipFile({{.name = "x.npy", .content = npy, .deflate = true}})),
              HasSubstr("cut short"));
  // Zeros without end behind a small array.
  EXPECT_THAT(MessageFor(ZipFile({{.name = "x.npy",
                                   .content = SmallNpy() + std::string(10'000'000, '\0'),
                                   .deflate = true}})),
              HasSubstr("goes on after its rows"));
}

TEST_F(NpzSourceTest, RefusesEveryProperPrefix) {
  for (const bool deflate : {false, true}) {
    const std::string whole =
        ZipFile({{.name = "x.npy", .content = SmallNpy(), .deflate = deflate}});
    for (size_t size = 0; size < whole.size(); ++size) MessageFor(whole.substr(0, size));
  }
}

TEST_F(NpzSourceTest, DamageNeverGivesOtherRows) {
  const std::string whole = ZipFile({{.name = "x.npy", .content = SmallNpy(), .deflate = true}});
  size_t noticed = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    const std::string path = scratch_.Write("file.npz", damaged);
    try {
      EXPECT_THAT(ReadAll(*OpenNpz(path, "x")), ElementsAre(1, -2, 3, -4, 5, 256)) << bit;
    } catch (const Error& error) {
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 4 * whole.size());  // times, versions and the like do not matter
}

TEST_F(NpzSourceTest, ThousandsOfMembersAreLookedThrough) {
  ZipBuilder builder;
  for (int i = 0; i < 5000; ++i) {
    builder.Add({.name = fmt::format("labels{}.npy", i), .content = Labels()});
  }
  EXPECT_THAT(MessageFor(builder.Finish()), HasSubstr("and 4988 more"));
  builder.Add({.name = "x.npy", .content = SmallNpy(), .deflate = true});
  EXPECT_THAT(Read(builder.Finish()), ElementsAre(1, -2, 3, -4, 5, 256));
  EXPECT_THAT(Read(builder.Finish(), "x"), ElementsAre(1, -2, 3, -4, 5, 256));
}

TEST_F(NpzSourceTest, RefusesArchivesOfOtherThings) {
  EXPECT_THAT(MessageFor(ZipFile({{.name = "a.txt", .content = "a"}})), HasSubstr("found none"));
  EXPECT_THAT(MessageFor(ZipFile({{.name = "archive/data.pkl", .content = "a"}})),
              HasSubstr("PyTorch"));
  EXPECT_THAT(MessageFor(ZipFile({})), HasSubstr("found none"));
  EXPECT_THAT(MessageFor("no archive at all"), HasSubstr("as a zip archive"));
  EXPECT_THAT(MessageFor(ZipFile({{.name = "x.npy", .content = "text"}})),
              HasSubstr("file.npz:x: expected"));
}

TEST_F(NpzSourceTest, CountsEachPassAsTheMembersPackedBytes) {
  const std::string npy = SmallNpy();
  const auto source = OpenNpz(
      scratch_.Write("file.npz", ZipFile({{.name = "x.npy", .content = npy, .deflate = true}})),
      "");
  ReadAll(*source);
  const uint64_t before = source->bytes_read();
  ReadAll(*source, 1);
  EXPECT_EQ(source->bytes_read() - before, DeflateRaw(npy).size());
}

TEST_F(NpzSourceTest, MissingFilesFoldersAndPipesAreNoInput) {
  const std::string pipe = scratch_.Path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {scratch_.Path("missing"), scratch_.Path(""), pipe}) {
    EXPECT_THAT(MessageOf(ErrorKind::kNoInput, [&] { OpenNpz(path, ""); }), HasSubstr(path));
  }
}

TEST_F(NpzSourceTest, RecognisesZipByItsFirstBytes) {
  const auto looks = [](std::string_view text) {
    return LooksLikeZip(std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(looks(ZipFile({{.name = "x", .content = "x"}})));
  EXPECT_TRUE(looks(ZipFile({})));
  EXPECT_FALSE(looks("PK"));
  EXPECT_FALSE(looks(""));
  EXPECT_FALSE(looks(SmallNpy()));
}

}  // namespace
}  // namespace rhohat
