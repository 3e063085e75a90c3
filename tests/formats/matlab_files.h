// MATLAB 5 files, built byte by byte.
#pragma once

#include <zlib.h>

#include <string>
#include <vector>

#include "tests/formats/test_files.h"

namespace rhohat {

// One array, as it lies in a file. Everything can be made wrong.
struct MatlabVariable {
  std::string name = "x";
  uint32_t class_number = 6;  // double
  uint32_t flags = 0;
  std::vector<int32_t> axes = {2, 2};
  uint32_t type = 9;     // of the numbers, as they are stored
  std::string elements;  // in the file's byte order
  bool compressed = false;
  bool big_endian = false;
};

inline std::string MatlabTag(uint32_t type, uint32_t bytes, bool big_endian) {
  return Stored<uint32_t>({type, bytes}, big_endian);
}

inline std::string MatlabElement(uint32_t type, std::string content, bool big_endian) {
  const auto bytes = static_cast<uint32_t>(content.size());
  if (bytes > 0 && bytes <= 4) {
    content.resize(4, '\0');
    return Stored<uint32_t>({bytes << 16 | type}, big_endian) + content;
  }
  content.resize((content.size() + 7) / 8 * 8, '\0');
  return MatlabTag(type, bytes, big_endian) + content;
}

inline std::string Deflated(const std::string& content) {
  std::string packed(compressBound(content.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(content.data()), content.size());
  packed.resize(size);
  return packed;
}

inline std::string MatlabArrayBytes(const MatlabVariable& variable) {
  const bool big = variable.big_endian;
  const std::string content =
      MatlabElement(6, Stored<uint32_t>({variable.class_number | variable.flags, 0}, big), big) +
      MatlabElement(5, Stored(variable.axes, big), big) + MatlabElement(1, variable.name, big) +
      MatlabElement(variable.type, variable.elements, big);
  const std::string array = MatlabTag(14, static_cast<uint32_t>(content.size()), big) + content;
  if (!variable.compressed) return array;
  const std::string packed = Deflated(array);
  return MatlabTag(15, static_cast<uint32_t>(packed.size()), big) + packed;
}

inline std::string MatlabHeader(bool big_endian = false) {
  std::string header = "MATLAB 5.0 MAT-file, Platform: test";
  header.resize(124, ' ');
  return header + Stored<uint16_t>({0x0100}, big_endian) + (big_endian ? "MI" : "IM");
}

inline std::string MatlabFile(const std::vector<MatlabVariable>& variables) {
  std::string file = MatlabHeader(!variables.empty() && variables.front().big_endian);
  for (const MatlabVariable& variable : variables) file += MatlabArrayBytes(variable);
  return file;
}

}  // namespace rhohat
