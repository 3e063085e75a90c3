#!/usr/bin/python3
"""Writes the fuzz targets' seeds: small real files of every kind that a parser must tell apart.

    make_seeds.py FOLDER

leaves FOLDER/TARGET/NAME, each under 4 KiB. The same files on each run with the same libraries.
"""
import gzip
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import scipy.sparse
from PIL import Image

MOST_BYTES = 4096
rng = np.random.default_rng(1)


class Seeds:
    def __init__(self, folder, target):
        self.folder = Path(folder) / target
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()

    def add(self, name, content):
        if not 0 < len(content) < MOST_BYTES:
            raise ValueError(f"{self.folder / name}: {len(content)} bytes")
        (self.folder / name).write_bytes(content)


def packed(content):
    return gzip.compress(content, mtime=0)


def npy(array, version=None, pickled=False):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), version, allow_pickle=pickled)
    return out.getvalue()


def npy_seeds(seeds):
    rows = rng.normal(size=(5, 3))
    for version in (1, 2, 3):
        seeds.add(f"v{version}", npy(rows.astype("f4"), (version, 0)))
    for dtype in ("?", "i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u8", "<f2", ">f4", ">f8", "c8",
                  "M8[s]", "U3", "S3", "V4", "f16"):
        name = np.dtype(dtype).name + "_big_endian" * (dtype[0] == ">")
        seeds.add(name, npy(np.zeros((4, 2), dtype=dtype)))
    fortran = np.asfortranarray(rng.normal(size=(7, 2, 3)))
    seeds.add("fortran", npy(fortran))
    seeds.add("fortran_gz", packed(npy(fortran)))
    seeds.add("gz", packed(npy(rows)))
    seeds.add("gz_members", packed(npy(rows)[:100]) + packed(npy(rows)[100:]))
    seeds.add("object", npy(np.array([[1, None], ["a", 2.0]], dtype=object), pickled=True))
    seeds.add("records", npy(np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2,))])))
    seeds.add("records_unicode", npy(np.zeros(3, dtype=[("größe", "<f4")]), (3, 0)))
    seeds.add("no_axes", npy(np.float32(1)))
    seeds.add("one_axis", npy(np.arange(5.0)))
    seeds.add("no_rows", npy(np.zeros((0, 4))))
    seeds.add("cut_short", npy(rows)[:-5])
    seeds.add("longer", npy(rows) + b"more")


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors behind members, as it does into a pipe."""

    def __init__(self):
        super().__init__()
        self.content = b""

    def writable(self):
        return True

    def write(self, data):
        self.content += bytes(data)
        return len(data)


def archive(members, method=zipfile.ZIP_STORED, zip64=False, out=None, comment=b""):
    out = out if out is not None else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        file.comment = comment
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with file.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return out.content if isinstance(out, Unseekable) else out.getvalue()


def npz_seeds(seeds):
    rows = npy(rng.normal(size=(6, 4)).astype("f4"))
    fortran = npy(np.asfortranarray(np.arange(12.0).reshape(4, 3)))
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED),
                         ("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        seeds.add(name, archive({"x.npy": rows}, method))
    both = {"x.npy": rows, "labels.npy": npy(np.arange(6))}
    seeds.add("with_labels", archive(both, zipfile.ZIP_DEFLATED))
    seeds.add("two", archive({"x.npy": rows, "y.npy": fortran}))
    seeds.add("zip64", archive({"x.npy": rows}, zip64=True))
    seeds.add("zip64_deflated", archive(both, zipfile.ZIP_DEFLATED, zip64=True))
    seeds.add("descriptor", archive({"x.npy": rows}, out=Unseekable()))
    seeds.add("descriptor_deflated", archive(both, zipfile.ZIP_DEFLATED, out=Unseekable()))
    seeds.add("descriptor_zip64", archive({"x.npy": rows}, zip64=True, out=Unseekable()))
    seeds.add("fortran", archive({"x.npy": fortran}, zipfile.ZIP_DEFLATED))
    seeds.add("comment", archive({"x.npy": rows}, comment=b"made by hand"))
    seeds.add("prefixed", b"#!/bin/sh\n" + archive({"x.npy": rows}))
    seeds.add("object", archive({"x.npy": npy(np.array([[1, None]], dtype=object), pickled=True)}))
    seeds.add("no_arrays", archive({"read.me": b"hello", "model/data.pkl": b"\x80\x02."}))
    seeds.add("no_members", archive({}))
    saved = io.BytesIO()
    np.savez_compressed(saved, x=rng.integers(0, 9, size=(9, 5)), größe=np.zeros((2, 2)))
    seeds.add("savez_compressed", saved.getvalue())


def idx(array):
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    code = codes[array.dtype.kind + str(array.dtype.itemsize)]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def idx_seeds(seeds):
    for dtype in ("u1", "i1", "i2", "i4", "f4", "f8"):
        seeds.add(dtype, idx(rng.integers(0, 100, size=(5, 4)).astype(dtype)))
    pictures = idx(rng.integers(0, 256, size=(6, 5, 4), dtype="u1"))
    seeds.add("pictures", pictures)
    seeds.add("gz", packed(pictures))
    seeds.add("gz_members", packed(pictures[:20]) + packed(pictures[20:]))
    seeds.add("gz_cut_short", packed(pictures)[:-9])
    seeds.add("gz_longer", packed(pictures) + b"more")
    seeds.add("labels", idx(np.arange(9, dtype="u1")))
    seeds.add("no_rows", idx(np.zeros((0, 3), dtype="u1")))
    seeds.add("large", struct.pack(">4B3I", 0, 0, 8, 3, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF))


def csv_seeds(seeds):
    # The first bytes: delimiter, header and missing, columns and limit, buffer.
    auto, small, longest = b"\0\0\0\x3f", b"\0\0\0\0", b"\0\0\0\xff"
    texts = {
        "plain": "1,2,3\n4,5,6\n7,8,9\n",
        "header": "x,y,z\n1,2.5,-3e-7\n4,.5,6.\n",
        "quotes": '"x","y ""z""","a,b"\n"1","2",3\n 4 , "5" ,6\n',
        "newlines_in_quotes": '"x\n1","y\r\n2"\n1,2\n"3","4"\n',
        "open_quote": 'x,y\n1,"2\n3,4\n',
        "text_after_quote": 'x,y\n1,"2"3\n',
        "crlf": "1,2\r\n3,4\r\n",
        "cr": "1,2\r3,4\r",
        "mark": "\ufeffx,y\n1,2\n",
        "comments": "# about\n#\n\n\n1\t2\n3\t4\n",
        "tabs": "a\tb\n1\t2\n3\t4\n",
        "spaces": "  1   2 \t 3\n 4 5   6\n",
        "semicolons": "x;y\n1;2\n3;4\n",
        "pipes": "1|2|3\n4|5|6\n",
        "numbers": "1_000,+2,-0\n1e308,4.9e-324,.5E+3\n1e999,1e-999,00001\n",
        "not_finite": "1,2,3\ninf,-Infinity,nan\n1e999,1,2\n",
        "hexadecimal": "1,2\n0x10,0x1p3\n",
        "digits": "0.1000000000000000055511151231257827,9007199254740993\n"
                  "2.2250738585072011e-308,179769313486231580793e289\n",
        "missing": "x,y,z\n1,2,3\n1,,3\nNA,5,N/A\n#N/A,null,?\n",
        "ragged": "1,2,3\n4,5\n6,7,8,9\n",
        "no_last_newline": "1,2\n3,4",
        "one_column": "x\n1\n2\n3\n",
        "unicode": "größe,größe\n1,2\n3,4\n",
        "unicode_digits": "1,2\n\u00a03,４\n",
        "not_numbers": "a,b\nc,d\ne,f\n",
        "json": '{"x": [1, 2]}\n',
    }
    for name, text in texts.items():
        seeds.add(name, auto + text.encode())
    for name in ("quotes", "newlines_in_quotes", "numbers", "crlf"):
        seeds.add(f"{name}_small_buffer", small + texts[name].encode())
    for i, missing in enumerate(("nan", "skip", "number"), 1):
        seeds.add(f"missing_{missing}", bytes([0, 4 * i, 0, 9]) + texts["missing"].encode())
    for i, columns in enumerate(("first", "ranges", "named"), 1):
        seeds.add(f"columns_{columns}", bytes([2, 2, i, 9]) + texts["header"].encode())
    seeds.add("short_records", bytes([2, 3, 128, 9]) + b"1,2\n" * 9 + b"1" * 80 + b",2\n")
    seeds.add("gz", longest + packed(texts["header"].encode()))
    seeds.add("gz_members", small + packed(b"x,y\n1,") + packed(b"2\n3,4\n"))
    seeds.add("colons", bytes([7, 0, 0, 9]) + b"1:2:3\n4:5:6\n")
    seeds.add("utf16", auto + "1,2\n3,4\n".encode("utf-16"))
    seeds.add("zeros", auto + b"1,2\n\0\0\n3,4\n")
    seeds.add("many", longest + "\n".join(f"{i},{i / 7!r}" for i in range(120)).encode())


def png_chunk(name, content):
    return (struct.pack(">I", len(content)) + name + content
            + struct.pack(">I", zlib.crc32(name + content)))


def interlaced_png(pixels, color, depth):
    """Adam7, which Pillow does not write. `pixels`: height × width × bytes of a pixel."""
    height, width = pixels.shape[:2]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2))
    lines = b""
    for left, top, right, down in passes:
        part = pixels[top::down, left::right]
        if part.shape[1] > 0:
            lines += b"".join(b"\0" + row.tobytes() for row in part)
    header = struct.pack(">2I5B", width, height, depth, color, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
            + png_chunk(b"IDAT", zlib.compress(lines)) + png_chunk(b"IEND", b""))


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png_seeds(seeds):
    grey = Image.fromarray(rng.integers(0, 256, size=(9, 11), dtype="u1"))
    colour = Image.fromarray(rng.integers(0, 256, size=(9, 11, 3), dtype="u1"))
    deep = rng.integers(0, 1 << 16, size=(9, 11), dtype="u2")
    clear = colour.convert("RGBA")
    clear.putalpha(grey)
    few = colour.quantize(7)
    files = {
        "grey": saved(grey, "PNG"),
        "rgb": saved(colour, "PNG"),
        "one_bit": saved(grey.convert("1"), "PNG"),
        "deep": saved(Image.fromarray(deep), "PNG"),
        "rgba": saved(clear, "PNG"),
        "grey_alpha": saved(grey.convert("LA"), "PNG"),
        "palette": saved(colour.quantize(200), "PNG"),
        "palette_bits": saved(few, "PNG"),
        "palette_clear": saved(few, "PNG", transparency=3),
        "rgb_clear": saved(colour, "PNG", transparency=(1, 2, 3)),
        "wide": saved(grey.resize((60, 2)), "PNG"),
        "text_and_size": saved(grey, "PNG", dpi=(72, 72), icc_profile=b"profile" * 9),
        "interlaced_grey": interlaced_png(np.asarray(grey)[..., None], 0, 8),
        "interlaced_rgb": interlaced_png(np.asarray(colour), 2, 8),
        "interlaced_deep": interlaced_png(deep.astype(">u2").view("u1").reshape(9, 11, 2), 0, 16),
        "interlaced_tiny": interlaced_png(np.zeros((1, 1, 1), dtype="u1"), 0, 8),
    }
    files["cut_short"] = files["rgb"][:-40]
    # The first byte: how colours are read; bit 7: checksums are mended before.
    for i, (name, file) in enumerate(files.items()):
        seeds.add(name, bytes([0]) + file)
        seeds.add(f"{name}_mended", bytes([0x80 + i % 3]) + file)


def jpeg_seeds(seeds):
    plane = np.add.outer(np.arange(19), np.arange(21)) * 5 % 256
    grey = Image.fromarray(plane.astype("u1"))
    colour = Image.merge("RGB", (grey, grey.transpose(Image.Transpose.ROTATE_180), grey))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    files = {
        "grey": saved(grey, "JPEG"),
        "rgb": saved(colour, "JPEG"),
        "full_chroma": saved(colour, "JPEG", subsampling=0),
        "half_chroma": saved(colour, "JPEG", subsampling=1),
        "progressive": saved(colour, "JPEG", progressive=True),
        "progressive_grey": saved(grey, "JPEG", progressive=True),
        "optimised": saved(colour, "JPEG", optimize=True, quality=10),
        "cmyk": saved(colour.convert("CMYK"), "JPEG"),
        "turned": saved(colour, "JPEG", exif=exif),
        "tiny": saved(grey.resize((1, 1)), "JPEG"),
    }
    files["cut_short"] = files["progressive"][:-60]
    for i, (name, file) in enumerate(files.items()):
        seeds.add(name, bytes([0]) + file)
        seeds.add(f"{name}_as_chosen", bytes([1 + i % 2]) + file)


def safetensors(tensors, metadata=None, padding=0):
    header, content = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, element) in tensors.items():
        size = int(np.prod(shape)) * element
        header[name] = {"dtype": dtype, "shape": list(shape),
                        "data_offsets": [len(content), len(content) + size]}
        content += bytes(rng.integers(0, 2, size=size, dtype="u1"))
    text = json.dumps(header).encode() + b" " * padding
    return struct.pack("<Q", len(text)) + text + content


def safetensors_seeds(seeds):
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
             "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
    for dtype, size in sizes.items():
        seeds.add(dtype.lower(), safetensors({"x": (dtype, (4, 3), size)}))
    some = {"x": ("F32", (3, 2), 4), "bias": ("F32", (3,), 4), "empty": ("F32", (0, 2), 4)}
    seeds.add("some", safetensors(some, {"format": "pt"}, 7))
    seeds.add("all", safetensors({d: (d, (2, 2), s) for d, s in sizes.items()}))
    seeds.add("more_axes", safetensors({"x": ("BF16", (3, 2, 2, 2), 2)}))
    seeds.add("no_axes", safetensors({"x": ("F32", (), 4)}))
    seeds.add("none", safetensors({}))
    seeds.add("escapes", safetensors({"größe \"\\\n": ("F32", (2, 2), 4)}))
    seeds.add("cut_short", safetensors(some)[:-3])
    seeds.add("longer", safetensors(some) + b"more")
    for name, header in {
        "overlap": '{"x":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},'
                   '"y":{"dtype":"U8","shape":[2,2],"data_offsets":[2,6]}}',
        "twice": '{"x":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},'
                 '"x":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6]}}',
        "large": '{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,6]}}',
        "negative": '{"x":{"dtype":"U8","shape":[-2,-3],"data_offsets":[0,6]}}',
        "fraction": '{"x":{"dtype":"U8","shape":[2.0,3],"data_offsets":[0,6e0]}}',
        "deep": '{"x":' + "[" * 500 + "]" * 500 + "}",
    }.items():
        seeds.add(name, struct.pack("<Q", len(header)) + header.encode() + bytes(6))


# Of the objects that the target makes, as they are after some evaluations.
SEARCH_NUMBERS = {
    "lbfgs.phase": "1", "lbfgs.failure": "", "lbfgs.cost": "20.5", "lbfgs.steepest": "false",
    "lbfgs.slope": "-33.25", "lbfgs.pairs": "2", "lbfgs.newest": "0", "lbfgs.scaling": "0.5",
    "lbfgs.pair0.curvature": "0.25", "lbfgs.pair1.curvature": "4e-300", "stop_rule.iteration": "7",
    "lbfgs.line_search.step": "1", "lbfgs.line_search.bracketed": "true",
    "lbfgs.line_search.auxiliary_stage": "true", "lbfgs.line_search.settling": "false",
    "lbfgs.line_search.last_width": "3.5", "lbfgs.line_search.width_before_last": "7",
    "lbfgs.line_search.wall": "inf", "lbfgs.line_search.evaluations": "2",
    "lbfgs.line_search.retreats": "0",
} | {f"lbfgs.line_search.{end}.{value}": number
     for end, number in (("origin", "0"), ("best", "0.5"), ("other", "4"))
     for value in ("step", "cost", "slope")}
SEARCH_ARRAYS = {
    **{f"lbfgs.{name}": ("F64", [3.0, -4.5])
       for name in ("point", "gradient", "direction", "trial", "pair0.point_change",
                    "pair0.gradient_change", "pair1.point_change", "pair1.gradient_change")},
    "stop_rule.costs": ("F64", list(range(10))),
}
STEP_NUMBERS = {"adam.steps": "12", "name": "Adam \u03b2", "points.size": "3"}
STEP_ARRAYS = {"adam.mean": ("F32", [0.5, -0.25]), "adam.square": ("F32", [1.0, 2.0]),
               "points": ("F32", [1.0, -0.0, np.nan])}


def state(numbers, arrays, checksum="xxh3-128:" + "0" * 32):
    """A saved state whose checksum the target mends."""
    table = {} if checksum is None else {"checksum": checksum}
    table |= {f"state.{name}": text for name, text in numbers.items()}
    header, content = {"__metadata__": table}, b""
    for name, (dtype, values) in arrays.items():
        data = np.array(values, "<f4" if dtype == "F32" else "<f8").tobytes()
        header[f"state.{name}"] = {"dtype": dtype, "shape": [len(values)],
                                   "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def state_seeds(seeds):
    seeds.add("search", state(SEARCH_NUMBERS, SEARCH_ARRAYS))
    seeds.add("steps", state(STEP_NUMBERS, STEP_ARRAYS))
    seeds.add("both", state(SEARCH_NUMBERS | STEP_NUMBERS, SEARCH_ARRAYS | STEP_ARRAYS))
    seeds.add("new", state(SEARCH_NUMBERS | {"lbfgs.phase": "0", "lbfgs.pairs": "0"},
                           SEARCH_ARRAYS))
    seeds.add("failed", state(SEARCH_NUMBERS | {"lbfgs.phase": "3", "lbfgs.failure": "why"},
                              SEARCH_ARRAYS))
    for text in ("nan", "-inf", "-1.7976931348623157e308", "5e-324", "-0"):
        doubles = {name: text for name in SEARCH_NUMBERS
                   if name.endswith((".step", ".slope", ".wall", ".scaling", ".curvature"))}
        seeds.add(f"all_{text}", state(SEARCH_NUMBERS | doubles, SEARCH_ARRAYS))
    # What a number must not be, although the checksum is right.
    for name, text in {"phase": "4", "pairs": "3", "newest": "2", "steepest": "1",
                       "line_search.evaluations": "9223372036854775807",
                       "line_search.retreats": "-1"}.items():
        seeds.add(f"no_{name}", state(SEARCH_NUMBERS | {f"lbfgs.{name}": text}, SEARCH_ARRAYS))
    seeds.add("no_size", state(STEP_NUMBERS | {"points.size": "1152921504606846976"}, STEP_ARRAYS))
    seeds.add("no_checksum", state(STEP_NUMBERS, STEP_ARRAYS, None))
    seeds.add("wrong_type", state(STEP_NUMBERS, STEP_ARRAYS | {"adam.mean": ("F64", [1.0, 2.0])}))


def element5(order, kind, content):
    return struct.pack(order + "2I", kind, len(content)) + content + bytes(-len(content) % 8)


def big_endian_mat(array):
    """Version 5 as machines of the other byte order wrote it, which SciPy does not."""
    body = (element5(">", 6, struct.pack(">2I", 6, 0)) + element5(">", 5, struct.pack(">2i", 4, 3))
            + element5(">", 1, b"x") + element5(">", 9, array.astype(">f8").tobytes("F")))
    header = b"MATLAB 5.0 MAT-file, by hand".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    return header + element5(">", 14, body)


def mat5(variables, **options):
    out = io.BytesIO()
    scipy.io.savemat(out, variables, **options)
    content = out.getvalue()
    # The header tells the time of writing.
    return b"MATLAB 5.0 MAT-file".ljust(116) + content[116:]


def mat73(variables):
    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        for name, array in variables.items():
            file.create_dataset(name, data=array.T)
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    header = b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM"
    return header + out.getvalue()[len(header):]


def matlab_seeds(seeds):
    rows = rng.normal(size=(4, 3))
    for name, options in (("plain", {}), ("compressed", {"do_compression": True})):
        for dtype in ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
            array = rng.integers(0, 99, size=(4, 3)).astype(dtype)
            seeds.add(f"{name}_{dtype}", mat5({"x": array}, **options))
        seeds.add(f"{name}_two", mat5({"x": rows, "label": np.ones((1, 4))}, **options))
        seeds.add(f"{name}_axes", mat5({"x": np.zeros((3, 2, 2))}, **options))
        seeds.add(f"{name}_complex", mat5({"x": rows + 1j}, **options))
        seeds.add(f"{name}_logical", mat5({"x": rows > 0}, **options))
        seeds.add(f"{name}_text", mat5({"x": "some text", "rows": rows}, **options))
        cell = np.empty((1, 2), dtype=object)
        cell[0, 0], cell[0, 1] = rows, "text"
        seeds.add(f"{name}_cell", mat5({"x": cell, "y": {"a": rows, "b": 1}}, **options))
        seeds.add(f"{name}_sparse", mat5({"x": scipy.sparse.csc_matrix(np.eye(4))}, **options))
        seeds.add(f"{name}_long_name", mat5({"a" * 31: rows}, **options))
        seeds.add(f"{name}_empty", mat5({"x": np.zeros((0, 3))}, **options))
    seeds.add("big_endian", big_endian_mat(rows))
    seeds.add("cut_short", mat5({"x": rows})[:-9])
    version4 = io.BytesIO()
    scipy.io.savemat(version4, {"x": rows}, format="4")
    seeds.add("version4", version4.getvalue())
    version73 = mat73({"x": rows})
    seeds.add("version73", version73)
    seeds.add("version73_said_to_be_5", b"MATLAB 5.0" + version73[10:])


def raw_seeds(seeds):
    # The first bytes: type (128 and up: big-endian), columns in two bytes, offset.
    numbers = bytes(rng.integers(0, 256, size=192, dtype="u1"))
    for kind in range(12):
        seeds.add(f"type{kind:02}", bytes([kind, 3, 0, 0]) + numbers)
    seeds.add("big_endian", bytes([132 + 4, 4, 0, 0]) + numbers)
    seeds.add("offset", bytes([1, 2, 0, 8]) + numbers)
    seeds.add("wide", bytes([1, 0, 1, 0]) + numbers * 4)
    seeds.add("gz", bytes([10, 3, 0, 0]) + packed(numbers))
    seeds.add("incomplete", bytes([10, 5, 0, 0]) + numbers)
    seeds.add("no_columns", bytes([10, 0, 0, 0]) + numbers)


SHUFFLE, FLETCHER32, GZIP, LZF, ZSTD, LZ4, BLOSC = range(7)


def pipeline(chunk_bytes, filters, mask=0):
    """How an input of the target filters begins; `filters`: pairs of kind and element size."""
    choices = [kind + 7 * (element - 1) for kind, element in filters]
    choices += [0] * (4 - len(choices))
    return struct.pack("<HBB4B", chunk_bytes - 1, mask, len(filters), *choices)


def stored_chunk(array, **filters):
    """The first chunk as HDF5's own filters store it."""
    with h5py.File(io.BytesIO(), "w") as file:
        dataset = file.create_dataset("x", data=array, chunks=array.shape, **filters)
        return dataset.id.read_direct_chunk((0,) * array.ndim)[1]


def filters_seeds(seeds):
    array = np.add.outer(np.arange(16), np.arange(8)).astype("<f4")
    chunk, size = array.tobytes(), array.nbytes
    seeds.add("none", pipeline(size, []) + chunk)
    for name, filters, options in (
            ("gzip", [(GZIP, 1)], {"compression": 1}),
            ("shuffle_gzip", [(SHUFFLE, 4), (GZIP, 1)], {"compression": 1, "shuffle": True}),
            ("shuffle", [(SHUFFLE, 4)], {"shuffle": True}),
            ("fletcher32", [(FLETCHER32, 1)], {"fletcher32": True}),
            ("lzf", [(LZF, 1)], {"compression": "lzf"}),
            ("shuffle_lzf", [(SHUFFLE, 4), (LZF, 1)], {"compression": "lzf", "shuffle": True}),
            ("all", [(SHUFFLE, 4), (GZIP, 1), (FLETCHER32, 1)],
             {"compression": 9, "shuffle": True, "fletcher32": True})):
        seeds.add(name, pipeline(size, filters) + stored_chunk(array, **options))
    seeds.add("skipped", pipeline(size, [(SHUFFLE, 4), (GZIP, 1)], 2) + chunk)
    # The codecs that Debian's Python has none of: frames by hand, of stored or repeated bytes.
    zstd = struct.pack("<I", 0xFD2FB528)
    raw_block = (size << 3 | 1).to_bytes(3, "little") + chunk
    seeds.add("zstd_stored", pipeline(size, [(ZSTD, 1)]) + zstd + b"\x60"
              + struct.pack("<H", size - 256) + raw_block)
    seeds.add("zstd_repeated", pipeline(size, [(ZSTD, 1)]) + zstd + b"\x60"
              + struct.pack("<H", size - 256) + (size << 3 | 3).to_bytes(3, "little") + b"a")
    literals = b"\xf0" + b"\xff" + bytes([size - 15 - 255]) + chunk
    lz4 = struct.pack(">QI", size, 1 << 20)
    seeds.add("lz4_stored", pipeline(size, [(LZ4, 1)]) + lz4 + struct.pack(">I", size) + chunk)
    seeds.add("lz4", pipeline(size, [(LZ4, 1)]) + lz4 + struct.pack(">I", len(literals)) + literals)
    seeds.add("blosc_stored", pipeline(size, [(BLOSC, 4)])
              + struct.pack("<4B3I", 2, 1, 2, 4, size, size, size + 16) + chunk)
    blocks = struct.pack("<I", 20) + struct.pack("<I", size) + chunk
    seeds.add("blosc_block", pipeline(size, [(BLOSC, 4)])
              + struct.pack("<4B3I", 2, 1, 0x10, 4, size, size, 16 + len(blocks)) + blocks)
    # What the target encodes itself, damages and decodes.
    for kind in (GZIP, LZF, ZSTD, LZ4):
        seeds.add(f"encode_{kind}", pipeline(size, [(SHUFFLE, 4), (kind, 1)]) + chunk)


TARGETS = {
    "csv": csv_seeds,
    "filters": filters_seeds,
    "idx": idx_seeds,
    "jpeg": jpeg_seeds,
    "matlab": matlab_seeds,
    "npy": npy_seeds,
    "npz": npz_seeds,
    "png": png_seeds,
    "raw": raw_seeds,
    "safetensors": safetensors_seeds,
    "state": state_seeds,
}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_seeds.py FOLDER")
    for target, make in TARGETS.items():
        make(Seeds(sys.argv[1], target))


if __name__ == "__main__":
    main()
