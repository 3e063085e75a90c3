#include "formats/safetensors_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/input_file.h"
#include "base/safetensors_header.h"
#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

struct NamedKind {
  std::string_view name;
  ElementKind kind;
};

constexpr std::array<NamedKind, 13> kKinds = {{{"F64", ElementKind::kFloat64},
                                               {"F32", ElementKind::kFloat32},
                                               {"F16", ElementKind::kFloat16},
                                               {"BF16", ElementKind::kBfloat16},
                                               {"I64", ElementKind::kInt64},
                                               {"I32", ElementKind::kInt32},
                                               {"I16", ElementKind::kInt16},
                                               {"I8", ElementKind::kInt8},
                                               {"U64", ElementKind::kUint64},
                                               {"U32", ElementKind::kUint32},
                                               {"U16", ElementKind::kUint16},
                                               {"U8", ElementKind::kUint8},
                                               {"BOOL", ElementKind::kUint8}}};

// "weight: 512×768 BF16"
std::string Describe(const SafetensorsEntry& entry) {
  std::string shape;
  for (const int64_t extent : entry.shape) {
    shape += fmt::format("{}{}", shape.empty() ? "" : "×", extent);
  }
  return fmt::format("{}: {} {}", QuotedText(entry.name), shape.empty() ? "one value" : shape,
                     QuotedText(entry.type));
}

std::string DescribeAll(const std::vector<SafetensorsEntry>& entries) {
  std::vector<std::string> described;
  described.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) described.push_back(Describe(entry));
  return described.empty() ? "none" : JoinNames(described);
}

const SafetensorsEntry& Named(const std::string& path, const std::string& name,
                              const std::vector<SafetensorsEntry>& entries) {
  const auto found = std::ranges::find(entries, name, &SafetensorsEntry::name);
  if (found == entries.end()) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: expected a tensor {}, found {}", path,
                                                 QuotedText(name), DescribeAll(entries)));
  }
  if (found->shape.size() < 2) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a tensor with rows and columns, found {}", path,
                            Describe(*found)));
  }
  return *found;
}

const SafetensorsEntry& OnlyWithRows(const std::string& path,
                                     const std::vector<SafetensorsEntry>& entries) {
  const auto has_rows = [](const SafetensorsEntry& entry) { return entry.shape.size() >= 2; };
  const auto found = std::ranges::find_if(entries, has_rows);
  if (found == entries.end()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a tensor with rows and columns, found {}", path,
                            DescribeAll(entries)));
  }
  if (std::ranges::count_if(entries, has_rows) > 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: holds several tensors: choose one with --array: {}", path,
                            DescribeAll(entries)));
  }
  return *found;
}

ElementType TypeOf(const std::string& path, const SafetensorsEntry& entry) {
  const auto known = std::ranges::find(kKinds, entry.type, &NamedKind::name);
  if (known != kKinds.end()) return {known->kind, false};
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected integers, booleans or floats of 16 bits or more, found {}; "
                          "convert it with tensor.to(torch.float32)",
                          path, Describe(entry)));
}

class SafetensorsSource final : public RowSource {
 public:
  // `entry` has two axes or more, and lies within the file.
  SafetensorsSource(InputFile file, const SafetensorsEntry& entry, uint64_t data_offset)
      : file_(std::move(file)),
        where_(fmt::format("{}:{}", file_.path(), QuotedText(entry.name))),
        type_(TypeOf(file_.path(), entry)),
        rows_(entry.shape[0]),
        offset_(data_offset + entry.begin) {
    if (std::ranges::count(entry.shape, 0) > 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected at least one row and one column, found {}",
                              file_.path(), Describe(entry)));
    }
    for (size_t axis = 1; axis < entry.shape.size(); ++axis) {
      columns_ = CheckedProduct(columns_, entry.shape[axis], where_);
    }
    row_bytes_ = CheckedProduct(columns_, static_cast<int64_t>(ElementBytes(type_)), where_);
    CheckedProduct(rows_, row_bytes_, where_);
  }

  int64_t rows() const override { return rows_; }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return type_; }
  size_t MaxRawBytes(int64_t count) const override {
    return static_cast<size_t>(CheckedProduct(count, row_bytes_, "bytes of a block of rows"));
  }
  size_t ReaderBytes() const override { return 0; }
  // More than one hides the latency of network file systems.
  int64_t readers() const override { return 4; }

  void Fetch(RowRange range, RawRows& out) override {
    if (range.begin < 0 || range.end < range.begin || range.end > rows_) {
      throw Error(ErrorKind::kInternal, fmt::format("{}: asked for rows {} to {} of {}", where_,
                                                    range.begin, range.end, rows_));
    }
    out.range = range;
    out.parcels.clear();
    out.new_parcels = 0;
    out.bytes.resize(MaxRawBytes(range.size()));
    out.SetOnePiece(type_, columns_);
  }

  void Read(RawRows& rows) override {
    file_.ReadAt(offset_ + static_cast<uint64_t>(rows.range.begin * row_bytes_), rows.bytes);
    bytes_read_.fetch_add(rows.bytes.size(), std::memory_order_relaxed);
  }

  std::string Locate(int64_t row) const override { return fmt::format("{} row {}", where_, row); }
  uint64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  InputFile file_;
  std::string where_;
  ElementType type_;
  int64_t rows_;
  int64_t columns_ = 1;
  int64_t row_bytes_ = 0;
  uint64_t offset_;
  std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace

bool LooksLikeSafetensors(std::span<const std::byte> first_bytes) {
  if (first_bytes.size() <= kSafetensorsLengthBytes) return false;
  uint64_t length = 0;
  std::memcpy(&length, first_bytes.data(), sizeof length);
  return length >= 2 && length <= kMaxSafetensorsHeaderBytes &&
         first_bytes[kSafetensorsLengthBytes] == std::byte{'{'};
}

std::unique_ptr<RowSource> OpenSafetensorsRows(const std::string& path, const std::string& tensor) {
  InputFile file(path);
  const SafetensorsHeader header = ReadSafetensorsHeader(file);
  const SafetensorsEntry& entry =
      tensor.empty() ? OnlyWithRows(path, header.entries) : Named(path, tensor, header.entries);
  return std::make_unique<SafetensorsSource>(std::move(file), entry, header.data_offset);
}

}  // namespace rhohat
