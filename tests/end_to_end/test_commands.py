"""What other commands make of a trained model: codes, pictures, descriptions, plans and help."""

import json
import re

import h5py
import numpy as np
import pytest

import layouts
import oracle
from program import PROJECT, python
from png import read_png
from trained import COLUMNS, HIDDEN, ROWS

pytestmark = pytest.mark.fast

COMMANDS = ["train", "evaluate", "encode", "reconstruct", "score", "gradcheck", "features", "plan",
            "bench", "convert", "info"]


def test_encode(rhohat, any_run, tmp_path):
    rhohat.ok("encode", any_run.model, any_run.data, "--out", tmp_path / "codes.h5")
    expected = oracle.encode(oracle.parameters_of(any_run.model), layouts.flat(any_run.rows))
    with h5py.File(tmp_path / "codes.h5") as file:
        codes = file["codes"][:]
    precision = codes.dtype
    assert precision == oracle.read_safetensors(any_run.model)[0]["encoder.weight"].dtype
    assert codes.shape == (ROWS, HIDDEN)
    assert np.allclose(codes, expected, rtol=0, atol=1e-6 if precision == np.float32 else 1e-14)


def test_encode_keeps_the_order_of_several_files(rhohat, run, tmp_path):
    cuts = (0, 7, 300, ROWS)
    parts = [layouts.write(tmp_path / f"part{i}.h5", run.rows[begin:end])
             for i, (begin, end) in enumerate(zip(cuts, cuts[1:]))]
    rhohat.ok("encode", run.model, *parts, "--out", tmp_path / "codes.h5")
    rhohat.ok("encode", run.model, run.data, "--out", tmp_path / "whole.h5")
    with h5py.File(tmp_path / "codes.h5") as codes, h5py.File(tmp_path / "whole.h5") as whole:
        assert np.array_equal(codes["codes"][:], whole["codes"][:])


@pytest.mark.parametrize("flags, shape", [([], (4, 4, 1)), (["--shape", "2x8"], (2, 8, 1))])
def test_features_in_grey(rhohat, run, tmp_path, flags, shape):
    rhohat.ok("features", run.model, "--out", tmp_path / "f.png", "--scale", 1, *flags)
    check_picture(read_png(tmp_path / "f.png"), run, shape)


def test_features_in_colour(rhohat, tmp_path, random):
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 50, columns=3 * 4 * 3))
    rhohat.ok("train", data, "--hidden", 5, "--iterations", 3, "--run", tmp_path / "run")
    model = tmp_path / "run/model.safetensors"
    rhohat.ok("features", model, "--out", tmp_path / "f.png", "--scale", 1, "--shape", "3x4x3")
    picture = read_png(tmp_path / "f.png")
    assert picture.shape[2] == 3
    for row in oracle.parameters_of(model)["encoder.weight"]:
        assert holds_tile(picture, row.reshape(3, 4, 3))


def test_features_without_flags_are_large_enough_to_see(rhohat, run, tmp_path):
    rhohat.ok("features", run.model, "--out", tmp_path / "f.png")
    height, width, _ = read_png(tmp_path / "f.png").shape
    assert 30 <= height <= 4000 and 30 <= width <= 4000


def check_picture(picture, run, shape):
    weights = oracle.parameters_of(run.model)["encoder.weight"]
    for row in weights:
        assert holds_tile(picture, row.reshape(shape))
    # A grid with narrow borders and few empty places.
    assert picture[..., 0].size < 4 * (shape[0] + 2) * (shape[1] + 2) * len(weights)


def holds_tile(picture, tile):
    """Whether the picture shows the tile: mid-grey plus the weights at their own scale."""
    expected = 127.5 + 127.5 * tile / np.abs(tile).max()
    windows = np.lib.stride_tricks.sliding_window_view(picture, tile.shape)
    return bool((np.abs(windows - expected) <= 1.5).all(axis=(-1, -2, -3)).any())


def test_info_on_data_and_model(rhohat, run, tmp_path):
    about_data = rhohat.ok("info", run.data).stdout
    for word in ("/data", str(ROWS), str(COLUMNS), "float32", "64"):
        assert word in about_data, word
    about_model = rhohat.ok("info", run.model).stdout
    for word in (str(COLUMNS), str(HIDDEN), "rows.h5", "0.1", "0.003", str(ROWS)):
        assert word in about_model, word
    packed = layouts.write(tmp_path / "packed.h5", run.rows.astype(">i2"), chunks=(50, 8),
                           compression="gzip", shuffle=True, fletcher32=True)
    about_packed = rhohat.ok("info", packed).stdout
    for word in ("int16", "50", "gzip", "shuffle", "fletcher32"):
        assert word in about_packed, word
    both = rhohat.ok("info", run.data, run.model).stdout
    assert "/data" in both and "rows.h5" in both


def test_info_goes_on_behind_a_file_that_it_cannot_read(rhohat, run, tmp_path):
    result = rhohat("info", tmp_path / "absent.h5", run.folder, run.data)
    assert result.code == 66 and "/data" in result.stdout
    assert "absent.h5: " in result.error()
    assert f"found a folder; is {run.model} meant?" in result.error()


def test_info_says_what_no_numbers_are(rhohat, tmp_path):
    with h5py.File(tmp_path / "mixed.h5", "w") as file:
        file["waves"] = np.ones((3, 2), "<c8")
        file["names"] = np.full((3, 2), b"name")
    text = rhohat.ok("info", tmp_path / "mixed.h5").stdout
    assert "3×2 of complex numbers" in text and "3×2 of strings" in text
    assert "of complex numbers" in rhohat.fails(65, "plan", tmp_path / "mixed.h5", "--hidden", 3)


def test_info_calls_many_small_chunks_tiny(rhohat, tmp_path):
    data = layouts.write(tmp_path / "rows.h5", np.ones((1000, 8), "f4"), chunks=(1, 8))
    assert "chunks are tiny: 1000 of 32 bytes" in rhohat.ok("info", data).stdout


@pytest.mark.parametrize("command", ["encode", "reconstruct", "score", "features", "gradcheck"])
def test_an_output_replaces_only_what_such_a_command_wrote(rhohat, run, tmp_path, command):
    out = tmp_path / "out"
    words = {"features": [run.model], "gradcheck": [run.model, run.data, "--sample", 1]}
    words = [command, *words.get(command, [run.model, run.data]), "--out", out]
    rhohat.ok(*words)
    written = out.read_bytes()
    rhohat.ok(*words)
    assert out.read_bytes() == written
    for other in (run.data.read_bytes(), run.model.read_bytes(), b"text"):
        out.write_bytes(other)
        assert f"{out}: expected a new name" in rhohat.fails(73, *words)
        assert out.read_bytes() == other


def test_results_for_rows_replace_one_another_and_an_empty_file(rhohat, run, tmp_path):
    out = tmp_path / "out.h5"
    out.touch()
    for command, name in (("encode", "codes"), ("score", "scores"),
                          ("reconstruct", "reconstruction")):
        rhohat.ok(command, run.model, run.data, "--out", out)
        with h5py.File(out) as file:
            assert list(file) == [name]


def test_an_output_goes_where_a_link_leads_though_nothing_is_there(rhohat, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.h5").symlink_to("elsewhere/new.h5")
    rhohat.ok("synth", tmp_path / "link.h5", "--rows", 3, "--patch", "4x4")
    assert (tmp_path / "link.h5").is_symlink() and (tmp_path / "elsewhere/new.h5").is_file()


def test_flags_that_the_optimiser_does_not_use_are_told_of(rhohat, run, tmp_path):
    words = ["train", run.data, "--hidden", 3, "--iterations", 1, "--optimizer", "gd", "--run"]
    shown = rhohat.ok(*words, tmp_path / "run", "--epochs", 5, "--history", 3).stderr
    note = "note: the chosen --optimizer does not use --history and --epochs"
    assert shown.count(note) == 1
    again = rhohat.ok("train", "--config", tmp_path / "run/config.toml", "--run", tmp_path / "new")
    assert "does not use" not in again.stderr


def test_plan_adds_up(rhohat, run):
    shown = rhohat.ok("plan", run.data, "--hidden", HIDDEN, "--memory", "1G", "--threads", 2,
                      "--measure", "off", "--json")
    plan = json.loads(shown.stdout)
    assert plan["rows"] == ROWS and plan["columns"] == COLUMNS and plan["threads"] == 2
    assert plan["budget_bytes"] == 2**30
    assert plan["total_bytes"] == sum(item["bytes"] for item in plan["items"])
    assert plan["least_bytes"] <= plan["total_bytes"] <= plan["budget_bytes"]
    # 12nh per row in two passes, of which codes that are kept spare 2nh: docs/math.md §3.
    assert plan["schedule"] == "cached" and plan["kept_codes"] == ROWS
    assert plan["flops_per_evaluation"] == pytest.approx(10 * COLUMNS * HIDDEN * ROWS, rel=0.01)
    assert plan["kept_rows"] == ROWS and plan["bytes_read_per_evaluation"] == 0
    for_people = rhohat.ok("plan", run.data, "--hidden", HIDDEN, "--memory", "1G").stdout
    for item in plan["items"]:
        assert item["name"] in for_people
    least = json.loads(rhohat.ok("plan", run.data, "--hidden", HIDDEN, "--memory",
                                 plan["least_bytes"], "--threads", 2, "--measure", "off",
                                 "--json").stdout)
    assert least["kept_rows"] == 0 and least["cache_bytes"] == 0
    assert least["schedule"] == "fused"
    assert least["bytes_read_per_evaluation"] == run.rows.nbytes
    assert least["flops_per_evaluation"] == pytest.approx(12 * COLUMNS * HIDDEN * ROWS, rel=0.01)


def test_plan_writes_nothing(rhohat, small_data, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    rhohat.ok("plan", small_data, "--hidden", 5, "--run", tmp_path / "run", cwd=tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_evaluate_for_people_and_for_scripts_agree(rhohat, run):
    figures = json.loads(rhohat.ok("evaluate", run.model, run.data, "--json").stdout)
    assert figures["cost"] == pytest.approx(run.metrics[-1]["cost"], rel=1e-6)
    lines = rhohat.ok("evaluate", run.model, run.data).stdout
    found = re.search(r"^J +(\S+)", lines, re.MULTILINE)
    assert float(found.group(1)) == pytest.approx(figures["cost"], rel=1e-4)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(rhohat, command):
    shown = rhohat.ok(command, "--help")
    assert shown.stderr == ""
    assert f"rhohat {command}" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 100
    assert rhohat.ok(command, "-h").stdout == shown.stdout


def test_overview_names_every_command(rhohat):
    overview = rhohat.ok("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", overview, re.MULTILINE), command
    assert re.match(r"rhohat \d+\.\d+\.\d+\n$", rhohat.ok("--version").stdout)


def test_command_line_docs_are_those_of_the_program(rhohat):
    checked = python(PROJECT / "scripts/update_cli_docs.py", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_info_keeps_control_characters_from_the_terminal(rhohat, tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("a\x1b[31mb", data=np.zeros((4, 3), "f4"))
    assert "\x1b" not in rhohat.ok("info", tmp_path / "rows.h5", "--stats").stdout
