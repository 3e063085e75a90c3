#include "train/range_hint.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/aligned_buffer.h"
#include "network/activation.h"

namespace rhohat {

void WarnIfOutOfReach(DataSet& data, const NetworkOptions& network, int64_t rows,
                      Reporter& reporter) {
  const RowRange range{0, std::min(rows, data.rows())};
  RawRows raw;
  FetchAndUnpack(data, range, raw);
  AlignedBuffer<double> values(static_cast<size_t>(range.size() * data.columns()));
  DecodeRows(data, raw, values.span());
  const auto [low, high] = std::ranges::minmax(values.span());
  const ActivationFunctions<double> decoder = FunctionsOf<double>(network.decoder);
  if (low >= decoder.low && high <= decoder.high) return;
  const std::string advice =
      low >= decoder.low
          ? fmt::format(
                "divide the data by {0:g} first ('rhohat convert --scale 1/{0:g}' does so "
                "while it converts)",
                high)
          : fmt::format("shift and scale the data to {:g} to {:g} first", decoder.low,
                        decoder.high);
  reporter.Warn(
      fmt::format("the first {} rows hold values from {:.4g} to {:.4g}, but the decoder can only "
                  "reach {:g} to {:g}: {}",
                  range.size(), low, high, decoder.low, decoder.high, advice));
}

}  // namespace rhohat
