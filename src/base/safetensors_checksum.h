// The checksum over every byte of a safetensors file, as its header's table of strings keeps it:
// under "checksum", "xxh3-128:" and 32 lower-case hexadecimal digits, taken with zeros in their
// place. docs/formats/model.md has the layout to the byte.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rhohat {

inline constexpr char kSafetensorsChecksumKey[] = "checksum";

// XXH3's 128-bit hash of bytes that arrive piece by piece: first of all the length and the text of
// the header.
class SafetensorsChecksum {
 public:
  // What the value begins with, and how many digits follow.
  static constexpr std::string_view kPrefix = "xxh3-128:";
  static constexpr size_t kDigits = 32;

  // The header has zeros for the digits already.
  explicit SafetensorsChecksum(std::string_view header);

  void Add(std::span<const std::byte> bytes);

  // Of all bytes so far, in the hash's canonical form.
  std::string Digits() const;

 private:
  struct Deleter {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Deleter> state_;
};

}  // namespace rhohat
