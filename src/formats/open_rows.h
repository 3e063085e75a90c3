// Opens a file of any format that can be converted, told by its content and not by its name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "rhohat/input.h"

namespace rhohat {

enum class Format : uint8_t {
  kHdf5,
  kNpy,
  kNpz,
  kCsv,
  kIdx,
  kPicture,
  kSafetensors,
  kMatlab,
  kRaw,
};

// What the file is, or what `options.format` says it is. Throws Error(kNoInput) where there is no
// such file; Error(kBadData) where its format is unknown, with a list of those there are;
// Error(kUsage) for a name that is no format's.
Format FormatOf(const std::string& path, const InputOptions& options);

// Throws Error(kUsage) where an option is given that none of the formats in use knows.
void CheckOptionsApply(const InputOptions& options, const std::vector<Format>& formats);

// Beside the user's options: what follows from the others.
struct OpenOptions {
  InputOptions input;
  std::vector<std::string> csv_columns;  // to take, by name or number; empty: all
  ElementType raw_type;                  // of headerless binary
  std::string spool_folder;              // where rows may be put down that lie column by column
};

// Any format but pictures, which are not rows on their own. Throws Error.
std::unique_ptr<RowSource> OpenRows(const std::string& path, Format format,
                                    const OpenOptions& options);

// All pictures, or patches of them, as one source.
std::unique_ptr<RowSource> OpenPictureRows(std::vector<std::string> files,
                                           const InputOptions& options);

}  // namespace rhohat
