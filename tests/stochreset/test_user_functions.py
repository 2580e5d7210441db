"""Functions of the user: what they take from around them, and potentials in any units."""

import math
import types

import numpy as np
import pytest

from stochreset import Informed, Langevin, OrnsteinUhlenbeck, Poisson, SwitchPotential, simulate

OU = OrnsteinUhlenbeck(target=1.0)
settings = types.ModuleType("settings")
table = np.array([1.0, 2.0])
strength = 1.0


def spring(x):
    return 2.0 - strength * x


def energy(x):
    return 0.5 * strength * x * x - 2.0 * x


def of_table(x):
    return table[0] - x


def of_module(x):
    return settings.pull - x


def positive(x):
    return x > 1.0 - strength


def mean(process, *perturbed):
    return simulate(process, *perturbed, runs=3000, seed=1, method="bridge", dt=0.05).times.mean()


@pytest.mark.parametrize("given", [{"drift": spring}, {"potential": energy}])
def test_a_changed_global_is_noticed(given, monkeypatch):
    before = mean(Langevin(**given))
    monkeypatch.setitem(globals(), "strength", 3.0)
    process = Langevin(**given)
    after = mean(process)
    assert after > 1.2 * before
    assert process.velocity(1.0) == pytest.approx(-1.0)
    assert after == pytest.approx(mean(Langevin(drift=lambda x: 2.0 - 3.0 * x)), rel=1e-3)
    monkeypatch.undo()
    assert mean(Langevin(**given)) == before


def test_a_changed_closure_is_noticed():
    pull = 1.0

    def drift(x):
        return pull

    before = mean(Langevin(drift=drift))
    pull = 2.0
    assert mean(Langevin(drift=drift)) < 0.6 * before


def test_a_changed_array_or_module_is_noticed():
    table[0] = settings.pull = 1.0
    before = mean(Langevin(drift=of_table)), mean(Langevin(drift=of_module))
    assert before[0] == before[1]
    table[0] = settings.pull = 3.0
    after = mean(Langevin(drift=of_table)), mean(Langevin(drift=of_module))
    assert after[0] == after[1] < 0.7 * before[0]


def test_a_changed_condition_is_noticed(monkeypatch):
    before = mean(OU, Informed(Poisson(3.0), when=positive))
    monkeypatch.setitem(globals(), "strength", 100.0)
    assert mean(OU, Informed(Poisson(3.0), when=positive)) != before


def test_a_changed_second_drift_is_noticed(monkeypatch):
    def process():
        return Langevin(drift=lambda x: -x, switched=spring)

    before = mean(process(), Poisson(2.0), SwitchPotential())
    monkeypatch.setitem(globals(), "strength", 6.0)
    assert mean(process(), Poisson(2.0), SwitchPotential()) > 1.1 * before


def test_equal_values_share_a_kernel():
    assert type(Langevin(drift=spring).parameters()) is type(Langevin(drift=spring, target=3.0).parameters())


@pytest.mark.parametrize("unit", [1e-7, 1.0, 1e6])
def test_potentials_in_any_unit_of_length(unit):
    process = Langevin(
        potential=lambda x: 5.0 * math.cos(x / unit), diffusion=1.0, start=0.0, target=3.0 * unit
    )
    x = np.array([-2.0, -0.5, 0.1, 1.3, 2.9])
    np.testing.assert_allclose(process.velocity(x * unit) * unit, 5.0 * np.sin(x), rtol=1e-7)


def test_slopes_far_from_the_origin():
    process = Langevin(potential=lambda x: (x - 1e3) ** 2 / 2, start=1e3, target=1e3 + 1)
    assert process.velocity(1e3 + 0.5) == pytest.approx(-0.5, rel=1e-5)
