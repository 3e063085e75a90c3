"""J and its gradient agree with the oracle, whatever the file that the rows come from.

`evaluate` and `gradcheck` are asked in both precisions about every layout of layouts.py.
"""

import json

import h5py
import numpy as np
import pytest

import layouts
import oracle
from program import OBJECTIVE, OBJECTIVE_FLAGS

# Relative agreement of J and each term, and of the gradient of each parameter in norm.
COST_TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
GRADIENT_TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
TERMS = ("cost", "reconstruction", "weight_decay", "sparsity", "l1", "contraction")


def check_evaluation(found, parameters, rows, precision):
    expected = oracle.evaluate(parameters, rows, **OBJECTIVE)
    assert found["rows"] == expected["rows"]
    tight = COST_TOLERANCE[precision]
    for term in TERMS:
        assert found[term] == pytest.approx(expected[term], rel=tight, abs=0), term
    loose = 1e-5 if precision == "float32" else 1e-10
    for name in ("rho_hat_mean", "rho_hat_min", "rho_hat_max", "explained_variance"):
        if expected[name] is None:
            assert found[name] is None, name
        else:
            assert found[name] == pytest.approx(expected[name], rel=loose, abs=loose), name
    assert found["dead_units"] == expected["dead_units"]


def check_gradient(path, parameters, rows, precision):
    expected = oracle.gradient(parameters, rows, **OBJECTIVE)
    tensors, _ = oracle.read_safetensors(path)
    assert sorted(tensors) == sorted(expected)
    for name, values in expected.items():
        assert tensors[name].dtype == np.dtype(precision), name
        assert tensors[name].shape == values.shape, name
        difference = np.linalg.norm(tensors[name] - values)
        assert difference <= GRADIENT_TOLERANCE[precision] * np.linalg.norm(values), name


def check_both(rhohat, model, files, rows, precision, folder):
    parameters = oracle.parameters_of(model)
    flags = ["--precision", precision]
    evaluation = rhohat.ok("evaluate", model, *files, "--json", *flags)
    check_evaluation(json.loads(evaluation.stdout), parameters, rows, precision)
    # The file has the whole gradient, and the derivative check has tests of its own.
    rhohat.ok("gradcheck", model, *files, "--sample", 12, "--out",
              folder / "gradient.safetensors", *flags)
    check_gradient(folder / "gradient.safetensors", parameters, rows, precision)


@pytest.mark.each_third_fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("layout", layouts.LAYOUTS)
def test_layout(rhohat, models, tmp_path, random, layout, precision):
    files, rows = layouts.LAYOUTS[layout](tmp_path, random)
    check_both(rhohat, models[precision], files, rows, precision, tmp_path)


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("lanes", [1, 2, 8])
def test_lanes(rhohat, tmp_path, random, lanes, precision):
    files, rows = layouts.LAYOUTS["columns_cut_by_chunks"](tmp_path, random)
    run = tmp_path / "run"
    rhohat.ok("train", *files, "--hidden", 5, "--iterations", 2, "--precision", precision,
              "--block-rows", 5, "--lanes", lanes, *OBJECTIVE_FLAGS, "--run", run)
    check_both(rhohat, run / "model.safetensors", files, rows, precision, tmp_path)


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_defaults_on_a_larger_network(rhohat, tmp_path, random, precision):
    array = layouts.values(random, 1501, columns=100)
    files = [layouts.write(tmp_path / "rows.h5", array, chunks=(256, 100))]
    run = tmp_path / "run"
    rhohat.ok("train", *files, "--hidden", 17, "--iterations", 2, "--precision", precision,
              *OBJECTIVE_FLAGS, "--run", run)
    check_both(rhohat, run / "model.safetensors", files, layouts.flat(array), precision, tmp_path)


@pytest.mark.fast
def test_float64_rows_keep_their_digits(rhohat, models, tmp_path, random):
    rows = layouts.values(random, 40, "float64") + 1e6
    files = [layouts.write(tmp_path / "rows.h5", rows)]
    found = json.loads(rhohat.ok("evaluate", models["float64"], *files, "--json", "--precision",
                                 "float64").stdout)
    expected = oracle.evaluate(oracle.parameters_of(models["float64"]), rows, **OBJECTIVE)
    assert found["reconstruction"] == pytest.approx(expected["reconstruction"], rel=1e-13)


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_saturated_units_leave_everything_finite(rhohat, models, tmp_path, precision):
    files = [layouts.write(tmp_path / "rows.h5", np.full((20, layouts.COLUMNS), 60000, "uint16"))]
    flags = ["--precision", precision]
    found = rhohat.ok("evaluate", models[precision], *files, "--json", *flags)
    for term in TERMS:
        assert np.isfinite(json.loads(found.stdout)[term]), term
    # Differences of so large a J say nothing, and the check may fail for it: the gradient counts.
    rhohat("gradcheck", models[precision], *files, "--out", tmp_path / "g.safetensors", *flags)
    for name, values in oracle.parameters_of(tmp_path / "g.safetensors").items():
        assert np.isfinite(values).all(), name


@pytest.mark.fast
def test_other_weights_of_the_objective(rhohat, models, tmp_path, random):
    files, rows = layouts.LAYOUTS["contiguous"](tmp_path, random)
    found = json.loads(rhohat.ok("evaluate", models["float64"], *files, "--json", "--precision",
                                 "float64", "--rho", 0.3, "--beta", 0.5, "--lambda", 0.01).stdout)
    parameters = oracle.parameters_of(models["float64"])
    expected = oracle.evaluate(parameters, rows, rho=0.3, beta=0.5, decay=0.01)
    for term in TERMS:
        assert found[term] == pytest.approx(expected[term], rel=1e-12, abs=0), term


@pytest.mark.fast
def test_named_data_set_of_several(rhohat, models, tmp_path, random):
    array = layouts.values(random, 25)
    path = layouts.write(tmp_path / "rows.h5", layouts.values(random, 9), name="other")
    with h5py.File(path, "a") as file:
        file.create_dataset("group/wanted", data=array)
    for name in ("/group/wanted", "group/wanted"):
        found = rhohat.ok("evaluate", models["float64"], path, "--dataset", name, "--json",
                          "--precision", "float64")
        parameters = oracle.parameters_of(models["float64"])
        check_evaluation(json.loads(found.stdout), parameters, layouts.flat(array), "float64")
