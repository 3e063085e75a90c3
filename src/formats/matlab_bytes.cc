#include "formats/matlab_bytes.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kPackedBytes = size_t{64} << 10;
// What deflate makes of a byte at best.
constexpr uint64_t kMostInflation = 1032;

}  // namespace

void MatlabBytes::EndInflate::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

MatlabBytes::MatlabBytes(const InputFile& file, const Place& place) : file_(file), place_(place) {
  if (!place.compressed) return;
  auto stream = std::make_unique<z_stream>();
  if (inflateInit(stream.get()) != Z_OK) throw std::bad_alloc();
  inflater_.reset(stream.release());
  packed_.resize(std::min<uint64_t>(place.bytes, kPackedBytes));
}

MatlabBytes::~MatlabBytes() = default;

uint64_t MatlabBytes::MostBytes() const {
  return inflater_ == nullptr ? place_.bytes : place_.bytes * kMostInflation;
}

void MatlabBytes::ThrowDamaged() const {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: the {} at byte {} is damaged or cut short", file_.path(),
                          inflater_ == nullptr ? "array" : "compressed array", place_.offset));
}

void MatlabBytes::Refill() {
  const auto wanted =
      static_cast<size_t>(std::min<uint64_t>(packed_.size(), place_.bytes - stored_read_));
  if (wanted == 0) ThrowDamaged();
  file_.ReadAt(place_.offset + stored_read_, std::span(packed_).first(wanted));
  stored_read_ += wanted;
  inflater_->next_in = reinterpret_cast<Bytef*>(packed_.data());
  inflater_->avail_in = static_cast<uInt>(wanted);
}

// Returns how much of `out` there was left to fill.
size_t MatlabBytes::Inflate(std::span<std::byte> out) {
  // zlib counts in 32 bits.
  constexpr size_t kMostAtOnce = size_t{1} << 30;
  size_t filled = 0;
  while (filled < out.size() && !ended_) {
    if (inflater_->avail_in == 0) Refill();
    const size_t room = std::min(out.size() - filled, kMostAtOnce);
    inflater_->next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    inflater_->avail_out = static_cast<uInt>(room);
    const int status = inflate(inflater_.get(), Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) ThrowDamaged();
    filled += room - inflater_->avail_out;
    ended_ = status == Z_STREAM_END;
  }
  return filled;
}

void MatlabBytes::Read(std::span<std::byte> out) {
  if (inflater_ != nullptr) {
    if (Inflate(out) < out.size()) ThrowDamaged();
  } else {
    if (out.size() > place_.bytes - position_) ThrowDamaged();
    file_.ReadAt(place_.offset + position_, out);
  }
  position_ += out.size();
}

void MatlabBytes::CheckEndsAt(uint64_t position) {
  // Behind the numbers there is padding, of less than eight bytes.
  std::array<std::byte, 8> rest = {};
  if (position < position_ || position - position_ > rest.size()) ThrowDamaged();
  Read(std::span(rest).first(static_cast<size_t>(position - position_)));
  if (inflater_ == nullptr) {
    if (position_ != place_.bytes) ThrowDamaged();
  } else if (Inflate(std::span(rest).first(1)) != 0) {
    ThrowDamaged();
  }
}

}  // namespace rhohat
