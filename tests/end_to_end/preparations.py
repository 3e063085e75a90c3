"""How inputs are prepared (docs/math.md §8), a second time: NumPy, all rows at once.

A preparation is its text as on the command line ("zca:0.1") and the arrays that a model stores for
it, by their names there without "prepare.".
"""

import numpy as np


def fit(text, rows):
    """What the preparation has to know of the rows: the arrays that a model stores."""
    kind, *numbers = text.split(":")
    numbers = [float(number) for number in numbers]
    columns = rows.shape[1]
    if kind == "none":
        return {}
    if kind == "range":
        low, high = numbers
        return {"shift": np.full(columns, low), "scale": np.full(columns, high - low)}
    if kind == "standardize":
        return {"shift": rows.mean(axis=0), "scale": rows.std(axis=0)}
    if kind == "global":
        return {"deviation": np.array([(rows - rows.mean(axis=1, keepdims=True)).std()])}
    centred = rows - rows.mean(axis=0)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(rows))
    variances, directions = variances[::-1], directions[:, ::-1]
    lengths = np.sqrt(variances + numbers[0])
    matrix = directions.T / lengths[:, None]
    inverse = directions * lengths
    if kind == "zca":
        matrix, inverse = directions @ matrix, inverse @ directions.T
    else:
        assert kind == "pca", text
    return {"shift": rows.mean(axis=0), "matrix": matrix, "inverse": inverse}


def apply(text, arrays, rows):
    """The rows as the network sees them."""
    kind = text.split(":")[0]
    if kind == "none":
        return rows
    if kind in ("range", "standardize"):
        return (rows - arrays["shift"]) / arrays["scale"]
    if kind == "global":
        widest = 3 * arrays["deviation"][0]
        centred = rows - rows.mean(axis=1, keepdims=True)
        return 0.1 + 0.4 * (np.clip(centred, -widest, widest) / widest + 1)
    assert kind in ("zca", "pca"), text
    return (rows - arrays["shift"]) @ arrays["matrix"].T
