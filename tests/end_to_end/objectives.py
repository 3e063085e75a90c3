"""Every objective that a user can ask for, as a table of cases, and why others are refused.

A case is a choice for each of FACTORS. TABLE has every defined combination of the factors that
meet in the formulas (activation, decoder, loss, tied, noise, penalty, depth); widths and the
preparation of the input, which meet them in few places, are dealt to them. COVERING is a small part
of it in which every two choices that are ever found together are found together.

ReLU and |a| have kinks, at which a numeric derivative says nothing. Parameters are therefore such
that no row can reach one by the steps that `gradcheck` takes.
"""

import itertools
from typing import NamedTuple

import numpy as np

import models
import oracle
import preparations

FACTORS = {
    "activation": ("sigmoid", "tanh", "relu", "linear"),
    "decoder": ("sigmoid", "tanh", "linear"),
    "loss": ("squared", "cross-entropy"),
    "tied": (False, True),
    "noise": ("none", "mask:0.3", "gaussian:0.2", "salt-pepper:0.4"),
    "penalty": ("none", "decay", "kl", "l1", "contraction", "all"),
    "depth": (1, 2, 3),
    "width": ("under", "over"),
    "prepare": ("none", "range:-1:3", "standardize", "global", "zca:0.1", "pca:0.1"),
}
HIDDEN = {("under", 1): (3,), ("under", 2): (4, 3), ("under", 3): (4, 3, 2),
          ("over", 1): (7,), ("over", 2): (6, 7), ("over", 3): (6, 7, 8)}
COLUMNS = 5  # no multiple of four: noise is drawn for four columns at a time
ROWS = 13  # no multiple of the models' blocks of four
SEED = 7 + 2**33  # both words of the key matter
PENALTIES = ("decay", "kl", "l1", "contraction")
WITHIN_0_AND_1 = ("none", "range:-1:3", "global")  # of the preparations, here

RHO_BY_LAYER = {1: 0.1, 2: (0.1, 0.15), 3: (0.1, 0.15, 0.2)}
BETA_BY_LAYER = {1: 3.0, 2: (3.0, 0.5), 3: (3.0, 0.0, 1.5)}

# The furthest that `gradcheck` moves a parameter.
STEP = 2e-3


class Case(NamedTuple):
    activation: str = "sigmoid"
    decoder: str = "sigmoid"
    loss: str = "squared"
    tied: bool = False
    noise: str = "none"
    penalty: str = "none"
    depth: int = 1
    width: str = "under"
    prepare: str = "none"

    def __str__(self):
        return " ".join(str(word) for word in self._replace(tied="tied" if self.tied else "untied"))

    @property
    def hidden(self):
        return HIDDEN[self.width, self.depth]

    @property
    def penalties(self):
        """Those in force: "all" stands for all that are defined together here."""
        if self.penalty != "all":
            return [] if self.penalty == "none" else [self.penalty]
        return [one for one in PENALTIES if refusal(self._replace(penalty=one)) is None]


class Refusal(NamedTuple):
    code: int
    says: str  # in the error


def refusal(case):
    """Why there is no such objective, or None."""
    if case.penalty == "kl" and case.activation in ("relu", "linear"):
        return Refusal(64, "--beta")  # r(a) leaves [0, 1]
    if case.penalty == "contraction" and case.depth > 1:
        return Refusal(64, "--kappa")
    if case.loss == "cross-entropy" and case.decoder != "sigmoid":
        return Refusal(64, "--loss")
    if case.loss == "cross-entropy" and case.prepare not in WITHIN_0_AND_1:
        return Refusal(65, "row ")
    return None


def weights_of(case):
    """The penalties as fields of oracle.Objective. A divergence that is alone has its own weights
    for each layer."""
    weights, depth = {}, case.depth
    if "decay" in case.penalties:
        weights["decay"] = 0.003
    if "kl" in case.penalties:
        alone = case.penalty == "kl"
        weights["rho"] = RHO_BY_LAYER[depth] if alone else 0.1
        weights["beta"] = BETA_BY_LAYER[depth] if alone else 0.7
    if "l1" in case.penalties:
        weights["gamma"] = 0.02
    if "contraction" in case.penalties:
        weights["kappa"] = 0.05
    return weights


def flags_of(case):
    """The case as the command line of `rhohat train` has it."""
    weights = weights_of(case)
    flags = ["--hidden", models.listed(case.hidden), "--activation", case.activation, "--decoder",
             case.decoder, "--loss", case.loss, "--noise", case.noise, "--prepare", case.prepare,
             "--seed", str(SEED), *(["--tied"] if case.tied else [])]
    for name, flag in (("rho", "--rho"), ("beta", "--beta"), ("decay", "--lambda"),
                       ("gamma", "--gamma"), ("kappa", "--kappa")):
        if name != "rho" or name in weights:
            flags += [flag, models.listed(weights.get(name, 0.0))]
    return flags


# ---- Rows and models -----------------------------------------------------------------------------


def rows_for(prepare, random, count=ROWS):
    """Rows as they are in a file, in float32. As they are, or scaled by the range, two entries are
    the ends of [0, 1]."""
    rows = random.uniform(0.02, 0.98, size=(count, COLUMNS)).astype(np.float32)
    rows[0, :2] = 0, 1
    return rows * np.float32(4) - np.float32(1) if prepare.startswith("range") else rows


def preparation_of(prepare, random):
    """Fitted to other rows, whose columns depend on each other."""
    mixing = np.eye(COLUMNS) + random.uniform(-0.3, 0.3, size=(COLUMNS, COLUMNS))
    mixed = random.uniform(size=(40, COLUMNS)) @ mixing
    arrays = preparations.fit(prepare, mixed)
    if prepare == "global":
        arrays["deviation"] = np.array([0.11])  # some entries lie beyond three of these
    return arrays


def model_of(case, rows, random):
    """A model of this case with random parameters. `rows` as they are in the file."""
    rows = rows.astype(np.float64)
    prepare_arrays = preparation_of(case.prepare, random)
    prepared = preparations.apply(case.prepare, prepare_arrays, rows)
    input_range = None
    if case.noise.startswith("salt-pepper"):  # not quite that of these rows
        input_range = (float(prepared.min()) - 0.125, float(prepared.max()) + 0.0625)
    objective = oracle.Objective(
        **weights_of(case), loss=case.loss, activation=case.activation, decoder=case.decoder,
        noise=case.noise, seed=SEED, input_range=input_range)
    inputs = oracle.corrupt(prepared, case.noise, SEED, input_range)
    for _ in range(100):
        parameters = models.random_parameters(random, COLUMNS, case.hidden, case.tied)
        keep_off_kinks(parameters, objective, inputs)
        model = models.Model(parameters, objective, case.prepare, prepare_arrays)
        # Where every row ends at a unit that is off, most of the gradient vanishes.
        alive = all(slopes.any() for slopes in model.gradient(rows).values())
        if alive and kinks_are_out_of_reach(parameters, objective, inputs):
            return model
    raise AssertionError(f"{case}: no parameters found that would do")


def layers_with_kinks(objective, depth):
    """Which of the hidden layers, the decoder's included, may not have a sum near zero."""
    if objective.activation == "relu":
        return range(2 * depth - 1)
    kinked = objective.gamma > 0 and objective.activation in ("tanh", "linear")
    return [depth - 1] if kinked else []


def keep_off_kinks(parameters, objective, inputs):
    """Puts the bias of each unit into the widest gap between its rows' sums, not too far out."""
    names = [name for side in ("encoder", "decoder")
             for name in oracle.layer_names(parameters, side)]
    few = len(inputs) // 5
    for layer in layers_with_kinks(objective, len(names) // 2):
        bias = parameters[f"{names[layer]}.bias"]
        sums, _ = oracle.forward(parameters, inputs, objective.activation, objective.decoder)
        ascending = np.sort(sums[layer] - bias, axis=0)
        gaps = np.diff(ascending, axis=0)
        gaps[:few] = gaps[len(gaps) - few :] = 0
        widest = gaps.argmax(axis=0)
        units = np.arange(len(bias))
        bias[:] = -(ascending[widest, units] + ascending[widest + 1, units]) / 2


def kinks_are_out_of_reach(parameters, objective, inputs):
    """Whether no sum can reach a kink while any one parameter moves by STEP."""
    layers = oracle.layers_of(parameters)
    sums, values = oracle.forward(parameters, inputs, objective.activation, objective.decoder)
    kinked = layers_with_kinks(objective, len(layers) // 2)
    # How far each value that goes into the layer may be off, row by row: `by_one` where the
    # parameter is one of the layer below, and so just one of the values is, `by_all` where it is
    # further below. A shared weight is in two places, whose effects add up.
    together = np.add if any(layer.transposed for layer in layers) else np.maximum
    by_one = by_all = np.zeros_like(inputs)
    for number, layer in enumerate(layers[:-1]):
        weight = np.abs(layer.weight)
        largest = np.maximum(1, (np.abs(values[number]) + by_one + by_all).max(axis=1))
        own = np.broadcast_to(STEP * largest[:, None], sums[number].shape)
        lower = together((by_one[:, None, :] * weight).max(axis=2), by_all @ weight.T)
        reach = together(own, lower)
        if number in kinked and np.any(np.abs(sums[number]) <= reach):
            return False
        slope = steepest(objective.activation, sums[number], reach)
        by_one, by_all = own * slope, lower * slope
    return True


def steepest(activation, sums, reach):
    """The largest slope that is met where each sum moves by at most its reach, across no kink."""
    nearest = np.sign(sums) * np.maximum(np.abs(sums) - reach, 0)
    return oracle.ACTIVATIONS[activation].slope(nearest)


# ---- The table -----------------------------------------------------------------------------------


def make_table():
    crossed = [FACTORS[name] for name in Case._fields[:-2]]
    random = np.random.default_rng(20)
    table = []
    for choices in itertools.product(*crossed):
        case = Case(*choices)
        if refusal(case) is None:
            dealt = [case._replace(width=width, prepare=prepare)
                     for width in FACTORS["width"] for prepare in FACTORS["prepare"]]
            dealt = [one for one in dealt if refusal(one) is None]
            table.append(dealt[random.integers(len(dealt))])
    return table


def pairs_of(case):
    """Every two choices of a case."""
    return frozenset(itertools.combinations(zip(Case._fields, case), 2))


def make_covering(table):
    """Always the case that brings the most pairs that no case before it had."""
    pairs = {case: pairs_of(case) for case in table}
    wanted, chosen = frozenset().union(*pairs.values()), []
    while wanted:
        best = max(table, key=lambda case: len(pairs[case] & wanted))
        chosen.append(best)
        wanted -= pairs[best]
    return chosen


TABLE = make_table()
COVERING = make_covering(TABLE)
