"""Enough of a PNG reader to look at what `features` drew: 8 bits, grey or RGB, not interlaced."""

import struct
import zlib

import numpy as np


def read_png(path):
    """height×width×channels of uint8, after checking every checksum."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is not a PNG"
    place, header, packed, ended = 8, None, b"", False
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        kind = content[place + 4 : place + 8]
        body = content[place + 8 : place + 8 + size]
        (checksum,) = struct.unpack(">I", content[place + 8 + size : place + 12 + size])
        assert checksum == zlib.crc32(kind + body), f"{path}: damaged {kind}"
        header = struct.unpack(">IIBBBBB", body) if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        ended = kind == b"IEND"
        place += 12 + size
    assert ended, f"{path} has no end"
    width, height, depth, colour, _, _, interlaced = header
    assert depth == 8 and colour in (0, 2) and not interlaced
    return unfilter(zlib.decompress(packed), height, width, {0: 1, 2: 3}[colour])


def unfilter(data, height, width, channels):
    stride = width * channels
    lines = np.frombuffer(data, np.uint8).reshape(height, stride + 1).astype(int)
    above = np.zeros(stride, int)
    picture = np.zeros((height, stride), int)
    for y, (kind, *line) in enumerate(lines):
        for x in range(stride):
            left = picture[y, x - channels] if x >= channels else 0
            corner = above[x - channels] if x >= channels else 0
            picture[y, x] = (line[x] + predict(kind, left, above[x], corner)) % 256
        above = picture[y]
    return picture.reshape(height, width, channels)


def predict(kind, left, above, corner):
    if kind == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda value: abs(value - guess))
    return (0, left, above, (left + above) // 2)[kind]
