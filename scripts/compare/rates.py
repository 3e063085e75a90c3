"""Rows a second of one evaluation, or one epoch of Adam: everyone in turn, several times over.

Taking turns lets a change of the machine's mood fall on all alike; medians drop what fell on one.
Each competitor is a function that does its work once and gives (seconds, processor seconds) of one
pass over the rows.
"""

import statistics

import torch

import torch_adam
from clock import Stopwatch
from rhohat_runs import Unsupported
from torch_objective import Autoencoder, Stream, cost, evaluate_in_memory

# Evaluations, and the two batch sizes of Adam; each group's ratios are to its first rhohat.
EVALUATION = "evaluation"
ITERATIONS = 8  # of rhohat's, of which the mean pass is taken


def timed(work):
    watch = Stopwatch()
    work()
    return watch.pause()


def evaluations(rhohat, problem, rows, compiled):
    """(name, function) of everyone's exact J and gradient over all rows."""
    model, stream = Autoencoder(problem), Stream(problem)

    def of_rhohat(schedule):
        return lambda: rhohat.time_passes("--iterations", 0, ITERATIONS, "--optimizer", "lbfgs",
                                          "--schedule", schedule)

    entries = [(f"rhohat {name}", of_rhohat(name)) for name in
               ("auto", "two-pass", "fused", "cached")]
    entries += [
        ("PyTorch in memory", lambda: timed(lambda: evaluate_in_memory(model, rows, problem))),
        ("PyTorch stream", lambda: timed(lambda: stream.evaluate(model))),
    ]
    if compiled:
        faster = torch.compile(cost)
        evaluate_in_memory(model, rows, problem, faster)  # compiles, which is not counted
        entries.append(("PyTorch compiled", lambda: timed(
            lambda: evaluate_in_memory(model, rows, problem, faster))))
    return entries


def epochs(rhohat, problem, rows, batch):
    """(name, function) of everyone's epoch of Adam. Every epoch has parameters of its own."""
    def of_torch(batches):
        return lambda: timed(torch_adam.Adam(problem, batches(rows, batch), batch, 1e-3).run_epoch)

    return [
        ("rhohat adam", lambda: rhohat.time_passes("--epochs", 1, 4, "--optimizer", "adam",
                                                   "--batch", str(batch))),
        ("PyTorch in memory", of_torch(torch_adam.indexed_batches)),
        ("PyTorch DataLoader", of_torch(torch_adam.loader_batches)),
    ]


def measure(groups, repeats, say):
    """{group: {name: [(seconds, processor seconds) of a pass]}}; what is not supported is left out."""
    results = {group: {name: [] for name, _ in entries} for group, entries in groups.items()}
    missing = set()
    for repeat in range(repeats):
        for group, entries in groups.items():
            for name, work in entries:
                if (group, name) in missing:
                    continue
                try:
                    taken = work()
                except Unsupported as reason:
                    say(f"{group}: {name}: left out: {reason}")
                    missing.add((group, name))
                    del results[group][name]
                    continue
                results[group][name].append(taken)
                say(f"{group}: {name}: {taken[0]:.3f} s, {taken[1]:.3f} processor s "
                    f"({repeat + 1} of {repeats})")
    return results


def summary(results, row_count):
    """Rows for the table: (group, name, rows/s, ratio, processor µs a row, ratio by processor)."""
    lines = []
    for group, entries in results.items():
        medians = {name: [statistics.median(column) for column in zip(*taken)]
                   for name, taken in entries.items() if taken}
        base = next((value for name, value in medians.items() if name.startswith("rhohat")), None)
        for name, (seconds, cpu_seconds) in medians.items():
            lines.append({
                "group": group, "name": name, "rows_per_second": row_count / seconds,
                "rhohat_ratio": seconds / base[0] if base else None,
                "cpu_microseconds_per_row": 1e6 * cpu_seconds / row_count,
                "rhohat_cpu_ratio": cpu_seconds / base[1] if base else None})
    return lines
