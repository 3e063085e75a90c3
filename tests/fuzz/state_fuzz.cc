// A saved state from any bytes, with a checksum that is mended: what it says must be refused or
// be something that an optimiser can go on from.
#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/safetensors.h"
#include "base/safetensors_checksum.h"
#include "base/state_file.h"
#include "optimize/lbfgs.h"
#include "optimize/stop_rule.h"
#include "optimize/update_rule.h"
#include "tests/fuzz/fuzz_rows.h"

namespace rhohat {
namespace {

// The bytes with the right digits where the checksum has its place.
std::string Mended(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  uint64_t length = 0;
  if (size < sizeof length) return bytes;
  std::memcpy(&length, data, sizeof length);
  if (length > size - sizeof length) return bytes;
  const std::string opening = '"' + std::string(SafetensorsChecksum::kPrefix);
  const size_t digits = bytes.find(opening, sizeof length) + opening.size();
  if (digits < opening.size() || digits + SafetensorsChecksum::kDigits > sizeof length + length) {
    return bytes;
  }
  bytes.replace(digits, SafetensorsChecksum::kDigits, SafetensorsChecksum::kDigits, '0');
  const std::string_view text(bytes);
  SafetensorsChecksum checksum(text.substr(sizeof length, length));
  checksum.Add(std::as_bytes(std::span(text.substr(sizeof length + length))));
  bytes.replace(digits, SafetensorsChecksum::kDigits, checksum.Digits());
  return bytes;
}

// Whether the file is read is the same in one piece and tensor by tensor, and so is what is read.
void CompareReaders(const std::string& path) {
  try {
    const SafetensorsFile file = SafetensorsFile::Read(path);
    const SafetensorsReader reader(path);
    Check(file.metadata() == reader.metadata());
    Check(file.tensors().size() == reader.tensors().size());
    for (size_t i = 0; i < file.tensors().size(); ++i) {
      std::vector<std::byte> bytes(file.tensors()[i].bytes.size());
      reader.Read(reader.tensors()[i], bytes);
      Check(std::ranges::equal(bytes, file.tensors()[i].bytes));
    }
  } catch (const Error&) {
  }
}

// A fold of a parabola, with no value far out.
double CostOf(std::span<const double> x, std::span<double> gradient) {
  double cost = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    gradient[i] = 2 * x[i];
    cost += x[i] > 1e6 ? std::numeric_limits<double>::infinity() : x[i] * x[i];
  }
  return cost;
}

void GoOnWithSearch(StateReader& state) {
  Lbfgs<double> lbfgs(std::vector<double>{3, 4}, {.history = 2});
  {
    const StateGroup group(state, "lbfgs");
    lbfgs.Visit(state);
  }
  StopRule rule({});
  {
    const StateGroup group(state, "stop_rule");
    rule.Visit(state);
  }
  std::vector<double> gradient(2);
  for (int i = 0; i < 100; ++i) {
    const double cost = CostOf(lbfgs.trial(), gradient);
    if (lbfgs.Tell(cost, gradient) == Step::kFailed) break;
    rule.Stop(cost, 1);
  }
  ++understood;
}

void GoOnWithSteps(StateReader& state) {
  Adam<float> adam(2);
  {
    const StateGroup group(state, "adam");
    adam.Visit(state);
  }
  std::string name;
  state.Text("name", name);
  std::vector<float> point;
  state.Vector("points", point);
  point.resize(2);
  for (int i = 0; i < 3; ++i) {
    adam.BeginStep(0.1);
    adam.Update(0, std::vector<float>{1, 2}, point);
  }
  ++understood;
}

}  // namespace
}  // namespace rhohat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rhohat;
  const std::string bytes = Mended(data, size);
  const std::string path = FileOf(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  CompareReaders(path);
  for (const auto& go_on : {GoOnWithSearch, GoOnWithSteps}) {
    try {
      StateReader state(path);
      go_on(state);
    } catch (const Error&) {
    }
  }
  return 0;
}
