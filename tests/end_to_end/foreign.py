"""Files in the formats that `convert` takes, written by hand where no library writes them.

Every writer takes the array that NumPy's own reading of the file must give.
"""

import json
import struct
import zlib

import h5py
import numpy as np

from layouts import NUMBER_TYPES

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4",
                     "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2",
                     "U8": "u1", "BOOL": "?"}
MATLAB_CLASSES = {"f8": "double", "f4": "single", "i1": "int8", "u1": "uint8", "i2": "int16",
                  "u2": "uint16", "i4": "int32", "u4": "uint32", "i8": "int64", "u8": "uint64",
                  "b1": "logical"}
SMALL_TYPES = tuple(dtype for dtype in NUMBER_TYPES if dtype[0] != ">")


def array_of(random, shape, dtype):
    """Random numbers from all over a type's range; of floating point also what is not plain."""
    dtype = np.dtype(dtype)
    native = dtype.newbyteorder("=")
    if dtype.kind == "b":
        return random.integers(0, 2, size=shape).astype(bool)
    if dtype.kind == "f":
        array = np.ldexp(random.normal(size=shape), random.integers(-12, 12, size=shape))
        special = [0.0, -0.0, np.finfo(native).max, np.finfo(native).tiny / 4, np.inf, -np.inf,
                   np.nan]
        count = min(len(special), array.size // 2)
        array.flat[random.permutation(array.size)[:count]] = special[:count]
        return array.astype(dtype)
    limits = np.iinfo(native)
    array = random.integers(limits.min, limits.max, size=shape, dtype=native, endpoint=True)
    if array.size > 2:
        array.flat[random.permutation(array.size)[:2]] = [limits.min, limits.max]
    return array.astype(dtype)


def flat_rows(array):
    """One row for each entry along the first axis, as `convert` lays them out."""
    return np.ascontiguousarray(array).reshape(len(array), -1)


def stored_as(array):
    """What the output holds: the same numbers in this machine's byte order; booleans as bytes."""
    array = np.asarray(array)
    return array.astype("u1" if array.dtype.kind == "b" else array.dtype.newbyteorder("<"))


def check(path, expected, dataset="data"):
    """Same type, same shape, same bytes."""
    expected = stored_as(flat_rows(expected))
    with h5py.File(path) as file:
        found = file[dataset][:]
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes(), np.argwhere(found != expected)[:5]


def idx_bytes(array, code):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(IDX_TYPES[code]).tobytes()


def safetensors_bytes(tensors):
    """`tensors`: name → (type's name, shape, bytes)."""
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, (kind, shape, data) in tensors.items():
        ends = [len(content), len(content) + len(data)]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": ends}
        content += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content


def write_matlab73(path, arrays, **options):
    """As MATLAB's -v7.3 does: HDF5 behind a block of 512 bytes, with the axes in reverse order."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            numbers = array.astype("u1") if array.dtype.kind == "b" else array
            data = file.create_dataset(name, data=numbers.T, **options)
            data.attrs["MATLAB_class"] = np.bytes_(MATLAB_CLASSES[array.dtype.str[1:]])
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."
    with open(path, "r+b") as file:
        file.write(text.ljust(116) + bytes(8) + struct.pack("<H", 0x0200) + b"IM")
    return path


def png_bytes(samples, transparent=None):
    """height×width(×3) of uint8 or uint16; `transparent` is the content of a tRNS chunk."""
    height, width = samples.shape[:2]
    depth = 8 * samples.dtype.itemsize
    lines = samples.astype(samples.dtype.newbyteorder(">")).reshape(height, -1)
    packed = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2 * (samples.ndim == 3), 0, 0,
                                    0))]
    if transparent is not None:
        chunks.append((b"tRNS", transparent))
    chunks += [(b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks)
