#include "base/safetensors_checksum.h"

#include <fmt/core.h>

#include <cstdint>
#include <new>

namespace rhohat {

SafetensorsChecksum::SafetensorsChecksum(std::string_view header) : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_.get());
  const uint64_t length = header.size();
  Add(std::as_bytes(std::span(&length, 1)));
  Add(std::as_bytes(std::span(header)));
}

void SafetensorsChecksum::Add(std::span<const std::byte> bytes) {
  if (!bytes.empty()) XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string SafetensorsChecksum::Digits() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
  std::string digits;
  for (const unsigned char byte : canonical.digest) digits += fmt::format("{:02x}", byte);
  return digits;
}

}  // namespace rhohat
