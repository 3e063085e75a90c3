"""Input that cannot be used ends with its exit code and one clear line, and leaves nothing behind.

The codes are those of sysexits: 64 usage, 65 bad data or model, 66 no such input, 73 cannot create.
Disks that fill up have a file of their own, test_full_disk.py.
"""

import os
import resource

import h5py
import numpy as np
import pytest

import faulty
import layouts
from program import leftovers, read_metrics


def train_flags(tmp_path):
    return ["--hidden", 3, "--iterations", 2, "--run", tmp_path / "run"]


def check_nothing_left(tmp_path, *outputs):
    assert leftovers(tmp_path) == []
    for output in outputs:
        assert not (tmp_path / output).exists(), output


def check_names(line, words):
    for word in words:
        assert word in line, f"{line!r} does not name {word!r}"


@pytest.mark.each_third_fast
@pytest.mark.parametrize("fault", faulty.FAULTS)
def test_training_on(rhohat, tmp_path, random, fault):
    data, words = faulty.FAULTS[fault](tmp_path, random)
    code = faulty.CODES.get(fault, 65)
    line = rhohat.fails(code, "train", *data, *train_flags(tmp_path), alone=False)
    check_names(line, words)
    check_nothing_left(tmp_path)


@pytest.mark.each_third_fast
@pytest.mark.parametrize("fault", faulty.FAULTS)
def test_encoding(rhohat, model, tmp_path, random, fault):
    data, words = faulty.FAULTS[fault](tmp_path, random)
    code = faulty.CODES.get(fault, 65)
    line = rhohat.fails(code, "encode", model, *data, "--out", tmp_path / "codes.h5", alone=False)
    check_names(line, words)
    check_nothing_left(tmp_path, "codes.h5")


@pytest.mark.fast
@pytest.mark.parametrize("fault", ["truncated", "nan", "damaged_checksummed_chunk", "no_rows"])
def test_evaluating(rhohat, model, tmp_path, random, fault):
    data, words = faulty.FAULTS[fault](tmp_path, random)
    result = rhohat("evaluate", model, *data, "--json")
    assert result.code == 65, str(result)
    check_names(result.error(), words)
    assert result.stdout == ""


@pytest.mark.fast
@pytest.mark.parametrize("naming", [[], ["--dataset", "/data"]], ids=["found", "named"])
@pytest.mark.parametrize("kind", faulty.EXTERNAL)
def test_data_in_other_files_needs_a_flag(rhohat, model, tmp_path, random, kind, naming):
    data = [faulty.EXTERNAL[kind](tmp_path, random), *naming]
    line = rhohat.fails(65, "train", *data, *train_flags(tmp_path))
    check_names(line, ["rows.h5", "--follow-external"])
    line = rhohat.fails(65, "encode", model, *data, "--out", tmp_path / "codes.h5")
    check_names(line, ["rows.h5", "--follow-external"])
    check_nothing_left(tmp_path, "codes.h5")
    rhohat.ok("encode", model, *data, "--follow-external", "--out", tmp_path / "codes.h5")
    with h5py.File(data[0]) as rows, h5py.File(tmp_path / "codes.h5") as codes:
        layouts.write(tmp_path / "plain.h5", rows["data"][:])
        rhohat.ok("encode", model, tmp_path / "plain.h5", "--out", tmp_path / "plain_codes.h5")
        with h5py.File(tmp_path / "plain_codes.h5") as plain:
            assert np.array_equal(codes["codes"][:], plain["codes"][:])


@pytest.mark.fast
@pytest.mark.parametrize("naming", [[], ["--dataset", "/data"]], ids=["found", "named"])
@pytest.mark.parametrize("kind", faulty.EXTERNAL)
def test_missing_other_file(rhohat, model, tmp_path, random, kind, naming):
    """libhdf5 itself would hand out fill values here, and call that success."""
    data = [faulty.EXTERNAL[kind](tmp_path, random), *naming]
    missing = {"external_link": "other.h5", "external_storage": "rows.raw",
               "virtual_data_set": "source1.h5"}[kind]
    (tmp_path / missing).unlink()
    result = rhohat("encode", model, *data, "--follow-external", "--out", tmp_path / "codes.h5")
    assert result.code in (65, 66), str(result)
    check_names(result.error(), [missing])
    check_nothing_left(tmp_path, "codes.h5")


@pytest.mark.fast
@pytest.mark.parametrize("command", ["train", "encode", "evaluate", "gradcheck", "plan", "info"])
def test_missing_file(rhohat, model, tmp_path, command):
    absent = tmp_path / "absent.h5"
    arguments = {"train": [absent, *train_flags(tmp_path)],
                 "encode": [model, absent, "--out", tmp_path / "codes.h5"],
                 "evaluate": [model, absent],
                 "gradcheck": [model, absent, "--out", tmp_path / "g.safetensors"],
                 "plan": [absent, "--hidden", 3],
                 "info": [absent]}
    line = rhohat.fails(66, command, *arguments[command])
    check_names(line, ["absent.h5"])
    check_nothing_left(tmp_path, "codes.h5", "g.safetensors")


@pytest.mark.fast
def test_second_file_missing(rhohat, tmp_path, small_data):
    line = rhohat.fails(66, "train", small_data, tmp_path / "absent.h5", *train_flags(tmp_path))
    check_names(line, ["absent.h5"])
    check_nothing_left(tmp_path)


@pytest.mark.fast
def test_a_folder_as_data(rhohat, tmp_path):
    result = rhohat("train", tmp_path, *train_flags(tmp_path))
    assert result.code in (65, 66), str(result)
    check_names(result.error(), [str(tmp_path)])


@pytest.mark.fast
@pytest.mark.parametrize("command", ["encode", "reconstruct", "score", "evaluate", "gradcheck"])
def test_width_that_is_not_the_models(rhohat, model, tmp_path, random, command):
    data = layouts.write(tmp_path / "wide.h5", layouts.values(random, 20, columns=17))
    out = [] if command == "evaluate" else ["--out", tmp_path / "out"]
    line = rhohat.fails(65, command, model, data, *out)
    check_names(line, ["wide.h5", "17", str(layouts.COLUMNS)])
    check_nothing_left(tmp_path, "out")


@pytest.mark.fast
def test_hidden_is_required(rhohat, tmp_path, small_data):
    line = rhohat.fails(64, "train", small_data, "--run", tmp_path / "run")
    check_names(line, ["hidden"])


@pytest.mark.fast
def test_run_is_required(rhohat, tmp_path, small_data):
    line = rhohat.fails(64, "train", small_data, "--hidden", 3, cwd=tmp_path)
    check_names(line, ["run"])


@pytest.mark.fast
@pytest.mark.parametrize("flag, nearest", [("--hiden", "--hidden"), ("--lamda", "--lambda"),
                                           ("--iteration", "--iterations"), ("--mem", "--memory"),
                                           ("--dateset", "--dataset"), ("--thread", "--threads")])
def test_unknown_flag(rhohat, tmp_path, small_data, flag, nearest):
    line = rhohat.fails(64, "train", small_data, *train_flags(tmp_path), flag, "4")
    check_names(line, [flag, nearest])
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
def test_unknown_command(rhohat):
    check_names(rhohat.fails(64, "trian"), ["trian"])


@pytest.mark.fast
def test_no_command(rhohat):
    assert rhohat().code == 64


@pytest.mark.each_third_fast
@pytest.mark.parametrize("flag, value", [
    ("--rho", "2"), ("--rho", "0"), ("--rho", "1"), ("--rho", "nan"), ("--rho", "abc"),
    ("--beta", "-1"), ("--beta", "inf"), ("--lambda", "-0.1"), ("--lambda", "1e-3x"),
    ("--hidden", "0"), ("--hidden", "-4"), ("--hidden", "3,0"), ("--hidden", "1e30"),
    ("--hidden", ""), ("--iterations", "-1"), ("--iterations", "1.5"), ("--precision", "float16"),
    ("--lanes", "3"), ("--lanes", "-2"), ("--threads", "-1"), ("--block-rows", "-1"),
    ("--memory", "12Q"), ("--memory", "-1G"), ("--memory", "99999999T"), ("--optimizer", "newton"),
    ("--threads", "0"), ("--memory", "0"), ("--memory", "0G"), ("--stop-code", "256"),
    ("--mix", "0"), ("--fine-tune", "-1"),
    ("--history", "0"), ("--tolerance", "-1"), ("--activation", "step"), ("--schedule", "later")])
def test_value_that_cannot_be(rhohat, tmp_path, small_data, flag, value):
    flags = ["--run", tmp_path / "run", f"{flag}={value}"]
    flags += ["--hidden", "3"] if flag != "--hidden" else []
    line = rhohat.fails(64, "train", small_data, *flags)
    check_names(line, [flag.lstrip("-")])
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
def test_every_fault_is_named_at_once(rhohat, tmp_path, small_data):
    faults = ["--hidden", "0", "--rho", "2", "--beta", "-1", "--lanes", "3"]
    line = rhohat.fails(64, "train", small_data, "--run", tmp_path / "run", *faults)
    check_names(line, ["hidden", "rho", "beta", "lanes"])


@pytest.mark.each_third_fast
@pytest.mark.parametrize("place", ["missing/codes.h5", "folder", "file/codes.h5"])
@pytest.mark.parametrize("command", ["encode", "gradcheck", "features", "convert"])
def test_output_that_cannot_be_created(rhohat, model, tmp_path, small_data, command, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    np.save(tmp_path / "in.npy", np.zeros((3, 4), "float32"))
    out = tmp_path / place
    arguments = {"encode": [model, small_data, "--out", out],
                 "gradcheck": [model, small_data, "--out", out],
                 "features": [model, "--shape", "3x4", "--out", out],
                 "convert": [tmp_path / "in.npy", out]}
    line = rhohat.fails(73, command, *arguments[command])
    check_names(line, [str(out)])
    assert (tmp_path / "file").read_text() == "kept"
    assert list((tmp_path / "folder").iterdir()) == []
    check_nothing_left(tmp_path, "missing")


@pytest.mark.fast
@pytest.mark.parametrize("place", ["file", "file/run"])
def test_run_folder_that_cannot_be_created(rhohat, tmp_path, small_data, place):
    (tmp_path / "file").write_text("kept")
    line = rhohat.fails(73, "train", small_data, "--hidden", 3, "--run", tmp_path / place)
    check_names(line, [str(tmp_path / place)])
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.fast
def test_run_folder_that_holds_a_run(rhohat, tmp_path, small_data):
    rhohat.ok("train", small_data, *train_flags(tmp_path))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    line = rhohat.fails(73, "train", small_data, *train_flags(tmp_path))
    check_names(line, [str(tmp_path / "run")])
    after = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.fast
@pytest.mark.parametrize("command", ["encode", "reconstruct", "score"])
@pytest.mark.parametrize("over", ["data", "model", "data_by_another_name"])
def test_output_over_an_input(rhohat, model, tmp_path, small_data, over, command):
    own_model = tmp_path / "model"
    own_model.write_bytes(model.read_bytes())
    (tmp_path / "alias.h5").symlink_to(small_data)
    places = {"data": small_data, "model": own_model,
              "data_by_another_name": tmp_path / "alias.h5"}
    out = places[over]
    before = out.read_bytes()
    result = rhohat(command, own_model, small_data, "--out", out)
    assert out.read_bytes() == before
    assert result.code in (64, 73), str(result)
    check_names(result.error(), [str(out)])


@pytest.mark.fast
def test_a_link_as_output_is_followed(rhohat, model, tmp_path, small_data):
    rhohat.ok("encode", model, small_data, "--out", tmp_path / "real.h5")
    os.utime(tmp_path / "real.h5", (1, 1))
    (tmp_path / "link.h5").symlink_to(tmp_path / "real.h5")
    rhohat.ok("encode", model, small_data, "--out", tmp_path / "link.h5")
    assert (tmp_path / "real.h5").stat().st_mtime > 1
    assert (tmp_path / "link.h5").is_symlink()
    with h5py.File(tmp_path / "real.h5") as file:
        assert "codes" in file


@pytest.mark.fast
def test_a_pipe_as_output_is_refused(rhohat, model, tmp_path, small_data):
    (tmp_path / "out").symlink_to("/proc/self/fd/1")
    line = rhohat.fails(73, "encode", model, small_data, "--out", tmp_path / "out")
    check_names(line, ["not a file"])
    assert (tmp_path / "out").is_symlink()


@pytest.mark.fast
@pytest.mark.parametrize("command", ["info", "train", "evaluate"])
def test_a_pipe_as_input_is_refused_and_not_waited_for(rhohat, model, tmp_path, command):
    os.mkfifo(tmp_path / "pipe")
    before = [model] if command == "evaluate" else []
    after = train_flags(tmp_path) if command == "train" else []
    line = rhohat.fails(66, command, *before, tmp_path / "pipe", *after)
    check_names(line, ["pipe", "expected a file"])


def limit_address_space(kibibytes):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (kibibytes * 1024, kibibytes * 1024))


@pytest.fixture
def can_limit_address_space(sanitized, remark):
    if sanitized:
        remark("a sanitizer reserves terabytes of address space itself: no limit set")
    return not sanitized


@pytest.mark.fast
@pytest.mark.parametrize("kibibytes", [150_000, 300_000, 500_000])
def test_too_little_address_space_is_refused_and_not_waited_for(
        rhohat, tmp_path, small_data, can_limit_address_space, kibibytes):
    if can_limit_address_space:
        line = rhohat.fails(64, "train", small_data, *train_flags(tmp_path), "--threads", 2,
                            preexec_fn=limit_address_space(kibibytes))
        check_names(line, ["address space", "ulimit -v"])


@pytest.mark.fast
@pytest.mark.parametrize("threads", [None, "1", "3"])
def test_commands_that_need_little_address_space_do_with_little(
        rhohat, small_data, can_limit_address_space, monkeypatch, threads):
    if threads is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", threads)
    if can_limit_address_space:
        for words in (("--version",), ("info", small_data)):
            rhohat.ok(*words, preexec_fn=limit_address_space(150_000))


@pytest.mark.fast
def test_a_cost_that_is_not_finite_is_an_error(rhohat, tmp_path, random):
    array = layouts.values(random, 50).astype("<f8") * 1e200
    data = layouts.write(tmp_path / "rows.h5", array)
    line = rhohat.fails(65, "train", data, *train_flags(tmp_path), "--precision", "float64",
                        alone=False)
    check_names(line, ["starting point"])
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
@pytest.mark.parametrize("flags", [("--lambda", "1e308"), ("--kappa", "1e308"),
                                   ("--noise", "gaussian:1e308")])
def test_a_gradient_that_is_not_finite_passes_no_check(rhohat, model, tmp_path, small_data, flags):
    line = rhohat.fails(65, "gradcheck", model, small_data, *flags, alone=False)
    check_names(line, ["nothing to compare"])
    line = rhohat.fails(65, "train", small_data, *train_flags(tmp_path), *flags, alone=False)
    check_names(line, ["starting point"])


@pytest.mark.fast
def test_training_that_never_leaves_its_start_is_warned_of(rhohat, tmp_path, random):
    data = layouts.write(tmp_path / "rows.h5", layouts.values(random, 50) * np.float32(1e30))
    result = rhohat.ok("train", data, *train_flags(tmp_path))
    assert "warning: no step lowered J" in result.stderr


@pytest.mark.fast
def test_a_descent_that_diverges_is_an_error(rhohat, tmp_path, small_data):
    line = rhohat.fails(64, "train", small_data, "--hidden", 3, "--iterations", 500, "--run",
                        tmp_path / "run", "--optimizer", "gd", "--learning-rate", "1e30",
                        alone=False)
    check_names(line, ["--learning-rate"])
    check_nothing_left(tmp_path, "run/model.safetensors")


@pytest.mark.fast
@pytest.mark.parametrize("rate", [20, 1000])
def test_a_descent_in_which_j_rises_is_an_error(rhohat, tmp_path, small_data, rate):
    line = rhohat.fails(64, "train", small_data, "--hidden", 3, "--iterations", 40,
                        "--run", tmp_path / "run", "--optimizer", "gd", "--learning-rate", rate,
                        alone=False)
    check_names(line, ["--learning-rate", "J rose from", "another folder"])
    check_nothing_left(tmp_path, "run/model.safetensors")
    assert "diverged" in (tmp_path / "run/run.log").read_text()


@pytest.mark.fast
def test_a_descent_that_ends_in_a_swing_of_its_momentum_is_warned_of(rhohat, tmp_path):
    """Far below where it began: a model, if not the best one that it came by."""
    rhohat.ok("synth", tmp_path / "rows.h5", "--rows", 2000, "--patch", "8x8")
    done = rhohat.ok("train", tmp_path / "rows.h5", "--hidden", 16, "--optimizer", "gd",
                     "--run", tmp_path / "run")
    costs = [line["cost"] for line in read_metrics(tmp_path / "run")]
    assert 2 * costs[-11] < costs[-1] < costs[0]
    assert "warning: gd: J rose from" in done.stderr


@pytest.mark.fast
def test_batches_that_make_the_model_useless_are_warned_of(rhohat, tmp_path, small_data):
    done = rhohat.ok("train", small_data, "--hidden", 3, "--optimizer", "adam", "--epochs", 2,
                     "--learning-rate", 1e6, "--run", tmp_path / "run")
    for text in (done.stderr, (tmp_path / "run/run.log").read_text()):
        assert "warning: adam: J rose from" in text
        assert "warning: adam: all 3 units have a mean activation within" in text


@pytest.mark.fast
def test_a_run_that_failed_at_once_leaves_its_folder_free(rhohat, tmp_path, random):
    data, _ = faulty.FAULTS["nan"](tmp_path, random)
    rhohat.fails(65, "train", *data, *train_flags(tmp_path), alone=False)
    assert not (tmp_path / "run").exists()
    sound = layouts.write(tmp_path / "sound.h5", layouts.values(random, 50))
    rhohat.ok("train", sound, *train_flags(tmp_path))


@pytest.mark.fast
def test_names_out_of_files_cannot_drive_the_terminal(rhohat, tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["evil\x1b[31m\nname"] = np.zeros((3, 2))
    shown = rhohat.ok("info", tmp_path / "rows.h5").stdout
    assert "\x1b" not in shown
    line = rhohat.fails(66, "train", tmp_path / "rows.h5", "--dataset", "/x", *train_flags(tmp_path))
    assert "\x1b" not in line


@pytest.mark.fast
def test_existing_output_survives_a_failure(rhohat, model, tmp_path, random):
    out = tmp_path / "codes.h5"
    out.write_text("of an earlier run")
    data, _ = faulty.FAULTS["nan"](tmp_path, random)
    rhohat("encode", model, *data, "--out", out)
    assert out.read_text() == "of an earlier run"
    check_nothing_left(tmp_path)


@pytest.mark.fast
@pytest.mark.parametrize("command", ["evaluate", "encode", "gradcheck", "features", "info"])
def test_missing_model(rhohat, tmp_path, small_data, command):
    arguments = {"evaluate": [small_data], "gradcheck": [small_data],
                 "encode": [small_data, "--out", tmp_path / "out"],
                 "features": ["--out", tmp_path / "out"], "info": []}
    line = rhohat.fails(66, command, tmp_path / "absent.safetensors", *arguments[command])
    check_names(line, ["absent.safetensors"])
    check_nothing_left(tmp_path, "out")


@pytest.mark.fast
def test_any_flipped_bit_of_a_model_is_noticed(rhohat, model, tmp_path, small_data):
    sound = model.read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    places = [*range(0, 8, 3), *range(8, len(sound), len(sound) // 40), len(sound) - 1]
    for place in places:
        damaged.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        line = rhohat.fails(65, "evaluate", damaged, small_data)
        check_names(line, ["damaged.safetensors"])


@pytest.mark.fast
@pytest.mark.parametrize("keep", [0, 5, 8, 300, -200, -1])
def test_truncated_model(rhohat, model, tmp_path, small_data, keep):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(model.read_bytes()[:keep])
    check_names(rhohat.fails(65, "evaluate", damaged, small_data), ["damaged.safetensors"])


@pytest.mark.fast
def test_something_else_as_model(rhohat, tmp_path, small_data):
    check_names(rhohat.fails(65, "evaluate", small_data, small_data), ["rows.h5"])


@pytest.mark.fast
def test_layer_that_the_model_does_not_have(rhohat, model, tmp_path):
    line = rhohat.fails(64, "features", model, "--shape", "3x4", "--layer", 2,
                        "--out", tmp_path / "f.png")
    check_names(line, ["--layer", "1 to 1", "2"])
    check_nothing_left(tmp_path, "f.png")


@pytest.mark.fast
def test_picture_shape_that_does_not_fit(rhohat, model, tmp_path):
    for shape in ("5x5", "0x12", "12", "axb", "2x3x2", "-3x-4"):
        line = rhohat.fails(64, "features", model, "--shape", shape, "--out", tmp_path / "f.png")
        check_names(line, [shape])
    check_nothing_left(tmp_path, "f.png")
