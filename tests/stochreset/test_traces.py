"""Traces of toy processes."""

import numpy as np
import pytest

from stochreset import LatticeWalk, OrnsteinUhlenbeck, Periodic, Reset, record, simulate

OU = OrnsteinUhlenbeck(target=2.0)


def test_different_seeds_have_different_runs():
    ensembles = [record(OU, runs=3, epochs=3, seed=seed) for seed in (0, 1, 2**30, 2**62, 2**64 - 1)]
    seeds = np.concatenate([ensemble.seeds for ensemble in ensembles])
    assert np.unique(seeds).size == seeds.size and seeds.min() >= 0
    np.testing.assert_array_equal(record(OU, Reset(), 2, runs=3, epochs=3, seed=0).seeds, seeds[:3])


def test_epochs_do_not_change_the_steps_of_euler():
    near, arguments = OrnsteinUhlenbeck(target=1.0), dict(method="euler", dt=0.2)
    traces = record(near, runs=2000, epochs=500, seed=3, unit=0.04, **arguments)
    times = traces.first_passage(1.0).times * 0.04
    mean = simulate(near, runs=20_000, seed=1, horizon=20.0, **arguments).times.mean()
    stderr = times.std() / np.sqrt(2000)
    assert abs(times.mean() - mean) < 4.5 * stderr and abs(0.8 * times.mean() - mean) > 4.5 * stderr


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((OU, Periodic(40), Reset()), {}, r"`period` must be a whole number of epochs, .* got Reset"),
        ((OU, Reset(), Periodic(40)), {}, r"got Periodic\(period=40\); .* record\(process, perturbation"),
        ((OU, Reset(), 2.5), {}, "`period` must be a whole number of epochs, 1 or larger, got 2.5"),
        ((OU, Reset()), {}, "`perturbation` needs a `period`"),
        ((LatticeWalk(target=3),), {"unit": 0.5}, "`unit` must be a whole number of steps .* got 0.5"),
        ((OU,), {"unit": "a"}, "`unit` must be the length of an epoch, .* got 'a'"),
        ((OU,), {"seed": -1}, "`seed` must be a whole number from 0"),
    ],
)
def test_errors(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        record(*arguments, runs=2, epochs=5, **{"seed": 1, **options})
