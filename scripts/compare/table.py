"""The results as a table for people and as JSON for programs."""


def aligned(header, rows):
    """Columns as wide as they must be; the first is flush left, the others right."""
    cells = [header] + rows
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row):
        return "  ".join([row[0].ljust(widths[0])]
                         + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]).rstrip()

    return "\n".join([line(header), "-" * (sum(widths) + 2 * len(widths) - 2),
                      *[line(row) for row in rows]])


def number(value, form):
    return "–" if value is None else format(value, form)


def rates_table(lines):
    """Rows a second; a ratio is that of the group's first rhohat to this one."""
    header = ["what", "rows/s", "rhohat ×", "cpu µs/row", "rhohat × by cpu", "others"]
    rows, group = [], None
    for line in lines:
        if line["group"] != group:
            group = line["group"]
            rows.append([group] + [""] * 5)
        rows.append(["  " + line["name"], number(line["rows_per_second"], ",.0f"),
                     number(line["rhohat_ratio"], ".2f"),
                     number(line["cpu_microseconds_per_row"], ".1f"),
                     number(line["rhohat_cpu_ratio"], ".2f"), f"{line['others']:.0%}"])
    return aligned(header, rows)


def targets_table(curves, targets):
    """Seconds, processor seconds and passes to each target, and the least J that was reached."""
    header = ["to J ≤"]
    for target in targets:
        header += [f"{target:g}: s", "cpu s", "passes"]
    header.append("least J")
    rows = []
    for curve in curves:
        row = [curve.name]
        for target in targets:
            point = curve.first_at_most(target)
            if point is None:
                row += ["–", "–", "–"]
            else:
                row += [f"{point['seconds']:.1f}", f"{point['cpu_seconds']:.1f}",
                        f"{point['data_passes']:.1f}"]
        rows.append(row + [f"{curve.least():.3f}"])
    return aligned(header, rows)


def targets_as_json(curves, targets):
    return {curve.name: {f"{target:g}": curve.first_at_most(target) for target in targets}
            for curve in curves}
