// Files of foreign formats, built byte by byte.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {

// A folder of its own for each test.
class ScratchFolder {
 public:
  std::string Path(const std::string& name) const { return folder_ / name; }

  // Returns the path.
  std::string Write(const std::string& name, std::string_view bytes) const {
    // Some file systems flush a file that is cut to nothing and written again, which is slow.
    std::filesystem::remove(Path(name));
    std::ofstream file(Path(name), std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return Path(name);
  }

  size_t FileCount() const {
    const std::filesystem::directory_iterator entries(folder_.path());
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

 private:
  TemporaryFolder folder_;
};

template <class T>
std::string Stored(const std::vector<T>& values, bool big_endian) {
  std::string bytes;
  for (const T& value : values) {
    std::string element(reinterpret_cast<const char*>(&value), sizeof(T));
    if (big_endian) std::reverse(element.begin(), element.end());
    bytes += element;
  }
  return bytes;
}

inline std::string IdxFile(int type, const std::vector<uint32_t>& axes, std::string_view elements) {
  const std::string magic = {'\0', '\0', static_cast<char>(type), static_cast<char>(axes.size())};
  return magic + Stored(axes, true) + std::string(elements);
}

// As numpy.save writes it: the header padded to a multiple of 64 bytes.
inline std::string NpyFile(std::string header, std::string_view elements, int version = 1) {
  const size_t before = version == 1 ? 10 : 12;
  while ((before + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  const auto length = static_cast<uint32_t>(header.size());
  const std::string length_bytes = Stored(std::vector<uint32_t>{length}, false);
  return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' +
         length_bytes.substr(0, before - 8) + header + std::string(elements);
}

inline std::string NpyHeaderText(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

inline std::string Gzip(std::string_view content) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// What the Error thrown by `work` says, after a check of its kind; every message is one line.
inline std::string MessageOf(ErrorKind kind, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    return message;
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

}  // namespace rhohat
