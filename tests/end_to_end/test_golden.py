"""The classic run: 10 000 handwritten digits, 784-196, and the J that others have found for it.

J = 12.11 ± 0.03 after 400 iterations of L-BFGS, about 12.56 after 200: numbers from outside this
project, with other programs. Needs all of MNIST, which scripts/fetch_mnist.sh brings.
"""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from program import PROJECT, read_metrics

pytestmark = [pytest.mark.slow, pytest.mark.disk]

FOLDER = Path(os.environ.get("RHOHAT_MNIST", PROJECT / "data/mnist"))
IMAGES = FOLDER / "train-images-idx3-ubyte"


@pytest.fixture(scope="module")
def digits(rhohat, tmp_path_factory):
    """The first 10 000 training images, converted by the program, as bytes over 255."""
    if not IMAGES.exists():
        pytest.fail(f"no {IMAGES}: run scripts/fetch_mnist.sh, or set RHOHAT_MNIST", pytrace=False)
    folder = tmp_path_factory.mktemp("mnist")
    rhohat.ok("convert", IMAGES, folder / "all.h5", "--scale", "1/255")
    with h5py.File(folder / "all.h5") as file:
        data = file["data"]
        assert data.shape[0] == 60000 and data.dtype == np.float32
        first = data[:10000].reshape(10000, 784)
    pixels = np.frombuffer(IMAGES.read_bytes(), np.uint8, offset=16)[: 10000 * 784]
    assert np.allclose(first, pixels.reshape(10000, 784) / 255, rtol=1e-6, atol=0)
    with h5py.File(folder / "digits.h5", "w") as file:
        file.create_dataset("data", data=first, chunks=(256, 784))
    return folder / "digits.h5"


def test_digits(rhohat, digits, tmp_path, remark):
    run = tmp_path / "run"
    rhohat.ok("train", digits, "--hidden", 196, "--lambda", "3e-3", "--rho", 0.1, "--beta", 3,
              "--seed", 1, "--optimizer", "lbfgs", "--iterations", 400, "--tolerance", 0,
              "--run", run, timeout=1500)
    metrics = read_metrics(run)
    last = metrics[-1]
    curve = ", ".join(f"{metrics[at]['cost']:.3f}" for at in (100, 200, 300, 400))
    remark(f"J {curve} after 100, 200, 300, 400 iterations; {last['data_passes']:.0f} data passes "
           f"in {last['seconds']:.0f} s")
    assert last["iteration"] == 400
    assert last["cost"] == pytest.approx(12.11, abs=0.03)
    assert 12.50 <= metrics[200]["cost"] <= 12.65
    assert last["rho_hat_mean"] == pytest.approx(0.1065, abs=0.002)
    assert last["reconstruction"] == pytest.approx(7.35, abs=0.1)
    assert last["weight_decay"] == pytest.approx(4.63, abs=0.1)
    assert last["sparsity"] == pytest.approx(0.135, abs=0.02)
    assert last["data_passes"] < 480
    again = json.loads(rhohat.ok("evaluate", run / "model.safetensors", digits, "--json").stdout)
    assert again["cost"] == pytest.approx(last["cost"], rel=1e-9)
