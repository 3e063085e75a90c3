"""What is left of a comparison: tables printed and kept, the figures as JSON, the plots."""

import glob
import json
import os

import plot
import table
from clock import Curve


def read_curves(folder):
    """All curves of the folder, rhohat's first, those that got furthest first among each."""
    curves = [Curve.read(path) for path in glob.glob(os.path.join(folder, "*.jsonl"))]
    curves = [curve for curve in curves if curve.points]
    return sorted(curves, key=lambda curve: (not curve.name.startswith("rhohat"), curve.name))


def conditions(arguments, problem):
    return (f"{problem.row_count} rows × {problem.columns}, {problem.hidden} hidden units, rho "
            f"{problem.rho:g}, beta {problem.beta:g}, lambda {problem.weight_decay:g}, "
            f"{problem.threads} threads")


def write(arguments, problem, rates):
    """Prints the tables, and writes everything to the folder."""
    curves = read_curves(arguments.out)
    parts = [conditions(arguments, problem)]
    if rates:
        parts.append(table.rates_table(rates))
    if curves:
        parts.append(table.targets_table(curves, arguments.targets))
    text = "\n\n".join(parts)
    print(text)
    with open(os.path.join(arguments.out, "tables.txt"), "w", encoding="utf-8") as out:
        out.write(text + "\n")
    with open(os.path.join(arguments.out, "results.json"), "w", encoding="utf-8") as out:
        json.dump({"conditions": parts[0], "rates": rates,
                   "targets": table.targets_as_json(curves, arguments.targets)}, out, indent=1)
    for field in ("seconds", "data_passes"):
        path = os.path.join(arguments.out, field + ".svg")
        if plot.write(curves, field, parts[0], path, 5 * max(arguments.targets)):
            print(f"plot: {path}")
