"""J against seconds and against passes over the data, as SVG, in the style of plot_metrics.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import plot_metrics  # noqa: E402  (it is a script of the folder above)

RHOHAT = ["#1f6fb4", "#0a3d62", "#17a2b8", "#5dade2", "#2e8b57", "#7fb069"]
PEERS = ["#d1552c", "#b8860b", "#7b4fa3", "#c2185b", "#8d6e63", "#4d4d4d", "#e59866", "#9e9d24"]
LEFT, TOP, BELOW, RIGHT = 78, 56, 62, 28


def falling(points, field):
    """(x, least J so far): a line search's trial that goes up is not progress lost."""
    least, curve = float("inf"), []
    for point in points:
        least = min(least, point["cost"])
        if point[field] > 0:  # the start has no place on a logarithmic axis
            curve.append((point[field], least))
    return curve


def write(curves, field, title, path, highest):
    """One picture; J above `highest` is left out. Nothing is written where nothing is left."""
    lines = [(curve.name, [(x, y) for x, y in falling(curve.points, field) if y <= highest])
             for curve in curves]
    lines = [(name, points) for name, points in lines if points]
    if not lines:
        return False
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points]
    picture = plot_metrics.Picture(860, 520)
    x_scale = plot_metrics.Logarithmic(min(xs), max(xs), (LEFT, picture.width - RIGHT))
    y_scale = plot_metrics.Logarithmic(min(ys), max(ys), (picture.height - BELOW, TOP))
    draw_axes(picture, x_scale, y_scale, plot_metrics.AXIS_NAMES[field])
    picture.text(LEFT, 32, title, 16, colour="#111", extra="font-weight='bold'")
    colours = {True: iter(RHOHAT * 3), False: iter(PEERS * 3)}
    labels = []
    for name, points in lines:
        colour = next(colours[name.startswith("rhohat")])
        pixels = [(x_scale.at(x), y_scale.at(y)) for x, y in points]
        picture.curve(pixels, colour)
        picture.dot(*pixels[-1], colour)
        labels.append((name, colour))
    draw_legend(picture, labels)
    with open(path, "w", encoding="utf-8") as out:
        out.write(picture.svg())
    return True


def draw_axes(picture, x_scale, y_scale, x_name):
    (left, right), (bottom, top) = x_scale.pixels, y_scale.pixels
    for value in y_scale.minor:
        picture.line(left, y_scale.at(value), right, y_scale.at(value), "#f3f3f3")
    for value, label in y_scale.ticks:
        picture.line(left, y_scale.at(value), right, y_scale.at(value), "#e2e2e2")
        picture.text(left - 9, y_scale.at(value) + 4.5, label, anchor="end")
    for value in x_scale.minor:
        picture.line(x_scale.at(value), top, x_scale.at(value), bottom, "#f8f8f8")
    for value, label in x_scale.ticks:
        picture.line(x_scale.at(value), bottom, x_scale.at(value), bottom + 5, "#555")
        picture.text(x_scale.at(value), bottom + 21, label, anchor="middle")
    picture.line(left, bottom, right, bottom, "#555", 1.2)
    picture.text((left + right) / 2, bottom + 46, x_name, 14, "middle")
    middle = (top + bottom) / 2
    picture.text(20, middle, "objective J over all rows", 14, "middle",
                 extra=f"transform='rotate(-90 20 {middle:.1f})'")


def draw_legend(picture, labels):
    """In the upper right corner, which falling curves leave free."""
    width = 44 + 7.6 * max(len(name) for name, _ in labels)
    x, y = picture.width - RIGHT - width - 6, TOP + 6
    picture.box(x, y, width, 22 * len(labels) + 8)
    for index, (name, colour) in enumerate(labels):
        line_y = y + 19 + 22 * index
        picture.line(x + 8, line_y - 4, x + 30, line_y - 4, colour, 2.5)
        picture.text(x + 38, line_y, name)
