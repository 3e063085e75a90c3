#include "sweep/row_sample.h"

#include <fmt/core.h>

#include <cassert>
#include <cstring>

#include "base/keyed_permutation.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

HeldFormat FormatOf(ElementType type, int64_t columns) {
  return {.type = type,
          .columns = columns,
          .row_bytes = static_cast<size_t>(columns) * ElementBytes(type)};
}

// Makes `one` that single row of `rows`.
void PickRow(const RawRows& rows, int64_t row, RawRows& one) {
  one.Start({row, row + 1});
  const int64_t index = row - rows.range.begin;
  for (const RawRows::Piece& piece : rows.pieces) {
    if (index < piece.first_row || index >= piece.first_row + piece.rows) continue;
    RawRows::Piece part = piece;
    part.data += static_cast<size_t>(index - piece.first_row) * piece.row_stride;
    part.first_row = 0;
    part.rows = 1;
    one.pieces.push_back(part);
  }
}

// One pass that keeps what belongs to the sample. Every row has a place of its own, so the threads
// share nothing but `held`.
template <class T>
class Gathering {
 public:
  Gathering(const RowSource& source, RowTransform<T>* transform, const KeyedPermutation& order,
            int64_t block_rows, int64_t threads, HeldSample& held)
      : source_(source), transform_(transform), order_(order), held_(held) {
    workers_.resize(static_cast<size_t>(threads));
    if (transform == nullptr) return;
    for (Worker& worker : workers_) {
      worker.picked = AlignedBuffer<double>(static_cast<size_t>(block_rows * source.columns()));
      worker.places.reserve(static_cast<size_t>(block_rows));
    }
  }

  void TakeBlock(const RawBlock& block) {
    Worker& worker = workers_[static_cast<size_t>(block.worker)];
    const RawRows& rows = *block.rows;
    worker.places.clear();  // of a block that failed
    for (int64_t row = rows.range.begin; row < rows.range.end; ++row) {
      const int64_t place = order_(row);
      if (place >= held_.rows()) continue;
      held_.numbers[static_cast<size_t>(place)] = row;
      PickRow(rows, row, worker.one);
      Take(place, worker);
    }
    if (!worker.places.empty()) TakeTransformed(block.worker, worker);
  }

 private:
  struct Worker {
    RawRows one;
    AlignedBuffer<double> picked;  // block_rows × columns, where there is a transform
    std::vector<int64_t> places;   // of the rows in it
  };

  void Take(int64_t place, Worker& worker) {
    const auto columns = static_cast<size_t>(source_.columns());
    if (transform_ != nullptr) {
      DecodeRows<double>(source_, worker.one,
                         worker.picked.span().subspan(worker.places.size() * columns, columns));
      worker.places.push_back(place);
    } else if (held_.format.type == kNativeType<T>) {
      DecodeRows<T>(source_, worker.one, {reinterpret_cast<T*>(held_.row(place)), columns});
    } else {
      CopyStored(worker.one, held_.row(place));
    }
  }

  void CopyStored(const RawRows& one, std::byte* out) const {
    const size_t element = ElementBytes(held_.format.type);
    for (const RawRows::Piece& piece : one.pieces) {
      assert(piece.type == held_.format.type);
      std::memcpy(out + static_cast<size_t>(piece.first_column) * element, piece.data,
                  static_cast<size_t>(piece.columns) * element);
    }
  }

  void TakeTransformed(int64_t number, Worker& worker) {
    const size_t count = worker.places.size();
    const std::span<const T> rows = transform_->Apply(
        worker.picked.span().first(count * static_cast<size_t>(source_.columns())),
        static_cast<int64_t>(count), number);
    const auto columns = static_cast<size_t>(held_.format.columns);
    for (size_t i = 0; i < count; ++i) {
      std::memcpy(held_.row(worker.places[i]), rows.data() + i * columns, held_.format.row_bytes);
    }
    worker.places.clear();
  }

  const RowSource& source_;
  RowTransform<T>* transform_;
  const KeyedPermutation& order_;
  HeldSample& held_;
  std::vector<Worker> workers_;
};

int64_t CheckedRows(int64_t rows, const RowSource& source) {
  if (rows >= 1 && rows <= source.rows()) return rows;
  throw Error(ErrorKind::kUsage,
              fmt::format("rows of a sample: expected 1 to {}, found {}", source.rows(), rows));
}

}  // namespace

// A source's type is that of all its rows, or else float64.
template <class T>
HeldFormat HeldFormat::Stored(const RowSource& source) {
  const bool smaller = ElementBytes(source.type()) < sizeof(T);
  return FormatOf(smaller ? source.type() : kNativeType<T>, source.columns());
}

template <class T>
HeldFormat HeldFormat::Transformed(int64_t columns) {
  return FormatOf(kNativeType<T>, columns);
}

uint64_t HeldFormat::MemoryBytes(int64_t rows) const {
  return static_cast<uint64_t>(CheckedProduct(
      rows, static_cast<int64_t>(row_bytes + sizeof(int64_t)), "a sample of the rows"));
}

template <class T>
HeldSample GatherSample(RowSource& source, Executor& executor, const SweepOptions& pass,
                        RowTransform<T>* transform, const SampleOptions& options) {
  HeldSample held;
  held.format = transform != nullptr ? HeldFormat::Transformed<T>(transform->columns())
                                     : HeldFormat::Stored<T>(source);
  held.source = &source;
  const auto rows = static_cast<size_t>(CheckedRows(options.rows, source));
  held.format.MemoryBytes(options.rows);  // throws where the product below is too large
  held.numbers.resize(rows);
  held.bytes = AlignedBuffer<std::byte>(rows * held.format.row_bytes);

  const KeyedPermutation order(options.seed, RandomPurpose::kRowSample, 0, source.rows());
  Gathering<T> gathering(source, transform, order, pass.block_rows, executor.threads(), held);
  RowPass reading(source, executor, pass);
  reading.set_rows_done(options.rows_done);
  reading.Run([&](const RawBlock& block) { gathering.TakeBlock(block); });
  if (options.counts != nullptr) {
    options.counts->rows += reading.counts().rows;
    options.counts->bytes_read += reading.counts().bytes_read;
    options.counts->wait_seconds += reading.counts().wait_seconds;
  }
  return held;
}

SampledRows::SampledRows(const HeldSample& held, RowRange places) : held_(held), places_(places) {
  assert(places.begin >= 0 && places.begin <= places.end && places.end <= held.rows());
}

void SampledRows::Fetch(RowRange range, RawRows& out) {
  out.Start(range);
  out.AddPiece({.type = held_.format.type,
                .rows = range.size(),
                .columns = held_.format.columns,
                .data = held_.row(places_.begin + range.begin),
                .row_stride = held_.format.row_bytes});
}

std::span<const int64_t> SampledRows::Numbers(RowRange range) const {
  return std::span(held_.numbers)
      .subspan(static_cast<size_t>(places_.begin + range.begin), static_cast<size_t>(range.size()));
}

std::string SampledRows::Locate(int64_t row) const {
  return held_.source->Locate(held_.numbers[static_cast<size_t>(places_.begin + row)]);
}

template HeldFormat HeldFormat::Stored<float>(const RowSource&);
template HeldFormat HeldFormat::Stored<double>(const RowSource&);
template HeldFormat HeldFormat::Transformed<float>(int64_t);
template HeldFormat HeldFormat::Transformed<double>(int64_t);
template HeldSample GatherSample<float>(RowSource&, Executor&, const SweepOptions&,
                                        RowTransform<float>*, const SampleOptions&);
template HeldSample GatherSample<double>(RowSource&, Executor&, const SweepOptions&,
                                         RowTransform<double>*, const SampleOptions&);

}  // namespace rhohat
