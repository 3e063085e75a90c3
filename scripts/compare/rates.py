"""Rows a second of one evaluation, or one epoch of Adam: everyone in turn, several times over.

Taking turns lets a change of the machine's mood fall on all alike. Of each one's samples the half
counts during which others used least of the machine, which favours nobody, and of it the median.
Each competitor is a function that does its work once and gives (seconds, processor seconds) of one
pass over the rows.
"""

import collections
import statistics

import torch_adam
from clock import Stopwatch
from machine import Others, wait_until_quiet
from rhohat_runs import Unsupported
from torch_objective import Autoencoder, Stream, cost, evaluate_in_memory

ITERATIONS = 4  # of rhohat's, of which the mean pass is taken

# Of one pass: seconds, processor seconds of all threads, others' share of the machine meanwhile.
Sample = collections.namedtuple("Sample", ["seconds", "cpu_seconds", "others"])


def timed(work):
    watch = Stopwatch()
    work()
    return watch.pause()


def evaluations(rhohat, problem, rows, compiled_cost):
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
    if compiled_cost:
        evaluate_in_memory(model, rows, problem, compiled_cost)  # compiles, which is not counted
        entries.append(("PyTorch compiled", lambda: timed(
            lambda: evaluate_in_memory(model, rows, problem, compiled_cost))))
    return entries


def epochs(rhohat, problem, rows, batch, compiled_cost):
    """(name, function) of everyone's epoch of Adam. Every epoch has parameters of its own."""
    def of_torch(batches, function=cost):
        return lambda: timed(torch_adam.Adam(problem, batches(rows, batch), batch, 1e-3,
                                             cost_function=function).run_epoch)

    entries = [
        ("rhohat adam", lambda: rhohat.time_passes("--epochs", 1, 4, "--optimizer", "adam",
                                                   "--batch", str(batch))),
        ("PyTorch in memory", of_torch(torch_adam.indexed_batches)),
        ("PyTorch DataLoader", of_torch(torch_adam.loader_batches)),
    ]
    if compiled_cost:
        compiled = of_torch(torch_adam.indexed_batches, compiled_cost)
        compiled()  # compiles for whole batches and for the last
        entries.append(("PyTorch compiled", compiled))
    return entries


def measure(groups, repeats, patience, say):
    """{group: {name: [Sample]}}; what this build of rhohat does not know is left out."""
    results = {group: {name: [] for name, _ in entries} for group, entries in groups.items()}
    for repeat in range(repeats):
        for group, entries in groups.items():
            for name, work in entries:
                if name not in results[group]:
                    continue
                wait_until_quiet(patience)
                others = Others()
                try:
                    seconds, cpu_seconds = work()
                except Unsupported as reason:
                    say(f"{group}: {name}: left out: {reason}")
                    del results[group][name]
                    continue
                sample = Sample(seconds, cpu_seconds, others.share())
                results[group][name].append(sample)
                say(f"{group}: {name}: {seconds:.3f} s, {cpu_seconds:.3f} processor s, others used "
                    f"{sample.others:.0%} of the machine ({repeat + 1} of {repeats})")
    return results


def calm_medians(samples):
    """Medians over the half of the samples during which others used least of the machine."""
    calm = sorted(samples, key=lambda sample: sample.others)[:(len(samples) + 1) // 2]
    return Sample(*(statistics.median(column) for column in zip(*calm)))


def summary(results, row_count):
    """Entries for the table; ratios are to the group's first rhohat."""
    lines = []
    for group, entries in results.items():
        medians = {name: calm_medians(samples) for name, samples in entries.items() if samples}
        base = next((value for name, value in medians.items() if name.startswith("rhohat")), None)
        for name, median in medians.items():
            lines.append({
                "group": group, "name": name, "rows_per_second": row_count / median.seconds,
                "rhohat_ratio": median.seconds / base.seconds if base else None,
                "cpu_microseconds_per_row": 1e6 * median.cpu_seconds / row_count,
                "rhohat_cpu_ratio": median.cpu_seconds / base.cpu_seconds if base else None,
                "others": median.others,
                "samples": [sample._asdict() for sample in entries[name]]})
    return lines
