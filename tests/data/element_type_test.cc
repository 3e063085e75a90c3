#include "data/element_type.h"

#include <gtest/gtest.h>

#include "rhohat/error.h"

namespace rhohat {
namespace {

TEST(ElementTypeTest, NamesSurviveTheRoundTrip) {
  for (const char* name :
       {"int8", "uint8", "int16", "uint16-be", "int32-be", "uint32", "int64", "uint64-be",
        "float16", "float16-be", "bfloat16", "float32-be", "float64"}) {
    EXPECT_EQ(ElementName(ParseElementType(name)), name);
  }
}

TEST(ElementTypeTest, BytesHaveNoByteOrder) {
  EXPECT_EQ(ParseElementType("uint8-be"), ParseElementType("uint8"));
}

TEST(ElementTypeTest, SizesAreThoseInTheNames) {
  EXPECT_EQ(ElementBytes(ParseElementType("int8")), 1U);
  EXPECT_EQ(ElementBytes(ParseElementType("bfloat16")), 2U);
  EXPECT_EQ(ElementBytes(ParseElementType("float32")), 4U);
  EXPECT_EQ(ElementBytes(ParseElementType("uint64")), 8U);
}

TEST(ElementTypeTest, UnknownNamesAreRefusedWithTheKnownOnes) {
  try {
    ParseElementType("float8");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("float16, bfloat16"), std::string::npos);
  }
}

}  // namespace
}  // namespace rhohat
