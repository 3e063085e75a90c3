"""What is minimised: the data, the network, the weights of the objective, and the common start.

Everything here is NumPy and h5py only, so that no competitor depends on another's library. Symbols
and terms are those of docs/math.md: a sigmoid-sigmoid network, squared error, weight decay and KL
sparsity with rho_hat over all rows.
"""

import dataclasses
import json
import os

import h5py
import numpy as np

from refused import Faulty

# A torch.nn.Linear's own names, which are those of rhohat's model file.
NAMES = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias")


@dataclasses.dataclass(frozen=True)
class Problem:
    """One training problem. `rows` is m×n, float32, or None where nothing is kept in memory."""

    path: str
    dataset: str  # inside the file, such as /data
    rows: np.ndarray
    hidden: int
    rho: float
    beta: float
    weight_decay: float  # lambda
    threads: int
    seed: int
    start: dict = None  # NAMES to arrays: rhohat's own initial parameters

    @property
    def row_count(self):
        return self.rows.shape[0]

    @property
    def columns(self):
        return self.rows.shape[1]

    @property
    def flops_per_row(self):
        """12nh, the work of one two-pass evaluation, as docs/math.md §3 counts it."""
        return 12 * self.columns * self.hidden


def find_dataset(path, dataset):
    """The path of the data set to use: the one asked for, or the file's only one."""
    if not os.path.exists(path):
        raise Faulty(f"{path}: no such file")
    found = []

    def note(name, item):
        if isinstance(item, h5py.Dataset) and item.ndim >= 2:
            found.append("/" + name)

    try:
        with h5py.File(path, "r") as file:
            if dataset:
                if dataset not in file:
                    raise Faulty(f"{path}: no data set {dataset}")
                return dataset
            file.visititems(note)
    except OSError as error:
        raise Faulty(f"{path}: not an HDF5 file that can be read ({error})") from None
    if len(found) != 1:
        listed = ", ".join(found) or "none"
        raise Faulty(f"{path}: expected one data set of rows, found {listed}; "
                     "name one by --dataset")
    return found[0]


def read_rows(path, dataset, limit=0):
    """The rows in memory, float32, trailing axes flattened; the first `limit` of them where > 0."""
    with h5py.File(path, "r") as file:
        stored = file[dataset]
        count = min(limit, stored.shape[0]) if limit > 0 else stored.shape[0]
        rows = np.ascontiguousarray(stored[:count].reshape(count, -1), dtype=np.float32)
    if rows.min() < 0 or rows.max() > 1:
        raise Faulty(f"{path}:{dataset}: expected values from 0 to 1, which a sigmoid can reach, "
                     f"found {rows.min():g} to {rows.max():g}; see rhohat convert --scale")
    return rows


def write_rows(path, rows):
    """Rows as rhohat convert writes them: chunks of about 1 MiB, uncompressed."""
    chunk = max(1, min(len(rows), (1 << 20) // rows[0].nbytes))
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=rows, chunks=(chunk, rows.shape[1]))


def read_model(path):
    """The parameters in a model.safetensors, by name: a JSON header, then the numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    parameters = {}
    for name in NAMES:
        entry = header.get(name)
        if entry is None or entry["dtype"] != "F32":
            raise Faulty(f"{path}: expected {name} in float32, which a model of one layer has")
        first, last = entry["data_offsets"]
        values = np.frombuffer(body[first:last], dtype="<f4").reshape(entry["shape"])
        parameters[name] = values.copy()
    return parameters


def exact_cost(problem, parameters, block=4096):
    """J over all rows in float32 with sums in double: the one judge of every competitor."""
    weights = {name: np.asarray(parameters[name], dtype=np.float32) for name in NAMES}
    error = 0.0
    active = np.zeros(problem.hidden)
    for begin in range(0, problem.row_count, block):
        rows = problem.rows[begin:begin + block]
        code = sigmoid(rows @ weights["encoder.weight"].T + weights["encoder.bias"])
        output = sigmoid(code @ weights["decoder.weight"].T + weights["decoder.bias"])
        error += 0.5 * float(np.square(output - rows, dtype=np.float32).sum(dtype=np.float64))
        active += code.sum(axis=0, dtype=np.float64)
    rho_hat = active / problem.row_count
    rho = problem.rho
    divergence = rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
    decay = sum(float(np.square(weights[name], dtype=np.float64).sum())
                for name in NAMES if name.endswith("weight"))
    return (error / problem.row_count + 0.5 * problem.weight_decay * decay
            + problem.beta * float(divergence.sum()))


def sigmoid(values):
    """In place: 1 / (1 + exp(-x)), which for float32 needs no care but for its overflow."""
    with np.errstate(over="ignore"):
        np.negative(values, out=values)
        np.exp(values, out=values)
        values += 1
        np.reciprocal(values, out=values)
    return values
