"""Both ways of reading HDF5 give the same bytes, which are those that h5py reads.

`--reader direct` takes chunks from the file by itself, `--reader library` leaves all to the HDF5
library, and `auto` chooses. Many layouts go through one start of the program: `convert` joins the
rows of its inputs, whose paths name the layout for the error line.
"""

import json

import h5py
import numpy as np
import pytest

import layouts
import storage
from program import OBJECTIVE_FLAGS

READERS = ("auto", "direct", "library")
SOUND = {**layouts.LAYOUTS, **storage.STORAGE}
GROUP = 32


def left_to_the_library(name):
    return name in storage.OUTSIDE or name.startswith(("szip", "compact", "edges_not_filtered"))


def unknown_to_the_library(name):
    return "lzf" in name


def is_sure(reader, name):
    """Whether this reader must read it; else it may say that it does not."""
    return reader == "auto" or not (left_to_the_library(name) if reader == "direct"
                                    else unknown_to_the_library(name))


UNSURE = [(reader, name) for reader in READERS for name in SOUND if not is_sure(reader, name)]


def groups_of(reader):
    sure = [name for name in SOUND if is_sure(reader, name)]
    return [sure[begin : begin + GROUP] for begin in range(0, len(sure), GROUP)]


GROUPS = [pytest.param(reader, group, id=f"{reader}{number}")
          for reader in READERS for number, group in enumerate(groups_of(reader))]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Files and rows of each layout, made when first asked for."""
    folder = tmp_path_factory.mktemp("stored")
    made = {}

    def make(name):
        if name not in made:
            (folder / name).mkdir()
            random = np.random.default_rng(list(name.encode()))
            made[name] = {**SOUND, **storage.OUTSIDE}[name](folder / name, random)
        return made[name]

    return make


def rows_of(path):
    """As h5py reads them."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: found.append(item[:]) if hasattr(item, "shape") else None)
        found = found or [file["data"][:]]  # a link into another file
    assert len(found) == 1
    return layouts.flat(found[0])


def check_rows(path, names, stored):
    with h5py.File(path) as file:
        data = file["data"][:]
    assert data.dtype == np.float64
    begin = 0
    for name in names:
        rows = stored(name)[1]
        found = data[begin : begin + len(rows)]
        assert found.tobytes() == np.ascontiguousarray(rows).tobytes(), name
        begin += len(rows)
    assert begin == len(data)


def convert(stored, names, out, reader, *flags):
    files = [path for name in names for path in stored(name)[0]]
    return ["convert", *files, out, "--dtype", "float64", "--reader", reader, *flags]


@pytest.mark.fast
def test_h5py_reads_what_the_layouts_promise(stored):
    for name in (*SOUND, *storage.OUTSIDE):
        files, rows = stored(name)
        found = np.concatenate([rows_of(path) for path in files])
        if name != "bfloat16":  # h5py takes it for half precision
            assert found.tobytes() == np.ascontiguousarray(rows).tobytes(), name
        assert rows.shape[1] == layouts.COLUMNS


@pytest.mark.each_third_fast
@pytest.mark.parametrize("reader, names", GROUPS)
def test_same_bytes(rhohat, tmp_path, stored, reader, names):
    rhohat.ok(*convert(stored, names, tmp_path / "out.h5", reader))
    check_rows(tmp_path / "out.h5", names, stored)


@pytest.mark.each_third_fast
@pytest.mark.parametrize("reader, name", UNSURE)
def test_same_bytes_or_refused(rhohat, tmp_path, stored, reader, name):
    """Where a reader does not apply it says so, and leaves nothing behind."""
    result = rhohat(*convert(stored, [name], tmp_path / "out.h5", reader))
    if result.code == 0:
        check_rows(tmp_path / "out.h5", [name], stored)
        return
    assert result.code == 65, str(result)
    assert f"{name}/rows.h5" in result.error()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fast
@pytest.mark.parametrize("name", storage.OUTSIDE)
def test_rows_in_other_files(rhohat, tmp_path, stored, name):
    for reader in READERS:
        line = rhohat.fails(65, *convert(stored, [name], tmp_path / "out.h5", reader))
        assert f"{name}/rows.h5" in line and "--follow-external" in line
    for reader in READERS:
        out = tmp_path / f"{reader}.h5"
        result = rhohat(*convert(stored, [name], out, reader, "--follow-external"))
        if reader == "direct" and result.code == 65:
            assert f"{name}/rows.h5" in result.error()
        else:
            assert result.code == 0, str(result)
            check_rows(out, [name], stored)


@pytest.mark.fast
@pytest.mark.parametrize("name", storage.REFUSED)
def test_filters_that_are_refused(rhohat, tmp_path, random, name):
    files, _ = storage.REFUSED[name](tmp_path, random)
    for reader in READERS:
        line = rhohat.fails(65, "convert", *files, tmp_path / "out.h5", "--reader", reader)
        assert "rows.h5" in line and "filter" in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.fast
def test_every_command_has_both(rhohat, tmp_path, stored, model):
    """Same models and figures, with blocks that cut chunks and files."""
    names = ["compressed_shuffled_checksummed", "columns_cut_by_chunks", "latest_gzip_holes_btree2"]
    files = [path for name in names for path in stored(name)[0]]
    found = []
    for reader in READERS:
        flags = ["--reader", reader]
        rhohat.ok("train", *files, "--hidden", 3, "--iterations", 2, "--block-rows", 16,
                  *OBJECTIVE_FLAGS, "--run", tmp_path / reader, *flags)
        rhohat.ok("encode", model, *files, "--out", tmp_path / f"{reader}.h5", *flags)
        evaluation = rhohat.ok("evaluate", model, *files, "--json", *flags)
        rhohat.ok("info", *files, *flags)
        with h5py.File(tmp_path / f"{reader}.h5") as file:
            codes = file["codes"][:].tobytes()
        found.append(((tmp_path / reader / "model.safetensors").read_bytes(), codes,
                      json.loads(evaluation.stdout)))
    assert found[0] == found[1] == found[2]


@pytest.mark.fast
def test_unknown_reader(rhohat, model, small_data):
    line = rhohat.fails(64, "evaluate", model, small_data, "--reader", "fast")
    assert all(word in line for word in ("reader", "fast", *READERS))


@pytest.mark.slow
@pytest.mark.parametrize("maxshape", [None, (None, layouts.COLUMNS), (None, None)])
def test_index_of_very_many_chunks(rhohat, tmp_path, random, maxshape):
    """From 131 056 chunks on, an extensible array has data blocks in pages."""
    rows = np.full((132_000, layouts.COLUMNS), 3, "u1")
    written = slice(131_500, 131_510)
    rows[written] = layouts.values(random, 10, "u1")
    with h5py.File(tmp_path / "rows.h5", "w", libver="latest") as file:
        data = file.create_dataset("data", rows.shape, "u1", chunks=(1, layouts.COLUMNS),
                                   maxshape=maxshape, fillvalue=3, compression="gzip")
        data[written] = rows[written]
    for reader in READERS:
        rhohat.ok("convert", tmp_path / "rows.h5", tmp_path / f"{reader}.h5", "--reader", reader)
        with h5py.File(tmp_path / f"{reader}.h5") as file:
            assert np.array_equal(file["data"][:], rows)
