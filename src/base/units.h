// Sizes and durations as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rhohat {

// "192M", "4G", "1.5 GiB", "512" (bytes). K, M, G and T are powers of 1024, as in Slurm. Throws
// Error(kUsage) for anything else.
uint64_t ParseBytes(std::string_view text);

// Three significant digits: "192 MiB", "1.50 GiB", "17 bytes".
std::string FormatBytes(uint64_t bytes);

// "12 s", "3 min 05 s", "2 h 07 min".
std::string FormatSeconds(double seconds);

// Seconds: "90s", "10m", "7h45m", "1d12h", "2.5s", as Slurm has it "07:45:00"
// and "1-12:00:00", and a number alone, of seconds. Throws Error(kUsage) for anything else.
double ParseDuration(std::string_view text);

// "10m", "7h45m", "2.5s": what ParseDuration() makes the same number of.
std::string ExactDuration(double seconds);

// "16x24": height and width, 1 or more each. Throws Error(kUsage), naming `flag`, for anything
// else.
struct HeightWidth {
  int64_t height = 0;
  int64_t width = 0;
};
HeightWidth ParseHeightWidth(std::string_view text, std::string_view flag);

// a * b, or Error(kBadData) where the product does not fit in 63 bits. `what` names the product in
// the message.
int64_t CheckedProduct(int64_t a, int64_t b, std::string_view what);

}  // namespace rhohat
