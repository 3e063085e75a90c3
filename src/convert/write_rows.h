// One pass over a source into a new HDF5 file: rows are read, converted and compressed by all
// threads, and written in order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "convert/row_encoder.h"
#include "data/hdf5_writer.h"
#include "data/row_source.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/output.h"

namespace rhohat {

// The options of an output with those of an element type; throws Error(kUsage) for a compression
// there is not.
Hdf5WriterOptions WriterOptions(const OutputOptions& output, ElementType type, int64_t rows,
                                int64_t columns);

// Adds what is wrong with the options themselves.
void AddOutputFaults(const OutputOptions& output, std::vector<std::string>& faults);

// Throws Error(kCannotCreate) where the output exists and may not be replaced, Error(kUsage) where
// it is one of `inputs`. To be asked before any work.
void CheckOutput(const OutputOptions& output, std::span<const std::string> inputs);

// Writes all rows of `source`, as `encoding` wants them. `describe` may add attributes to the
// finished data set. Returns the size of the file. Throws Stopped where `control` asked to stop.
uint64_t WriteRows(RowSource& source, const RowEncoding& encoding, const OutputOptions& output,
                   const ResourceOptions& resources, const RunControl& control,
                   const std::function<void(Hdf5Writer&)>& describe = nullptr);

}  // namespace rhohat
