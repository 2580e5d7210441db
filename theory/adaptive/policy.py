r"""The rule: perturb a run on its plateau when its hazard has fallen below 1 / <tau>.

Perturbing after k more epochs costs :math:`\langle\min(T, k)\rangle + S(k)\langle\tau\rangle` from now on, perturbing
now :math:`\langle\tau\rangle`. Waiting pays if for some k

.. math:: \frac{1 - S(k)}{\langle\min(T, k)\rangle} > \frac{1}{\langle\tau\rangle},

with S the survival of this run from now on: the index of Gittins (J. R. Stat. Soc. B 41, 148 (1979)), and for one
ensemble hazard the optimum of arXiv:2502.04121, :math:`h(P) = 1/\langle\tau\rangle`, since
:math:`d\langle T_P\rangle/dP = S(P)[1 - h(P)\langle\tau\rangle]`. The fraction is an average of the hazards of the
next k epochs, with weights S. On a plateau of unknown height these fall from epoch to epoch, because the run's law
is a mixture of geometric ones; so k = 1 is the largest, and the rule compares the hazard of the next epoch alone,
`theory.adaptive.levels.next_epoch_hazard`, with :math:`1/\langle\tau\rangle`. It is a one-step rule: what the
values to come would teach about the plateau is not counted, so it perturbs a little too early where little is known.
With plateaus of spread 0.5, noise 0.15 and 15 epochs to settle that costs 0.5, 2 and 6 % over the exact optimum
(dynamic programming, tests/benchmarks/adaptive/optimum.py) for thresholds 0.1, 0.6 and 1.1 above the mean plateau.

Where :math:`\langle\tau\rangle` is not given, it is guessed from the run's own course. After k perturbations the
run has seen k + 1 plateaus; if they are exchangeable, the next is the highest of all with probability 1/(k + 2)
(Rényi, Colloquium on Combinatorial Methods in Probability Theory, Aarhus (1962)), and costs as long as the stretches
so far:

.. math:: \langle\tau\rangle \approx (k + 2)\,(\text{mean length of the k finished stretches}),

for k = 0 with the epochs that the run took to settle in place of the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.adaptive.levels import PlateauLaw, next_epoch_hazard
from theory.adaptive.trend import ALPHA, FIRST, settled_since
from theory.ensembles import Ensemble
from theory.passages import Direction, check_direction
from theory.response import Response

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardPolicy:
    """When to perturb a run, by its own metric.

    Attributes
    ----------
    threshold : float
        The goal, in the unit of the metric.
    direction : {"at_least", "at_most"}
        Its side.
    tau : tuple of float, or float
        Mean time, in epochs, from the n-th perturbation to the goal, for n = 1, 2, ...; the last entry for all later
        ones. Empty: guessed from the run's own course.
    settle : tuple of int, or int
        First epoch on the plateau: after the start, and after a perturbation (the last entry for all
        later ones). Empty: found by the sequential test of `theory.adaptive.trend`.
    laws : tuple of PlateauLaw, or PlateauLaw
        Law of the plateaus after the start, the first perturbation, ...; the last for all later ones.
        Empty: the run's own values alone count.
    background : float
        Hazard per epoch that the values on the plateau do not tell of, such as that of jumps over a barrier; added
        to theirs. A pilot tells it.
    readings : int
        Fewest values on the plateau before a run is perturbed. Without a law at least 2.
    longest : int, optional
        Perturb after so many epochs since the start or the last perturbation in any case.
    alpha : float
        Level of the sequential test.
    first : int
        Epoch of its first check, at least 8: a run that has not begun to learn by then looks settled.

    Examples
    --------
    >>> policy = HazardPolicy(threshold=72, tau=10, settle=3, laws=PlateauLaw(71.5, 0.5, 0.15))
    >>> run = [60, 70, 71.6, 71.8, 71.7]
    >>> policy.hazard([run[:2], run[:2]]), policy.hazard([run]).round(3)
    (array([nan, nan]), array([0.038]))
    >>> policy.perturbs([run])
    array([ True])
    """

    threshold: float
    direction: Direction = "at_least"
    tau: tuple[float, ...] = ()
    settle: tuple[int, ...] = ()
    laws: tuple[PlateauLaw, ...] = ()
    background: float = 0.0
    readings: int = 3
    longest: int | None = None
    alpha: float = ALPHA
    first: int = FIRST

    def __post_init__(self) -> None:
        for name in ("tau", "settle", "laws"):
            value = getattr(self, name)
            several = isinstance(value, tuple | list | np.ndarray)
            object.__setattr__(self, name, tuple(value) if several else (value,))
        if not math.isfinite(self.threshold):
            raise ValueError(f"`threshold` must be finite, got {self.threshold}")
        check_direction(self.direction)
        _check_numbers(self)
        if not all(isinstance(law, PlateauLaw) for law in self.laws):
            raise ValueError(f"`laws` must be PlateauLaw objects, or empty, got {self.laws!r}")
        # Plain numbers, whatever they came as, so that equal policies have equal settings.
        for name in ("threshold", "background", "alpha"):
            object.__setattr__(self, name, float(getattr(self, name)))
        for name in ("readings", "longest", "first"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else int(value))
        object.__setattr__(self, "tau", tuple(float(each) for each in self.tau))
        object.__setattr__(self, "settle", tuple(int(each) for each in self.settle))

    @classmethod
    def from_pilot(
        cls,
        unperturbed: Ensemble,
        tau: float | tuple[float, ...] | Response | None,
        threshold: float,
        *,
        perturbed: Ensemble | None = None,
        **settings: Any,
    ) -> HazardPolicy:
        """Build a policy from runs that were trained before; see `theory.adaptive.pilot.pilot_policy`."""
        from theory.adaptive.pilot import pilot_policy

        return pilot_policy(unperturbed, tau, threshold, perturbed=perturbed, **settings)

    def plateau(self, values: Any, cycle: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Since when each run is on its plateau, and from which epoch on that is known; 0 where it is not.

        ``values`` : (runs, epochs), the metric since the start (cycle 0) or since perturbation number ``cycle``.
        """
        values = np.asarray(values, dtype=float)
        if not self.settle:
            return settled_since(values, self.threshold, self.direction, alpha=self.alpha, first=self.first)
        onset = self.settle[min(cycle, len(self.settle) - 1)]
        known = values.shape[1] >= onset
        return tuple(np.full(len(values), onset if known else 0, dtype=np.int64) for _ in range(2))  # type: ignore[return-value]

    def hazard(self, values: Any, cycle: int = 0) -> Array:
        """Probability that each run's next epoch reaches the goal; NaN before it is known to have settled.

        ``values`` : as for `plateau`, all of them short of the goal.
        """
        values = np.asarray(values, dtype=float)
        return self._hazard(values, self.plateau(values, cycle)[0], cycle)

    def _hazard(self, values: Array, onset: NDArray[np.int64], cycle: int) -> Array:
        on = (np.arange(1, values.shape[1] + 1) >= onset[:, None]) & (onset > 0)[:, None]
        count = on.sum(axis=1)
        mean = np.sum(values, axis=1, where=on) / np.maximum(count, 1)
        squares = np.sum((values - mean[:, None]) ** 2, axis=1, where=on)
        law = self.laws[min(cycle, len(self.laws) - 1)] if self.laws else None
        hazard = next_epoch_hazard(count, mean, squares, self.threshold, self.direction, law)
        return np.where(count >= self.readings, np.minimum(hazard + self.background, 1.0), np.nan)

    def expected(self, cycle: int, spent: Any, declared: Any) -> Array:
        """<tau>, in epochs, of a perturbation at the end of this cycle.

        Parameters
        ----------
        cycle : int
            Perturbations so far.
        spent : int, or (runs,) array
            Epochs up to the last of them.
        declared : int, or (runs,) array
            Epoch since then from which the plateau is known.
        """
        if self.tau:
            return np.full(np.broadcast(spent, declared).shape, self.tau[min(cycle, len(self.tau) - 1)])
        mean = np.asarray(spent, dtype=float) / cycle if cycle else np.asarray(declared, dtype=float)
        expectation: Array = np.maximum((cycle + 2) * mean, 1.0)
        return expectation

    def perturbs(self, values: Any, cycle: int = 0, spent: Any = 0) -> NDArray[np.bool_]:
        """Whether each run should be perturbed now.

        ``values`` and ``cycle`` as for `plateau`, ``spent`` as for `expected`.
        """
        values = np.asarray(values, dtype=float)
        onset, declared = self.plateau(values, cycle)
        hazard = self._hazard(values, onset, cycle)
        # A hazard that is not known is not below anything.
        due = hazard < 1 / self.expected(cycle, spent, np.maximum(declared, 1))
        if self.longest is not None and values.shape[1] >= self.longest:
            due = np.ones_like(due)
        return np.asarray(due)

    def settings(self) -> dict[str, Any]:
        """Return the settings as plain numbers, text, lists and dicts."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        laws = [{each.name: getattr(law, each.name) for each in fields(law)} for law in self.laws]
        return {**plain, "tau": list(self.tau), "settle": list(self.settle), "laws": laws}


def _check_numbers(policy: HazardPolicy) -> None:
    if not all(isinstance(each, int | float | np.number) and 1 <= each < math.inf for each in policy.tau):
        raise ValueError(
            f"`tau` must be finite and at least 1 epoch, or empty to be guessed, got {policy.tau}"
        )
    whole = {f"settle[{k}]": each for k, each in enumerate(policy.settle)}
    whole |= {"readings": policy.readings, "first": policy.first}
    if policy.longest is not None:
        whole["longest"] = policy.longest
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"`{name}` must be a whole number, at least 1, got {value!r}")
    if policy.readings < 2 and not policy.laws:
        raise ValueError(
            f"`readings` must be at least 2 where no `laws` are given, got {policy.readings}: a run's noise is not "
            "seen in one value"
        )
    if policy.first < FIRST:
        raise ValueError(f"`first` must be at least {FIRST}, for a line through 4 values, got {policy.first}")
    if not 0 <= policy.background < 1:
        raise ValueError(
            f"`background` must be a hazard per epoch, from 0 to below 1, got {policy.background}"
        )
    if not 0 < policy.alpha < 1:
        raise ValueError(f"`alpha` must lie between 0 and 1, got {policy.alpha}")
