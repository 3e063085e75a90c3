"""What is measured: the rates, and each competitor's curves."""

import os

import torch

import batch_peers
import rates
import torch_adam
from clock import Curve
from rhohat_runs import Unsupported
from torch_objective import cost

# What PyTorch's Adam is best at on MNIST; rhohat gets the same. The one that L-BFGS goes on from is
# short: what it does in many epochs, L-BFGS does in fewer passes.
ADAM = ("--learning-rate", "0.02", "--batch", "128", "--rate-schedule", "cosine")
EPOCHS_BEFORE_LBFGS = 5

# After how many passes runs of rhohat are looked at whose own lines are not J over all rows.
PASSES_LOOKED_AT = (1, 3, 6, 10, 14, 17, 22, 30, 43, 60)


def measure_rates(arguments, problem, rhohat, rows, say):
    """Lines for the first table; none where this part is not asked for."""
    if "rates" not in arguments.only:
        return []
    compiled = torch.compile(cost, dynamic=True) if arguments.compile else None
    groups = {"evaluation": rates.evaluations(rhohat, problem, rows, compiled)}
    for batch in arguments.batches:
        groups[f"Adam, batch {batch}"] = rates.epochs(rhohat, problem, rows, batch, compiled)
    return rates.summary(
        rates.measure(groups, arguments.repeats, arguments.patience, say), problem.row_count)


def measure_curves(arguments, problem, rhohat, rows, say):
    """Writes NAME.jsonl for every curve of the parts asked for."""
    measures = {"rhohat": rhohat_curves, "adam": adam_curves, "torch-lbfgs": torch_lbfgs_curve,
                "scipy": scipy_curve}
    for part, measure in measures.items():
        if part in arguments.only:
            measure(arguments, problem, rhohat, rows, say)


def finished(curve, say):
    last = curve.points[-1]
    say(f"{curve.name}: J {curve.least():.3f} after {last['data_passes']:.1f} passes, "
        f"{last['seconds']:.1f} s, {last['cpu_seconds']:.1f} processor s")
    curve.close()


def rhohat_curves(arguments, problem, rhohat, rows, say):
    """Of each optimiser, and of rhohat without any option for it. All end at the least target."""
    def enough(line):
        return line["data_passes"] >= arguments.most_passes or (
            rhohat.is_exact(line) and line["cost"] <= min(arguments.targets))

    def exact(*flags):
        return lambda curve: rhohat.add_exact_lines(rhohat.train(*flags, stop_when=enough), curve)

    def traced(*flags):
        return lambda curve: rhohat.trace_passes(
            curve, [passes for passes in PASSES_LOOKED_AT if passes <= arguments.most_passes],
            enough, *flags)

    def adam(curve):
        rhohat.trace_lengths(curve, "--epochs", arguments.epochs, "--optimizer", "adam", *ADAM)

    first = ("--epochs", str(EPOCHS_BEFORE_LBFGS), *ADAM)
    for name, measure in (
            ("rhohat progressive", traced("--optimizer", "progressive")),
            ("rhohat adam", adam),
            ("rhohat adam,lbfgs", exact("--optimizer", "adam,lbfgs", *first)),
            ("rhohat adam,progressive", traced("--optimizer", "adam,progressive", *first)),
            ("rhohat lbfgs", exact("--optimizer", "lbfgs")),
            ("rhohat as it comes", traced())):
        curve = Curve(name, arguments.out)
        try:
            measure(curve)
        except Unsupported as reason:
            say(f"{name}: left out: {reason}")
            curve.discard()
        else:
            finished(curve, say)


def adam_curves(arguments, problem, rhohat, rows, say):
    """A short run at each rate and batch; the best pair runs at every length, with the cosine.

    Each length is a run of its own, because the cosine ends where the run does.
    """
    shortest, longest = min(arguments.epochs), max(arguments.epochs)
    trials, tried = os.path.join(arguments.out, "trials"), {}

    def run(name, length, batch, rate, cosine, folder=arguments.out):
        curve = Curve(name, folder)
        torch_adam.train(problem, rows, length, batch, rate, cosine, curve)
        finished(curve, say)
        return curve.points[-1]["cost"]

    for batch in arguments.train_batches:
        for rate in arguments.rates:
            name = f"PyTorch Adam {batch}, rate {rate:g}"
            tried[run(name, shortest, batch, rate, True, trials)] = (batch, rate)
    batch, rate = tried[min(tried)]
    say(f"PyTorch Adam: best after {shortest} epochs: batch {batch}, rate {rate:g}")
    for length in sorted(arguments.epochs):
        run(f"PyTorch Adam {batch}, rate {rate:g}, {length} epochs", length, batch, rate, True)
    run(f"PyTorch Adam {batch}, rate {rate:g}, constant", longest, batch, rate, False)


def torch_lbfgs_curve(arguments, problem, rhohat, rows, say):
    curve = Curve("PyTorch L-BFGS", arguments.out)
    batch_peers.torch_lbfgs(problem, rows, min(arguments.targets), arguments.most_passes, curve)
    finished(curve, say)


def scipy_curve(arguments, problem, rhohat, rows, say):
    curve = Curve("SciPy L-BFGS-B", arguments.out)
    batch_peers.scipy_lbfgs(problem, rows, min(arguments.targets), arguments.most_passes, curve)
    finished(curve, say)
