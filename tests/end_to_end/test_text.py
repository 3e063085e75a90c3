"""Numbers in text: what `convert` reads is what Python's float() and NumPy read, whatever the locale
says of decimal commas."""

import csv
import gzip
import io
import subprocess
import sys

import numpy as np
import pytest

from foreign import check


@pytest.fixture(scope="session")
def german(tmp_path_factory):
    """An environment in which 1.5 is written 1,5; the locale is compiled for the tests alone."""
    folder = tmp_path_factory.mktemp("locales")
    made = subprocess.run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8",
                           str(folder / "de_DE.UTF-8")], capture_output=True, text=True)
    assert made.returncode == 0, f"{made.stderr}: scripts/setup.sh installs the package locales"
    environment = {"LOCPATH": str(folder), "LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8",
                   "LANG": "de_DE.UTF-8"}
    question = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.str(1.5))"
    answer = subprocess.run([sys.executable, "-I", "-c", question], env=environment,
                            capture_output=True, text=True)
    assert answer.stdout == "1,5\n", answer
    return environment


@pytest.fixture(params=["plain", "german"])
def convert(request, rhohat, tmp_path):
    """Converts text or bytes, as of a file of this name, under either locale; returns the path."""
    environment = request.getfixturevalue("german") if request.param == "german" else {}

    def run(content, *flags, name="in.csv", more=()):
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}.h5"
        rhohat.ok("convert", tmp_path / name, *more, out, *flags, environment=environment)
        return out

    return run


def table(rows, delimiter=",", end="\n", header=None):
    lines = [delimiter.join(row) for row in ([header] if header else []) + rows]
    return end.join(lines) + end


def floats(rows):
    return np.array([[float(field) for field in row] for row in rows])


def texts_of(values, form=repr):
    return [[form(float(value)) for value in row] for row in values]


FORMS = {"shortest": repr, "17_digits": "{:.17g}".format, "6_decimals": "{:.6f}".format,
         "scientific": "{:.9E}".format, "signed": "{:+.4e}".format,
         "30_digits": "{:.30e}".format, "few_digits": "{:.3g}".format}


@pytest.mark.each_third_fast
@pytest.mark.parametrize("form", FORMS)
def test_every_way_of_writing_a_number(convert, random, form):
    values = random.normal(size=(50, 6)) * 10.0 ** random.integers(-20, 20, size=(50, 6))
    rows = texts_of(values, FORMS[form])
    out = convert(table(rows))
    check(out, floats(rows))
    check(out, np.loadtxt(io.StringIO(table(rows)), delimiter=","))


@pytest.mark.fast
def test_numbers_at_the_edges(convert):
    rows = [["0", "-0", "+0", "-0.0"], [".5", "5.", "-.5e1", "+5.E-1"],
            ["1e308", "-1.7976931348623157e308", "5e-324", "2.2250738585072014e-308"],
            ["4.9e-325", "2e-324", "1e-400", "0.000000000000000000000000000001"],
            ["9007199254740993", "9007199254740992.5", "18446744073709551616", "1" + "0" * 40],
            ["1.00000000000000011102230246251565404", "1.00000000000000011102230246251565405",
             "8.5e22", "1e23"],
            ["inf", "-inf", "Infinity", "+INF"], ["00012.50", "1E5", "1e+5", "0e999"]]
    check(convert(table(rows)), floats(rows))


@pytest.mark.each_third_fast
@pytest.mark.parametrize("name, delimiter", [("comma", ","), ("tab", "\t"), ("semicolon", ";"),
                                             ("pipe", "|"), ("space", " "), (":", ":")])
def test_delimiters(convert, random, name, delimiter):
    rows = texts_of(random.normal(size=(20, 4)))
    content = table(rows, delimiter)
    expected = np.loadtxt(io.StringIO(content), delimiter=delimiter)
    if name != ":":
        check(convert(content), expected)  # found out
    check(convert(content, "--delimiter", name), expected)


@pytest.mark.fast
def test_runs_of_spaces_as_savetxt_aligns(convert, random):
    values = random.normal(size=(20, 4)) * 1000
    content = "".join("".join(f"{value:14.5f}" for value in row) + "\n" for row in values)
    check(convert(content), np.loadtxt(io.StringIO(content)))


@pytest.mark.fast
def test_what_savetxt_writes(convert, random):
    text = io.StringIO()
    np.savetxt(text, random.normal(size=(20, 4)), header="from NumPy")
    check(convert(text.getvalue()), np.loadtxt(io.StringIO(text.getvalue())))


@pytest.mark.each_third_fast
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not_ended"])
def test_line_ends(convert, random, end, last):
    rows = texts_of(random.normal(size=(20, 4)))
    content = table(rows, end=end, header=list("abcd"))
    check(convert(content if last else content[:-len(end)]), floats(rows))


@pytest.mark.fast
def test_byte_order_mark(convert):
    check(convert(b"\xef\xbb\xbfa,b\n1,2\n3,4\n"), np.array([[1.0, 2], [3, 4]]))
    check(convert(b"\xef\xbb\xbf1,2\n3,4\n"), np.array([[1.0, 2], [3, 4]]))


@pytest.mark.fast
def test_quotes(convert, random):
    rows = texts_of(random.normal(size=(20, 3)))
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([['a "b", c', "line\nend", "c"], *rows])
    expected = floats(list(csv.reader(io.StringIO(text.getvalue(), newline="")))[1:])
    check(convert(text.getvalue()), expected)
    check(convert(text.getvalue(), "--use-columns", "line\nend"), expected[:, 1:2])


@pytest.mark.fast
def test_gzipped(convert, random):
    rows = texts_of(random.normal(size=(500, 4)))
    packed = gzip.compress(table(rows[:200]).encode()) + gzip.compress(table(rows[200:]).encode())
    check(convert(packed, name="in.csv.gz"), floats(rows))


@pytest.mark.fast
def test_more_than_a_buffer(convert, random):
    """Records that are cut by what is read at a time, which is 256 KiB."""
    rows = texts_of(random.normal(size=(4000, 40)))
    check(convert(table(rows, header=[f"c{i}" for i in range(40)])), floats(rows))
    wide = texts_of(random.normal(size=(3, 40_000)))
    check(convert(table(wide)), floats(wide))


@pytest.mark.fast
def test_one_column(convert, random):
    rows = texts_of(random.normal(size=(20, 1)))
    check(convert(table(rows)), floats(rows))
    check(convert(table(rows, header=["x"])), floats(rows))


@pytest.mark.fast
def test_header(convert):
    numbers = "2019,2020\n1,2\n3,4\n"
    everything = np.loadtxt(io.StringIO(numbers), delimiter=",")
    check(convert(numbers), everything)
    check(convert(numbers, "--header", "no"), everything)
    check(convert(numbers, "--header", "yes"), everything[1:])
    check(convert(numbers, "--header", "yes", "--use-columns", "1-1"), everything[1:, 1:])


COLUMNS = {"age": [1], "height,age": [2, 1], "0": [0], "3-4,0": [3, 4, 0],
           "4,age,2-3": [4, 1, 2, 3], "a b": [4]}


@pytest.mark.each_third_fast
@pytest.mark.parametrize("wanted", COLUMNS)
def test_columns_by_name_and_number(convert, random, wanted):
    rows = texts_of(random.normal(size=(20, 5)))
    content = table(rows, header=["id", "age", "height", "", "a b"])
    check(convert(content, "--use-columns", wanted), floats(rows)[:, COLUMNS[wanted]])


@pytest.mark.fast
def test_columns_of_text_are_left_out(convert):
    content = "name,x,y\nAda,1.5,2\nGrace,3,4.25\n"
    check(convert(content, "--use-columns", "x,y"), np.array([[1.5, 2], [3, 4.25]]))


MISSING = "x,y,z\n1,2,3\n4,,6\n7,NA,9\n10,nan,12\n13,14,n/a\n16,17,18\n"


@pytest.mark.fast
def test_missing_values(convert):
    # genfromtxt does not know NA, N/A and their like by itself.
    with_nan = np.genfromtxt(io.StringIO(MISSING), delimiter=",", skip_header=1)
    assert np.isnan(with_nan).sum() == 4
    check(convert(MISSING, "--missing", "nan"), with_nan)
    check(convert(MISSING, "--missing", "-1.5"), np.nan_to_num(with_nan, nan=-1.5))
    check(convert(MISSING, "--missing", "skip"), with_nan[~np.isnan(with_nan).any(axis=1)])
    # Only what is wanted counts.
    check(convert(MISSING, "--missing", "skip", "--use-columns", "x,z"),
          with_nan[[0, 1, 2, 3, 5]][:, [0, 2]])


@pytest.mark.fast
def test_missing_value_is_an_error_unless_told(rhohat, tmp_path):
    (tmp_path / "in.csv").write_text(MISSING)
    line = rhohat.fails(65, "convert", tmp_path / "in.csv", tmp_path / "out.h5")
    assert "line 3, column 1" in line and '"y"' in line and "--missing" in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.fast
def test_decimal_commas_are_refused(rhohat, german, tmp_path):
    """Also where the locale has them: what a file means must not depend on who reads it."""
    (tmp_path / "in.csv").write_text("a;b\n1,5;2,5\n")
    line = rhohat.fails(65, "convert", tmp_path / "in.csv", tmp_path / "out.h5",
                        environment=german)
    assert "line 2, column 0" in line and "decimal comma" in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.fast
def test_a_first_line_with_a_slip_is_no_header(rhohat, tmp_path):
    (tmp_path / "in.csv").write_text("1O,2\n3,4\n")
    line = rhohat.fails(65, "convert", tmp_path / "in.csv", tmp_path / "out.h5")
    assert "line 1:" in line and "'1O'" in line and "--header no" in line
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.fast
def test_names_in_the_first_line_are_told_of(rhohat, tmp_path):
    (tmp_path / "in.csv").write_text("x,y\n3,4\n")
    shown = rhohat.ok("convert", tmp_path / "in.csv", tmp_path / "out.h5").stderr
    assert "note: " in shown and "line 1 is taken for the names of the columns" in shown


@pytest.mark.fast
def test_a_column_of_text_is_refused_with_the_way_out(rhohat, tmp_path):
    (tmp_path / "in.csv").write_text("name,x\nAda,1\nGrace,2\n")
    line = rhohat.fails(65, "convert", tmp_path / "in.csv", tmp_path / "out.h5")
    assert "line 2, column 0" in line and "Ada" in line and "--use-columns" in line


@pytest.mark.each_third_fast
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "uint8"])
def test_types_that_text_becomes(convert, random, dtype):
    rows = [[f"{value}" for value in row] for row in random.integers(0, 255, size=(20, 4))]
    check(convert(table(rows), "--dtype", dtype), floats(rows).astype(dtype))
    if dtype.startswith("float"):
        rows = texts_of(random.normal(size=(20, 4)))
        check(convert(table(rows), "--dtype", dtype), floats(rows).astype(dtype))


@pytest.mark.fast
def test_scale_and_substitute_are_read_in_the_same_way(convert):
    check(convert("1,2\n,4\n", "--header", "no", "--missing", "0.5", "--scale", "0.25"),
          (np.array([[1, 2], [0.5, 4]]) * 0.25).astype("float32"))


@pytest.mark.fast
def test_text_joined_with_other_formats(convert, random, tmp_path):
    array = random.normal(size=(5, 4)).astype("float32")
    np.save(tmp_path / "rows.npy", array)
    rows = texts_of(random.normal(size=(6, 4)))
    check(convert(table(rows, header=list("abcd")), more=[tmp_path / "rows.npy"]),
          np.concatenate([floats(rows), array]))
