"""What training leaves behind: the run folder, its metrics, its log and its model, in full."""

import json
import math
import tomllib

import numpy as np
import pytest

import layouts
import oracle
from program import OBJECTIVE, leftovers
from trained import COLUMNS, HIDDEN, ROWS, Run

pytestmark = pytest.mark.fast

FIELDS = ["iteration", "optimizer", "data_passes", "cost", "reconstruction", "weight_decay",
          "sparsity", "l1", "contraction", "cost_over", "gradient_norm", "rho_hat_mean", "rho_hat_min", "rho_hat_max", "seconds",
          "rows_per_second", "rows_in_sample", "bytes_read", "wait_seconds",
          "compute_fraction", "peak_rss_bytes"]
TERMS = ["reconstruction", "weight_decay", "sparsity", "l1", "contraction"]


def test_run_folder(any_run):
    names = {path.name for path in any_run.folder.iterdir()}
    assert {"config.toml", "metrics.jsonl", "run.log", "model.safetensors"} <= names
    assert leftovers(any_run.folder) == [any_run.model]


def test_metrics_have_their_fields_in_order(any_run):
    for line in any_run.metrics:
        assert list(line) == FIELDS
        assert line["optimizer"] in ("progressive", "gd") and line["cost_over"] == "all"
        numbers = [value for value in line.values() if not isinstance(value, str)]
        assert len(numbers) == len(line) - 2
        assert all(isinstance(value, (int, float)) for value in numbers)
        assert all(math.isfinite(value) for value in numbers)


def test_iterations_are_numbered_without_gaps(run, descent):
    assert [line["iteration"] for line in run.metrics] == list(range(31))
    assert [line["iteration"] for line in descent.metrics] == list(range(16))


def test_cost_is_the_sum_of_its_terms(any_run):
    for line in any_run.metrics:
        assert line["cost"] == pytest.approx(sum(line[term] for term in TERMS), rel=1e-14)


def test_cost_falls(run, descent):
    costs = [line["cost"] for line in run.metrics]
    assert all(later < earlier for earlier, later in zip(costs, costs[1:]))
    assert descent.metrics[-1]["cost"] < descent.metrics[0]["cost"]


def test_data_passes_count_evaluations(run, descent):
    assert [line["data_passes"] for line in descent.metrics] == list(range(1, 17))
    passes = [line["data_passes"] for line in run.metrics]
    assert passes[0] == 1
    assert all(later - earlier >= 1 for earlier, later in zip(passes, passes[1:]))
    assert all(value == int(value) for value in passes)
    assert passes[-1] < 2 * len(passes), "the line search takes more than two steps on average"


def test_counters_only_grow(any_run):
    for name in ("seconds", "bytes_read", "wait_seconds", "peak_rss_bytes"):
        values = [line[name] for line in any_run.metrics]
        assert values == sorted(values), name
    assert all(line["rows_in_sample"] == ROWS for line in any_run.metrics)
    assert any_run.metrics[0]["bytes_read"] >= any_run.rows.nbytes
    assert any_run.metrics[-1]["rows_per_second"] > 0


def test_last_metrics_agree_with_the_oracle(any_run):
    parameters = oracle.parameters_of(any_run.model)
    rows = layouts.flat(any_run.rows)
    expected = oracle.evaluate(parameters, rows, **OBJECTIVE)
    gradient = oracle.gradient(parameters, rows, **OBJECTIVE)
    last = any_run.metrics[-1]
    for name in ["cost", *TERMS, "rho_hat_mean", "rho_hat_min", "rho_hat_max"]:
        assert last[name] == pytest.approx(expected[name], rel=1e-5, abs=1e-9), name
    norm = math.sqrt(sum(np.sum(values**2) for values in gradient.values()))
    assert last["gradient_norm"] == pytest.approx(norm, rel=1e-3)


def test_gradient_descent_takes_the_steps_it_says(rhohat, tmp_path, descent):
    """Heavy-ball steps from the program's own starting point, taken by the oracle."""
    start = Run(rhohat, tmp_path, "--iterations", 0, "--precision", "float64")
    parameters = oracle.parameters_of(start.model)
    velocity = {name: np.zeros_like(values) for name, values in parameters.items()}
    for _ in range(15):
        gradient = oracle.gradient(parameters, layouts.flat(start.rows), **OBJECTIVE)
        for name in parameters:
            velocity[name] = 0.9 * velocity[name] - 0.2 * gradient[name]
            parameters[name] = parameters[name] + velocity[name]
    found = oracle.parameters_of(descent.model)
    for name in parameters:
        assert np.allclose(found[name], parameters[name], rtol=1e-9, atol=1e-11), name


def test_start_is_the_initialisation_of_the_paper(rhohat, tmp_path):
    start = Run(rhohat, tmp_path, "--iterations", 0)
    assert [line["iteration"] for line in start.metrics] == [0]
    parameters = oracle.parameters_of(start.model)
    assert not parameters["encoder.bias"].any() and not parameters["decoder.bias"].any()
    bound = math.sqrt(6 / (COLUMNS + HIDDEN + 1))
    layers = ("encoder.weight", "decoder.weight")
    weights = np.concatenate([parameters[name].ravel() for name in layers])
    assert np.abs(weights).max() <= bound
    assert np.abs(weights).max() > 0.9 * bound
    assert abs(weights.mean()) < 0.2 * bound
    assert len(set(weights)) == len(weights)


def test_model_has_the_names_and_shapes_of_linear_layers(run, descent):
    for done, dtype in ((run, np.float32), (descent, np.float64)):
        tensors, metadata = oracle.read_safetensors(done.model)
        shapes = {"encoder.weight": (HIDDEN, COLUMNS), "encoder.bias": (HIDDEN,),
                  "decoder.weight": (COLUMNS, HIDDEN), "decoder.bias": (COLUMNS,)}
        for name, shape in shapes.items():
            assert tensors[name].shape == shape, name
            assert tensors[name].dtype == dtype, name
            assert np.isfinite(tensors[name]).all(), name
        assert all(isinstance(value, str) for value in metadata.values())


def test_model_keeps_rho_hat(any_run):
    _, metadata = oracle.read_safetensors(any_run.model)
    codes = oracle.encode(oracle.parameters_of(any_run.model), layouts.flat(any_run.rows))
    assert np.allclose(json.loads(metadata["rho_hat"]), codes.mean(axis=0), rtol=1e-5)


def test_config_holds_every_option_resolved(run):
    text = (run.folder / "config.toml").read_text()
    config = tomllib.loads(text)
    flat = {}
    for key, value in config.items():
        flat.update(value if isinstance(value, dict) else {key: value})
    flat = {key.replace("_", "-"): value for key, value in flat.items()}
    assert flat["hidden"] in (HIDDEN, [HIDDEN], str(HIDDEN))
    assert flat["rho"] == OBJECTIVE["rho"]
    assert flat["lambda"] == OBJECTIVE["decay"]
    assert flat["iterations"] == 30
    assert flat["precision"] == "float32"
    assert {"beta", "optimizer", "history", "seed", "schedule", "lanes", "block-rows"} <= set(flat)
    assert str(run.data) in text


def test_progress_in_a_pipe_is_plain_lines(run):
    for text in (run.result.stdout, run.result.stderr):
        assert "\x1b" not in text and "\r" not in text
    assert run.result.stderr.endswith("\n")
    assert 1 <= run.result.stderr.count("\n") < 20
    assert "stopped" in run.result.stdout and "iterations" in run.result.stdout


@pytest.mark.parametrize("flags, reason", [(["--iterations", 2], "iterations"),
                                           (["--gradient-tolerance", 1e9], "gradient"),
                                           (["--tolerance", 0.9, "--iterations", 50], "J ")])
def test_says_why_it_stopped(rhohat, small_data, tmp_path, flags, reason):
    done = rhohat.ok("train", small_data, "--hidden", 3, "--run", tmp_path / "run", *flags)
    (stopped,) = [line for line in done.stdout.splitlines() if line.startswith("stopped")]
    assert reason in stopped.split(maxsplit=1)[1]
