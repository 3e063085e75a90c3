"""The gradient is that of central differences, in float64, to eight digits (docs/math.md §9)."""

import re

import pytest

import layouts
from program import OBJECTIVE_FLAGS

pytestmark = pytest.mark.slow

# inputs, hidden, rows, objective
NETS = {
    "one_unit": (4, 1, 9, OBJECTIVE_FLAGS),
    "one_input": (1, 4, 30, OBJECTIVE_FLAGS),
    "one_row": (6, 3, 1, OBJECTIVE_FLAGS),
    "narrow": (12, 5, 60, OBJECTIVE_FLAGS),
    "overcomplete": (6, 15, 60, OBJECTIVE_FLAGS),
    "no_penalty": (12, 5, 60, ["--beta", "0", "--lambda", "0"]),
    "decay_only": (12, 5, 60, ["--beta", "0", "--lambda", "0.1"]),
    "strong_sparsity": (12, 5, 60, ["--rho", "0.02", "--beta", "10", "--lambda", "0"]),
}


@pytest.mark.parametrize("iterations", [0, 3])
@pytest.mark.parametrize("net", NETS)
def test_relative_error(rhohat, tmp_path, random, net, iterations):
    inputs, hidden, rows, flags = NETS[net]
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, rows, columns=inputs))
    run = tmp_path / "run"
    rhohat.ok("train", data, "--hidden", hidden, "--iterations", iterations, "--precision",
              "float64", *flags, "--run", run)
    found = rhohat.ok("gradcheck", run / "model.safetensors", data).stdout
    error = re.search(r"relative error\D*?([0-9][0-9.]*(?:e[-+]?\d+)?)", found)
    assert error, found
    assert float(error.group(1)) < 1e-8, found
