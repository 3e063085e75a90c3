"""J, each of its terms and the gradient of every objective that can be asked for, by the oracle.

The models are written by the tests, with random parameters: nothing is trained. The whole table of
objectives.py takes minutes; a part of it in which every two choices meet takes seconds.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

import layouts
import models
import objectives
import oracle
from objectives import COVERING, FACTORS, TABLE, Case
from program import leftovers, read_metrics

# Relative agreement of J and each term, and of the gradient of each parameter in norm.
COST_TOLERANCE = {"float64": 1e-12, "float32": 1e-6}
GRADIENT_TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
LARGEST_CHECK_ERROR = 1e-8
TERMS = ("cost", "reconstruction", "weight_decay", "sparsity", "l1", "contraction")
FIGURES = ("explained_variance", "rho_hat_mean", "rho_hat_min", "rho_hat_max")
EVERY_FIFTH = 5  # case is also computed in float32


def random_for(case):
    return np.random.default_rng(list(str(case).encode()))


def close(found, expected, relative, absolute=0.0):
    """False for NaN too."""
    return abs(found - expected) <= max(relative * abs(expected), absolute)


def faults_of_evaluation(found, expected, precision):
    tolerance = COST_TOLERANCE[precision]
    faults = [f"{term}: {found[term]!r}, expected {expected[term]!r}" for term in TERMS
              if not close(found[term], expected[term], tolerance)]
    loose = 10 * tolerance
    faults += [f"{name}: {found[name]!r}, expected {expected[name]!r}" for name in FIGURES
               if not close(found[name], expected[name], loose, absolute=loose)]
    return faults + [f"{name}: {found[name]}, expected {expected[name]}"
                     for name in ("rows", "dead_units") if found[name] != expected[name]]


def faults_of_gradient(found, expected, precision):
    if list(found) != list(expected):
        return [f"the gradient has {list(found)}, expected {list(expected)}"]
    faults = []
    for name, values in expected.items():
        if found[name].shape != values.shape or found[name].dtype != precision:
            faults.append(f"{name}: {found[name].dtype} {found[name].shape}")
            continue
        off, size = np.linalg.norm(found[name] - values), np.linalg.norm(values)
        if not off <= GRADIENT_TOLERANCE[precision] * size:
            faults.append(f"gradient of {name}: off by {off:.3g} of {size:.3g}")
    return faults


def faults_of_check(printed):
    error = re.search(r"relative error\D*?([0-9][0-9.]*(?:e[-+]?\d+)?)", printed)
    if not error or not float(error.group(1)) < LARGEST_CHECK_ERROR:
        return [f"the derivative check: {printed.splitlines()[0]}"]
    return []


def faults_of(rhohat, case, files, rows, folder, precision):
    """What is wrong with what the program says about one case."""
    model = objectives.model_of(case, rows, random_for(case))
    if precision == "float32":
        model = model.rounded()
    path, gradient = folder / "model.safetensors", folder / "gradient.safetensors"
    model.write(path)
    flags = ["--precision", precision, "--threads", 1]
    # Every parameter of every case is checked by the objective's own tests.
    parameters = ["--all"] if case in objectives.COVERING[::4] else ["--sample", 16]
    checked = rhohat("gradcheck", path, *files, *parameters, "--out", gradient, *flags)
    evaluated = rhohat("evaluate", path, *files, "--json", *flags)
    for result in (checked, evaluated):
        if result.code != 0:
            return [str(result)]
    faults = faults_of_check(checked.stdout)
    faults += faults_of_evaluation(json.loads(evaluated.stdout), model.evaluation(rows), precision)
    tensors, _ = oracle.read_safetensors(gradient)
    return faults + faults_of_gradient(tensors, model.gradient(rows), precision)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """{preparation: (files, rows)}: thirteen rows in two files, so that the second's first row is
    not row 0."""
    folder = tmp_path_factory.mktemp("data")
    result = {}
    for number, prepare in enumerate(FACTORS["prepare"]):
        rows = objectives.rows_for(prepare, np.random.default_rng(number))
        files = [layouts.write(folder / f"{number}_{part}.h5", piece)
                 for part, piece in enumerate((rows[:7], rows[7:]))]
        result[prepare] = files, layouts.flat(rows)
    return result


def check_all(rhohat, cases, data, tmp_path):
    """All cases in float64 and some in float32, as many at once as there are processors."""
    def run(job):
        number, case, precision = job
        folder = tmp_path / f"{precision}_{number}"
        folder.mkdir()
        files, rows = data[case.prepare]
        return [f"{case}, {precision}: {fault}"
                for fault in faults_of(rhohat, case, files, rows, folder, precision)]

    jobs = [(number, case, "float64") for number, case in enumerate(cases)]
    jobs += [(number, case, "float32") for number, case in enumerate(cases)
             if number % EVERY_FIFTH == 0]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for found in pool.map(run, jobs) for fault in found]
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults)


@pytest.mark.fast
@pytest.mark.parametrize("activation", FACTORS["activation"])
def test_every_two_choices_together(rhohat, data, tmp_path, activation):
    check_all(rhohat, [case for case in COVERING if case.activation == activation], data, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("depth", FACTORS["depth"])
@pytest.mark.parametrize("activation", FACTORS["activation"])
def test_every_objective(rhohat, data, tmp_path, activation, depth):
    cases = [case for case in TABLE if (case.activation, case.depth) == (activation, depth)]
    check_all(rhohat, cases, data, tmp_path)


@pytest.mark.fast
def test_any_two_choices_are_covered_or_refused():
    covered = frozenset().union(*(objectives.pairs_of(case) for case in COVERING))
    for first, second in ((a, b) for a in FACTORS for b in FACTORS if a < b):
        for one in FACTORS[first]:
            for other in FACTORS[second]:
                pair = {first: one, second: other}
                refused = objectives.refusal(Case(**pair)) is not None
                in_order = tuple((name, pair[name]) for name in Case._fields if name in pair)
                assert (in_order in covered) != refused, pair


# ---- What train does with them -------------------------------------------------------------------


@pytest.mark.fast
@pytest.mark.parametrize("case", COVERING[:: len(COVERING) // 12], ids=str)
def test_trained_and_saved(rhohat, data, tmp_path, case):
    """A trained model holds all that is needed to know its J: the last one that training saw."""
    files, rows = data[case.prepare]
    run = tmp_path / "run"
    rhohat.ok("train", *files, *objectives.flags_of(case), "--iterations", 3, "--precision",
              "float64", "--run", run)
    model = models.read(run / "model.safetensors")
    assert model.prepare == case.prepare
    assert {name: values.shape for name, values in model.parameters.items()} == models.shapes(
        objectives.COLUMNS, case.hidden, case.tied)
    last, expected = read_metrics(run)[-1], model.evaluation(rows)
    for term in TERMS:
        assert close(last[term], expected[term], 1e-10), (term, last[term], expected[term])
    _, metadata = oracle.read_safetensors(run / "model.safetensors")
    assert len(json.loads(metadata["rho_hat"])) == sum(case.hidden)
    if case.noise.startswith("salt-pepper"):
        prepared = model.prepared(rows)
        assert model.objective.input_range == pytest.approx((prepared.min(), prepared.max()))


@pytest.mark.fast
@pytest.mark.parametrize("case", [
    Case(depth=2, penalty="kl", noise="salt-pepper:0.4", prepare="standardize"),
    Case(activation="tanh", depth=3, width="over", penalty="all", tied=True, loss="cross-entropy"),
    Case(activation="relu", decoder="linear", depth=2, penalty="all", noise="gaussian:0.2",
         prepare="pca:0.1")], ids=str)
def test_trained_layer_by_layer(rhohat, data, tmp_path, case):
    """The last stage trains all layers together, from where the others ended."""
    files, rows = data[case.prepare]
    run = tmp_path / "run"
    rhohat.ok("train", *files, *objectives.flags_of(case), "--greedy", "--iterations", 3,
              "--precision", "float64", "--run", run)
    model = models.read(run / "model.safetensors")
    metrics, expected = read_metrics(run), model.evaluation(rows)
    stages = list(dict.fromkeys(line["stage"] for line in metrics))
    assert stages == [*(f"layer {layer + 1}" for layer in range(case.depth)), "fine-tuning"]
    for term in TERMS:
        assert close(metrics[-1][term], expected[term], 1e-10), term


REFUSED = [
    Case(activation="relu", penalty="kl"),
    Case(activation="linear", penalty="kl", depth=2),
    Case(activation="relu", decoder="linear", penalty="kl", tied=True, noise="mask:0.3"),
    Case(penalty="contraction", depth=2),
    Case(activation="tanh", penalty="contraction", depth=3, tied=True),
    Case(loss="cross-entropy", decoder="tanh"),
    Case(loss="cross-entropy", decoder="linear", depth=2),
    Case(loss="cross-entropy", decoder="linear", activation="linear", prepare="zca:0.1"),
]


@pytest.mark.fast
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_undefined_objectives_are_refused_before_reading(rhohat, tmp_path, case):
    refusal = objectives.refusal(case)
    assert refusal.code == 64
    error = rhohat.fails(64, "train", tmp_path / "missing.h5", *objectives.flags_of(case), "--run",
                         tmp_path / "run")
    assert refusal.says in error
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
@pytest.mark.parametrize("written, flags", [
    (Case(activation="relu"), ["--beta", 3]),
    (Case(activation="linear", depth=2), ["--beta", 0.1]),
    (Case(depth=2), ["--kappa", 0.1]),
])
def test_undefined_objectives_are_refused_for_models_too(rhohat, data, tmp_path, written, flags):
    files, rows = data["none"]
    model = objectives.model_of(written, rows, random_for(written))
    path = model.write(tmp_path / "model.safetensors")
    for command in ("evaluate", "gradcheck"):
        error = rhohat.fails(64, command, path, *files, *flags)
        assert flags[0] in error


@pytest.mark.fast
@pytest.mark.parametrize("prepare", ["standardize", "zca:0.1", "pca:0.1"])
def test_cross_entropy_names_the_row_that_preparation_leaves_outside_0_to_1(
        rhohat, data, tmp_path, prepare):
    case = Case(loss="cross-entropy", prepare=prepare)
    files, _ = data[prepare]
    refusal = objectives.refusal(case)
    error = rhohat.fails(refusal.code, "train", *files, *objectives.flags_of(case), "--run",
                         tmp_path / "run", alone=False)
    assert refusal.says in error
    assert leftovers(tmp_path) == []


@pytest.mark.fast
@pytest.mark.parametrize("value", [1.001, -1e-6])
def test_cross_entropy_names_the_row_that_is_outside_0_to_1(rhohat, tmp_path, random, value):
    rows = objectives.rows_for("none", random, count=30)
    rows[17, 3] = value
    path = layouts.write(tmp_path / "rows.h5", rows)
    case = Case(loss="cross-entropy")
    model = objectives.model_of(case, rows, random).write(tmp_path / "model.safetensors")
    for command in (["evaluate", model, path], ["gradcheck", model, path],
                    ["train", path, *objectives.flags_of(case), "--run", tmp_path / "run"]):
        error = rhohat.fails(65, *command, alone=False)
        assert "row 17" in error
    rows[17, 3] = 1
    layouts.write(path, rows)
    rhohat.ok("evaluate", model, path)


# ---- Noise ---------------------------------------------------------------------------------------


NOISE = [noise for noise in FACTORS["noise"] if noise != "none"]


@pytest.fixture(scope="module")
def many_rows():
    return objectives.rows_for("none", np.random.default_rng(4), count=700)


def denoising_model(rows, noise, **choices):
    case = Case(noise=noise, penalty="all", **choices)
    model = objectives.model_of(case, rows, random_for(case))
    model.compute = {"lanes": "8", "block-rows": "16"}
    return model


@pytest.mark.fast
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("noise", NOISE)
def test_noise_is_the_same_on_any_number_of_threads(rhohat, tmp_path, many_rows, noise, precision):
    files = [layouts.write(tmp_path / "rows.h5", many_rows, chunks=(50, objectives.COLUMNS))]
    model = denoising_model(many_rows, noise, depth=2).write(tmp_path / "model.safetensors")
    reports, gradients = set(), set()
    for run, threads in enumerate((1, 2, 8)):
        flags = ["--threads", threads, "--precision", precision]
        reports.add(rhohat.ok("evaluate", model, *files, "--json", *flags).stdout)
        out = tmp_path / f"gradient{run}.safetensors"
        # One derivative is enough where the gradient itself is what is wanted.
        rhohat("gradcheck", model, *files, "--sample", 1, "--out", out, *flags)
        gradients.add(out.read_bytes())
    assert len(reports) == 1
    assert len(gradients) == 1


@pytest.mark.fast
@pytest.mark.parametrize("noise", NOISE)
def test_noise_belongs_to_the_row_and_not_to_the_block(rhohat, tmp_path, many_rows, noise):
    cuts = (0, 1, 300, 531, len(many_rows))
    parts = [layouts.write(tmp_path / f"part{begin}.h5", many_rows[begin:end])
             for begin, end in zip(cuts, cuts[1:])]
    whole = layouts.write(tmp_path / "rows.h5", many_rows, chunks=(64, 3), compression="gzip")
    model = denoising_model(many_rows, noise)
    path = model.write(tmp_path / "model.safetensors")
    expected = model.evaluation(layouts.flat(many_rows))
    for files, flags in ((parts, []), ([whole], ["--block-rows", 33]), (parts, ["--lanes", 1])):
        found = json.loads(rhohat.ok("evaluate", path, *files, "--json", *flags).stdout)
        assert faults_of_evaluation(found, expected, "float64") == []


@pytest.mark.fast
def test_another_objective_than_the_models_own(rhohat, data, tmp_path):
    """Each flag of the objective stands above what the model says."""
    files, rows = data["none"]
    model = denoising_model(rows, "gaussian:0.2")
    path = model.write(tmp_path / "model.safetensors")
    changes = {"rho": 0.3, "beta": 0.2, "decay": 0.5, "gamma": 0.7, "kappa": 0.9,
               "noise": "mask:0.5"}
    for name, value in changes.items():
        flag = "--lambda" if name == "decay" else f"--{name}"
        found = json.loads(rhohat.ok("evaluate", path, *files, flag, value, "--json").stdout)
        expected = oracle.evaluate(model.parameters, rows, **{**vars(model.objective), name: value})
        assert faults_of_evaluation(found, expected, "float64") == [], name


@pytest.mark.fast
@pytest.mark.parametrize("noise", NOISE)
def test_codes_are_those_of_rows_without_noise(rhohat, data, tmp_path, noise):
    files, rows = data["none"]
    model = denoising_model(rows, noise, depth=2)
    path = model.write(tmp_path / "model.safetensors")
    rhohat.ok("encode", path, *files, "--out", tmp_path / "codes.h5")
    with h5py.File(tmp_path / "codes.h5") as file:
        assert np.allclose(file["codes"], oracle.encode(model.parameters, rows), rtol=1e-12)
