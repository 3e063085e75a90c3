"""What rhohat computes, a second time: float64 NumPy, the whole data set in memory, no cleverness.

Written from the formulas of docs/math.md (§1 to §6) alone, so that a mistake in the C++ would have
to be made twice to go unseen. Nothing here is shared with the program but the names of its results.

Parameters are a dictionary by the names they have in files. It tells the network's depth, and a
tied one by its lack of decoder weights. Rows are given as prepared (preparations.py); an objective
is given by the fields of Objective, by name.
"""

import json
import struct
from dataclasses import dataclass
from typing import Optional

import numpy as np

from corruption import corrupt

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
    """The parameters of a model, or of a gradient under the same names, in float64."""
    tensors, _ = read_safetensors(path)
    return {name: values.astype(np.float64) for name, values in tensors.items()
            if name.startswith(("encoder.", "decoder."))}


# ---- The network ---------------------------------------------------------------------------------


def sigmoid(z):
    """1 / (1 + exp(-z)) with full relative precision at both ends."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_slope(z):
    return sigmoid(z) * sigmoid(-z)


@dataclass(frozen=True)
class Activation:
    """f and its derivatives, each a function of z; and r(a) = scale * a + shift."""

    value: callable
    slope: callable
    curvature: callable
    scale: float = 1.0
    shift: float = 0.0
    within_0_and_1: bool = False  # r(a) is, so that the divergence is defined


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_slope,
                          lambda z: sigmoid_slope(z) * (sigmoid(-z) - sigmoid(z)),
                          within_0_and_1=True),
    # tanh(z) = 2 sigmoid(2z) - 1, and its slope 1 / cosh(z)^2 without the overflow.
    "tanh": Activation(np.tanh, lambda z: 4 * sigmoid_slope(2 * z),
                       lambda z: -8 * sigmoid_slope(2 * z) * np.tanh(z),
                       scale=0.5, shift=0.5, within_0_and_1=True),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda z: (z > 0) * 1.0, np.zeros_like),
    "linear": Activation(lambda z: z, np.ones_like, np.zeros_like),
}


def layer_names(parameters, side):
    """The layers of one side, "encoder" or "decoder", in the order in which they are applied."""
    if f"{side}.bias" in parameters:
        return [side]
    depth = sum(name.startswith(f"{side}.") and name.endswith(".bias") for name in parameters)
    return [f"{side}.{layer}" for layer in range(depth)]


@dataclass(frozen=True)
class Layer:
    name: str
    weight: np.ndarray  # as applied: outputs × inputs
    bias: np.ndarray
    weight_name: str  # where it is stored
    transposed: bool  # is stored so


def layers_of(parameters):
    """The encoder's layers and then the decoder's."""
    encoder, decoder = (layer_names(parameters, side) for side in ("encoder", "decoder"))
    layers = []
    for name, mirror in zip(encoder + decoder, (encoder + decoder)[::-1]):
        tied = f"{name}.weight" not in parameters
        stored = f"{mirror if tied else name}.weight"
        weight = parameters[stored].T if tied else parameters[stored]
        layers.append(Layer(name, weight, parameters[f"{name}.bias"], stored, tied))
    return layers


def forward(parameters, inputs, activation, decoder):
    """Each layer's sums z, and what each takes in: the last entry is the reconstruction."""
    layers, sums, values = layers_of(parameters), [], [inputs]
    for layer in layers:
        f = ACTIVATIONS[decoder if layer is layers[-1] else activation]
        sums.append(values[-1] @ layer.weight.T + layer.bias)
        values.append(f.value(sums[-1]))
    return sums, values


def encode(parameters, rows, activation="sigmoid"):
    """The code: what the encoder's last layer says of the rows as they are."""
    depth = len(layer_names(parameters, "encoder"))
    return forward(parameters, rows, activation, activation)[1][depth]


# ---- The objective -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objective:
    """docs/math.md §2. `rho` and `beta`: one number, or one for each layer of the encoder."""

    rho: object = 0.05
    beta: object = 0.0
    decay: float = 0.0  # lambda
    gamma: float = 0.0
    kappa: float = 0.0
    loss: str = "squared"
    activation: str = "sigmoid"
    decoder: str = "sigmoid"
    noise: str = "none"
    seed: int = 1
    input_range: Optional[tuple] = None  # for salt and pepper

    def sparsity(self, depth):
        """(rho, beta) of each layer of the encoder."""
        return list(zip(np.broadcast_to(self.rho, depth), np.broadcast_to(self.beta, depth)))


def mean_activation(codes, activation="sigmoid"):
    """rho_hat, kept off the exact 0 and 1 where the divergence is infinite."""
    f = ACTIVATIONS[activation]
    mean = (f.scale * codes + f.shift).mean(axis=0)
    if not f.within_0_and_1:
        return mean
    return np.clip(mean, np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0))


def divergence(rho, rho_hat):
    # Differences of logarithms, since a quotient by the smallest rho_hat there is would overflow.
    return np.sum(rho * (np.log(rho) - np.log(rho_hat))
                  + (1 - rho) * (np.log1p(-rho) - np.log1p(-rho_hat)))


def total_loss(loss, rows, logits, outputs):
    if loss == "squared":
        return 0.5 * np.sum((outputs - rows) ** 2)
    # -log sigmoid(z) = log(1 + exp(-z)), and 1 - sigmoid(z) = sigmoid(-z).
    return np.sum(rows * np.logaddexp(0, -logits) + (1 - rows) * np.logaddexp(0, logits))


def evaluate(parameters, rows, **objective):
    """J, its terms and the descriptive figures of `rhohat evaluate`."""
    wanted = Objective(**objective)
    inputs = corrupt(rows, wanted.noise, wanted.seed, wanted.input_range)
    sums, values = forward(parameters, inputs, wanted.activation, wanted.decoder)
    depth = len(sums) // 2
    hidden, residual = values[1 : depth + 1], values[-1] - rows
    rho_hats = [mean_activation(layer, wanted.activation) for layer in hidden]
    terms = {
        "reconstruction": total_loss(wanted.loss, rows, sums[-1], values[-1]) / len(rows),
        "weight_decay": 0.5 * wanted.decay * sum(
            np.sum(array**2) for name, array in parameters.items() if name.endswith(".weight")),
        "sparsity": sum((beta * divergence(rho, rho_hat) for (rho, beta), rho_hat
                         in zip(wanted.sparsity(depth), rho_hats) if beta > 0), 0.0),
        "l1": wanted.gamma * np.sum(np.abs(hidden[-1])) / len(rows),
        "contraction": 0.0,
    }
    if wanted.kappa > 0:
        slopes = ACTIVATIONS[wanted.activation].slope(sums[0])
        lengths = np.sum(parameters["encoder.weight"] ** 2, axis=1)
        terms["contraction"] = wanted.kappa * np.sum(slopes**2 * lengths) / len(rows)
    spread = np.sum((rows - rows.mean(axis=0)) ** 2)
    units, rho_hat = np.concatenate(hidden, axis=1), np.concatenate(rho_hats)
    return {
        **terms,
        "cost": sum(terms.values()),
        "rows": len(rows),
        "explained_variance": 1 - np.sum(residual**2) / spread if spread > 0 else None,
        "rho_hat_mean": rho_hat.mean(),
        "rho_hat_min": rho_hat.min(),
        "rho_hat_max": rho_hat.max(),
        "dead_units": int(np.sum(units.max(axis=0) - units.min(axis=0) <= 0.01)),
    }


def penalty_slopes(wanted, depth, layer, values):
    """count * dJ/da of what `layer` of the encoder (from 1) says, by the penalties on it."""
    f, (rho, beta) = ACTIVATIONS[wanted.activation], wanted.sparsity(depth)[layer - 1]
    slopes = np.zeros_like(values)
    if beta > 0:
        rho_hat = mean_activation(values, wanted.activation)
        slopes += beta * f.scale * ((1 - rho) / (1 - rho_hat) - rho / rho_hat)
    if layer == depth:
        slopes += wanted.gamma * np.sign(values)
    return slopes


def contraction_slopes(wanted, weight, z):
    """count * dJ/dz, and dJ/dW where z stays: of kappa/count * sum of f'(z_j)^2 |W_j|^2."""
    f = ACTIVATIONS[wanted.activation]
    slope, lengths = f.slope(z), np.sum(weight**2, axis=1)
    of_weight = 2 * np.mean(slope**2, axis=0)[:, None] * weight
    return wanted.kappa * 2 * slope * f.curvature(z) * lengths, wanted.kappa * of_weight


def gradient(parameters, rows, **objective):
    """dJ/d(parameter) for each parameter, by back-propagation."""
    wanted = Objective(**objective)
    inputs = corrupt(rows, wanted.noise, wanted.seed, wanted.input_range)
    layers = layers_of(parameters)
    sums, values = forward(parameters, inputs, wanted.activation, wanted.decoder)
    depth = len(layers) // 2
    result = {name: wanted.decay * array if name.endswith(".weight") else np.zeros_like(array)
              for name, array in parameters.items()}

    # `delta` is, for each row, count * dJ/dz of the layer that is looked at.
    delta = values[-1] - rows
    if wanted.loss == "squared":
        delta = delta * ACTIVATIONS[wanted.decoder].slope(sums[-1])
    for number, layer in reversed(list(enumerate(layers))):
        if number == 0 and wanted.kappa > 0:
            of_sums, of_weight = contraction_slopes(wanted, layer.weight, sums[0])
            delta = delta + of_sums
            result[layer.weight_name] += of_weight
        of_weight = delta.T @ values[number] / len(rows)
        result[layer.weight_name] += of_weight.T if layer.transposed else of_weight
        result[layer.name + ".bias"] += delta.mean(axis=0)
        if number > 0:
            of_values = delta @ layer.weight
            if number <= depth:
                of_values = of_values + penalty_slopes(wanted, depth, number, values[number])
            delta = of_values * ACTIVATIONS[wanted.activation].slope(sums[number - 1])
    return result
