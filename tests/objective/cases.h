// Every kind of objective there is: what the tests of objectives go through.
#pragma once

#include <fmt/core.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "network/corruption.h"
#include "network/parameters.h"
#include "rhohat/options.h"
#include "tests/support/vector_source.h"

namespace rhohat {

inline constexpr NoiseOptions kNoises[] = {{NoiseKind::kNone, 0},
                                           {NoiseKind::kMask, 0.3},
                                           {NoiseKind::kGaussian, 0.2},
                                           {NoiseKind::kSaltPepper, 0.25}};
inline constexpr NoiseSource kNoiseSource = {.seed = 17, .low = 0.1, .high = 0.9};

enum class Penalised { kNothing, kDecay, kKl, kL1, kContraction, kAll };
inline constexpr Penalised kPenalised[] = {Penalised::kNothing,     Penalised::kDecay,
                                           Penalised::kKl,          Penalised::kL1,
                                           Penalised::kContraction, Penalised::kAll};

struct ObjectiveCase {
  NetworkOptions network;
  ObjectiveOptions objective;

  // g++ 12 takes the members of a nested aggregate for uninitialised.
  ObjectiveCase(NetworkOptions network_in, ObjectiveOptions objective_in)
      : network(std::move(network_in)), objective(std::move(objective_in)) {}

  std::string Name() const {
    return fmt::format("{} {} {} depth {}{} noise {} beta {} lambda {} gamma {} kappa {}",
                       InfoOf(network.activation).name, InfoOf(network.decoder).name,
                       InfoOf(objective.loss).name, network.hidden.size(),
                       network.tied ? " tied" : "", static_cast<int>(objective.noise.kind),
                       objective.beta[0], objective.lambda, objective.gamma, objective.kappa);
  }
};

// Numbers of their own for each layer, so that a mix-up shows. What is not defined stays 0.
inline ObjectiveOptions WeightsOf(Penalised penalised, Activation activation, size_t depth) {
  const auto is = [=](Penalised one) { return penalised == one || penalised == Penalised::kAll; };
  ObjectiveOptions options;
  options.rho = {0.2};
  options.beta = {0};
  if (is(Penalised::kKl) && InfoOf(activation).has_kl) {
    options.rho.clear();
    options.beta.clear();
    for (size_t layer = 0; layer < depth; ++layer) {
      options.rho.push_back(0.1 + 0.15 * static_cast<double>(layer));
      options.beta.push_back(0.5 + 0.25 * static_cast<double>(layer));
    }
  }
  options.lambda = is(Penalised::kDecay) ? 0.03 : 0;
  options.gamma = is(Penalised::kL1) ? 0.1 : 0;
  options.kappa = is(Penalised::kContraction) && depth == 1 ? 0.2 : 0;
  return options;
}

inline bool IsDefined(Penalised penalised, Activation activation, size_t depth) {
  if (penalised == Penalised::kKl) return InfoOf(activation).has_kl;
  if (penalised == Penalised::kContraction) return depth == 1;
  return true;
}

// All that are defined: activation × decoder × loss × tied × noise × depth, with each of
// `penalties`. `hidden` are the widths of the deepest network; others have the first of them.
template <class Penalties>
std::vector<ObjectiveCase> AllCases(const std::vector<int64_t>& hidden,
                                    const Penalties& penalties) {
  std::vector<ObjectiveCase> cases;
  for (size_t depth = 1; depth <= hidden.size(); ++depth) {
    const auto end = hidden.begin() + static_cast<int64_t>(depth);
    for (const ActivationInfo& activation : kActivations) {
      for (const ActivationInfo& decoder : kActivations) {
        if (!decoder.for_decoder) continue;
        for (const LossInfo& loss : kLosses) {
          if (loss.from_logits && decoder.value != Activation::kSigmoid) continue;
          for (const bool tied : {false, true}) {
            for (const NoiseOptions& noise : kNoises) {
              for (const Penalised penalised : penalties) {
                if (!IsDefined(penalised, activation.value, depth)) continue;
                ObjectiveOptions options = WeightsOf(penalised, activation.value, depth);
                options.loss = loss.value;
                options.noise = noise;
                cases.push_back(
                    {{{hidden.begin(), end}, activation.value, decoder.value, tied}, options});
              }
            }
          }
        }
      }
    }
  }
  return cases;
}

// Parameters that float can hold, with biases that are not zero, so that mistakes with them show.
inline std::vector<double> StartOf(const NetworkShape& shape, uint64_t seed) {
  std::vector<float> parameters(static_cast<size_t>(shape.parameters()));
  InitialiseParameters(shape, seed, std::span(parameters));
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double bias = 0.1 + 0.3 * std::sin(static_cast<double>(i + seed));
    if (parameters[i] == 0) parameters[i] = static_cast<float>(bias);
  }
  return {parameters.begin(), parameters.end()};
}

// Rows that float can hold, in [0.1, 0.9].
inline VectorSource FloatRows(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<double> values = VectorSource::Random(rows, columns, seed).values();
  for (double& value : values) value = static_cast<double>(static_cast<float>(value));
  return {rows, columns, std::move(values)};
}

// The rows of `source` as an encoder that computes in T gets them.
template <class T>
std::vector<double> Noisy(const VectorSource& source, const NoiseOptions& noise) {
  const Corruption<T> corruption(noise, kNoiseSource);
  if (corruption.does_nothing()) return source.values();
  const std::vector<T> rows(source.values().begin(), source.values().end());
  std::vector<T> noisy(rows.size());
  corruption.Apply(0, {rows.data(), source.rows(), source.columns()},
                   {noisy.data(), source.rows(), source.columns()});
  return {noisy.begin(), noisy.end()};
}

}  // namespace rhohat
