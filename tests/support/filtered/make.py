"""Makes the files of this folder: small data sets stored through filters, each beside a plain twin.

    pip install h5py hdf5plugin
    python make.py

Every file holds `plain`, uncompressed, and the same values once for every way to store them. The
chunks do not divide the data evenly, and one chunk is noise that no compressor can shrink.
"""

import pathlib

import h5py
import hdf5plugin
import numpy as np

HERE = pathlib.Path(__file__).parent
SHAPE, CHUNKS = (37, 13), (16, 5)


def values(dtype):
    random = np.random.default_rng(1)
    rising = np.cumsum(random.integers(0, 3, SHAPE), axis=0) * 8
    rising[16:32, 5:10] = 0
    data = rising.astype(dtype)
    noise = random.bytes(80 * data.itemsize)
    if np.dtype(dtype).kind == "f":
        noise = random.standard_normal(80).astype(dtype).tobytes()
    data[:16, :5] = np.frombuffer(noise, dtype).reshape(16, 5)
    return data


def write(name, dtype, ways):
    """`ways`: name of the data set -> what h5py is told of its filters."""
    with h5py.File(HERE / f"{name}.h5", "w", libver="v110") as file:
        file.create_dataset("plain", data=values(dtype))
        for way, filters in ways.items():
            file.create_dataset(way, data=values(dtype), chunks=CHUNKS, **filters)


def blosc(codec, shuffle, level=5):
    return dict(hdf5plugin.Blosc(cname=codec, clevel=level, shuffle=shuffle))


B = hdf5plugin.Blosc
write("library1", "<f4", {
    "gzip": dict(compression="gzip", compression_opts=9),
    "gzip-shuffle-fletcher32": dict(compression="gzip", shuffle=True, fletcher32=True),
})
write("library2", "<i2", {
    "shuffle": dict(shuffle=True),
    "fletcher32": dict(fletcher32=True),
})
write("lzf", "<f4", {
    "lzf": dict(compression="lzf"),
    "lzf-shuffle-fletcher32": dict(compression="lzf", shuffle=True, fletcher32=True),
})
write("zstd1", "<f8", {
    "zstd-1": dict(hdf5plugin.Zstd(clevel=1)),
    "zstd-default": dict(hdf5plugin.Zstd()),
})
write("zstd2", "<i2", {
    "zstd-19-shuffle": dict(hdf5plugin.Zstd(clevel=19), shuffle=True),
    "zstd-22-fletcher32": dict(hdf5plugin.Zstd(clevel=22), fletcher32=True),
})
write("lz4", "<i4", {
    "lz4": dict(hdf5plugin.LZ4()),
    "lz4-blocks-of-64": dict(hdf5plugin.LZ4(nbytes=64)),
    "lz4-shuffle-fletcher32": dict(hdf5plugin.LZ4(), shuffle=True, fletcher32=True),
})
write("blosc1", "<f4", {
    "blosclz": blosc("blosclz", B.SHUFFLE),
    "lz4": blosc("lz4", B.NOSHUFFLE),
    "lz4hc": blosc("lz4hc", B.BITSHUFFLE, 9),
})
write("blosc2", "<f4", {
    "zlib": blosc("zlib", B.SHUFFLE),
    "zstd": blosc("zstd", B.BITSHUFFLE),
    "none": blosc("lz4", B.NOSHUFFLE, 0),
})
