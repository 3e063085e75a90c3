// The objective against its definition, written out row by row, and against its own derivative.
#include "objective/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "math/vector_ops.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

struct Case {
  int64_t rows;
  int64_t inputs;
  int64_t hidden;
  ObjectiveOptions options;
  int64_t block_rows = 16;
  int64_t lanes = 4;
  int64_t threads = 2;
};

template <class T>
struct Result {
  CostTerms cost;
  CostTerms cost_alone;
  std::vector<T> gradient;
  std::vector<double> rho_hat;
};

template <class T>
std::vector<T> Start(const NetworkShape& shape) {
  std::vector<T> parameters(static_cast<size_t>(shape.parameters()));
  InitialiseParameters(shape, 3, std::span(parameters));
  // Biases that are not zero, so that mistakes with them show.
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == 0) parameters[i] = static_cast<T>(0.3 * std::sin(static_cast<double>(i)));
  }
  return parameters;
}

template <class T>
Result<T> Compute(const Case& c, VectorSource& source) {
  const NetworkShape shape{c.inputs, c.hidden};
  Executor executor(c.threads);
  Sweep<T> sweep(source, executor,
                 {.block_rows = c.block_rows, .lanes = c.lanes, .blocks_ahead = c.threads + 1});
  Objective<T> objective(shape, {}, c.options, sweep);
  const std::vector<T> parameters = Start<T>(shape);
  Result<T> result;
  result.gradient.resize(parameters.size());
  result.cost = objective.EvaluateWithGradient(parameters, result.gradient);
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  result.cost_alone = objective.Evaluate(parameters);
  return result;
}

double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

// docs/math.md §2 and §3, one row and one unit at a time.
Result<double> ByDefinition(const Case& c, const VectorSource& source) {
  const NetworkShape shape{c.inputs, c.hidden};
  const std::vector<double> flat = Start<double>(shape);
  const Parameters<const double> p = ViewParameters(shape, std::span<const double>(flat));
  const auto n = static_cast<size_t>(c.inputs);
  const auto h = static_cast<size_t>(c.hidden);
  const auto m = static_cast<double>(c.rows);
  std::vector<std::vector<double>> codes;
  Result<double> result;
  result.rho_hat.assign(h, 0);
  for (int64_t row = 0; row < c.rows; ++row) {
    std::vector<double> code(h);
    for (size_t j = 0; j < h; ++j) {
      double z = p.encoder_bias[j];
      for (size_t k = 0; k < n; ++k) {
        z += p.encoder_weight.row(static_cast<int64_t>(j))[k] *
             source.values()[static_cast<size_t>(row) * n + k];
      }
      code[j] = Sigmoid(z);
      result.rho_hat[j] += code[j] / m;
    }
    codes.push_back(code);
  }
  const double rho = c.options.rho;
  for (const double mean : result.rho_hat) {
    result.cost.sparsity += c.options.beta * (rho * std::log(rho / mean) +
                                              (1 - rho) * std::log((1 - rho) / (1 - mean)));
  }
  result.gradient.assign(flat.size(), 0);
  const Parameters<double> g = ViewParameters(shape, std::span(result.gradient));
  for (size_t row = 0; row < codes.size(); ++row) {
    const std::vector<double>& a = codes[row];
    const double* x = source.values().data() + row * n;
    std::vector<double> delta3(n);
    for (size_t k = 0; k < n; ++k) {
      double z = p.decoder_bias[k];
      for (size_t j = 0; j < h; ++j) z += p.decoder_weight.row(static_cast<int64_t>(k))[j] * a[j];
      const double out = Sigmoid(z);
      result.cost.reconstruction += 0.5 * (out - x[k]) * (out - x[k]) / m;
      delta3[k] = (out - x[k]) * out * (1 - out);
      g.decoder_bias[k] += delta3[k] / m;
      for (size_t j = 0; j < h; ++j)
        g.decoder_weight.row(static_cast<int64_t>(k))[j] += delta3[k] * a[j] / m;
    }
    for (size_t j = 0; j < h; ++j) {
      const double mean = result.rho_hat[j];
      double back = c.options.beta * (-rho / mean + (1 - rho) / (1 - mean));
      for (size_t k = 0; k < n; ++k)
        back += p.decoder_weight.row(static_cast<int64_t>(k))[j] * delta3[k];
      const double delta2 = back * a[j] * (1 - a[j]);
      g.encoder_bias[j] += delta2 / m;
      for (size_t k = 0; k < n; ++k)
        g.encoder_weight.row(static_cast<int64_t>(j))[k] += delta2 * x[k] / m;
    }
  }
  const auto add_decay = [&](MatrixView<const double> weight, MatrixView<double> gradient) {
    for (int64_t i = 0; i < weight.size(); ++i) {
      result.cost.weight_decay += c.options.lambda / 2 * weight.data[i] * weight.data[i];
      gradient.data[i] += c.options.lambda * weight.data[i];
    }
  };
  add_decay(p.encoder_weight, g.encoder_weight);
  add_decay(p.decoder_weight, g.decoder_weight);
  return result;
}

template <class A, class B>
double RelativeDifference(const std::vector<A>& a, const std::vector<B>& b) {
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

std::vector<Case> Cases() {
  const ObjectiveOptions classic{.rho = 0.1, .beta = 3, .lambda = 3e-3};
  return {{1, 3, 2, classic},
          {3, 4, 5, classic},
          {64, 9, 4, classic},
          {131, 10, 20, classic},
          {131, 10, 20, {.rho = 0.01, .beta = 0, .lambda = 0}},
          {70, 17, 1, {.rho = 0.5, .beta = 10, .lambda = 0.1}, 7, 16, 3}};
}

TEST(ObjectiveTest, CostAndGradientAreThoseOfTheDefinition) {
  for (const Case& c : Cases()) {
    VectorSource source = VectorSource::Random(c.rows, c.inputs, 5);
    const Result<double> expected = ByDefinition(c, source);
    const Result<double> result = Compute<double>(c, source);
    EXPECT_NEAR(result.cost.reconstruction, expected.cost.reconstruction, 1e-13);
    EXPECT_NEAR(result.cost.weight_decay, expected.cost.weight_decay, 1e-13);
    EXPECT_NEAR(result.cost.sparsity, expected.cost.sparsity, 1e-12);
    EXPECT_LT(RelativeDifference(result.gradient, expected.gradient), 1e-13);
    EXPECT_LT(RelativeDifference(result.rho_hat, expected.rho_hat), 1e-14);

    const Result<float> in_float = Compute<float>(c, source);
    EXPECT_NEAR(in_float.cost.total(), expected.cost.total(), 1e-6 * expected.cost.total());
    EXPECT_LT(RelativeDifference(in_float.gradient, expected.gradient), 1e-5);
  }
}

TEST(ObjectiveTest, CostAloneHasTheBitsOfCostWithGradient) {
  for (const Case& c : Cases()) {
    VectorSource source = VectorSource::Random(c.rows, c.inputs, 6);
    const Result<float> result = Compute<float>(c, source);
    EXPECT_EQ(result.cost.total(), result.cost_alone.total());
  }
}

TEST(ObjectiveTest, ThreadsChangeNoBit) {
  Case c{500, 12, 9, {.rho = 0.1, .beta = 3, .lambda = 1e-3}, 8, 16, 1};
  VectorSource source = VectorSource::Random(c.rows, c.inputs, 7);
  const Result<float> one = Compute<float>(c, source);
  for (const int64_t threads : {2, 3, 8}) {
    c.threads = threads;
    const Result<float> many = Compute<float>(c, source);
    EXPECT_EQ(many.gradient, one.gradient) << threads;
    EXPECT_EQ(many.cost.total(), one.cost.total()) << threads;
  }
}

// docs/math.md §9, on all parameters.
TEST(ObjectiveTest, GradientPassesTheDerivativeCheck) {
  constexpr double kStep = 1e-4;
  for (const Case& c : Cases()) {
    VectorSource source = VectorSource::Random(c.rows, c.inputs, 8);
    const NetworkShape shape{c.inputs, c.hidden};
    Executor executor(2);
    Sweep<double> sweep(source, executor,
                        {.block_rows = c.block_rows, .lanes = c.lanes, .blocks_ahead = 3});
    Objective<double> objective(shape, {}, c.options, sweep);
    std::vector<double> parameters = Start<double>(shape);
    std::vector<double> analytic(parameters.size());
    objective.EvaluateWithGradient(parameters, analytic);
    std::vector<double> difference(parameters.size());
    std::vector<double> sum(parameters.size());
    for (size_t i = 0; i < parameters.size(); ++i) {
      const double here = parameters[i];
      parameters[i] = here + kStep;
      const double after = objective.Evaluate(parameters).total();
      parameters[i] = here - kStep;
      const double before = objective.Evaluate(parameters).total();
      parameters[i] = here;
      const double numeric = (after - before) / (2 * kStep);
      difference[i] = numeric - analytic[i];
      sum[i] = numeric + analytic[i];
    }
    EXPECT_LT(Norm<double>(difference) / Norm<double>(sum), 1e-8)
        << c.rows << " rows, " << c.inputs << "-" << c.hidden;
  }
}

TEST(ObjectiveTest, AUnitThatIsSilentOnEveryRowGivesAFiniteGradient) {
  const NetworkShape shape{4, 3};
  VectorSource source = VectorSource::Random(20, 4, 9);
  Executor executor(1);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
  Objective<float> objective(shape, {}, {.rho = 0.1, .beta = 3, .lambda = 0}, sweep);
  std::vector<float> parameters = Start<float>(shape);
  ViewParameters(shape, std::span(parameters)).encoder_bias[1] = -1e4F;
  ViewParameters(shape, std::span(parameters)).encoder_bias[2] = 1e4F;
  std::vector<float> gradient(parameters.size());
  const CostTerms cost = objective.EvaluateWithGradient(parameters, gradient);
  EXPECT_TRUE(std::isfinite(cost.total()));
  for (const float value : gradient) EXPECT_TRUE(std::isfinite(value));
  EXPECT_EQ(objective.extreme_units(), 2);
}

TEST(ObjectiveTest, OneEvaluationReadsTheDataTwiceAndCostAloneOnce) {
  VectorSource source = VectorSource::Random(100, 3, 10);
  Executor executor(1);
  Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 2, .blocks_ahead = 2});
  Objective<float> objective({3, 2}, {}, {}, sweep);
  const std::vector<float> parameters = Start<float>({3, 2});
  std::vector<float> gradient(parameters.size());
  objective.EvaluateWithGradient(parameters, gradient);
  EXPECT_EQ(sweep.counts().bytes_read, 2 * 100 * 3 * sizeof(double));
  objective.Evaluate(parameters);
  EXPECT_EQ(sweep.counts().bytes_read, 3 * 100 * 3 * sizeof(double));
}

}  // namespace
}  // namespace rhohat
