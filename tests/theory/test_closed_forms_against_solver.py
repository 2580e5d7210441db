"""Closed forms and the numerical solver, which share nothing, agree to 1e-6."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scipy import sparse

from theory.closed_forms import (
    Brownian,
    FirstPassageLaw,
    Interval,
    LatticeWalk,
    LinearLogarithmic,
    OrnsteinUhlenbeck,
    RunAndTumble,
    Sphere,
)
from theory.numerical import AffineMap, FokkerPlanck, MarkovChain, SwitchPotential, richardson

AGREE = 1e-6


def once_extrapolated(problem, function):
    return richardson(problem, function).value


def twice_extrapolated(problem, function):
    """The same without errors of order h^2 ln h, of which one extrapolation leaves h^2.

    They come with a force that diverges at the target or at the start.
    """

    @cache
    def at(cells):
        return float(function(problem.with_cells(cells)))

    return once_extrapolated(problem, lambda p: once_extrapolated(p, lambda q: at(q.cells)))


@dataclass(frozen=True)
class Case:
    """A closed form, what the solver needs beside its parameters, and where the two are compared.

    Without ``settings`` the solver is that of `tumbling_limit`.
    """

    law: FirstPassageLaw
    settings: dict | None = None
    settles: bool = False
    twice: bool = False
    rate: float = 0.7
    period: float = 0.9
    times: tuple[float, float, float] = (0.3, 0.8, 2.0)

    def limit(self, function):
        """Value of ``function(chain, kernel of a reset)`` for no spacing at all."""
        if self.settings is None:
            return tumbling_limit(function)
        law, reset = self.law, AffineMap(0.0, shift=self.law.start)
        problem = FokkerPlanck(**self.settings, diffusion=law.diffusion, start=law.start, target=law.target)
        extrapolated = twice_extrapolated if self.twice else once_extrapolated
        return extrapolated(problem, lambda p: function(p.chain, p.kernel(reset)))

    @property
    def later(self):
        """A time after the first reset."""
        return self.period + self.times[0]


def sphere(dimension, start, wall, cells, **kwargs):
    """The radius feels the potential -(d - 1) D ln r."""
    law = Sphere(dimension=dimension, start=start, diffusion=0.3)
    settings = dict(drift=lambda r: (dimension - 1) * law.diffusion / r, wall=wall, cells=cells)
    return Case(law, settings, **kwargs)


def constant(drift, wall, cells=400):
    return dict(drift=lambda x: np.full_like(x, drift), wall=wall, cells=cells)


SWITCHED = LinearLogarithmic(slope=1.0, strength=3.5, diffusion=0.5)
CASES = {
    # Brownian motion has a continuum of rates above v^2/4D and no quasi-steady state.
    "brownian": Case(Brownian(drift=1.0, diffusion=0.5), constant(1.0, -12.0, 500)),
    "brownian, no drift": Case(Brownian(diffusion=0.5), constant(0.0, -9.0)),
    "brownian, drift away": Case(Brownian(drift=-0.5, diffusion=0.5), constant(-0.5, -12.0, 700)),
    "interval": Case(Interval(start=0.3), constant(0.0, 0.0, 200), settles=True),
    "ornstein-uhlenbeck": Case(
        OrnsteinUhlenbeck(target=1.5), dict(drift=lambda x: -x, cells=500), settles=True
    ),
    "in a disc": sphere(2, 0.4, 0.0, 100, settles=True),
    "in a ball, from its centre": sphere(3, 0.0, 0.0, 200, settles=True, twice=True),
    "in a ball of 5 dimensions": sphere(5, 0.4, 0.0, 200, settles=True),
    "outside a disc": sphere(2, 2.0, 10.0, 500),
    "outside a ball": sphere(3, 2.0, 10.0, 500),
    "linear-logarithmic, not switched": Case(SWITCHED, constant(-1.0, 12.0, 500)),
    # At these times the straight run, whose front the chain blurs, is over.
    "run and tumble": Case(RunAndTumble(), rate=1.0, period=3.5, times=(3.0, 3.5, 5.0)),
}
EXACT_AND_SOLVER = {
    "mean": (lambda law, case: law.mfpt(), lambda chain, reset, case: chain.mfpt()),
    "second moment": (
        lambda law, case: law.second_moment(),
        lambda chain, reset, case: chain.second_moment(),
    ),
    "quasi-steady rate": (
        lambda law, case: law.decay_rate(),
        lambda chain, reset, case: chain.quasi_steady_state().rate,
    ),
    "transform": (
        lambda law, case: law.laplace(case.rate),
        lambda chain, reset, case: chain.laplace(case.rate),
    ),
    "restricted mean": (
        lambda law, case: law.restricted_mean(case.period),
        # A perturbation that completes everything.
        lambda chain, reset, case: chain.mfpt_periodic(case.period, 0 * reset.matrix),
    ),
    **{
        f"survival, {name}": (
            lambda law, case, k=k: law.survival(case.times[k]),
            lambda chain, reset, case, k=k: chain.survival(case.times[k]),
        )
        for k, name in enumerate(("early", "on time", "late"))
    },
    "density": (
        lambda law, case: law.density(case.times[1]),
        lambda chain, reset, case: chain.density(case.times[1]),
    ),
    "poisson": (
        lambda law, case: law.mfpt_poisson(case.rate),
        lambda chain, reset, case: chain.mfpt_poisson(case.rate, reset),
    ),
    "sharp": (
        lambda law, case: law.mfpt_sharp(case.period),
        lambda chain, reset, case: chain.mfpt_periodic(case.period, reset),
    ),
    "survival, sharp": (
        lambda law, case: law.survival_sharp(case.later, case.period),
        lambda chain, reset, case: chain.survival_periodic(case.later, case.period, reset),
    ),
}
RESETS = ("poisson", "sharp", "survival, sharp")


def quantities(case):
    """Those that the closed form has, as numbers."""
    for name in EXACT_AND_SOLVER:
        infinite = name in ("mean", "second moment") and np.isinf(case.law.mfpt())
        switched = name in RESETS and isinstance(case.law, LinearLogarithmic)
        if not (infinite or switched or (name == "quasi-steady rate" and not case.settles)):
            yield name


@pytest.mark.parametrize(
    ("name", "quantity"), [(name, quantity) for name in CASES for quantity in quantities(CASES[name])]
)
def test_closed_form_and_solver_agree(name, quantity):
    case, (exact, solver) = CASES[name], EXACT_AND_SOLVER[quantity]
    value = float(exact(case.law, case))
    agree(case.limit(lambda chain, reset: solver(chain, reset, case)), value)


def agree(found, exact):
    assert found == pytest.approx(exact, rel=AGREE, abs=0)
    assert found != pytest.approx((1 + 1e-5) * exact, rel=AGREE, abs=0)


# Run and tumble: a chain of positions and directions, speed 1, reversals at rate 1, target at distance 1.
PER_LENGTH = np.array([12, 24, 36, 48, 60, 72])
BEHIND = 5  # lengths between start and wall, which nobody comes back from in time


@cache
def tumbling(per_length):
    """Chain, and the kernel of a reset to the start in either direction."""
    size = (BEHIND + 1) * per_length
    cell, target = np.arange(size), 2 * size
    there, back = cell, size + cell
    hops = [
        (there, np.append(there[1:], target), float(per_length)),
        (back[1:], back[:-1], float(per_length)),
        (there, back, 1.0),
        (back, there, 1.0),
    ]
    rates = sparse.coo_array(
        (
            np.concatenate([np.full(origin.size, rate) for origin, _, rate in hops]),
            tuple(np.concatenate([hop[end] for hop in hops]) for end in (0, 1)),
        ),
        shape=(target + 1, target + 1),
    ).tocsr()
    start = np.zeros(target + 1)
    start[[there[-per_length], back[-per_length]]] = 0.5
    chain = MarkovChain(rates, start, target)
    return chain.chain, chain.reset(start)


def tumbling_limit(function):
    """Extrapolates the logarithm as a polynomial in the spacing, of which no power is absent."""
    values = np.array([float(function(*tumbling(int(n)))) for n in PER_LENGTH])
    weights = [np.prod(n / (n - PER_LENGTH[n != PER_LENGTH])) for n in PER_LENGTH]
    return float(np.exp(weights @ np.log(values)))


def linear(wall, cells):
    return FokkerPlanck(
        potential=lambda x: SWITCHED.slope * x,
        diffusion=SWITCHED.diffusion,
        start=SWITCHED.start,
        target=0.0,
        wall=wall,
        cells=cells,
    )


def logarithmic(problem):
    return replace(problem, potential=lambda x: SWITCHED.strength * np.log(x))


def switch(problem):
    return SwitchPotential(problem, logarithmic(problem))


def mean_residual(problem):
    occupation = problem.chain.occupation()
    return occupation @ switch(problem).residual / occupation.sum()


def squared_position(problem, time):
    chain = problem.chain
    return chain.survival(time) * (chain.state(time) @ problem.grid.centres**2)


def survival_switched(problem, time, at):
    chain = problem.chain
    later = replace(logarithmic(problem).chain, start=chain.state(at))
    return chain.survival(at) * later.survival(time - at)


# The mean after the switch feels the wall as wall^(1 - strength / diffusion), hence the distant ones.
SWITCHES = {
    "residual": (SWITCHED.residual(1.0), 36.0, 1600, lambda p: logarithmic(p).chain.mfpt()),
    "mean residual": (SWITCHED.mean_residual(), 36.0, 1600, mean_residual),
    "poisson": (SWITCHED.mfpt_poisson(0.7), 36.0, 1600, lambda p: switch(p).mfpt_poisson(0.7)),
    "sharp": (SWITCHED.mfpt_sharp(0.4), 12.0, 520, lambda p: switch(p).mfpt_once(0.4)),
    "squared position": (SWITCHED.squared_position(0.4), 6.0, 160, lambda p: squared_position(p, 0.4)),
    "survival": (SWITCHED.survival_sharp(0.6, 0.4), 6.0, 240, lambda p: survival_switched(p, 0.6, 0.4)),
}


@pytest.mark.parametrize("quantity", SWITCHES)
def test_the_switch_of_potentials_agrees(quantity):
    exact, wall, cells, function = SWITCHES[quantity]
    agree(twice_extrapolated(linear(wall, cells), function), float(exact))


# The lattice walk counts steps. A chain that makes one at unit rate takes the same time on average, so that its
# mean is a number of steps, and killing it at the rate s is the same as killing each step with z = 1 / (1 + s).
WALKS = {"towards the target": 0.6, "without bias": 0.5, "away": 0.45}
DISTANCE, FAR, KILL, LONGEST = 4, 150, 0.05, 14


def walk(right):
    """Sites up to the target, which is the last, ``FAR`` of them behind it; the first reflects."""
    rates = np.diag(np.full(FAR, right), 1) + np.diag(np.full(FAR, 1 - right), -1)
    return MarkovChain(sparse.csr_array(rates), FAR - DISTANCE, FAR)


def counted_walk(right, steps, last):
    """The walk with its steps counted, of which the last leads to ``last``: 'target', 'start' or 'nowhere'."""
    sites = steps + DISTANCE + 1
    count, gap = (part.ravel() for part in np.mgrid[:steps, 1:sites])
    target, nowhere = steps * sites, steps * sites + 1
    rates = np.zeros((nowhere + 1, nowhere + 1))
    final = {"target": target, "start": DISTANCE, "nowhere": nowhere}[last]
    for step, chance in ((-1, right), (1, 1 - right)):
        # As many sites as steps, so that the last one is not reached before the count is over.
        to = np.where(count + 1 < steps, (count + 1) * sites + np.minimum(gap + step, sites - 1), final)
        to[gap + step == 0] = target
        np.add.at(rates, (count * sites + gap, to), chance)
    return MarkovChain(sparse.csr_array(rates), DISTANCE, target)


@pytest.mark.parametrize("right", WALKS.values(), ids=WALKS)
def test_the_lattice_walk_is_a_chain(right):
    law, chain = LatticeWalk(right=right, target=DISTANCE), walk(right)
    rate = np.log1p(KILL)
    agree(chain.chain.laplace(KILL), law.laplace(rate))
    agree(chain.chain.laplace(KILL), law.generating_function(1 / (1 + KILL)))
    agree(chain.chain.mfpt_poisson(KILL, chain.reset(FAR - DISTANCE)), law.mfpt_poisson(rate))
    if right > 0.5:
        agree(chain.chain.mfpt(), law.mfpt())
        # The exponential waits add one mean each to the variance.
        agree(chain.chain.second_moment() - chain.chain.mfpt(), law.second_moment())


@pytest.mark.parametrize("steps", [4, 7, LONGEST])
@pytest.mark.parametrize("right", WALKS.values(), ids=WALKS)
def test_the_steps_of_the_lattice_walk_counted_by_a_chain(right, steps):
    law = LatticeWalk(right=right, target=DISTANCE)
    agree(counted_walk(right, steps, "start").chain.mfpt(), law.mfpt_sharp(steps))
    agree(counted_walk(right, steps, "target").chain.mfpt(), law.restricted_mean(steps))
    arrived = [counted_walk(right, n, "nowhere").chain.laplace(0.0) for n in (steps, steps + 1, steps + 2)]
    agree(1 - arrived[0], law.survival(steps))
    agree(arrived[-1] - arrived[0], law.pmf([steps + 1, steps + 2]).sum())
