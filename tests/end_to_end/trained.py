"""One finished training run with the rows it was trained on, for the tests that look at results."""

import numpy as np

import layouts
from program import OBJECTIVE_FLAGS, read_metrics

ROWS, COLUMNS, HIDDEN = 500, 16, 6


class Run:
    """A finished training run with the rows it was trained on."""

    def __init__(self, rhohat, folder, *flags):
        self.rows = layouts.values(np.random.default_rng(3), ROWS, columns=COLUMNS)
        self.data = layouts.write(folder / "rows.h5", self.rows, chunks=(64, COLUMNS))
        self.folder = folder / "run"
        self.model = self.folder / "model.safetensors"
        self.result = rhohat.ok("train", self.data, "--hidden", HIDDEN, "--tolerance", 0,
                                *OBJECTIVE_FLAGS, "--run", self.folder, *flags)
        self.metrics = read_metrics(self.folder)
