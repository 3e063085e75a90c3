"""The oracle must be right before it may judge: it is held against plain loops and differences."""

import math

import numpy as np
import pytest

import oracle

pytestmark = pytest.mark.fast

WEIGHTS = {"rho": 0.1, "beta": 3.0, "decay": 3e-3}


def random_case(seed, inputs=5, hidden=3, rows=7):
    random = np.random.default_rng(seed)
    parameters = {
        "encoder.weight": random.normal(size=(hidden, inputs)),
        "encoder.bias": random.normal(size=hidden),
        "decoder.weight": random.normal(size=(inputs, hidden)),
        "decoder.bias": random.normal(size=inputs),
    }
    return parameters, random.uniform(-0.5, 1.5, size=(rows, inputs))


def squash(z):
    return 1 / (1 + math.exp(-z))


def cost_by_loops(parameters, rows, rho, beta, decay):
    w1, b1 = parameters["encoder.weight"], parameters["encoder.bias"]
    w2, b2 = parameters["decoder.weight"], parameters["decoder.bias"]
    hidden, inputs = w1.shape
    cost, activation_sums = 0.0, [0.0] * hidden
    for row in rows:
        code = []
        for j in range(hidden):
            code.append(squash(b1[j] + sum(w1[j, k] * row[k] for k in range(inputs))))
            activation_sums[j] += code[j]
        for k in range(inputs):
            output = squash(b2[k] + sum(w2[k, j] * code[j] for j in range(hidden)))
            cost += 0.5 * (output - row[k]) ** 2 / len(rows)
    for total in activation_sums:
        mean = total / len(rows)
        cost += beta * rho * math.log(rho / mean)
        cost += beta * (1 - rho) * math.log((1 - rho) / (1 - mean))
    for weight in [*w1.flat, *w2.flat]:
        cost += 0.5 * decay * weight**2
    return cost


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cost_is_that_of_plain_loops(seed):
    parameters, rows = random_case(seed)
    expected = cost_by_loops(parameters, rows, **WEIGHTS)
    found = oracle.evaluate(parameters, rows, **WEIGHTS)
    assert found["cost"] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_gradient_is_that_of_central_differences(rows):
    parameters, data = random_case(10 + rows, rows=rows)
    analytic = oracle.gradient(parameters, data, **WEIGHTS)
    step = 1e-5
    for name, values in parameters.items():
        numeric = np.empty_like(values)
        for index in np.ndindex(values.shape):
            kept = values[index]
            values[index] = kept + step
            above = oracle.evaluate(parameters, data, **WEIGHTS)["cost"]
            values[index] = kept - step
            below = oracle.evaluate(parameters, data, **WEIGHTS)["cost"]
            values[index] = kept
            numeric[index] = (above - below) / (2 * step)
        difference = np.linalg.norm(numeric - analytic[name])
        assert difference / np.linalg.norm(numeric + analytic[name]) < 1e-9, name


def test_divergence_vanishes_at_the_target_only():
    parameters, rows = random_case(4)
    rho_hat = oracle.mean_activation(oracle.encode(parameters, rows))
    parameters = {**parameters, "encoder.weight": parameters["encoder.weight"][:1],
                  "encoder.bias": parameters["encoder.bias"][:1],
                  "decoder.weight": parameters["decoder.weight"][:, :1]}
    at_target = oracle.evaluate(parameters, rows, rho=rho_hat[0], beta=3.0, decay=0.0)
    off_target = oracle.evaluate(parameters, rows, rho=rho_hat[0] * 0.9, beta=3.0, decay=0.0)
    assert at_target["sparsity"] == pytest.approx(0, abs=1e-14)
    assert off_target["sparsity"] > 1e-4


def test_saturated_units_give_a_finite_cost():
    parameters, rows = random_case(5)
    parameters["encoder.bias"] = np.array([2000.0, -2000.0, 0.0])
    result = oracle.evaluate(parameters, rows, **WEIGHTS)
    assert np.isfinite(result["cost"])
    assert result["dead_units"] == 2


def test_explained_variance_is_zero_for_the_mean_and_nothing_for_equal_rows():
    parameters, _ = random_case(6)
    rows = np.random.default_rng(6).uniform(0.2, 0.8, size=(50, 5))
    mean = rows.mean(axis=0)
    parameters["decoder.weight"] = np.zeros((5, 3))
    parameters["decoder.bias"] = np.log(mean / (1 - mean))
    assert oracle.evaluate(parameters, rows, **WEIGHTS)["explained_variance"] == pytest.approx(0)
    equal = np.full((4, 5), 0.5)
    assert oracle.evaluate(parameters, equal, **WEIGHTS)["explained_variance"] is None
