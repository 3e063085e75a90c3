#!/usr/bin/env python3
"""Draws how the objective fell, from one or more metrics.jsonl, as an SVG.

    scripts/plot_metrics.py RUN/metrics.jsonl --out curve.svg
    scripts/plot_metrics.py "float32=a/metrics.jsonl" "float64=b/metrics.jsonl" \\
        --x data_passes --y cost --log-y --title "MNIST, 784-196" --out curve.svg

Python's standard library is all it needs. A run is a metrics.jsonl or the run folder that holds it;
LABEL=PATH names it in the legend. A run of several --y fields is drawn as several curves. Any field
of docs/formats/run-folder.md can be either axis.
"""

import argparse
import json
import math
import os
import sys
from xml.sax.saxutils import escape

COLOURS = ["#1f6fb4", "#d1552c", "#2e8b57", "#7b4fa3", "#b8860b", "#4d4d4d"]
FONT = "font-family='DejaVu Sans, Verdana, Helvetica, Arial, sans-serif'"
AXIS_NAMES = {
    "iteration": "iterations",
    "data_passes": "passes over the data",
    "seconds": "seconds",
    "cost": "objective J",
    "gradient_norm": "norm of the gradient",
    "rho_hat_mean": "mean activation",
}
# What the curve is called where one run is drawn in several fields.
FIELD_NAMES = {
    "cost": "objective J",
    "reconstruction": "reconstruction",
    "weight_decay": "weight decay",
    "sparsity": "sparsity",
    "gradient_norm": "norm of the gradient",
    "rho_hat_mean": "mean ρ̂",
    "rho_hat_min": "least ρ̂",
    "rho_hat_max": "largest ρ̂",
}


class Faulty(Exception):
    """Something about the input that one line can explain."""


def read_curve(path, x_field, y_field):
    """The points (x, y) of one run, in the order of its lines."""
    points = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                point = entry[x_field], entry[y_field]
            except (ValueError, TypeError):
                raise Faulty(f"{path}, line {number}: expected a JSON object") from None
            except KeyError as missing:
                names = ", ".join(sorted(entry))
                raise Faulty(f"{path}, line {number}: no field {missing}; it has {names}") from None
            if not all(isinstance(value, (int, float)) for value in point):
                continue  # a number that JSON cannot hold is written as null
            points.append((float(point[0]), float(point[1])))
    if not points:
        raise Faulty(f"{path}: no line has both {x_field} and {y_field}")
    return points


def read_curves(arguments):
    """[(label, points)] for every run and field that was asked for."""
    curves = []
    for run in arguments.runs:
        label, separator, path = run.partition("=")
        if not separator or os.path.exists(run):
            label, path = "", run
        if os.path.isdir(path):
            path = os.path.join(path, "metrics.jsonl")
        # An unnamed run goes by its folder.
        label = label or os.path.basename(os.path.dirname(os.path.abspath(path)))
        for field in arguments.y:
            field_name = FIELD_NAMES.get(field, field)
            one_run = len(arguments.runs) == 1
            name = label if len(arguments.y) == 1 else (
                field_name if one_run else f"{label}, {field_name}")
            curves.append((name, read_curve(path, arguments.x, field)))
    return curves


class Linear:
    """An even scale with round ticks; its ends are round too, or are the data's where `snug`."""

    def __init__(self, low, high, pixels, wanted_ticks, snug=False):
        if high <= low:
            low, high = low - 0.5, high + 0.5
        step = self.round_step((high - low) / wanted_ticks)
        if snug:
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            self.low, self.high = low, high
        else:
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            self.low, self.high = first * step, last * step
        self.pixels = pixels
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        self.ticks = [(k * step, with_commas(k * step, decimals)) for k in range(first, last + 1)]
        self.minor = []

    @staticmethod
    def round_step(rough):
        power = 10.0 ** math.floor(math.log10(rough))
        return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)

    def at(self, value):
        low, high = self.pixels
        return low + (value - self.low) / (self.high - self.low) * (high - low)


class Logarithmic:
    """Powers of ten, with 2 and 5 between them where there is room."""

    def __init__(self, low, high, pixels):
        if low <= 0:
            raise Faulty("--log-y: expected values above 0; leave it out")
        self.pixels = pixels
        powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        marks = [digit * 10.0**power for power in powers for digit in range(1, 10)]
        self.low = max(mark for mark in marks if mark <= low * 1.0001)
        self.high = min(mark for mark in marks + [marks[-1] * 10 / 9] if mark >= high * 0.9999)
        if self.high <= self.low:
            self.high = self.low * 10
        inside = [mark for mark in marks if self.low / 1.0001 <= mark <= self.high * 1.0001]
        decades = math.log10(self.high / self.low)
        digits = "1" if decades > 4 else "125" if decades > 1 else "12345678"
        labelled = [mark for mark in inside if f"{mark:.0e}"[0] in digits]
        self.ticks = [(mark, with_commas(mark, max(0, -math.floor(math.log10(mark) + 1e-9)))
                       if 1e-4 <= mark < 1e6 else f"{mark:.0e}") for mark in labelled]
        self.minor = [mark for mark in inside if mark not in labelled]

    def at(self, value):
        low, high = self.pixels
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return low + share * (high - low)


def with_commas(value, decimals):
    """Digits in groups of three, by thin spaces, which no language reads as a decimal point."""
    return f"{value + 0.0:,.{decimals}f}".replace(",", "\u2009").replace("-", "\u2212")


def thinned(pixels):
    """The polyline without points that lie within half a pixel of the last one kept."""
    kept = pixels[:1]
    for point in pixels[1:-1]:
        if math.dist(point, kept[-1]) >= 0.5:
            kept.append(point)
    return kept + pixels[-1:] if len(pixels) > 1 else kept


class Picture:
    """SVG elements, and the few kinds of them that a plot needs."""

    def __init__(self, width, height):
        self.width, self.height, self.elements = width, height, []

    def line(self, x1, y1, x2, y2, colour, width=1.0, extra=""):
        self.elements.append(f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' "
                             f"stroke='{colour}' stroke-width='{width}' {extra}/>")

    def text(self, x, y, words, size=13, anchor="start", colour="#333", extra=""):
        self.elements.append(f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
                             f"text-anchor='{anchor}' {extra}>{escape(words)}</text>")

    def curve(self, pixels, colour):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in thinned(pixels))
        self.elements.append(f"<polyline points='{points}' fill='none' stroke='{colour}' "
                             "stroke-width='2' stroke-linejoin='round' stroke-linecap='round'/>")

    def dot(self, x, y, colour):
        self.elements.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.2' fill='{colour}' "
                             "stroke='white' stroke-width='1.2'/>")

    def box(self, x, y, width, height):
        self.elements.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' "
                             f"height='{height:.1f}' rx='3' fill='white' stroke='#dcdcdc'/>")

    def svg(self):
        return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{self.width}' "
                f"height='{self.height}' viewBox='0 0 {self.width} {self.height}' {FONT}>\n"
                "<rect width='100%' height='100%' fill='white'/>\n"
                + "\n".join(self.elements) + "\n</svg>\n")


def draw_axes(picture, x_scale, y_scale, arguments):
    left, right = x_scale.pixels
    bottom, top = y_scale.pixels
    for value in y_scale.minor:
        picture.line(left, y_scale.at(value), right, y_scale.at(value), "#f3f3f3")
    for value, label in y_scale.ticks:
        y = y_scale.at(value)
        picture.line(left, y, right, y, "#e2e2e2")
        picture.text(left - 9, y + 4.5, label, anchor="end")
    for value, label in x_scale.ticks:
        x = x_scale.at(value)
        picture.line(x, bottom, x, bottom + 5, "#555")
        picture.text(x, bottom + 21, label, anchor="middle")
    picture.line(left, bottom, right, bottom, "#555", 1.2)
    picture.text((left + right) / 2, bottom + 46,
                 arguments.x_label or AXIS_NAMES.get(arguments.x, arguments.x), 14, "middle")
    y_name = AXIS_NAMES.get(arguments.y[0], arguments.y[0]) if len(arguments.y) == 1 else ""
    middle = (top + bottom) / 2
    picture.text(20, middle, arguments.y_label or y_name, 14, "middle",
                 extra=f"transform='rotate(-90 20 {middle:.1f})'")


def draw_legend(picture, labels, right, top):
    """Names the curves in the upper right corner, which a falling curve leaves free."""
    width = 44 + 7.6 * max(len(label) for label in labels)
    x, y = right - width - 6, top + 6
    picture.box(x, y, width, 22 * len(labels) + 8)
    for index, label in enumerate(labels):
        line_y = y + 19 + 22 * index
        picture.line(x + 8, line_y - 4, x + 30, line_y - 4, COLOURS[index % len(COLOURS)], 2.5)
        picture.text(x + 38, line_y, label)


def draw(curves, arguments):
    picture = Picture(arguments.width, arguments.height)
    left, right = 78, arguments.width - 28
    top, bottom = (56 if arguments.title else 24), arguments.height - 62
    curves = [(label, [point for point in points if point[0] >= arguments.skip])
              for label, points in curves]
    curves = [(label, points) for label, points in curves if points]
    xs = [x for _, points in curves for x, _ in points]
    ys = [y for _, points in curves for _, y in points]
    if not xs:
        raise Faulty(f"--skip {arguments.skip:g}: nothing is left to draw")
    x_scale = Linear(min(xs), max(xs), (left, right), 8, snug=True)
    if arguments.log_y:
        y_scale = Logarithmic(min(ys), max(ys), (bottom, top))
    else:
        y_scale = Linear(min(ys), max(ys), (bottom, top), 7)
    draw_axes(picture, x_scale, y_scale, arguments)
    if arguments.title:
        picture.text(left, 32, arguments.title, 16, colour="#111", extra="font-weight='bold'")
    for index, (_, points) in enumerate(curves):
        colour = COLOURS[index % len(COLOURS)]
        pixels = [(x_scale.at(x), y_scale.at(y)) for x, y in points]
        picture.curve(pixels, colour)
        picture.dot(*pixels[-1], colour)
        if len(curves) == 1:  # one curve needs no legend; where it ends is worth a number
            label = f"{points[-1][1]:.4g}"
            end = pixels[-1][0] + 4
            above = min(y for x, y in pixels if x >= end - 9 * len(label) - 8)
            picture.text(end, above - 10, label, 13, "end", colour)
    if len(curves) > 1:
        draw_legend(picture, [label for label, _ in curves], right, top)
    return picture.svg()


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="[LABEL=]RUN",
                        help="metrics.jsonl or run folder")
    parser.add_argument("--out", required=True, metavar="FILE.svg", help="where to write the SVG")
    parser.add_argument("--x", default="iteration", metavar="FIELD",
                        help="horizontal axis: iteration (default), data_passes, seconds, …")
    parser.add_argument("--y", default="cost", metavar="FIELD[,FIELD…]",
                        type=lambda text: text.split(","), help="what is drawn; cost by default")
    parser.add_argument("--log-y", action="store_true", help="logarithmic vertical axis")
    parser.add_argument("--skip", type=float, default=-math.inf, metavar="X",
                        help="leave out points before X, where the first ones dwarf the rest")
    parser.add_argument("--title", default="")
    parser.add_argument("--x-label", default="")
    parser.add_argument("--y-label", default="")
    parser.add_argument("--width", type=int, default=760)
    parser.add_argument("--height", type=int, default=440)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        picture = draw(read_curves(arguments), arguments)
        with open(arguments.out, "w", encoding="utf-8") as out:
            out.write(picture)
    except (Faulty, OSError) as fault:
        sys.exit(f"plot_metrics: {fault}")


if __name__ == "__main__":
    main()
