#include "formats/npy_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// More axes than any version of NumPy allows.
constexpr size_t kMostAxes = 64;

class Parser {
 public:
  Parser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  NpyHeader Dictionary() {
    NpyHeader header;
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    Expect('{');
    while (!Accept('}')) {
      const std::string_view key = String();
      Expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        header.descr = Descr();
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header.fortran_order = Boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        header.shape = Shape();
      } else {
        Fail("the keys 'descr', 'fortran_order' and 'shape', once each");
      }
      if (!Accept(',')) {
        Expect('}');
        break;
      }
    }
    SkipBlanks();
    if (position_ != text_.size()) Fail("nothing after the dictionary");
    if (!has_descr || !has_order || !has_shape) Fail("'descr', 'fortran_order' and 'shape'");
    return header;
  }

 private:
  [[noreturn]] void Fail(std::string_view expected) const {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: its NumPy header makes no sense at byte {}: expected {}", path_,
                            position_, expected));
  }

  void SkipBlanks() {
    position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size());
  }

  bool Accept(char wanted) {
    SkipBlanks();
    if (position_ >= text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }

  bool AcceptWord(std::string_view word) {
    SkipBlanks();
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  void Expect(char wanted) {
    if (!Accept(wanted)) Fail(fmt::format("'{}'", wanted));
  }

  // Between single or double quotes, without escapes: no type and no key needs one.
  std::string_view String() {
    const char quote = Accept('\'') ? '\'' : Accept('"') ? '"' : '\0';
    const size_t end = quote == '\0' ? text_.npos : text_.find(quote, position_);
    if (end == text_.npos) Fail("text between quotes");
    const std::string_view content = text_.substr(position_, end - position_);
    if (content.find('\\') != content.npos) Fail("text without a backslash");
    position_ = end + 1;
    return content;
  }

  // A structured type is a list of fields. It is refused later, so its text is all that is wanted.
  std::string_view Descr() {
    SkipBlanks();
    const size_t begin = position_;
    if (!Accept('[')) return String();
    size_t depth = 1;
    for (; depth > 0 && position_ < text_.size(); ++position_) {
      if (text_[position_] == '[') ++depth;
      if (text_[position_] == ']') --depth;
    }
    if (depth > 0) Fail("']'");
    return text_.substr(begin, position_ - begin);
  }

  bool Boolean() {
    if (AcceptWord("True")) return true;
    if (!AcceptWord("False")) Fail("True or False");
    return false;
  }

  std::vector<int64_t> Shape() {
    std::vector<int64_t> shape;
    Expect('(');
    while (!Accept(')')) {
      if (shape.size() == kMostAxes) Fail(fmt::format("at most {} axes", kMostAxes));
      shape.push_back(Length());
      if (!Accept(',')) {
        Expect(')');
        break;
      }
    }
    return shape;
  }

  int64_t Length() {
    SkipBlanks();
    int64_t length = 0;
    const char* const begin = text_.data() + position_;
    const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), length);
    if (status != std::errc() || length < 0) Fail("the length of an axis, below 2^63");
    position_ += static_cast<size_t>(end - begin);
    AcceptWord("L");  // NumPy under Python 2 wrote 28L
    return length;
  }

  std::string_view text_;
  const std::string& path_;
  size_t position_ = 0;
};

}  // namespace

NpyHeader ParseNpyHeader(std::string_view text, const std::string& path) {
  return Parser(text, path).Dictionary();
}

}  // namespace rhohat
