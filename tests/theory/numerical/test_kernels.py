"""Perturbations on a grid: where they put probability."""

import numpy as np
import pytest
from scipy import stats

from theory.numerical import AffineMap, Grid, as_kernel, from_distribution, informed, matrix, reset_kernel

GRID = Grid(0.0, 2.0, 40, absorbs=(False, True))
"""Wall at 0, target at 2."""

MAPS = {
    "reset": AffineMap(0.0, 0.7),
    "reset near the wall": AffineMap(0.0, 0.01),
    "shrink": AffineMap(0.5),
    "kick": AffineMap(1.0, 0.33),
    "noise": AffineMap(0.6, 0.1, 0.3),
    "narrow noise": AffineMap(0.6, 0.1, 1e-4),
    "law": from_distribution(stats.beta(2, 3)),
    "narrow law": from_distribution(stats.norm(0.7, 1e-3)),
    "informed": informed(AffineMap(0.5), lambda x: x < 0.83),
}


@pytest.mark.parametrize("name", MAPS)
def test_rows_are_probabilities(name):
    kernel = matrix(MAPS[name], GRID)
    assert kernel.matrix.min() >= 0 and kernel.absorbed.min() >= 0
    np.testing.assert_allclose(kernel.matrix.sum(axis=1) + kernel.absorbed, 1, rtol=1e-13)
    assert not kernel.matrix.flags.writeable


@pytest.mark.parametrize("scale", [0.0, 0.5])
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-3, 0.02, 0.1])
def test_mean_and_variance_are_those_of_the_map(scale, noise):
    kernel, h = matrix(AffineMap(scale, 0.8, noise), GRID), GRID.spacing
    rows = kernel.matrix[10:20]
    mean = rows @ GRID.centres
    np.testing.assert_allclose(mean, scale * GRID.centres[10:20] + 0.8, atol=2e-7)
    variance = rows @ GRID.centres**2 - mean**2
    assert (variance >= noise**2 - 1e-9).all() and (variance <= noise**2 + h**2 / 4 + 1e-9).all()


def test_a_wide_law_is_shared_by_the_probabilities_of_the_cells():
    kernel = matrix(AffineMap(0.0, 0.9, 0.2), GRID)
    cells = np.diff(stats.norm(0.9, 0.2).cdf(GRID.faces))
    np.testing.assert_allclose(kernel.matrix[3, 5:35], cells[5:35], atol=0.02 * cells.max())
    law = matrix(from_distribution(stats.norm(0.9, 0.2)), GRID)
    np.testing.assert_allclose(law.matrix[0], kernel.matrix[0], atol=1e-9)


def test_what_lands_beyond_the_ends():
    kernel = matrix(AffineMap(1.0, 1.0), GRID)
    beyond = GRID.centres + 1 > 2
    np.testing.assert_array_equal(kernel.absorbed[beyond], 1.0)
    np.testing.assert_array_equal(kernel.absorbed[:10], 0.0)
    back = matrix(AffineMap(1.0, -1.0), GRID)
    np.testing.assert_array_equal(back.matrix[GRID.centres < 1, 0], 1.0)
    noisy = matrix(AffineMap(0.0, 1.5, 0.5), GRID)
    # In the last half cell the share falls linearly: half of its probability counts.
    last = (stats.norm.sf(0.95) - stats.norm.sf(1.0)) / 2
    assert noisy.absorbed[0] == pytest.approx(stats.norm.sf(1.0) + last, rel=1e-3)


def test_a_map_that_does_nothing_is_the_identity():
    np.testing.assert_allclose(matrix(AffineMap(1.0), GRID).matrix, np.eye(40), atol=1e-12)
    np.testing.assert_array_equal(
        matrix(informed(AffineMap(0.0, 1.0), lambda x: x > 5), GRID).matrix, np.eye(40)
    )
    everywhere = matrix(informed(AffineMap(0.0, 1.0), lambda x: x > -5), GRID)
    np.testing.assert_allclose(everywhere.matrix, matrix(AffineMap(0.0, 1.0), GRID).matrix)


def test_a_condition_holds_in_a_share_of_the_cell():
    np.testing.assert_allclose(GRID.share(lambda x: x < 0.1625)[:5], [1, 1, 1, 0.25, 0], atol=1e-10)
    two = GRID.share(lambda x: (x > 0.51) & (x < 0.54) | (x > 1.0))
    assert two[10] == pytest.approx(0.6, abs=1e-9)
    assert two.sum() * GRID.spacing == pytest.approx(1.03, abs=1e-9)


def test_point_keeps_its_mean_and_a_constant_variance():
    for x in np.linspace(0.9, 1.1, 9):
        weights = GRID.point(x)[:-1]
        assert weights @ GRID.centres == pytest.approx(x)
        assert weights @ (GRID.centres - x) ** 2 == pytest.approx(GRID.spacing**2 / 4)


def test_reset_kernel_takes_a_state_or_weights():
    np.testing.assert_array_equal(reset_kernel(1, 3).matrix, [[0, 1, 0]] * 3)
    np.testing.assert_array_equal(reset_kernel([0.5, 0.5, 0], 3).matrix, [[0.5, 0.5, 0]] * 3)
    kernel = reset_kernel(0, 3)
    assert as_kernel(kernel, 3) is kernel


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Grid(1.0, 0.0, 10, (True, False)), "`low` must lie below `high`"),
        (lambda: AffineMap(np.nan), "`scale`, `shift` and `noise` must be finite"),
        (lambda: AffineMap(1.0, 0.0, -0.1), "`noise` not negative"),
        (lambda: from_distribution(0.3), "`law` must be a frozen scipy distribution"),
        (lambda: matrix(informed(AffineMap(0.5), lambda x: True), GRID), "`condition` must map an array"),
        (lambda: reset_kernel(3, 3), "`target` must be a state from 0 to 2"),
        (lambda: as_kernel(reset_kernel(0, 3), 4), "`K` must be a kernel on 4 states, got one on 3"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
