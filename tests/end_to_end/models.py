"""Model files without training: any network and objective, with random parameters.

Written as docs/formats/model.md has it, without the checksum, as another program would.
"""

import json
import struct
from dataclasses import dataclass, field

import numpy as np

import oracle
import preparations

TYPES = {"float64": "<f8", "float32": "<f4"}


def shapes(inputs, hidden, tied):
    """{name: shape} of the parameters, in their order."""
    widths, depth = [inputs, *hidden], len(hidden)
    result = {}
    for side in ("encoder", "decoder"):
        for layer in range(depth):
            name = side if depth == 1 else f"{side}.{layer}"
            lower, upper = widths[layer], widths[layer + 1]
            if side == "decoder":
                lower, upper = widths[depth - layer], widths[depth - layer - 1]
            if side == "encoder" or not tied:
                result[f"{name}.weight"] = (upper, lower)
            result[f"{name}.bias"] = (upper,)
    return result


def random_parameters(random, inputs, hidden, tied):
    """Weights that keep sums near 1 in magnitude; biases that are not zero."""
    return {name: random.normal(size=shape) / np.sqrt(shape[1]) if len(shape) == 2
            else random.normal(size=shape) * 0.3
            for name, shape in shapes(inputs, hidden, tied).items()}


def listed(numbers):
    return ",".join(repr(number) for number in np.atleast_1d(numbers).tolist())


@dataclass
class Model:
    """A network with its objective and the preparation of its inputs."""

    parameters: dict
    objective: oracle.Objective = field(default_factory=oracle.Objective)
    prepare: str = "none"
    prepare_arrays: dict = field(default_factory=dict)
    precision: str = "float64"
    compute: dict = field(default_factory=lambda: {"lanes": "2", "block-rows": "4"})

    @property
    def widths(self):
        """Of the input and the encoder's layers."""
        names = oracle.layer_names(self.parameters, "encoder")
        weights = [self.parameters[f"{name}.weight"] for name in names]
        return [weights[0].shape[1], *(len(weight) for weight in weights)]

    @property
    def tied(self):
        return not any(name.startswith("decoder") and name.endswith("weight")
                       for name in self.parameters)

    def config(self):
        wanted = self.objective
        return {"hidden": listed(self.widths[1:]), "activation": wanted.activation,
                "decoder": wanted.decoder, "tied": str(self.tied).lower(), "loss": wanted.loss,
                "rho": listed(wanted.rho), "beta": listed(wanted.beta),
                "lambda": repr(wanted.decay), "gamma": repr(wanted.gamma),
                "kappa": repr(wanted.kappa), "noise": wanted.noise, "seed": str(wanted.seed),
                "precision": self.precision, **self.compute}

    def metadata(self):
        columns, *hidden = self.widths
        # Says nothing of the objective: rho_hat is told of other rows than the tests use.
        entries = {"format": "rhohat-model", "format_version": "1",
                   "config": json.dumps(self.config()), "prepare": self.prepare,
                   "rho_hat": json.dumps([0.5] * sum(hidden)),
                   "data": json.dumps({"files": [], "rows": 1, "columns": columns}),
                   "iterations": "0", "cost": "0", "stop_reason": "written by a test"}
        if self.objective.input_range is not None:
            entries["input_range"] = json.dumps(list(self.objective.input_range))
        return entries

    def write(self, path):
        tensors = {name: values.astype(TYPES[self.precision])
                   for name, values in self.parameters.items()}
        tensors.update({f"prepare.{name}": values.astype("<f8")
                        for name, values in self.prepare_arrays.items()})
        return write_safetensors(path, tensors, self.metadata())

    def prepared(self, rows):
        return preparations.apply(self.prepare, self.prepare_arrays, rows)

    def evaluation(self, rows):
        """What the oracle says of rows as they are in files."""
        return oracle.evaluate(self.parameters, self.prepared(rows), **vars(self.objective))

    def gradient(self, rows):
        return oracle.gradient(self.parameters, self.prepared(rows), **vars(self.objective))

    def rounded(self):
        """The same in float32."""
        parameters = {name: values.astype("f4").astype("f8")
                      for name, values in self.parameters.items()}
        return Model(parameters, self.objective, self.prepare, self.prepare_arrays, "float32",
                     self.compute)


def write_safetensors(path, tensors, metadata):
    header, end = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        type_name = {"<f8": "F64", "<f4": "F32"}[values.dtype.str]
        header[name] = {"dtype": type_name, "shape": list(values.shape),
                        "data_offsets": [end, end + values.nbytes]}
        end += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    body = b"".join(np.ascontiguousarray(values).tobytes() for values in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def numbers_of(text):
    """A number, or a tuple of several."""
    numbers = tuple(float(number) for number in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


def read(path):
    """The model that the program left behind, for the oracle."""
    tensors, metadata = oracle.read_safetensors(path)
    config = json.loads(metadata["config"])
    input_range = json.loads(metadata.get("input_range", "null"))
    objective = oracle.Objective(
        rho=numbers_of(config["rho"]), beta=numbers_of(config["beta"]),
        decay=float(config["lambda"]), gamma=float(config["gamma"]), kappa=float(config["kappa"]),
        loss=config["loss"], activation=config["activation"], decoder=config["decoder"],
        noise=config["noise"], seed=int(config["seed"]),
        input_range=None if input_range is None else tuple(input_range))
    arrays = {name.removeprefix("prepare."): values.astype(np.float64)
              for name, values in tensors.items() if name.startswith("prepare.")}
    return Model(oracle.parameters_of(path), objective, metadata["prepare"], arrays,
                 config["precision"])
