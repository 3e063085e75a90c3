"""From one type to another: as NumPy rounds, and what does not fit is an error that says where."""

import itertools

import h5py
import numpy as np
import pytest

from foreign import SMALL_TYPES, array_of, check

pytestmark = pytest.mark.slow

PLACE = (13, 2)  # row and column of the one value that does not fit
FLOATS = ("<f2", "<f4", "<f8")
INTEGERS = tuple(kind for kind in SMALL_TYPES if kind not in FLOATS)


def limits(dtype):
    dtype = np.dtype(dtype).newbyteorder("=")
    return np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)


def fits(value, target):
    """Whether a number, of Python's, becomes one of this type."""
    if np.dtype(target).kind == "f":
        # The first to be rounded to infinity is half a unit past the largest.
        largest = limits(target).max
        past = np.dtype(target).itemsize == 8 or abs(value) < (
            int(largest) + int(largest - np.nextafter(largest, largest.dtype.type(0))) // 2)
        return bool(past)
    return limits(target).min <= value <= limits(target).max


def misfits(source, target):
    """Of the extreme values of `source` those that do not fit `target`."""
    extremes = [limits(source).min, limits(source).max]
    if np.dtype(source).kind == "f":
        return [float(value) for value in extremes if not fits(float(value), target)]
    return [int(value) for value in extremes if not fits(int(value), target)]


PAIRS = [(source, target) for source, target in itertools.product(SMALL_TYPES, SMALL_TYPES)
         if misfits(source, target)]


def write(path, value, source):
    array = np.ones((20, 5), source)
    array[PLACE] = value
    np.save(path, array)
    return array


@pytest.mark.parametrize("source, target", PAIRS)
def test_value_that_does_not_fit(rhohat, tmp_path, source, target):
    source, target = np.dtype(source), np.dtype(target)
    value = misfits(source, target)[-1]
    array = write(tmp_path / "in.npy", value, source)
    flags = [tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", target.name]
    line = rhohat.fails(65, "convert", *flags)
    assert "in.npy" in line and f"row {PLACE[0]}, column {PLACE[1]}: " in line
    found = line.split("column 2: ")[1].split(" does not fit")[0]
    assert type(value)(found) == value, line
    assert f" {target.name};" in line and "--clip" in line
    assert not (tmp_path / "out.h5").exists()
    rhohat.ok("convert", *flags, "--clip")
    check(tmp_path / "out.h5", clipped(array, target))


def clipped(array, target):
    """As numpy.clip does it; ones and one extreme value are all there is."""
    if target.kind == "f":
        return np.clip(array.astype("f8"), limits(target).min, limits(target).max).astype(target)
    least, most = int(limits(target).min), int(limits(target).max)
    if array.dtype.kind == "f":
        # The largest integers are no floats: beyond them there is only the limit itself.
        inside = np.rint(np.where(np.abs(array) < 100, array, 0)).astype(target)
        return np.where(array > 100, most, np.where(array < -100, least, inside)).astype(target)
    bounds = [max(least, int(limits(array.dtype).min)), min(most, int(limits(array.dtype).max))]
    return np.clip(array, *(array.dtype.type(bound) for bound in bounds)).astype(target)


@pytest.mark.parametrize("source", SMALL_TYPES)
def test_value_that_does_not_fit_bfloat16(rhohat, tmp_path, source):
    """Which has float32's range nearly, so that only two types exceed it."""
    value = limits(source).max
    write(tmp_path / "in.npy", value, source)
    flags = [tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", "bfloat16"]
    if source not in ("<f4", "<f8"):
        rhohat.ok("convert", *flags)
        return
    line = rhohat.fails(65, "convert", *flags)
    assert "row 13, column 2: " in line and " bfloat16;" in line
    rhohat.ok("convert", *flags, "--clip")
    rhohat.ok("convert", tmp_path / "out.h5", tmp_path / "wide.h5", "--dtype", "float64")
    with h5py.File(tmp_path / "wide.h5") as file:
        assert file["data"][PLACE] == float.fromhex("0x1.fep127")


@pytest.mark.parametrize("target", INTEGERS)
@pytest.mark.parametrize("source", FLOATS)
def test_not_a_number_is_no_integer(rhohat, tmp_path, source, target):
    write(tmp_path / "in.npy", np.nan, source)
    for flags in ([], ["--clip"]):
        line = rhohat.fails(65, "convert", tmp_path / "in.npy", tmp_path / "out.h5", "--dtype",
                            np.dtype(target).name, *flags)
        assert "row 13, column 2: nan does not fit" in line
        assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("target", SMALL_TYPES)
def test_infinity(rhohat, tmp_path, target):
    """Floating point has it; the nearest integer is the largest."""
    target = np.dtype(target)
    for value, nearest in ((np.inf, limits(target).max), (-np.inf, limits(target).min)):
        array = write(tmp_path / "in.npy", value, "f4")
        flags = [tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", target.name, "--force"]
        expected = np.ones(array.shape, target)
        expected[PLACE] = value if target.kind == "f" else nearest
        if target.kind != "f":
            assert "row 13, column 2: " in rhohat.fails(65, "convert", *flags)
        rhohat.ok("convert", *flags, "--clip")
        check(tmp_path / "out.h5", expected)


@pytest.mark.parametrize("name", ["in.csv", "in.h5", "two.npy"])
def test_where_the_value_stands_in_other_inputs(rhohat, tmp_path, name):
    """Its row is that of its own file, the first of all being 0; its column has the name it has."""
    array = np.ones((20, 5))
    array[PLACE] = 300
    column = "column 2"
    inputs = [tmp_path / name]
    if name == "in.csv":
        np.savetxt(tmp_path / name, array, delimiter=",", header="a,b,c,d,e", comments="")
        column = 'column 2 ("c"): '
    elif name == "in.h5":
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("x", data=array, chunks=(3, 2))
    else:
        np.save(tmp_path / "one.npy", np.ones((50, 5)))
        np.save(tmp_path / name, array)
        inputs = [tmp_path / "one.npy", tmp_path / name]
    line = rhohat.fails(65, "convert", *inputs, tmp_path / "out.h5", "--dtype", "uint8")
    assert name in line and "row 13" in line and column in line and "300" in line
    # Cut out, it is still called as it is in its file.
    first = 50 if len(inputs) == 2 else 0
    line = rhohat.fails(65, "convert", *inputs, tmp_path / "out.h5", "--dtype", "uint8", "--rows",
                        f"{first + 5}:", "--use-columns", "4,2")
    assert name in line and "row 13" in line and column in line and "300" in line


def test_the_first_of_several_misfits_is_named(rhohat, tmp_path, random):
    array = np.zeros((5000, 50), "<f4")
    array[4000:] = 1e6
    array[2500, 33] = -7
    np.save(tmp_path / "in.npy", array)
    for _ in range(3):
        line = rhohat.fails(65, "convert", tmp_path / "in.npy", tmp_path / "out.h5", "--dtype",
                            "uint8", "--chunk-rows", 10)
        assert "row 2500, column 33: -7 does not fit uint8" in line


def fitting(random, source, target):
    """Values of `source` that fit `target`, ties and tiny ones among them."""
    array = array_of(random, (40, 25), source)
    if np.dtype(source).kind == "f" and np.dtype(target).kind == "f":
        small = min(np.dtype(source), np.dtype(target), key=lambda dtype: dtype.itemsize)
        mantissa = random.integers(0, 2**26, size=(20, 25)) / 2**24
        exponent = random.integers(limits(small).minexp - 12, limits(small).maxexp - 2,
                                   size=(20, 25))
        array[:20] = np.ldexp(mantissa, exponent).astype(source)
        array[20, :6] = [0, -0.0, np.inf, -np.inf, limits(small).max, limits(small).min]
        wide = array[21:].astype("f8")
        keep = ~(np.abs(wide) > float(limits(small).max))
        array[21:] = np.where(keep, wide, 1.5).astype(source)
        array[np.isnan(array)] = -1.5
        return array
    if np.dtype(target).kind == "f":
        return array if fits(int(limits(source).max), target) else np.clip(array, 0, 65504)
    least, most = int(limits(target).min), int(limits(target).max)
    if np.dtype(source).kind == "f":
        scale = min(most, float(limits(source).max) / 2, 2.0**40)
        array = random.uniform(max(least, -scale), scale, size=(40, 25)).astype(source)
        array[:10] = random.integers(0, 100, size=(10, 25)) + 0.5  # ties
        return array
    return np.clip(array, max(least, int(limits(source).min)), min(most, int(limits(source).max)))


@pytest.mark.parametrize("source", (*SMALL_TYPES, ">i4", ">f8"))
def test_values_that_fit_are_rounded_as_numpy_does(rhohat, tmp_path, random, source):
    """Integers made of fractions are the nearest ones, even ones where two are as near."""
    for target in SMALL_TYPES:
        array = fitting(random, source.replace(">", "<"), target).astype(source)
        np.save(tmp_path / "in.npy", array)
        rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5", "--force", "--dtype",
                  np.dtype(target).name)
        rounded = np.rint(array) if array.dtype.kind == "f" and target in INTEGERS else array
        check(tmp_path / "out.h5", rounded.astype(target))


@pytest.mark.parametrize("source", ["<i8", "<u8", ">i8"])
def test_wide_integers_are_rounded_once(rhohat, tmp_path, random, source):
    """Not to float64 first and then to float32, which differs beside ties."""
    exponents = random.integers(54, 62, size=(60, 10))
    ties = (1 << exponents) + (1 << (exponents - 24))
    array = (ties + random.integers(-1, 2, size=ties.shape)).astype(source)
    if source == "<i8":
        array[::2] *= -1
    assert (array.astype("f8").astype("f4") != array.astype("f4")).any()
    np.save(tmp_path / "in.npy", array)
    rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5", "--dtype", "float32")
    check(tmp_path / "out.h5", array.astype("f4"))


@pytest.mark.parametrize("source", (*SMALL_TYPES, ">i2", ">f4"))
def test_scale(rhohat, tmp_path, random, source):
    array = array_of(random, (30, 8), source)
    if array.dtype.kind == "f":
        array[~(np.abs(array) < 1e30)] = 0.5
    np.save(tmp_path / "in.npy", array)
    for flags, factor, dtype in ((["1/255"], 1 / 255, "float32"),
                                 (["-2.5e-3", "--dtype", "float64"], -2.5e-3, "float64")):
        rhohat.ok("convert", tmp_path / "in.npy", tmp_path / "out.h5", "--force", "--scale", *flags)
        check(tmp_path / "out.h5", (array.astype("f8") * factor).astype(dtype))


def test_scale_and_clip_to_bytes(rhohat, tmp_path, random):
    array = random.uniform(-0.5, 1.5, size=(50, 20)).astype("float32")
    np.save(tmp_path / "in.npy", array)
    flags = [tmp_path / "in.npy", tmp_path / "out.h5", "--scale", 255, "--dtype", "uint8"]
    assert "does not fit uint8" in rhohat.fails(65, "convert", *flags)
    rhohat.ok("convert", *flags, "--clip")
    check(tmp_path / "out.h5", np.clip(np.rint(array.astype("f8") * 255), 0, 255).astype("u1"))
