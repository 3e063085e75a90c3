// Rows made up, in a temporary HDF5 file: for measurements that want to read but have no data.
#pragma once

#include <cstdint>
#include <string>

namespace rhohat {

// Deleted with the object. The folder is the system's for temporary files (TMPDIR).
class RandomRowsFile {
 public:
  // float32 values in [0.1, 0.9), within reach of a sigmoid decoder, uncompressed. Throws Error
  // where the file cannot be written.
  RandomRowsFile(int64_t rows, int64_t columns);
  ~RandomRowsFile();
  RandomRowsFile(const RandomRowsFile&) = delete;
  RandomRowsFile& operator=(const RandomRowsFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace rhohat
