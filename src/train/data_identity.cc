#include "train/data_identity.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "data/row_source.h"

namespace rhohat {
namespace {

using HashState = std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)>;

// The bytes as they are stored, piece after piece.
void AddRows(const RawRows& raw, XXH3_state_t* hash) {
  for (const RawRows::Piece& piece : raw.pieces) {
    const size_t bytes = static_cast<size_t>(piece.columns) * ElementBytes(piece.type);
    const std::byte* row = piece.data;
    for (int64_t i = 0; i < piece.rows; ++i, row += piece.row_stride) {
      XXH3_64bits_update(hash, row, bytes);
    }
  }
}

uint64_t SampleOf(DataSet& data) {
  constexpr int64_t kStretches = 64;
  constexpr int64_t kStretchBytes = 256 << 10;
  const int64_t row_bytes =
      std::max<int64_t>(1, data.columns() * static_cast<int64_t>(ElementBytes(data.type())));
  const int64_t rows = std::max<int64_t>(1, kStretchBytes / row_bytes);
  const HashState hash(XXH3_createState(), &XXH3_freeState);
  XXH3_64bits_reset(hash.get());
  RawRows raw;
  for (int64_t i = 0; i < kStretches; ++i) {
    // Stretches of equal distance; all rows where they touch.
    const int64_t begin = data.rows() / kStretches * i + data.rows() % kStretches * i / kStretches;
    const int64_t next =
        data.rows() / kStretches * (i + 1) + data.rows() % kStretches * (i + 1) / kStretches;
    const int64_t end = std::min(begin + rows, next);
    if (begin == end) continue;
    FetchAndUnpack(data, {begin, end}, raw);
    AddRows(raw, hash.get());
  }
  return XXH3_64bits_digest(hash.get());
}

DataIdentity IdentityOf(const DataSet& data) {
  DataIdentity identity{.files = {}, .rows = data.rows(), .columns = data.columns()};
  for (const Hdf5DataSetInfo& info : data.files()) {
    identity.files.push_back(
        {info.file, info.dataset, ElementName(info.element), info.rows, info.file_bytes});
  }
  return identity;
}

}  // namespace

DataStamp StampOf(DataSet& data) {
  DataStamp stamp{
      .identity = IdentityOf(data), .modified_nanoseconds = {}, .sample = SampleOf(data)};
  for (const Hdf5DataSetInfo& info : data.files()) {
    stamp.modified_nanoseconds.push_back(info.modified_nanoseconds);
  }
  return stamp;
}

std::string DifferenceOf(const DataStamp& expected, const DataStamp& found) {
  const DataIdentity& then = expected.identity;
  const DataIdentity& now = found.identity;
  if (then.columns != now.columns) {
    return fmt::format("expected {} columns, found {}", then.columns, now.columns);
  }
  if (then.files.size() != now.files.size()) {
    return fmt::format("expected {} files, found {}", then.files.size(), now.files.size());
  }
  for (size_t i = 0; i < now.files.size(); ++i) {
    const DataIdentity::File& was = then.files[i];
    const DataIdentity::File& is = now.files[i];
    if (was.type == is.type && was.rows == is.rows && was.bytes == is.bytes) continue;
    return fmt::format("{}: expected {} rows of {} in {} bytes, found {} of {} in {}", is.path,
                       was.rows, was.type, was.bytes, is.rows, is.type, is.bytes);
  }
  if (expected.sample == found.sample) return {};
  return fmt::format("{}{}: other values than when the run began", now.files.front().path,
                     now.files.size() > 1 ? ", or one of the files with it" : "");
}

}  // namespace rhohat
