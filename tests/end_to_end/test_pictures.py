"""Pictures become the rows that Pillow sees: all their samples, or patches cut out of them."""

import h5py
import numpy as np
import pytest
from PIL import Image

from foreign import check, png_bytes

pytestmark = pytest.mark.fast


def picture(random, mode, height=13, width=17):
    """Smooth shades with noise, so that JPEG has something to do; every mode has its own range."""
    y, x = np.mgrid[0:height, 0:width]
    shades = [(8 * x + 5 * y * k + random.integers(0, 40, size=x.shape)) % 256 for k in (1, 2, 3, 4)]
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    return Image.fromarray(np.stack(shades[:channels], axis=2).astype("u1").squeeze(), mode)


def convert(rhohat, folder, *arguments):
    out = folder / f"out{len(list(folder.glob('out*')))}.h5"
    rhohat.ok("convert", *arguments, out)
    return out


def one_row(samples):
    return np.asarray(samples).reshape(1, -1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_png_of_8_bits(rhohat, tmp_path, random, mode):
    image = picture(random, mode)
    image.save(tmp_path / "in.png")
    check(convert(rhohat, tmp_path, tmp_path / "in.png"), one_row(image))


def test_png_of_1_bit(rhohat, tmp_path, random):
    image = picture(random, "L").point(lambda value: 255 * (value > 128), mode="1")
    image.save(tmp_path / "in.png")
    check(convert(rhohat, tmp_path, tmp_path / "in.png"), one_row(image.convert("L")))


@pytest.mark.parametrize("channels", [1, 3])
def test_png_of_16_bits(rhohat, tmp_path, random, channels):
    shape = (9, 7) if channels == 1 else (9, 7, 3)
    samples = random.integers(0, 2**16, size=shape).astype("u2")
    (tmp_path / "in.png").write_bytes(png_bytes(samples))
    if channels == 1:
        # Pillow knows no colours of 16 bits.
        assert np.array_equal(np.asarray(Image.open(tmp_path / "in.png")), samples)
    check(convert(rhohat, tmp_path, tmp_path / "in.png"), one_row(samples))


@pytest.mark.parametrize("colors", [2, 16, 256])
def test_png_with_a_palette(rhohat, tmp_path, random, colors):
    picture(random, "RGB").quantize(colors).save(tmp_path / "in.png")
    image = Image.open(tmp_path / "in.png")
    assert image.mode == "P"
    check(convert(rhohat, tmp_path, tmp_path / "in.png"), one_row(image.convert("RGB")))
    check(convert(rhohat, tmp_path, tmp_path / "in.png", "--color", "grey"),
          one_row(image.convert("RGB").convert("L")))


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("mode, color, target", [("L", "rgb", "RGB"), ("RGB", "grey", "L"),
                                                 ("L", "grey", "L"), ("RGB", "rgb", "RGB")])
def test_color(rhohat, tmp_path, random, kind, mode, color, target):
    picture(random, mode).save(tmp_path / "in", kind)
    check(convert(rhohat, tmp_path, tmp_path / "in", "--color", color),
          one_row(Image.open(tmp_path / "in").convert(target)))


def transparent_pictures(random):
    colors = picture(random, "RGB")
    return {"LA": (picture(random, "LA"), {}), "RGBA": (picture(random, "RGBA"), {}),
            "one_colour": (colors, {"transparency": colors.getpixel((3, 3))}),
            "palette": (colors.quantize(16), {"transparency": 2})}


@pytest.mark.parametrize("kind", ["LA", "RGBA", "one_colour", "palette"])
def test_transparency_is_refused_and_dropped_when_asked(rhohat, tmp_path, random, kind):
    image, options = transparent_pictures(random)[kind]
    image.save(tmp_path / "in.png", **options)
    line = rhohat.fails(65, "convert", tmp_path / "in.png", tmp_path / "out.h5")
    assert "in.png" in line and "transparen" in line and "--color" in line
    assert not (tmp_path / "out.h5").exists()
    # What lies below the transparency, whatever colour might shine through.
    opaque = Image.merge("RGB", image.split()[:3]) if kind == "RGBA" else image
    opaque = image.split()[0] if kind == "LA" else opaque
    check(convert(rhohat, tmp_path, tmp_path / "in.png", "--color", "rgb"),
          one_row(opaque.convert("RGB")))


@pytest.mark.parametrize("mode, options", [
    ("L", {}), ("RGB", {"subsampling": 0}), ("RGB", {"subsampling": 2}),
    ("RGB", {"progressive": True}), ("L", {"progressive": True}), ("RGB", {"quality": 30})])
def test_jpeg(rhohat, tmp_path, random, mode, options):
    picture(random, mode).save(tmp_path / "in.jpg", **options)
    check(convert(rhohat, tmp_path, tmp_path / "in.jpg"), one_row(Image.open(tmp_path / "in.jpg")))


def test_pictures_for_print_are_refused(rhohat, tmp_path, random):
    picture(random, "RGB").convert("CMYK").save(tmp_path / "in.jpg")
    line = rhohat.fails(65, "convert", tmp_path / "in.jpg", tmp_path / "out.h5")
    assert "in.jpg" in line and "CMYK" in line


def test_folder_in_natural_order(rhohat, tmp_path, random):
    """PNG and JPEG together, told by content; whatever else lies there is not theirs."""
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    names = ["p1.png", "p2.jpg", "p10.png", "p11", "p100.jpeg"]
    for name in reversed(names):
        picture(random, "L").save(folder / name, "jpeg" if "jp" in name else "png")
    picture(random, "L").save(folder / "below/p3.png")
    (folder / "notes.txt").write_text("not a picture")
    rows = np.concatenate([one_row(Image.open(folder / name)) for name in names])
    check(convert(rhohat, tmp_path, folder), rows)
    # Two folders, and a file, one after another.
    check(convert(rhohat, tmp_path, folder, folder / "p10.png", folder),
          np.concatenate([rows, rows[2:3], rows]))


def test_folder_of_different_pictures_is_refused_with_the_way_out(rhohat, tmp_path, random):
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture(random, "L").save(folder / "a.png")
    picture(random, "RGB").save(folder / "b.png")
    line = rhohat.fails(65, "convert", folder, tmp_path / "out.h5")
    assert "b.png" in line and "a.png" in line and "--color" in line
    convert(rhohat, tmp_path, folder, "--color", "grey")
    picture(random, "L", width=18).save(folder / "b.png")
    line = rhohat.fails(65, "convert", folder, tmp_path / "out.h5")
    assert "b.png" in line and "17" in line and "18" in line and "patch" in line


# Patches.


def cut_from(samples, patch, height, width):
    """Where in a picture the patch is, as (y, x); one place at most, since shades are random."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, (height, width), axis=(0, 1))
    if samples.ndim == 3:
        windows = np.moveaxis(windows, 2, -1)
        patch = patch.reshape(height, width, samples.shape[2])
    else:
        patch = patch.reshape(height, width)
    return np.argwhere((windows == patch).reshape(*windows.shape[:2], -1).all(axis=2))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_patch_is_cut_from_one_picture(rhohat, tmp_path, random, channels):
    folder = tmp_path / "pictures"
    folder.mkdir()
    samples = []
    for i, (height, width) in enumerate([(20, 30), (9, 40), (31, 8)]):
        shape = (height, width) if channels == 1 else (height, width, channels)
        samples.append(random.integers(0, 256, size=shape).astype("u1"))
        Image.fromarray(samples[-1]).save(folder / f"{i}.png")
    flags = ["--patch", "7x5", "--count", 90]
    with h5py.File(convert(rhohat, tmp_path, folder, *flags)) as file:
        patches = file["data"][:]
    assert patches.shape == (90, 7 * 5 * channels) and patches.dtype == np.uint8
    places = set()
    for patch in patches:
        found = [(i, *place) for i, picture in enumerate(samples)
                 for place in cut_from(picture, patch, 7, 5).tolist()]
        assert len(found) == 1
        places.add(tuple(found[0]))
    # From all pictures and from all over them, the edges too.
    assert {place[0] for place in places} == {0, 1, 2}
    assert len(places) > 60
    assert {place[1] for place in places if place[0] == 1} == {0, 1, 2}
    assert {place[2] for place in places if place[0] == 2} == {0, 1, 2, 3}


def test_patches_depend_on_the_seed_alone(rhohat, tmp_path, random):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(5):
        samples = random.integers(0, 256, size=(40, 40)).astype("u1")
        Image.fromarray(samples).save(folder / f"{i}.png")

    def patches(*flags):
        path = convert(rhohat, tmp_path, folder, "--patch", "6x6", "--count", 500, *flags)
        with h5py.File(path) as file:
            return file["data"][:]

    first = patches("--seed", 1)
    assert np.array_equal(first, patches())
    assert np.array_equal(first, patches("--threads", 1, "--chunk-rows", 7))
    other = patches("--seed", 2)
    assert (first != other).any(axis=1).mean() > 0.9


def test_patches_of_floating_point(rhohat, tmp_path, random):
    samples = random.integers(0, 256, size=(40, 40)).astype("u1")
    Image.fromarray(samples).save(tmp_path / "in.png")
    flags = ["--patch", "8x8", "--count", 50]
    with h5py.File(convert(rhohat, tmp_path, tmp_path / "in.png", *flags)) as file:
        bytes_of_patches = file["data"][:]
    check(convert(rhohat, tmp_path, tmp_path / "in.png", *flags, "--scale", "1/255"),
          (bytes_of_patches * (1 / 255)).astype("float32"))
