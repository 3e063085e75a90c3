"""The oracle's own noise and preparations, held against what is known of them."""

import numpy as np
import pytest

import corruption
import objectives
import preparations
from corruption import corrupt, noise_words, philox

pytestmark = pytest.mark.fast

ONES = 0xFFFFFFFF
ROWS = np.random.default_rng(1).uniform(0.1, 0.9, size=(5000, 7))


@pytest.mark.parametrize("counter, key, words", [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))])
def test_known_answers_of_the_generators_authors(counter, key, words):
    assert tuple(int(word) for word in philox(counter, key)) == words


def test_a_word_depends_on_its_place_alone():
    whole = noise_words(9, 11, seed=5 + 2**40, epoch=3, first_row=2**32 - 4)
    assert whole.shape == (9, 12)
    for row, column in ((0, 0), (3, 5), (4, 5), (8, 11)):
        place = 2**32 - 4 + row
        counter = (place % 2**32, column // 4, 10 + 3 * 256, place // 2**32)
        assert whole[row, column] == philox(counter, (5, 2**8))[column % 4]
    assert len(np.unique(whole)) == whole.size


def shares(mask):
    """The share of entries, which must be that of independent draws to five deviations."""
    return mask.mean(), 5 * 0.5 / np.sqrt(mask.size)


def test_masking_sets_its_share_to_zero():
    found = corrupt(ROWS, "mask:0.3", seed=1)
    share, slack = shares(found == 0)
    assert share == pytest.approx(0.3, abs=slack)
    assert np.all((found == 0) | (found == ROWS))


def test_gaussian_noise_is_normal():
    found = (corrupt(ROWS, "gaussian:0.25", seed=1) - ROWS) / 0.25
    deviates, count = found.ravel(), found.size
    assert abs(deviates.mean()) < 5 / np.sqrt(count)
    assert deviates.var() == pytest.approx(1, abs=5 * np.sqrt(2 / count))
    assert np.mean(deviates**4) == pytest.approx(3, abs=5 * np.sqrt(96 / count))
    # Columns that share a call, in pairs or not, do not share anything else.
    correlation = np.corrcoef(found.T) - np.eye(7)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(found))


def test_salt_and_pepper_are_even():
    found = corrupt(ROWS, "salt-pepper:0.4", seed=1, input_range=(-1.0, 2.0))
    for value in (-1.0, 2.0):
        share, slack = shares(found == value)
        assert share == pytest.approx(0.2, abs=slack)
    assert np.all((found == -1) | (found == 2) | (found == ROWS))


@pytest.mark.parametrize("noise", objectives.FACTORS["noise"])
def test_noise_of_a_part_is_that_of_the_whole(noise):
    flags = {"seed": 3, "input_range": (0.0, 1.0)}
    whole = corrupt(ROWS[:100], noise, **flags)
    assert np.array_equal(whole[40:60], corrupt(ROWS[40:60], noise, first_row=40, **flags))
    other = corrupt(ROWS[:100], noise, **{**flags, "seed": 4})
    assert np.array_equal(whole, other) == (noise == "none")


def test_all_entries_are_corrupted_where_the_threshold_is_the_last_word():
    assert not corrupt(ROWS, f"mask:{1 - 2.0**-40!r}", seed=1).any()
    assert corruption.normal_deviates(np.zeros((1, 2), np.uint64))[0, 0] == pytest.approx(
        np.sqrt(2 * 32 * np.log(2)))


# ---- Preparations --------------------------------------------------------------------------------


@pytest.fixture
def mixed(random):
    return random.uniform(size=(300, 6)) @ random.normal(size=(6, 6)) + 3


def prepared(text, rows):
    return preparations.apply(text, preparations.fit(text, rows), rows)


@pytest.mark.parametrize("kind", ["zca", "pca"])
def test_whitened_columns_are_uncorrelated_and_can_be_undone(mixed, kind):
    found = prepared(f"{kind}:1e-12", mixed)
    assert np.allclose(found.T @ found / len(found), np.eye(6), atol=1e-6)
    arrays = preparations.fit(f"{kind}:0.1", mixed)
    assert np.allclose(arrays["matrix"] @ arrays["inverse"], np.eye(6), atol=1e-12)
    found = preparations.apply(f"{kind}:0.1", arrays, mixed)
    if kind == "zca":
        assert np.allclose(arrays["matrix"], arrays["matrix"].T, atol=1e-12)
    else:
        assert np.all(np.diff(found.var(axis=0)) < 0)
        products = found.T @ found / len(found)
        assert np.allclose(products, np.diag(np.diag(products)), atol=1e-12)


def test_standardised_columns(mixed):
    found = prepared("standardize", mixed)
    assert np.allclose(found.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(found.std(axis=0), 1)


def test_a_range_becomes_0_to_1():
    assert np.allclose(prepared("range:-1:3", np.array([[-1.0, 0.0, 3.0]])), [[0, 0.25, 1]])


def test_global_is_that_of_the_exercise():
    rows = np.array([[0.0, 1.0, 2.0, -3.0, 50.0]])
    arrays = {"deviation": np.array([5.0])}
    # Less the mean of 10: −10, −9, −8, −13, 40; three deviations are 15.
    expected = [0.5 - 0.4 * 10 / 15, 0.5 - 0.4 * 9 / 15, 0.5 - 0.4 * 8 / 15, 0.5 - 0.4 * 13 / 15,
                0.9]
    assert np.allclose(preparations.apply("global", arrays, rows), [expected])
