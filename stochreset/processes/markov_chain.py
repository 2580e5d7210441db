"""Finite Markov chains and kinetic networks, simulated exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stochreset.kernels.alias import alias_table
from stochreset.kernels.compiling import inlined
from stochreset.kernels.registering import register
from stochreset.kernels.streams import exponential, uniform
from stochreset.perturbations import Perturbation, Reset
from stochreset.processes.base import Method, Process
from theory.closed_forms import checks

if TYPE_CHECKING:
    from theory.numerical import Kernel
    from theory.numerical import MarkovChain as ExactChain


class Network(NamedTuple):
    """Jumps between states by rates; x is the number of the state.

    The jumps out of state i are those from ``first[i]`` to ``first[i + 1] - 1``.
    """

    start: float
    leave: NDArray[np.float64]  # (states,) rate of leaving
    is_target: NDArray[np.bool_]  # (states,)
    first: NDArray[np.int64]  # (states + 1,)
    goal: NDArray[np.int64]  # (jumps,) state that the jump leads to
    keep: NDArray[np.float64]  # (jumps,) alias table of the jumps out of a state
    other: NDArray[np.int64]  # (jumps,)


@inlined
def _beyond(process, x):
    return process.is_target[int(x)]


@inlined
def _advance(process, x, aux, limit, forget, stream):
    state, elapsed = int(x), 0.0
    while not stream.stop[0]:
        rate = process.leave[state]
        dwell = exponential(stream) / rate
        if rate == 0.0 or dwell > limit - elapsed:
            break
        elapsed += dwell
        stream.steps[0] += 1
        first = process.first[state]
        place = uniform(stream) * (process.first[state + 1] - first)
        jump = min(first + int(place), process.first[state + 1] - 1)  # a uniform number may be 1
        if place - (jump - first) >= process.keep[jump]:
            jump = process.other[jump]
        state = process.goal[jump]
        if process.is_target[state]:
            return elapsed, float(state), aux, True
    return limit, float(state), aux, False


register(Network, advance=_advance, beyond=_beyond)


@dataclass(frozen=True, eq=False, kw_only=True)
class MarkovChain(Process):
    """A finite Markov chain in continuous time (kinetic network), from a state to any of the targets.

    A run stays in state i for an exponential time of mean 1 / sum_j rates[i, j] and then jumps to j in
    proportion to rates[i, j] (Gillespie, J. Phys. Chem. 81, 2340 (1977)). The position x is the number of the
    state.

    Attributes
    ----------
    rates : (states, states) array or nested sequence
        rates[i, j] is the rate i -> j, 1 / time; the diagonal and rates out of targets are ignored.
    start : int
        State at the beginning, and after `Reset()`.
    targets : int or sequence of int
        States at which a run is complete.
    labels : sequence of str, optional
        Names of the states, for messages.

    Examples
    --------
    A walk on 0 .. 3 that steps both ways at rate 1, from 0 to 3:

    >>> walk = MarkovChain(rates=np.eye(4, k=1) + np.eye(4, k=-1), start=0, targets=3)
    >>> walk.mfpt(), round(float(walk.mfpt_poisson(0.5)), 6)
    (6.0, 8.75)
    """

    rates: Any = field(repr=False)
    start: int = 0
    targets: int | Sequence[int] = -1
    labels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        try:
            rates = np.array(self.rates, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                f"`rates` must be a square matrix of numbers, got {self.rates!r:.100}; pass rows of equal length"
            ) from None
        if rates.ndim != 2 or rates.shape[0] != rates.shape[1]:
            raise ValueError(f"`rates` must be a square matrix, got shape {rates.shape}")
        np.fill_diagonal(rates, 0.0)
        if not (np.isfinite(rates).all() and (rates >= 0).all()):
            raise ValueError(
                "`rates` must be finite and not negative off the diagonal, got "
                f"{rates[~(np.isfinite(rates) & (rates >= 0))][0]}"
            )
        states = len(rates)
        if self.labels is not None and len(self.labels) != states:
            raise ValueError(f"`labels` must name all {states} states, got {len(self.labels)}")
        self._check_state("start", self.start, states)
        targets = np.unique(np.atleast_1d(np.asarray(self.targets)))
        for target in targets.tolist():
            self._check_state("targets", target, states)
        if self.start in targets:
            raise ValueError(
                f"`start` must not be a target, got {self.start}; a passage that is complete at the start "
                "takes no time"
            )
        rates[targets] = 0.0
        rates.flags.writeable = False
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "targets", tuple(targets.tolist()))
        object.__setattr__(self, "start", int(self.start))
        if self._leads_nowhere(self.start):
            raise ValueError(
                f"`targets` must be reachable, but no path of rates leads from {self._name(self.start)} to "
                f"{self._names(self.targets)}; check that rates[i, j] is the rate from i to j"
            )

    @staticmethod
    def _check_state(argument: str, value: Any, states: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < states:
            raise ValueError(
                f"`{argument}` must be states, whole numbers from 0 to {states - 1}, got {value!r}"
            )

    def _name(self, state: int) -> str:
        return f"state {state}" if self.labels is None else f"state {state} ({self.labels[state]})"

    def _names(self, states: Any) -> str:
        return " or ".join(self._name(state) for state in states)

    def _from(self, start: int) -> NDArray[np.bool_]:
        """States on a path of positive rates from ``start``, which is one of them."""
        seen = np.arange(len(self.rates)) == start
        while True:
            more = seen | (self.rates[seen] > 0).any(axis=0)
            if (more == seen).all():
                return seen
            seen = more

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def threshold(self) -> float:
        """Number of the target, for traces: it must be the last of the states, or the first."""
        targets = {int(state) for state in np.atleast_1d(self.targets)}
        if targets not in ({0}, {len(self.rates) - 1}):
            raise ValueError(
                f"`targets` {sorted(targets)} are no threshold for the number of the state; for traces, number the "
                "states so that the only target comes last"
            )
        return float(targets.pop())

    def check_perturbation(self, perturbation: Perturbation) -> None:
        """Raise unless the perturbation is a reset to a state."""
        super().check_perturbation(perturbation)
        if not isinstance(perturbation, Reset):
            raise ValueError(
                f"`perturbation` must be Reset() or Reset(to=state) for a Markov chain, got {perturbation!r}; "
                "the number of a state is no position"
            )
        if perturbation.to is None:
            return
        states = len(self.rates)
        whole = np.ndim(perturbation.to) == 0 and not hasattr(perturbation.to, "ppf")
        if not whole or perturbation.to not in range(states):
            raise ValueError(f"`to` must be a state from 0 to {states - 1}, got {perturbation.to!r}")

    def exact_parameters(self) -> Network:
        """Return the parameters for the event-driven kernel."""
        states, goals = np.nonzero(self.rates)
        first = np.searchsorted(states, np.arange(len(self.rates) + 1))
        keep, other = np.ones(goals.size), np.arange(goals.size)
        for begin, end in zip(first[:-1], first[1:], strict=True):
            if end > begin:
                jumps = slice(begin, end)
                keep[jumps], other[jumps] = alias_table(self.rates[states[jumps], goals[jumps]])
                other[jumps] += begin
        is_target = np.isin(np.arange(len(self.rates)), self.targets)
        leave = self.rates.sum(axis=1)
        return Network(float(self.start), leave, is_target, first.astype(np.int64), goals, keep, other)

    @property
    def arrives(self) -> bool:
        """Whether every run arrives: whether each state that it can get to has a path to a target."""
        return not self.dead_ends()

    def ends_under(self, perturbation: Perturbation, longest: float) -> bool | None:
        """Whether resets lead to where a target can be reached."""
        to = getattr(perturbation, "to", None)
        return not self._leads_nowhere(self.start if to is None else int(to))

    def _leads_nowhere(self, state: int) -> bool:
        return not self._from(state)[list(self.targets)].any()  # type: ignore[arg-type]

    def dead_ends(self) -> tuple[int, ...]:
        """States that a run can get to and from which no target can be reached."""
        can = np.isin(np.arange(len(self.rates)), self.targets)
        for _ in range(len(self.rates)):
            can = can | (self.rates[:, can] > 0).any(axis=1)
        return tuple(np.flatnonzero(self._from(self.start) & ~can).tolist())

    @cached_property
    def exact(self) -> ExactChain:
        """The same chain as `theory.numerical.MarkovChain`."""
        from theory.numerical import MarkovChain as ExactChain

        return ExactChain(self.rates, self.start, list(self.targets))  # type: ignore[arg-type]

    def mfpt(self) -> float:
        """Mean first-passage time without perturbation; infinite where the target can be missed."""
        return self.exact.chain.mfpt()

    def second_moment(self) -> float:
        """Mean of T^2 without perturbation."""
        return self.exact.chain.second_moment()

    def cv(self) -> float:
        """Coefficient of variation, standard deviation over mean, without perturbation."""
        return self.exact.chain.cv()

    def laplace(self, s: ArrayLike) -> Any:
        """Laplace transform of the density, the mean of exp(-s T), for real ``s`` >= 0."""
        return self.exact.chain.laplace(s)

    def survival(self, t: ArrayLike) -> Any:
        """Probability that T > ``t``, without perturbation."""
        return self.exact.chain.survival(t)

    def survival_sharp(self, t: ArrayLike, period: float, to: int | None = None) -> Any:
        """Probability that T > ``t`` under resets each ``period``, to the start or to the state ``to``."""
        return self.exact.chain.survival_periodic(t, period, self._reset(to))

    def mfpt_poisson(self, rate: ArrayLike, to: int | None = None) -> Any:
        """Mean first-passage time under resets at a constant ``rate``, to the start or to the state ``to``."""
        kernel = self._reset(to)
        rates = checks.times("rate", rate, allow_zero=False)
        means = [self.exact.chain.mfpt_poisson(float(each), kernel) for each in rates.flat]
        return checks.unpack(np.reshape(means, rates.shape))

    def mfpt_sharp(self, period: ArrayLike, to: int | None = None) -> Any:
        """Mean first-passage time under resets each ``period``, to the start or to the state ``to``."""
        kernel = self._reset(to)
        periods = checks.times("period", period, allow_zero=False)
        means = [self.exact.chain.mfpt_periodic(float(each), kernel) for each in periods.flat]
        return checks.unpack(np.reshape(means, periods.shape))

    def _reset(self, to: int | None) -> Kernel:
        return self.exact.reset(self.start if to is None else to)
