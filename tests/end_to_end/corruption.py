"""The noise of denoising (docs/math.md §4), a second time: NumPy, all rows at once.

The noise of an entry is a function of the seed, the noise epoch and the entry's place in the data,
by Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11).
Columns 4q to 4q+3 of a row share one call, which gives a word for each.
"""

import math

import numpy as np

NOISE_PURPOSE = 10  # of all that the program draws random numbers for
WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter, key):
    """Four arrays of words from four of counters and two words of key, all held in uint64."""
    words = [np.asarray(word, np.uint64) for word in counter]
    keys = [int(word) for word in key]
    for _ in range(10):
        first = words[0] * np.uint64(0xD2511F53)
        second = words[2] * np.uint64(0xCD9E8D57)
        words = [(second >> HALF) ^ words[1] ^ np.uint64(keys[0]), second & WORD,
                 (first >> HALF) ^ words[3] ^ np.uint64(keys[1]), first & WORD]
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return words


def noise_words(rows, columns, seed, epoch=0, first_row=0):
    """The word of each entry: rows × columns, the columns rounded up to whole groups of four."""
    row = np.arange(first_row, first_row + rows, dtype=np.uint64)[:, None]
    group = np.arange(-(-columns // 4), dtype=np.uint64)[None, :]
    row, group = np.broadcast_arrays(row, group)
    purpose = np.full_like(row, NOISE_PURPOSE + (epoch << 8))
    key = (seed % 2**32, (seed >> 32) % 2**32)
    words = philox((row & WORD, group, purpose, row >> HALF), key)
    return np.stack(words, axis=-1).reshape(rows, -1)


def normal_deviates(words):
    """Box and Muller: each pair of words gives a pair of deviates."""
    first, second = (words[:, i::2].astype(np.float64) for i in (0, 1))
    radius = np.sqrt(-2 * np.log((first + 1) * 2.0**-32))
    angle = 2 * np.pi * (second * 2.0**-32)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(words.shape)


def corrupt(rows, noise, seed, input_range=None, epoch=0, first_row=0):
    """The rows as the encoder sees them. `noise` as on the command line: "mask:0.3"."""
    kind, _, amount = noise.partition(":")
    if kind == "none":
        return rows
    columns = rows.shape[1]
    words = noise_words(len(rows), columns, seed, epoch, first_row)
    if kind == "gaussian":
        return rows + float(amount) * normal_deviates(words)[:, :columns]
    words = words[:, :columns]
    changed = words < np.uint64(math.ceil(float(amount) * 2**32))
    if kind == "mask":
        return np.where(changed, 0.0, rows)
    assert kind == "salt-pepper", noise
    low, high = input_range
    to_low = words < np.uint64(math.ceil(float(amount) / 2 * 2**32))
    return np.where(changed, np.where(to_low, low, high), rows)
