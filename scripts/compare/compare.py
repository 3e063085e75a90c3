#!/usr/bin/env python3
"""Measures rhohat against what one would use instead: PyTorch and SciPy, on the same problem.

    scripts/compare/setup.sh
    build/compare-venv/bin/python scripts/compare/compare.py --data digits.h5 --hidden 196 \\
        --rho 0.1 --beta 3 --lambda 3e-3 --out build/compare

Everyone gets the same rows, the same first parameters (rhohat's), the same objective (sigmoid
units, squared error, weight decay, KL with rho_hat over all rows) and the same number of threads.
Prints rows a second, and what it takes to bring J down to the targets; writes these as results.json
and tables.txt, each curve as NAME.jsonl, and the plots seconds.svg and data_passes.svg, to --out.

Parts, for --only: rates (rows a second, everyone in turn), rhohat, adam, torch-lbfgs, scipy (curves
of J). Curves that an earlier run left in the same --out are shown with those measured anew.
"""

import argparse
import importlib
import json
import os
import sys
import time

PARTS = ("rates", "rhohat", "adam", "torch-lbfgs", "scipy")
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Descriptions as they stand here, and every default."""


def list_of(kind):
    return lambda text: [kind(item) for item in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Formatter)
    add = parser.add_argument
    add("--data", required=True, metavar="FILE.h5", help="rows with values from 0 to 1")
    add("--dataset", default="", metavar="PATH", help="inside the file, where it has several")
    add("--rows", type=int, default=0, metavar="N", help="use the first N rows only")
    add("--hidden", type=int, default=196, metavar="H")
    add("--rho", type=float, default=0.1)
    add("--beta", type=float, default=3.0)
    add("--lambda", type=float, default=3e-3, dest="weight_decay", metavar="LAMBDA")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=len(os.sched_getaffinity(0)))
    add("--targets", type=list_of(float), default=[12.9, 12.6, 12.55], metavar="J,J,…",
        help="of the second table; the defaults are for MNIST's 60 000 digits, 784-196")
    add("--only", type=list_of(str), default=list(PARTS), metavar="PART,…", help="what to measure")
    add("--repeats", type=int, default=7, help="of each rate; the calmer half counts")
    add("--patience", type=float, default=20, metavar="SECONDS",
        help="before each rate, wait up to so long for others to leave the machine alone")
    add("--compile", action="store_true", help="torch.compile too (needs a C++ compiler, a minute)")
    add("--most-passes", type=int, default=300, metavar="N", help="of each L-BFGS curve")
    add("--rates", type=list_of(float), default=[1e-3, 3e-3, 1e-2, 2e-2], metavar="RATE,…",
        help="PyTorch's Adam: learning rates to try; the best is kept for the long runs")
    add("--epochs", type=list_of(int), default=[10, 20, 40], metavar="N,…",
        help="lengths of the runs of Adam, PyTorch's and rhohat's; the least is that of the trials")
    add("--batches", type=list_of(int), default=[256, 1024], metavar="N,…",
        help="batch sizes of which Adam's rows a second are measured")
    add("--train-batches", type=list_of(int), default=[128, 256], metavar="N,…",
        help="PyTorch's Adam: batch sizes to try, each at every rate")
    add("--quick", action="store_true",
        help="10 000 rows, two repeats, short curves: to see that everything works")
    add("--rhohat", default=os.path.join(ROOT, "build/release/bin/rhohat"), metavar="PROGRAM")
    add("--out", default=os.path.join(ROOT, "build/compare"), metavar="DIR")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.only if part not in PARTS]
    if unknown:
        parser.error(f"--only: expected {', '.join(PARTS)}; found {unknown[0]}")
    for name in ("hidden", "threads", "repeats", "most_passes"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: expected at least 1")
    if arguments.quick:
        arguments.rows = arguments.rows or 10000
        arguments.repeats, arguments.most_passes = 2, 20
        arguments.patience = 0
        arguments.rates, arguments.epochs = arguments.rates[-1:], [1, 3]
        arguments.train_batches = arguments.train_batches[-1:]
    return arguments


def require_packages(faulty):
    for name in ("torch", "scipy", "h5py", "numpy"):
        try:
            importlib.import_module(name)
        except ImportError:
            raise faulty(f"{sys.executable} has no package {name}; scripts/compare/setup.sh makes "
                         "a Python that has, and says how to call this") from None


def say(words):
    print(f"compare: {words}", file=sys.stderr, flush=True)


def prepare(arguments):
    """The problem with its rows and start, and the program."""
    from problem import Problem, find_dataset, read_rows, write_rows
    from rhohat_runs import Rhohat

    dataset = find_dataset(arguments.data, arguments.dataset)
    rows = read_rows(arguments.data, dataset, arguments.rows)
    path = arguments.data
    if arguments.rows > 0:
        path, dataset = os.path.join(arguments.out, "rows.h5"), "/data"
        write_rows(path, rows)
    fields = dict(path=path, dataset=dataset, rows=rows, hidden=arguments.hidden,
                  rho=arguments.rho, beta=arguments.beta, weight_decay=arguments.weight_decay,
                  threads=arguments.threads, seed=arguments.seed)
    rhohat = Rhohat(arguments.rhohat, Problem(**fields), arguments.out)
    start, model = rhohat.start()
    problem = Problem(**fields, start=start)
    check_agreement(problem, rhohat.exact_cost(model))
    return problem, rhohat


def check_agreement(problem, of_rhohat):
    """Everyone's J of the start is the same number, or nothing that follows means anything."""
    from refused import Faulty
    from problem import exact_cost
    import torch
    from torch_objective import Autoencoder, Stream, evaluate_in_memory

    model, rows = Autoencoder(problem), torch.from_numpy(problem.rows)
    stream = Stream(problem)
    found = {"rhohat": of_rhohat, "NumPy": exact_cost(problem, problem.start),
             "PyTorch": evaluate_in_memory(model, rows, problem),
             "PyTorch stream": stream.evaluate(model)}
    stream.close()
    say("J of the start: " + ", ".join(f"{name} {value:.6g}" for name, value in found.items()))
    if max(found.values()) - min(found.values()) > 1e-5 * min(found.values()):
        raise Faulty("J of the start: expected the same from all to 1e-5, found " + str(found))


def main():
    arguments = parse_arguments()
    from refused import Faulty  # first, because the rest needs packages that may be missing
    try:
        require_packages(Faulty)
        os.makedirs(arguments.out, exist_ok=True)
        import torch

        import report
        from parts import measure_curves, measure_rates
        torch.set_num_threads(arguments.threads)
        problem, rhohat = prepare(arguments)
        tensor = torch.from_numpy(problem.rows)
        say(f"{problem.row_count} rows × {problem.columns}, {problem.hidden} hidden units, "
            f"{problem.threads} threads; PyTorch {torch.__version__}")
        begin = time.perf_counter()
        rates = measure_rates(arguments, problem, rhohat, tensor, say)
        measure_curves(arguments, problem, rhohat, tensor, say)
        say(f"{time.perf_counter() - begin:.0f} s; load {os.getloadavg()[0]:.1f}")
        report.write(arguments, problem, rates)
    except (Faulty, OSError) as fault:
        sys.exit(f"compare: {fault}")


if __name__ == "__main__":
    main()
