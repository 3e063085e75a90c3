// Rows as a file stores them to rows as the output stores them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "data/row_source.h"

namespace rhohat {

// How numbers are stored.
struct RowEncoding {
  ElementKind type = ElementKind::kFloat32;
  double scale = 0;   // every value is multiplied by it, where it is not 0
  bool clip = false;  // values out of the type's range become its nearest value
};

// For one thread at a time.
class RowEncoder {
 public:
  explicit RowEncoder(const RowEncoding& encoding) : encoding_(encoding) {}

  // `raw`, which came from `source`, in the output's type, little-endian; valid until the next
  // call. Where neither type nor scale asks for a change the bits of every element stay as they
  // are, those of a NaN too. Throws Error(kBadData), naming file, row and column, at the first
  // value that the output's type cannot hold.
  std::span<const std::byte> Encode(const RowSource& source, const RawRows& raw);

 private:
  // Elements that lie one after another.
  struct Run {
    ElementType type;
    const std::byte* data = nullptr;
    size_t count = 0;
  };

  const std::byte* InPlace(const RowSource& source, const RawRows& raw) const;
  void EncodeRun(const RowSource& source, int64_t first_row, size_t first, const Run& run);
  // Return how many elements fit, or were clipped, before the first that does not fit; or all.
  size_t EncodeElementsOf(const Run& run, std::byte* out) const;
  size_t CopyWideIntegers(const Run& run, std::byte* out) const;
  size_t Recompute(const Run& run, std::byte* out) const;

  RowEncoding encoding_;
  std::vector<std::byte> encoded_;
};

}  // namespace rhohat
