"""HDF5 files that someone made to break their reader, by changing bytes of sound ones.

A hostile kind is a function of a folder and a random generator that returns cases. What a case may
end with is stated with it. Where the new file format keeps a checksum over what was changed, the
checksum is made right again: it protects against accidents only, and would hide what lies behind.
"""

import copy
import ctypes
import functools
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

import storage
from layouts import COLUMNS, flat, values, write

ROWS = 48
HOSTILE = {}


@dataclass
class Case:
    """Files and flags for the program, and how it may end."""

    name: str
    data: list
    codes: tuple = (65,)
    rows: np.ndarray = None  # what must have been read where the end is success
    needs: str = ""          # what a refusal as a matter of usage must name


def hostile(function):
    HOSTILE[function.__name__] = function
    return function


# Sound files, one for each way to keep chunks: the options of storage.one.
NEW = {"file_options": {"libver": storage.LATEST}}
BASES = {
    "contiguous": {},
    "btree1": {"chunks": (8, COLUMNS)},
    "btree1_gzip": {"chunks": (8, COLUMNS), "filters": ("gzip",)},
    "single_gzip": {"chunks": (ROWS, COLUMNS), "filters": ("gzip",), **NEW},
    "implicit": {"chunks": (8, COLUMNS), "early": True, **NEW},
    "fixed": {"chunks": (8, COLUMNS), **NEW},
    "fixed_gzip": {"chunks": (8, COLUMNS), "filters": ("gzip",), **NEW},
    "extensible_gzip": {"chunks": (8, COLUMNS), "filters": ("gzip",),
                        "maxshape": (None, COLUMNS), **NEW},
    "btree2_gzip": {"chunks": (8, COLUMNS), "filters": ("gzip",), "maxshape": (None, None), **NEW},
}
UNFILTERED = [name for name in BASES if "gzip" not in name]
PACKED = [name for name in BASES if "gzip" in name]


@functools.cache
def lookup3():
    """The library's own checksum of its metadata."""
    function = storage.library().H5_checksum_lookup3
    function.restype = ctypes.c_uint32
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32]
    return function


def checksum(content):
    return lookup3()(bytes(content), len(content), 0)


def sixteenths(random, shape=(ROWS, COLUMNS)):
    """Values that gzip makes smaller."""
    return (random.integers(1, 16, size=shape) / 16).astype("<f4")


class File:
    """The bytes of an HDF5 file, and what there is to know for changing them."""

    SIGNATURES = (b"OHDR", b"OCHK", b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB", b"BTHD",
                  b"BTIN", b"BTLF")

    def __init__(self, path):
        self.content = bytearray(path.read_bytes())
        with h5py.File(path) as file:
            data = file["data"].id
            if file["data"].chunks is None:
                self.chunks = [(data.get_offset(), data.get_storage_size())]
            else:
                infos = [data.get_chunk_info(i) for i in range(data.get_num_chunks())]
                self.chunks = [(info.byte_offset, info.size) for info in infos]
        self.rows_end = max(offset + size for offset, size in self.chunks)
        self.is_new = self.content[8] >= 2
        self.checked = self._find_checked()

    def copy(self):
        other = copy.copy(self)
        other.content = bytearray(self.content)
        return other

    def _find_checked(self):
        """Begin and end of whatever has its checksum right behind it."""
        found = [(0, 44)] if self.is_new else []
        for signature in self.SIGNATURES if self.is_new else ():
            begin = self.content.find(signature)
            while begin >= 0:
                for end in range(begin + 8, min(begin + 600, len(self.content) - 3)):
                    if self.get(end, 4) == checksum(self.content[begin:end]):
                        found.append((begin, end))
                        break
                begin = self.content.find(signature, begin + 1)
        return found

    def get(self, place, size):
        return int.from_bytes(self.content[place : place + size], "little")

    def put(self, place, number, size):
        self.content[place : place + size] = (number % 256**size).to_bytes(size, "little")

    def places(self, number, size=8):
        """Where this number stands outside of the rows."""
        needle = number.to_bytes(size, "little")
        found, place = [], self.content.find(needle)
        while place >= 0:
            if not self.is_in_rows(place):
                found.append(place)
            place = self.content.find(needle, place + 1)
        return found

    def is_in_rows(self, place):
        return any(offset <= place < offset + size for offset, size in self.chunks)

    def put_end_of_file(self, address):
        self.put(28 if self.is_new else 40, address, 8)

    def write(self, path, repair=True):
        if repair:
            for begin, end in self.checked:
                self.put(end, checksum(self.content[begin:end]), 4)
        path.write_bytes(self.content)
        return path


def base_file(folder, random, base):
    """Returns a fresh File, and the rows in it."""
    place = folder / base
    place.mkdir(exist_ok=True)
    array = sixteenths(random)
    files, rows = storage.one(place, array, **BASES[base])
    return files[0], rows


def variants(path, changes):
    """A copy of the file for each change, which is a function of a File."""
    sound = File(path)
    for name, change in changes.items():
        file = sound.copy()
        change(file)
        yield name, file.write(path.with_name(f"{name}.h5"))


def cuts_of(file):
    fixed = {7, 8, 44, 96}
    return sorted(fixed | {file.rows_end * part // 9 for part in range(1, 9)} | {file.rows_end - 1})


@hostile
def truncated(folder, random):
    cases = []
    for base in ("contiguous", "btree1_gzip", "fixed_gzip"):
        path, _ = base_file(folder, random, base)
        for keep in cuts_of(File(path)):
            cut = path.with_name(f"keep{keep}.h5")
            cut.write_bytes(path.read_bytes()[:keep])
            cases.append(Case(f"{base}_{keep}", [cut]))
    return cases


@hostile
def truncated_and_said_to_end_there(folder, random):
    cases = []
    for base in ("contiguous", "btree1", "btree1_gzip", "implicit", "fixed_gzip"):
        path, _ = base_file(folder, random, base)
        sound = File(path)
        for keep in cuts_of(sound):
            if keep < 96:
                continue
            file = sound.copy()
            file.put_end_of_file(keep)
            cut = file.write(path.with_name(f"keep{keep}.h5"))
            os.truncate(cut, keep)
            cases.append(Case(f"{base}_{keep}", [cut]))
    return cases


@hostile
def said_to_be_endless(folder, random):
    """An end of file far beyond the end, with chunks there."""
    cases = []
    for base in ("contiguous", "btree1_gzip", "fixed_gzip"):
        path, _ = base_file(folder, random, base)

        def change(file):
            file.put_end_of_file(2**62)
            for place in file.places(file.chunks[0][0]):
                file.put(place, 2**61, 8)

        cases += [Case(f"{base}_{name}", [made])
                  for name, made in variants(path, {"endless": change})]
    return cases


def move_chunk(target):
    def change(file):
        number = min(2, len(file.chunks) - 1)
        # Chunks without an index have the address of the first only.
        offset, size = file.chunks[number if file.places(file.chunks[number][0]) else 0]
        found = file.places(offset)
        assert found, "the chunk's address was not found"
        for place in found:
            file.put(place, target(file, size), 8)

    return change


@hostile
def rows_outside_of_the_file(folder, random):
    targets = {"at_the_end": lambda file, size: len(file.content),
               "across_the_end": lambda file, size: len(file.content) - size // 2,
               "one_byte_over": lambda file, size: len(file.content) - size + 1,
               "far": lambda file, size: 2**40,
               "half_of_all": lambda file, size: 2**63 - 8,
               "wraps_around": lambda file, size: 2**64 - size // 2 - 1}
    cases = []
    for base in BASES:
        path, _ = base_file(folder, random, base)
        changes = {name: move_chunk(target) for name, target in targets.items()}
        cases += [Case(f"{base}_{name}", [made]) for name, made in variants(path, changes)]
    return cases


@hostile
def chunk_that_lies_in_the_header(folder, random):
    """Within the file, so that plain chunks are just other numbers; no packed one unpacks."""
    cases = []
    for base in ("btree1", "btree1_gzip", "fixed_gzip", "btree2_gzip"):
        path, _ = base_file(folder, random, base)
        for name, made in variants(path, {"header": move_chunk(lambda file, size: 0)}):
            cases.append(Case(f"{base}_{name}", [made], (65,) if base in PACKED else (0, 65)))
    return cases


def resize_chunk(target):
    """Changes the stored size of a chunk, which stands near its address."""
    def change(file):
        offset, size = file.chunks[min(2, len(file.chunks) - 1)]
        for place in file.places(offset):
            if not file.is_new:  # size and mask, then the offsets of two axes and of the element
                assert file.get(place - 32, 4) == size
                file.put(place - 32, target(size), 4)
                return
            # Behind the address, in as few bytes as hold a chunk of any size; in the object's
            # header, where the one chunk has all of it there, before it.
            for width in (8, 4, 3, 2):
                for at in (place + 8, place - 12):
                    if file.get(at, width) == size:
                        file.put(at, min(target(size), 256**width - 1), width)
                        return
        raise AssertionError("the chunk's size was not found")

    return change


@hostile
def chunks_of_impossible_size(folder, random):
    targets = {"largest": lambda size: 2**32 - 1, "half": lambda size: 2**31 - 1,
               "sign": lambda size: 2**31, "one": lambda size: 1,
               "cut": lambda size: size - 1, "zero": lambda size: 0}
    cases = []
    for base in PACKED:
        path, _ = base_file(folder, random, base)
        changes = {name: resize_chunk(target) for name, target in targets.items()}
        cases += [Case(f"{base}_{name}", [made]) for name, made in variants(path, changes)]
    return cases


@hostile
def changed_numbers(folder, random):
    """Nothing protects plain rows: what stands there is read, unless it is no number."""
    cases = []
    for base in UNFILTERED:
        path, rows = base_file(folder, random, base)
        with h5py.File(path) as file:
            array = file["data"][:]
        sound = File(path)
        offset, _ = sound.chunks[min(2, len(sound.chunks) - 1)]
        row = 16 if base != "contiguous" else 0  # the first of chunk 2
        for name, pattern in (("other", 0x3E800000), ("infinite", 0x7F800000), ("nan", 0x7FC00001),
                              ("signalling_nan", 0xFF800001)):
            file = sound.copy()
            file.put(offset + 20, pattern, 4)
            changed = array.copy()
            changed[row, 5] = struct.unpack("<f", struct.pack("<I", pattern))[0]
            made = file.write(path.with_name(f"{name}.h5"))
            is_number = np.isfinite(changed).all()
            cases.append(Case(f"{base}_{name}", [made], (0,) if is_number else (65,),
                              flat(changed) if is_number else None))
    return cases


@hostile
def flipped_bits_under_a_checksum(folder, random):
    cases = []
    for word, filters in (("gzip", ("gzip",)), ("fletcher32", ("fletcher32",)),
                          ("both", ("shuffle", "gzip", "fletcher32"))):
        (folder / word).mkdir()
        array = sixteenths(random)
        (path,), rows = storage.one(folder / word, array, chunks=(8, COLUMNS), filters=filters)
        sound = File(path)
        offset, size = sound.chunks[3]
        for place in (*range(0, size, max(1, size // 9)), size - 1):
            file = sound.copy()
            file.content[offset + place] ^= 1 << int(random.integers(8))
            made = file.write(path.with_name(f"flip{place}.h5"))
            # A few bits of a packed stream say nothing; then the rows must be as they were.
            codes = (65,) if "fletcher32" in filters else (0, 65)
            cases.append(Case(f"{word}_{place}", [made], codes, rows))
    return cases


def bomb(mebibytes):
    """A zlib stream of a thousandth of the size of the zeros that it unpacks to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()
    sum_of_zeros = (mebibytes * 2**20 % 65521) << 16 | 1
    return b"\x78\xda" + zeros * mebibytes + end + struct.pack(">I", sum_of_zeros)


def write_huge_chunk(path, rows, chunk_rows, filters, stored):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (rows, COLUMNS), "<f4", chunks=(chunk_rows, COLUMNS),
                                   maxshape=(None, COLUMNS), dcpl=storage.creation(filters))
        data.id.write_direct_chunk((0, 0), stored)
    return path


@hostile
def small_files_with_huge_chunks(folder, _random):
    """Memory must follow what is there, and not what a file claims."""
    gibibyte, most = 2**30 // (4 * COLUMNS), (2**32 - 1) // (4 * COLUMNS)
    contents = {"bomb": (("gzip",), bomb(1024)), "short": (("gzip",), zlib.compress(bytes(96))),
                "plain": ((), bytes(96)), "no_stream": (("gzip",), bytes(1000)),
                "checked": (("fletcher32",), bytes(96))}
    cases = []
    for name, (filters, stored) in contents.items():
        for chunk_rows in (gibibyte, most):
            for rows in (20, chunk_rows):
                path = folder / f"{name}_{chunk_rows}_{rows}.h5"
                write_huge_chunk(path, rows, chunk_rows, filters, stored)
                # The plan may find first that the budget cannot hold such a chunk.
                cases.append(Case(path.stem, [path], (64, 65), needs="memory"))
    return cases


@hostile
def impossible_shapes(folder, random):
    """The lengths of the axes, which stand in the object's header, made as large as they get."""
    cases = []
    for base in ("contiguous", "btree1_gzip", "fixed_gzip"):
        path, _ = base_file(folder, random, base)
        lengths = struct.pack("<2Q", ROWS, COLUMNS)

        def change_to(rows, columns):
            def change(file):
                place = file.content.find(lengths)
                assert place > 0
                while place > 0:
                    file.content[place : place + 16] = struct.pack("<2Q", rows, columns)
                    place = file.content.find(lengths, place + 1)

            return change

        changes = {"rows": change_to(2**63 - 1, COLUMNS), "columns": change_to(ROWS, 2**63 - 1),
                   "both": change_to(2**32, 2**32), "no_limit": change_to(2**64 - 1, 2**64 - 1),
                   "none": change_to(0, COLUMNS), "product_of_zero": change_to(2**63, 2)}
        cases += [Case(f"{base}_{name}", [made]) for name, made in variants(path, changes)]
    return cases


@hostile
def links_in_circles(folder, random):
    def link(name, links):
        with h5py.File(folder / name, "w") as file:
            for place, target in links.items():
                file[place] = target
        return folder / name

    soft = link("soft.h5", {"data": h5py.SoftLink("/other"), "other": h5py.SoftLink("/data")})
    itself = link("itself.h5", {"data": h5py.SoftLink("/data")})
    dangling = link("dangling.h5", {"data": h5py.SoftLink("/nowhere")})
    link("there.h5", {"data": h5py.ExternalLink("back.h5", "/data")})
    link("back.h5", {"data": h5py.ExternalLink("there.h5", "/data")})
    own = link("own.h5", {"data": h5py.ExternalLink("own.h5", "/data")})
    text = folder / "text.txt"
    text.write_text("secret\n" * 100)
    to_text = link("to_text.h5", {"data": h5py.ExternalLink("text.txt", "/data")})
    gone = link("gone.h5", {"data": h5py.ExternalLink("absent.h5", "/data")})
    cases = []
    for path in (soft, itself, dangling, folder / "there.h5", own, to_text, gone):
        for naming in ([], ["--dataset", "/data"]):
            for following in ([], ["--follow-external"]):
                name = "_".join([path.stem, *(flag.strip("-/") for flag in naming + following)])
                cases.append(Case(name, [path, *naming, *following], (65, 66)))
    return cases


@hostile
def rows_elsewhere(folder, random):
    """Other files that are refused, missing, too short, or no files at all."""
    array = values(random, 20)
    write(folder / "sound.h5", array)
    (folder / "short.raw").write_bytes(array.tobytes()[:-1])
    (folder / "whole.raw").write_bytes(array.tobytes())
    os.mkfifo(folder / "pipe")
    cases = []

    def add(name, path, codes=(65, 66), rows=None):
        cases.append(Case(f"{name}_not_followed", [path]))
        cases.append(Case(name, [path, "--follow-external"], codes, rows))

    for name, file, offset, size in (
            ("whole", folder / "whole.raw", 0, 960), ("short", folder / "short.raw", 0, 960),
            ("far", folder / "whole.raw", 2**40, 960), ("absent", folder / "absent.raw", 0, 960),
            ("endless", Path("/dev/zero"), 0, 960), ("folder", folder, 0, 960),
            ("pipe", folder / "pipe", 0, 960)):
        path = folder / f"storage_{name}.h5"
        with h5py.File(path, "w") as made:
            made.create_dataset("data", (20, COLUMNS), "<f4", external=[(str(file), offset, size)])
        add(f"storage_{name}", path, *(((0,), flat(array)) if name == "whole" else ()))
    for name, file in (("absent", "absent.h5"), ("pipe", "pipe"), ("text", "whole.raw"),
                       ("itself", "virtual_itself.h5"), ("endless", "/dev/zero")):
        mapping = [(slice(None), slice(None), str(folder / file), array.shape)]
        add(f"virtual_{name}", storage.virtual(folder / f"virtual_{name}.h5", array.shape, mapping))
    for name, target in (("pipe", "pipe"), ("endless", "/dev/zero"), ("sound", "sound.h5")):
        path = folder / f"link_to_{name}.h5"
        with h5py.File(path, "w") as file:
            file["data"] = h5py.ExternalLink(target, "/data")
            file["group"] = h5py.ExternalLink(target, "/")
        named = ["--dataset", "/group/data"]
        sound = ((0,), flat(array)) if name == "sound" else ((65, 66), None)
        cases += [Case(f"link_{name}", [path, "--dataset", "/data", "--follow-external"], *sound),
                  Case(f"group_{name}", [path, *named, "--follow-external"], *sound),
                  Case(f"group_{name}_not_followed", [path, *named])]
    return cases


def replace_once(path, sound, damaged):
    def change(file):
        assert file.content.count(sound) == 1
        file.content = file.content.replace(sound, damaged)

    return [made for _, made in variants(path, {"damaged": change})]


@hostile
def numbers_of_impossible_size(folder, random):
    """The library unpacks chunks of 4 bytes a number, and gathers from them as if they had more."""
    sound = b"\x11\x20\x1f\x00\x04\0\0\0"
    cases = []
    for base in ("contiguous", "btree1_gzip", "fixed_gzip"):
        for size in (0, 1, 181, 2**20, 0x38000004, 2**32 - 1):
            (folder / str(size)).mkdir(exist_ok=True)
            path, _ = base_file(folder / str(size), random, base)
            data = replace_once(path, sound, sound[:4] + struct.pack("<I", size))
            cases.append(Case(f"{base}_{size}", data))
    return cases


# What makes libhdf5 1.10.8 itself go wrong, with what it does.
FAULTS_OF_THE_LIBRARY = {}


def fault_of_the_library(reason):
    def register(function):
        FAULTS_OF_THE_LIBRARY[function.__name__] = (function, reason)
        return function

    return register


@hostile
def header_at_the_end_of_all_addresses(folder, random):
    """The root group's heap of links, which it does not have, has an address a bit lower."""
    path, _ = base_file(folder, random, "single_gzip")
    none = b"\x02\x12\0\0\0\0" + b"\xff" * 16
    return [Case("single_gzip", replace_once(path, none, none[:6] + b"\x2b" + none[7:]))]


@fault_of_the_library("numbers longer than those in the chunks are read from beyond them")
def numbers_twice_as_long(folder, random):
    path, _ = base_file(folder, random, "btree1_gzip")
    sound = b"\x11\x20\x1f\x00\x04\0\0\0"
    return Case("btree1_gzip", replace_once(path, sound, sound[:4] + b"\x08\0\0\0"))


# Faults of the library that do no harm unless memory is filled with rubbish, as a sanitizer does.
SEEN_BY_SANITIZERS_ALONE = {
    "fixed_gzip_103_0f": "frees the links of a group that it could not read, before they were set",
}


def random_flips(folder, random, base, count):
    """One byte of the metadata at a time becomes another."""
    path, _ = base_file(folder, random, base)
    sound = File(path)
    places = [place for place in range(len(sound.content)) if not sound.is_in_rows(place)]
    # Most of a small file's metadata is room not taken: half of the flips go where there is some.
    taken = [place for place in places if sound.content[place] != 0]
    for number in range(count):
        place = int(random.choice(taken if number % 2 else places))
        change = int(random.integers(1, 256))
        file = sound.copy()
        file.content[place] ^= change
        made = file.write(path.with_name(f"byte{place}_{change:02x}.h5"))
        yield Case(f"{base}_{place}_{change:02x}", [made], (0, 64, 65, 66, 74), needs="memory")
