"""The oracle must be right before it may judge: it is held against plain loops and differences."""

import itertools
import math

import numpy as np
import pytest

import models
import objectives
import oracle

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


@pytest.mark.fast
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cost_is_that_of_plain_loops(seed):
    parameters, rows = random_case(seed)
    expected = cost_by_loops(parameters, rows, **WEIGHTS)
    found = oracle.evaluate(parameters, rows, **WEIGHTS)
    assert found["cost"] == pytest.approx(expected, rel=1e-13)


@pytest.mark.fast
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


@pytest.mark.fast
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


@pytest.mark.fast
def test_saturated_units_give_a_finite_cost():
    parameters, rows = random_case(5)
    parameters["encoder.bias"] = np.array([2000.0, -2000.0, 0.0])
    result = oracle.evaluate(parameters, rows, **WEIGHTS)
    assert np.isfinite(result["cost"])
    assert result["dead_units"] == 2


@pytest.mark.fast
def test_explained_variance_is_zero_for_the_mean_and_nothing_for_equal_rows():
    parameters, _ = random_case(6)
    rows = np.random.default_rng(6).uniform(0.2, 0.8, size=(50, 5))
    mean = rows.mean(axis=0)
    parameters["decoder.weight"] = np.zeros((5, 3))
    parameters["decoder.bias"] = np.log(mean / (1 - mean))
    assert oracle.evaluate(parameters, rows, **WEIGHTS)["explained_variance"] == pytest.approx(0)
    equal = np.full((4, 5), 0.5)
    assert oracle.evaluate(parameters, equal, **WEIGHTS)["explained_variance"] is None


@pytest.mark.fast
def test_tied_weights_are_one_parameter():
    """What moves a shared weight is the sum of what would move it in either place."""
    random = np.random.default_rng(8)
    tied = models.random_parameters(random, 5, (4, 3), tied=True)
    untied = {**tied, "decoder.0.weight": tied["encoder.1.weight"].T,
              "decoder.1.weight": tied["encoder.0.weight"].T}
    rows = random.uniform(size=(7, 5))
    weights = {"rho": (0.1, 0.2), "beta": (1.0, 2.0), "gamma": 0.1, "activation": "tanh"}
    assert oracle.evaluate(tied, rows, **weights) == oracle.evaluate(untied, rows, **weights)
    expected = oracle.gradient(untied, rows, **weights)
    found = oracle.gradient(tied, rows, **weights)
    for layer in (0, 1):
        both = (expected[f"encoder.{layer}.weight"] + expected[f"decoder.{1 - layer}.weight"].T)
        assert np.allclose(found[f"encoder.{layer}.weight"], both, rtol=1e-13, atol=0)
    # Decayed once: half of what two separate weights would cost.
    costs = [oracle.evaluate(each, rows, decay=0.1)["weight_decay"] for each in (tied, untied)]
    assert costs[1] == pytest.approx(2 * costs[0], rel=1e-14)


# ---- A network small enough to be followed by hand -----------------------------------------------


def softplus(z):
    return math.log(1 + math.exp(z))


def divergence(rho, rho_hat):
    return rho * math.log(rho / rho_hat) + (1 - rho) * math.log((1 - rho) / (1 - rho_hat))


@pytest.mark.fast
def test_one_unit_each_with_all_penalties():
    """n = h = 1, tanh, tied, cross-entropy: every formula of docs/math.md §2, written out."""
    w, b, c = 0.8, -0.3, 0.25
    rows = [0.1, 0.7, 1.0]
    codes = [math.tanh(w * x + b) for x in rows]
    logits = [w * a + c for a in codes]
    terms = {
        "reconstruction": sum(x * softplus(-z) + (1 - x) * softplus(z)
                              for x, z in zip(rows, logits)) / 3,
        "weight_decay": 0.5 * 0.03 * w**2,
        "sparsity": 2.0 * divergence(0.2, sum((1 + a) / 2 for a in codes) / 3),
        "l1": 0.4 * sum(abs(a) for a in codes) / 3,
        "contraction": 0.5 * sum(((1 - a * a) * w) ** 2 for a in codes) / 3,
    }
    parameters = {"encoder.weight": np.array([[w]]), "encoder.bias": np.array([b]),
                  "decoder.bias": np.array([c])}
    found = oracle.evaluate(
        parameters, np.array(rows)[:, None], rho=0.2, beta=2.0, decay=0.03, gamma=0.4, kappa=0.5,
        loss="cross-entropy", activation="tanh")
    for term, value in terms.items():
        assert found[term] == pytest.approx(value, rel=1e-14), term
    assert found["cost"] == pytest.approx(sum(terms.values()), rel=1e-14)
    residuals = [squash(z) - x for x, z in zip(rows, logits)]
    mean = sum(rows) / 3
    explained = 1 - sum(r * r for r in residuals) / sum((x - mean) ** 2 for x in rows)
    assert found["explained_variance"] == pytest.approx(explained, rel=1e-13)
    assert found["rho_hat_mean"] == pytest.approx(sum((1 + a) / 2 for a in codes) / 3, rel=1e-14)


@pytest.mark.fast
def test_two_layers_by_hand():
    """n–h1–h2–h1–n, one unit each: which function stands where, and what sits on which layer."""
    parameters = {"encoder.0.weight": 0.5, "encoder.0.bias": 0.1, "encoder.1.weight": -1.5,
                  "encoder.1.bias": 0.2, "decoder.0.weight": 0.7, "decoder.0.bias": -0.4,
                  "decoder.1.weight": 2.0, "decoder.1.bias": 0.3}
    rows, cost, first, second = [0.2, 0.9], 0.0, [], []
    for x in rows:
        first.append(squash(0.5 * x + 0.1))
        second.append(squash(-1.5 * first[-1] + 0.2))
        output = 2.0 * squash(0.7 * second[-1] - 0.4) + 0.3
        cost += 0.5 * (output - x) ** 2 / 2 + 0.6 * abs(second[-1]) / 2
    cost += 3.0 * divergence(0.1, sum(first) / 2) + 0.5 * divergence(0.3, sum(second) / 2)
    cost += 0.5 * 0.01 * (0.5**2 + 1.5**2 + 0.7**2 + 2.0**2)
    arrays = {name: np.full((1, 1) if name.endswith("weight") else 1, value)
              for name, value in parameters.items()}
    found = oracle.evaluate(arrays, np.array(rows)[:, None], rho=(0.1, 0.3), beta=(3.0, 0.5),
                            decay=0.01, gamma=0.6, decoder="linear")
    assert found["cost"] == pytest.approx(cost, rel=1e-14)


@pytest.mark.fast
@pytest.mark.parametrize("activation", oracle.ACTIVATIONS)
def test_contraction_is_the_norm_of_the_jacobian(activation):
    parameters, rows = random_case(7)
    step, total = 1e-5, 0.0
    for row, k in itertools.product(rows, range(rows.shape[1])):
        moved = step * np.eye(rows.shape[1])[k]
        above, below = (oracle.encode(parameters, (row + side)[None], activation)
                        for side in (moved, -moved))
        total += np.sum(((above - below) / (2 * step)) ** 2)
    found = oracle.evaluate(parameters, rows, kappa=0.4, activation=activation)
    assert found["contraction"] == pytest.approx(0.4 * total / len(rows), rel=1e-8)


@pytest.mark.fast
def test_cross_entropy_of_large_logits_is_finite_and_exact():
    parameters = {"encoder.weight": np.zeros((1, 2)), "encoder.bias": np.zeros(1),
                  "decoder.weight": np.zeros((2, 1)), "decoder.bias": np.array([800.0, -800.0])}
    rows = np.array([[1.0, 0.0], [0.25, 0.25]])
    found = oracle.evaluate(parameters, rows, loss="cross-entropy")
    assert found["reconstruction"] == pytest.approx((0.75 * 800 + 0.25 * 800) / 2, rel=1e-15)


# ---- Every kind of objective ---------------------------------------------------------------------


def numeric_derivative(model, rows, values, index):
    """Of fourth order, with steps that `objectives` keeps free of kinks."""
    here, step = values[index], objectives.STEP / 2
    costs = {}
    for steps in (-2, -1, 1, 2):
        values[index] = here + steps * step
        costs[steps] = model.evaluation(rows)["cost"]
    values[index] = here
    return (8 * (costs[1] - costs[-1]) - (costs[2] - costs[-2])) / (12 * step)


def check_gradient(case, random, most):
    """`most`: parameters of each tensor that are looked at."""
    rows = objectives.rows_for(case.prepare, random).astype(np.float64)
    model = objectives.model_of(case, rows, random)
    analytic, numeric = [], []
    for name, values in model.gradient(rows).items():
        chosen = random.choice(values.size, size=min(most, values.size), replace=False)
        for index in (np.unravel_index(flat, values.shape) for flat in chosen):
            analytic.append(values[index])
            numeric.append(numeric_derivative(model, rows, model.parameters[name], index))
    difference = np.subtract(numeric, analytic)
    sums = np.add(numeric, analytic)
    assert np.linalg.norm(difference) < 1e-9 * np.linalg.norm(sums), str(case)


@pytest.mark.fast
@pytest.mark.parametrize("case", objectives.COVERING, ids=str)
def test_gradient_of_each_kind(case, random):
    check_gradient(case, random, most=5)


TERM_OF = {"decay": "weight_decay", "kl": "sparsity", "l1": "l1", "contraction": "contraction"}


@pytest.mark.fast
@pytest.mark.parametrize("case", objectives.COVERING, ids=str)
def test_a_case_has_what_it_says(case, random):
    rows = objectives.rows_for(case.prepare, random).astype(np.float64)
    model = objectives.model_of(case, rows, random)
    assert {name: values.shape for name, values in model.parameters.items()} == models.shapes(
        objectives.COLUMNS, case.hidden, case.tied)
    assert model.tied == case.tied
    found = model.evaluation(rows)
    for penalty, term in TERM_OF.items():
        assert (found[term] > 0) == (penalty in case.penalties), term
    seen = oracle.corrupt(model.prepared(rows), case.noise, objectives.SEED,
                          model.objective.input_range)
    assert np.any(seen != model.prepared(rows)) == (case.noise != "none")
    assert np.any(model.prepared(rows) != rows) == (case.prepare != "none")
    if case.prepare in objectives.WITHIN_0_AND_1:
        assert 0 <= model.prepared(rows).min() and model.prepared(rows).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("activation", oracle.ACTIVATIONS)
def test_gradient_of_all(activation, random):
    for case in objectives.TABLE:
        if case.activation == activation:
            check_gradient(case, random, most=2)
