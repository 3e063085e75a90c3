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
ADAM = ("--learning-rate", "0.02", "--batch", "256", "--rate-schedule", "cosine")
EPOCHS_BEFORE_LBFGS = 5

# Where rhohat's progressive run is looked at: iterations at which this many passes are done.
PASSES_LOOKED_AT = (0.5, 1, 2, 3, 5, 8, 12, 16, 20, 27, 35, 43, 55, 70, 90)


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
    epochs, iterations = arguments.epochs, arguments.most_passes

    def lbfgs(curve):
        rhohat.add_exact_lines(
            rhohat.train("--optimizer", "lbfgs", "--iterations", str(iterations)), curve)

    def progressive(curve):
        rhohat.trace_passes(curve, PASSES_LOOKED_AT, iterations, "--optimizer", "progressive")

    def adam(curve):
        rhohat.trace(curve, "--epochs", epochs, "--optimizer", "adam", *ADAM)

    def both(curve):
        rhohat.add_exact_lines(rhohat.train(
            "--optimizer", "adam,lbfgs", "--epochs", str(EPOCHS_BEFORE_LBFGS), *ADAM,
            "--iterations", str(iterations)), curve)

    def default(curve):
        rhohat.add_exact_lines(rhohat.train("--iterations", str(iterations)), curve)

    for name, measure in (("rhohat progressive", progressive), ("rhohat adam", adam),
                          ("rhohat adam,lbfgs", both), ("rhohat lbfgs", lbfgs),
                          ("rhohat as it comes", default)):
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
