"""The generator itself: uniform words, normals with their tails, independent and reproducible streams."""

import math

import numpy as np
import pytest
from numba import njit
from scipy import stats

from stochreset.kernels.box_muller import minus_log_uniform, normal_pair
from stochreset.kernels.clocks import gamma_variate
from stochreset.kernels.compiling import OPTIONS
from stochreset.kernels.crossing import inverse_gaussian
from stochreset.kernels.lanes import GENERATORS
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import (
    LANES,
    exponential,
    fill_words,
    mix,
    new_stream,
    next_word,
    open_stream,
    seed_lanes,
    stream_key,
    uniform,
)

ALPHA = 1e-5


def drawer(draw):
    """Compiled function that fills an array with numbers of one stream."""

    @njit(**OPTIONS)
    def fill(out, stream, seed, chunk):
        open_stream(stream, seed, chunk)
        for i in range(out.size):
            out[i] = draw(stream)

    def numbers(count, seed=1, chunk=0, dtype=float):
        out = np.empty(count, dtype)
        fill(out, new_stream(), np.uint64(seed), np.uint64(chunk))
        return out

    return numbers


words, uniforms, normals = drawer(next_word), drawer(uniform), drawer(normal)
exponentials = drawer(exponential)
gammas = {shape: drawer(njit(**OPTIONS)(lambda stream, shape=shape: gamma_variate(shape, stream)))
          for shape in (0.4, 3.5)}  # fmt: skip


@njit(**OPTIONS)
def _single(words, bits, pairs, logs):
    half = bits.size // 2
    for start in range(0, logs.size, half):
        fill_words(words, GENERATORS, 2)
        for j in range(half):
            pairs[2 * start + j], pairs[2 * start + half + j] = normal_pair(bits[j], bits[half + j])
        fill_words(words, GENERATORS, 2)
        for j in range(half):
            logs[start + j] = minus_log_uniform(bits[j])


@njit(**OPTIONS)
def _seed(words, seed, chunk):
    seed_lanes(words, np.int64(GENERATORS), stream_key(seed, chunk))


@pytest.fixture(scope="module")
def single():
    """1e7 single-precision normals and 5e6 exponentials, as the lanes make them."""
    words = np.empty(6 * GENERATORS, np.uint64)
    bits = words[4 * GENERATORS :].view(np.int32)
    size = 5_000_000 // (2 * GENERATORS) * 2 * GENERATORS
    pairs, logs = np.empty(2 * size, np.float32), np.empty(size, np.float32)
    _seed(words, np.uint64(11), np.uint64(3))
    _single(words, bits, pairs, logs)
    return pairs.astype(float), logs.astype(float)


@pytest.fixture(scope="module")
def many_normals():
    return normals(10_000_000, seed=5)


def tail_z(numbers, beyond):
    """Distance of the number of |z| > ``beyond`` from its expectation, in standard deviations."""
    p = 2 * stats.norm.sf(beyond)
    expected = numbers.size * p
    return (np.sum(np.abs(numbers) > beyond) - expected) / math.sqrt(expected * (1 - p))


def test_ten_million_normals_pass_a_ks_test(many_normals):
    assert stats.kstest(many_normals, "norm").pvalue > ALPHA
    assert stats.kstest(1.002 * many_normals + 0.002, "norm").pvalue < ALPHA


@pytest.mark.parametrize("beyond", [2, 3, 3.6541528853610088, 4, 4.8])
def test_tails_of_the_normals(many_normals, beyond):
    assert abs(tail_z(many_normals, beyond)) < 4.5


def test_ten_million_single_precision_normals_pass_a_ks_test(single):
    pairs, _ = single
    assert stats.kstest(pairs, "norm").pvalue > ALPHA
    assert stats.kstest(1.002 * pairs + 0.002, "norm").pvalue < ALPHA


@pytest.mark.parametrize("beyond", [2, 3, 4, 4.8])
def test_tails_of_the_single_precision_normals(single, beyond):
    assert abs(tail_z(single[0], beyond)) < 4.5


def test_the_test_of_tails_has_teeth(many_normals):
    assert abs(tail_z(many_normals[np.abs(many_normals) < 4.2], 4)) > 4.5


def test_the_two_normals_of_a_pair_are_independent(single):
    first, second = single[0].reshape(-1, 2, 2 * GENERATORS).transpose(1, 0, 2).reshape(2, -1)
    for a, b in ((first, second), (first**2, second**2), (first, second**2)):
        assert abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(a.size) < 4.5


def test_logarithms_are_accurate(single):
    _, logs = single
    assert stats.kstest(logs, "expon").pvalue > ALPHA
    assert logs.min() >= 0
    bits = np.array([0, 1, 2, 12345, 2**30, 2**31 - 2, 2**31 - 1], dtype=np.int32)
    with np.errstate(over="ignore"):
        ours = [float(minus_log_uniform.py_func(b)) for b in bits]
    exact = -np.log((bits.astype(float) + 0.5) / 2**31)
    np.testing.assert_allclose(ours, exact, rtol=1e-6, atol=1.2e-7)


def test_uniforms_and_exponentials():
    u = uniforms(1_000_000)
    assert 0 < u.min() and u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > ALPHA
    assert stats.kstest(exponentials(1_000_000), "expon").pvalue > ALPHA


@pytest.mark.parametrize("shape", gammas)
def test_gamma_numbers(shape):
    numbers = gammas[shape](500_000)
    assert stats.kstest(numbers, stats.gamma(shape).cdf).pvalue > ALPHA
    assert stats.kstest(numbers, stats.gamma(1.02 * shape).cdf).pvalue < ALPHA


@pytest.mark.parametrize("mean", [0.3, 2.0, 1e9, math.inf])
def test_inverse_gaussian_numbers(mean):
    draw = drawer(njit(**OPTIONS)(lambda stream: inverse_gaussian(mean, 1.5, stream)))
    numbers = draw(500_000)
    law = stats.levy(scale=1.5) if mean > 1e6 else stats.invgauss(mean / 1.5, scale=1.5)
    assert stats.kstest(numbers, law.cdf).pvalue > ALPHA
    assert stats.kstest(1.02 * numbers, law.cdf).pvalue < ALPHA


def test_every_bit_of_a_word_is_fair():
    bits = np.unpackbits(words(200_000, dtype=np.uint64).view(np.uint8)).reshape(-1, 64)
    assert np.abs(bits.mean(axis=0) - 0.5).max() * 2 * np.sqrt(len(bits)) < 5


@pytest.mark.parametrize(
    ("one", "other"), [((1, 0), (1, 1)), ((1, 0), (2, 0)), ((0, 0), (2**64 - 1, 0)), ((7, 5), (5, 7))]
)
def test_streams_are_independent(one, other):
    a, b = normals(200_000, *one), normals(200_000, *other)
    for lag in (0, 1, LANES):
        assert abs(np.corrcoef(a[lag:], b[: b.size - lag])[0, 1]) * np.sqrt(a.size) < 4.5
    shared = np.intersect1d(words(200_000, *one, dtype=np.uint64), words(200_000, *other, dtype=np.uint64))
    assert shared.size == 0


def test_numbers_of_a_stream_are_not_correlated():
    z = normals(1_000_000)
    for lag in (1, 2, LANES, 4 * LANES):
        for power in (1, 2):
            a = z[lag:] ** power
            b = z[:-lag] ** power
            assert abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(a.size) < 4.5


def test_a_stream_is_reproducible():
    np.testing.assert_array_equal(words(1000, 9, 4, np.uint64), words(1000, 9, 4, np.uint64))


def test_words_are_those_of_xoshiro():
    """Against a plain implementation of the published algorithm with Python's integers."""
    mask = 2**64 - 1

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & mask

    def splitmix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    golden = 0x9E3779B97F4A7C15
    key = splitmix((splitmix((12 + golden) & mask) + 34 * golden) & mask)
    lanes = [[splitmix((key + (q * LANES + j + 1) * golden) & mask) for q in range(4)] for j in range(LANES)]
    expected = []
    for _ in range(3):
        for s in lanes:
            expected.append((rotate((s[0] + s[3]) & mask, 23) + s[0]) & mask)
            t = (s[1] << 17) & mask
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotate(s[3], 45)
    assert words(3 * LANES, 12, 34, np.uint64).tolist() == expected


def test_different_chunks_of_a_seed_have_different_keys():
    with np.errstate(over="ignore"):
        keys = {int(mix.py_func(np.uint64(chunk) * np.uint64(0x9E3779B97F4A7C15))) for chunk in range(10_000)}
    assert len(keys) == 10_000
