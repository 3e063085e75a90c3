#include "train/range_hint.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/aligned_buffer.h"
#include "network/preparation.h"
#include "rhohat/activation.h"

namespace rhohat {

namespace {

// Where there is no preparation, the advice is to scale the data.
std::string Advice(const ActivationInfo& decoder, PreparationKind preparation, double low,
                   double high) {
  if (preparation != PreparationKind::kNone) {
    return "choose a --decoder that can, such as linear, or another --prepare";
  }
  if (low >= decoder.low) {
    return fmt::format(
        "scale the data ('--prepare range:0:{0:g}', or 'rhohat convert --scale "
        "1/{0:g}' while it is converted), or choose --decoder linear",
        high);
  }
  return fmt::format(
      "shift and scale the data ('--prepare range:{:g}:{:g}'), or choose --decoder "
      "linear",
      low, high);
}

}  // namespace

void WarnIfOutOfReach(DataSet& data, const Preparation& preparation, const NetworkOptions& network,
                      int64_t rows, Reporter& reporter) {
  const RowRange range{0, std::min(rows, data.rows())};
  RawRows raw;
  FetchAndUnpack(data, range, raw);
  AlignedBuffer<double> values(static_cast<size_t>(range.size() * data.columns()));
  DecodeRows(data, raw, values.span());
  AlignedBuffer<double> prepared(values.size());
  RowPreparation<double>(preparation, data.columns())
      .Apply(MatrixView<const double>(values.data(), range.size(), data.columns()),
             MatrixView<double>(prepared.data(), range.size(), data.columns()));
  const auto [low, high] = std::ranges::minmax(prepared.span());
  const ActivationInfo& decoder = InfoOf(network.decoder);
  if (low >= decoder.low && high <= decoder.high) return;
  reporter.Warn(fmt::format(
      "the first {} rows{} hold values from {:.4g} to {:.4g}, but a {} decoder can only "
      "reach {:g} to {:g}: {}",
      range.size(), preparation.options.kind == PreparationKind::kNone ? "" : ", prepared,", low,
      high, decoder.name, decoder.low, decoder.high,
      Advice(decoder, preparation.options.kind, low, high)));
}

}  // namespace rhohat
