"""What rhohat computes, a second time: float64 NumPy, the whole data set in memory, no cleverness.

Written from the formulas of docs/math.md (§2 and §3) alone, so that a mistake in the C++ would have
to be made twice to go unseen. Nothing here is shared with the program but the names of its results.
"""

import json
import struct

import numpy as np

SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "U8": "u1"}


def read_safetensors(path):
    """Returns ({name: array}, metadata) after checking that the tensors tile the file exactly."""
    content = open(path, "rb").read()
    (header_size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + header_size])
    metadata = header.pop("__metadata__", {})
    body = content[8 + header_size :]
    tensors, covered = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == covered, f"{path}: a gap before {name}"
        values = np.frombuffer(body[begin:end], SAFETENSORS_TYPES[entry["dtype"]])
        tensors[name], covered = values.reshape(entry["shape"]), end
    assert covered == len(body), f"{path}: {len(body) - covered} bytes belong to no tensor"
    return tensors, metadata


def parameters_of(path):
    """The four parameters of a model, or of a gradient under the same names, in float64."""
    tensors, _ = read_safetensors(path)
    names = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias")
    return {name: tensors[name].astype(np.float64) for name in names}


def sigmoid(z):
    """1 / (1 + exp(-z)) with full relative precision at both ends."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


def encode(parameters, rows):
    return sigmoid(rows @ parameters["encoder.weight"].T + parameters["encoder.bias"])


def decode(parameters, codes):
    return sigmoid(codes @ parameters["decoder.weight"].T + parameters["decoder.bias"])


def mean_activation(codes):
    """rho_hat, kept off the exact 0 and 1 where the divergence is infinite."""
    return np.clip(codes.mean(axis=0), np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0))


def evaluate(parameters, rows, rho, beta, decay):
    """J, its terms and the descriptive figures of `rhohat evaluate`. `decay` is lambda."""
    codes = encode(parameters, rows)
    residual = decode(parameters, codes) - rows
    rho_hat = mean_activation(codes)
    # Differences of logarithms, since a quotient by the smallest rho_hat there is would overflow.
    divergence = rho * (np.log(rho) - np.log(rho_hat))
    divergence += (1 - rho) * (np.log1p(-rho) - np.log1p(-rho_hat))
    squared_weights = sum(
        np.sum(parameters[name] ** 2) for name in ("encoder.weight", "decoder.weight")
    )
    terms = {
        "reconstruction": 0.5 * np.sum(residual**2) / len(rows),
        "weight_decay": 0.5 * decay * squared_weights,
        "sparsity": beta * np.sum(divergence),
        "l1": 0.0,
        "contraction": 0.0,
    }
    spread = np.sum((rows - rows.mean(axis=0)) ** 2)
    return {
        **terms,
        "cost": sum(terms.values()),
        "rows": len(rows),
        "explained_variance": 1 - np.sum(residual**2) / spread if spread > 0 else None,
        "rho_hat_mean": rho_hat.mean(),
        "rho_hat_min": rho_hat.min(),
        "rho_hat_max": rho_hat.max(),
        "dead_units": int(np.sum(codes.max(axis=0) - codes.min(axis=0) <= 0.01)),
    }


def gradient(parameters, rows, rho, beta, decay):
    """dJ/d(parameter) for each parameter, by back-propagation."""
    codes = encode(parameters, rows)
    outputs = decode(parameters, codes)
    rho_hat = mean_activation(codes)
    pull = beta * ((1 - rho) / (1 - rho_hat) - rho / rho_hat)
    delta_out = (outputs - rows) * outputs * (1 - outputs)
    delta_code = (delta_out @ parameters["decoder.weight"] + pull) * codes * (1 - codes)
    count = len(rows)
    return {
        "encoder.weight": delta_code.T @ rows / count + decay * parameters["encoder.weight"],
        "encoder.bias": delta_code.mean(axis=0),
        "decoder.weight": delta_out.T @ codes / count + decay * parameters["decoder.weight"],
        "decoder.bias": delta_out.mean(axis=0),
    }
