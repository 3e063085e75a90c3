// Rows as a file stores them to rows as the output stores them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "data/row_source.h"

namespace rhohat {

// For one thread at a time.
class RowEncoder {
 public:
  // Every value is multiplied by `scale`, where it is not 0.
  RowEncoder(ElementKind output, double scale) : output_(output), scale_(scale) {}

  // `raw`, which came from `source`, in the output's type, little-endian; valid until the next
  // call. Where neither type nor scale asks for a change the bits of every element stay as they
  // are, those of a NaN too. Throws Error(kBadData), naming file, row and column, at the first
  // value that the output's type cannot hold.
  std::span<const std::byte> Encode(const RowSource& source, const RawRows& raw);

 private:
  // Elements of one type; return how many fit before the first that does not, or all.
  size_t EncodePiece(ElementType type, const std::byte* raw, size_t count, std::byte* out) const;
  size_t Recompute(ElementType type, const std::byte* raw, size_t count, std::byte* out) const;

  ElementKind output_;
  double scale_;
  std::vector<std::byte> encoded_;
};

}  // namespace rhohat
