// Small HDF5 files for tests, through the writer that users' files come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/hdf5_writer.h"

namespace rhohat {

template <class T>
void WriteRows(const std::string& path, ElementType type, int64_t columns,
               const std::vector<T>& values, int64_t chunk_rows = 0,
               const std::string& dataset = "data") {
  const auto rows = static_cast<int64_t>(values.size()) / columns;
  Hdf5Writer writer(path, {.dataset = dataset,
                           .type = type,
                           .rows = rows,
                           .columns = columns,
                           .chunk_rows = chunk_rows});
  writer.Append(std::as_bytes(std::span(values)));
  writer.Commit();
}

}  // namespace rhohat
