"""A linear undercomplete autoencoder without penalties finds what principal components analysis does.

Its minimum is the projection onto the first components (docs/math.md), whichever of its flags are set
that do not change what it can express.
"""

import json

import numpy as np
import pytest
import scipy.linalg

import layouts
import oracle

pytestmark = pytest.mark.slow

ROWS, COLUMNS, HIDDEN = 3000, 24, 6


def rows_with_a_spectrum(random):
    """Variances fall from component to component; the mean is not zero."""
    scales = 1.5 * 0.8 ** np.arange(COLUMNS)
    axes = np.linalg.qr(random.normal(size=(COLUMNS, COLUMNS)))[0]
    return (random.normal(size=(ROWS, COLUMNS)) * scales) @ axes + random.uniform(-1, 1, COLUMNS)


@pytest.mark.parametrize("flags", [[], ["--tied"], ["--optimizer", "cg"],
                                   ["--precision", "float64"]])
def test_error_and_subspace(rhohat, tmp_path, random, flags):
    rows = rows_with_a_spectrum(random)
    data = layouts.write(tmp_path / "rows.h5", rows)
    run = tmp_path / "run"
    rhohat.ok("train", data, "--hidden", HIDDEN, "--activation", "linear", "--decoder", "linear",
              "--beta", 0, "--lambda", 0, "--iterations", 600, "--tolerance", 1e-10, "--run", run,
              *flags)
    model = run / "model.safetensors"
    found = json.loads(rhohat.ok("evaluate", model, data, "--json").stdout)

    centred = rows - rows.mean(axis=0)
    _, singular, components = scipy.linalg.svd(centred, full_matrices=False)
    least = 0.5 * np.sum(singular[HIDDEN:] ** 2) / ROWS
    assert least * (1 - 1e-5) <= found["reconstruction"] <= least * 1.001

    tensors, _ = oracle.read_safetensors(model)
    weight = tensors.get("decoder.weight", tensors["encoder.weight"].T)
    angles = scipy.linalg.subspace_angles(weight.astype(np.float64), components[:HIDDEN].T)
    assert angles.max() < 0.05
