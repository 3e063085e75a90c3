#include "formats/spool_file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/formats/test_files.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string ReadBack(const InputFile& file, uint64_t offset, size_t count) {
  std::string text(count, '\0');
  file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

class SpoolFileTest : public testing::Test {
 protected:
  std::unique_ptr<InputFile> Spool(const std::string& bytes, uint64_t skip, uint64_t count) {
    FileStream stream(scratch_.Write("file", bytes));
    Skip(stream, skip);
    return SpoolRest(stream, count, scratch_.Path(""));
  }

  ScratchFolder scratch_;
};

TEST_F(SpoolFileTest, HasNoNameInTheFolder) {
  SpoolFile spool(scratch_.Path(""));
  spool.Append(std::as_bytes(std::span("abc", 3)));
  EXPECT_EQ(scratch_.FileCount(), 0U);
  const auto file = spool.Finish("input");
  EXPECT_EQ(scratch_.FileCount(), 0U);
  EXPECT_EQ(file->bytes(), 3U);
  EXPECT_EQ(file->path(), "input");
  EXPECT_EQ(ReadBack(*file, 1, 2), "bc");
}

TEST_F(SpoolFileTest, HoldsTheRestOfAStreamPlainOrPacked) {
  std::string content(3 * kSpoolBufferBytes + 5, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2654435761U >> 24);
  for (const std::string& bytes : {content, Gzip(content)}) {
    const auto file = Spool(bytes, 7, content.size() - 7);
    EXPECT_EQ(file->bytes(), content.size() - 7);
    EXPECT_EQ(ReadBack(*file, 0, content.size() - 7), content.substr(7));
    EXPECT_EQ(ReadBack(*file, kSpoolBufferBytes, 10), content.substr(kSpoolBufferBytes + 7, 10));
  }
}

TEST_F(SpoolFileTest, TheStreamMustBeAsLongAsExpected) {
  const auto message = [&](const std::string& bytes) {
    return MessageOf(ErrorKind::kBadData, [&] { Spool(bytes, 0, 6); });
  };
  for (const bool packed : {false, true}) {
    EXPECT_THAT(message(packed ? Gzip("abcde") : "abcde"),
                HasSubstr("expected 6 bytes of elements, found 5"));
    EXPECT_THAT(message(packed ? Gzip("abcdefg") : "abcdefg"), HasSubstr("found more"));
  }
}

TEST_F(SpoolFileTest, DamageAtTheEndOfPackedDataIsNoticed) {
  std::string packed = Gzip("abcdef");
  packed[packed.size() - 5] ^= 1;
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { Spool(packed, 0, 6); }), HasSubstr("damaged"));
}

TEST_F(SpoolFileTest, ReadingPastTheEndIsAnError) {
  const auto file = Spool("abcdef", 0, 6);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadBack(*file, 4, 3); }),
              HasSubstr("is cut short: expected 1 more bytes at offset 6"));
}

TEST_F(SpoolFileTest, AFolderThatCannotHoldFilesIsNamed) {
  const std::string missing = scratch_.Path("missing");
  EXPECT_THAT(MessageOf(ErrorKind::kCannotCreate, [&] { SpoolFile spool(missing); }),
              HasSubstr(missing));
}

TEST_F(SpoolFileTest, TooLittleSpaceIsToldBeforeAnythingIsUnpacked) {
  FileStream stream(scratch_.Write("file", "abc"));
  EXPECT_THAT(
      MessageOf(ErrorKind::kIo, [&] { SpoolRest(stream, uint64_t{1} << 60, scratch_.Path("")); }),
      AllOf(HasSubstr(scratch_.Path("")), HasSubstr("1048576 TiB")));
  EXPECT_EQ(stream.bytes_read(), 0U);
}

TEST_F(SpoolFileTest, AFailedWriteNamesTheFolder) {
  // A file-size limit stands in for a full disk.
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
  FileStream stream(scratch_.Write("file", std::string(5000, 'x')));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      MessageOf(ErrorKind::kIo, [&] { SpoolRest(stream, 5000, scratch_.Path("")); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, AllOf(HasSubstr(scratch_.Path("")), HasSubstr("cannot write")));
}

}  // namespace
}  // namespace rhohat
