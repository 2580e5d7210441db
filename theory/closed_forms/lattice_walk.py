r"""Nearest-neighbour walk on the whole numbers in discrete time, by the ballot theorem.

With the distance d, the probability p of a step towards the target and q = 1 - p (Feller, An Introduction to
Probability Theory I, 3rd ed., chapters III, XI and XIV)

.. math:: \Pr(T = n) = \frac{d}{n} \binom{n}{(n + d)/2} p^{(n+d)/2} q^{(n-d)/2}, \qquad
          G(z) = \langle z^T \rangle = \left[ \frac{1 - \sqrt{1 - 4pqz^2}}{2qz} \right]^d,

and, by reflection of the path at the target, with the free displacement X after t steps,

.. math:: \Pr(T \le t) = \Pr(X \ge d) + (p/q)^d \Pr(X < -d).

An exponential interval of rate r is rounded up to whole steps, Pr(R > t) = z^t with z = exp(-r). The walk is reset
after it has been looked for at the target, so a tie is an arrival, and Pr(T <= R) = G(z) / z. Hence

.. math:: \langle T_r \rangle = \frac{\sum_t S(t) z^t}{\Pr(T \le R)} = \frac{z (1 - G(z))}{(1 - z) G(z)}, \qquad
          \langle T_P \rangle = \frac{\sum_{t < P} S(t)}{1 - S(P)}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from theory.closed_forms import checks
from theory.closed_forms.base import FirstPassageLaw, FloatArray
from theory.closed_forms.binomial import log_binomial, log_binomial_tail

# Steps that are summed one by one, at most; and decay times after which a sum over the tail is complete.
LONGEST = 10_000_000
COMPLETE = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeWalk(FirstPassageLaw):
    """Walk on the whole numbers from ``start`` to ``target``, each unit of time a step of 1 to either side.

    Time counts steps. Times that are no whole numbers are rounded down by the survival probability and refused
    as periods.

    Attributes
    ----------
    right : float
        Probability of a step to the right, from 0 to 1.
    start, target : int
        Sites; the target may lie on either side.

    Examples
    --------
    >>> walk = LatticeWalk(right=0.5, target=1)
    >>> [round(float(p), 6) for p in walk.pmf([1, 2, 3, 5])]
    [0.5, 0.0, 0.125, 0.0625]
    >>> walk.mfpt(), LatticeWalk(right=0.75, target=3).mfpt()
    (inf, 6.0)
    >>> far = LatticeWalk(target=5)
    >>> far.optimal_period(), round(float(far.mfpt_sharp(21)), 4)
    (21, 64.6386)
    """

    right: float = 0.5
    start: int = 0
    target: int = 1

    def __post_init__(self) -> None:
        checks.finite("right", self.right)
        if not 0 <= self.right <= 1:
            raise ValueError(
                f"`right` must be a probability from 0 to 1, got {self.right!r}; a bias to the left is below 0.5"
            )
        checks.whole("start", self.start)
        checks.whole("target", self.target)
        checks.apart(self.start, self.target)

    def _geometry(self) -> tuple[int, float, float, float]:
        """Distance, probabilities of a step towards the target and away from it, and their difference."""
        ahead, away = float(self.right), 1 - float(self.right)
        if self.target < self.start:
            ahead, away = away, ahead
        return abs(int(self.target) - int(self.start)), ahead, away, ahead - away

    def _reach(self) -> float:
        return self._geometry()[0] * float(np.sqrt(2))

    def _log_ever(self) -> float:
        """Logarithm of the probability of ever arriving."""
        distance, ahead, away, bias = self._geometry()
        with np.errstate(divide="ignore"):
            return 0.0 if bias >= 0 else float(distance * np.log(np.divide(ahead, away)))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        distance, ahead, away, bias = self._geometry()
        # The square root less |p - q|, its value at z = 1, without cancellation.
        beyond = -4 * ahead * away * np.expm1(-2 * s)
        total = np.sqrt(bias**2 + beyond) + abs(bias)
        gap = np.where(total == 0, 0.0, beyond / np.where(total == 0, 1.0, total))
        return self._log_ever() - distance * (s + np.log1p(gap / (1 + abs(bias))))

    def generating_function(self, z: ArrayLike) -> Any:
        """Mean of ``z``^T, for 0 < ``z`` <= 1; `laplace` at -ln z.

        Raises
        ------
        ValueError
            If an entry is not above 0 and at most 1.
        """
        array = np.asarray(z, dtype=np.float64)
        bad = ~((array > 0) & (array <= 1))
        if bad.any():
            raise ValueError(
                f"`z` must be above 0 and at most 1, got {array[bad].flat[0]}; pass exp(-rate) for a rate"
            )
        return checks.unpack(np.exp(self._log_laplace(-np.log(array))))

    def pmf(self, n: ArrayLike) -> Any:
        """Probability that T = ``n``, for whole ``n``."""
        return np.exp(self.log_pmf(n))

    def log_pmf(self, n: ArrayLike) -> Any:
        """Logarithm of `pmf`."""
        return checks.unpack(self._log_pmf(checks.whole_times("n", n, lowest=0)))

    def _log_pmf(self, n: FloatArray) -> FloatArray:
        distance, ahead, away, _ = self._geometry()
        possible = (n >= distance) & ((n - distance) % 2 == 0) & np.isfinite(n)
        n = np.where(possible, n, distance)
        found = np.log(distance) - np.log(n) + log_binomial(n, (n + distance) / 2, ahead, away)
        return np.where(possible, found, -np.inf)

    def density(self, t: ArrayLike) -> Any:
        """Raise: time is discrete, T has probabilities instead, `pmf`.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"`t` must be continuous time for a density, got {t!r} for a walk in steps; use `pmf`"
        )

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        distance, ahead, away, bias = self._geometry()
        t = np.floor(t)
        least = np.floor((t + distance + 1) / 2)
        above = np.floor((t + distance) / 2) + 1
        with np.errstate(divide="ignore", over="ignore"):
            beyond = log_binomial_tail(t, least, ahead)
            reflected = distance * (np.log(ahead) - np.log(away)) if away > 0 else 0.0
            image = log_binomial_tail(t, above, away)
            log_cdf = np.minimum(np.logaddexp(beyond, image + reflected), 0.0)
            survival = -np.expm1(log_cdf)
            log_survival = np.log(np.maximum(survival, 0.0))
        late = survival < 1e-3
        if bias > 0 and COMPLETE / bias**2 < LONGEST:
            log_survival[late] = [self._log_remainder(x) for x in t[late]]
        elif bias == 0 and distance < LONGEST:
            log_survival[late] = [self._log_between(x) for x in t[late]]
        return log_cdf, log_survival

    def _log_remainder(self, t: float) -> float:
        """Logarithm of the sum of the probabilities of all later steps."""
        distance, ahead, away, bias = self._geometry()
        first = max(t + 1 + (t + 1 - distance) % 2, distance)
        n = first + 2 * np.arange(int(COMPLETE / bias**2) + 2)
        up = (n + distance) / 2
        ratio = n * (n + 1) / ((up + 1) * (up - distance + 1)) * (ahead * away)
        later = np.cumprod(ratio).sum()
        return float(self._log_pmf(np.array(first)) + np.log1p(later))

    def _log_between(self, t: float) -> float:
        """Logarithm of Pr(-d <= X < d), the survival probability without bias."""
        distance = self._geometry()[0]
        place = np.arange(-distance, distance, dtype=float)
        place = place[(place + t) % 2 == 0]
        place = place[np.abs(place) <= t]
        return float(special.logsumexp(log_binomial(np.full_like(place, t), (place + t) / 2, 0.5, 0.5)))

    def restricted_mean(self, period: ArrayLike) -> Any:
        """Mean of min(T, ``period``) for whole periods, the sum of S(t) over t < ``period``.

        Raises
        ------
        ValueError
            If a period is not a whole number, or more than 10^7 steps have to be summed.
        """
        checks.whole_times("period", period, lowest=0)
        return self._at_times("period", period, self._restricted_mean, 0.0, self.mfpt())

    def _restricted_mean(self, t: FloatArray) -> FloatArray:
        distance, _, _, bias = self._geometry()
        last = float(t.max())
        if bias > 0:
            # Beyond, n Pr(T = n) adds less than rounding.
            last = min(last, np.ceil(COMPLETE / bias**2 + 4 * distance / bias))
        if last > LONGEST:
            raise ValueError(
                f"`period` must be at most {LONGEST} steps where they are summed one by one, got {last:.0f}; "
                "use Brownian(diffusion=0.5, drift=2 * right - 1) for so long times"
            )
        # Sum of S(t) = P S(P) + sum of n Pr(T = n), all positive.
        n = np.arange(distance, last + 1, 2)
        with np.errstate(divide="ignore"):
            weighted = np.concatenate([[0.0], np.cumsum(n * np.exp(self._log_pmf(n)))])
        arrived = weighted[np.searchsorted(n, t, side="right")]
        return arrived + t * np.exp(self._log_tails(t)[1])

    def mfpt(self) -> float:
        """Distance over bias, d / (p - q); infinite without a bias towards the target."""
        distance, _, _, bias = self._geometry()
        return distance / bias if bias > 0 else np.inf

    def second_moment(self) -> float:
        """Mean of T^2, (d / (p - q))^2 + 4 p q d / (p - q)^3."""
        distance, ahead, away, bias = self._geometry()
        return (distance / bias) ** 2 + 4 * ahead * away * distance / bias**3 if bias > 0 else np.inf

    def decay_rate(self) -> float:
        """Decay per step of the survival probability, -ln(4pq)/2, for a bias towards the target, else 0."""
        _, ahead, away, bias = self._geometry()
        with np.errstate(divide="ignore"):
            return float(-np.log(4 * ahead * away) / 2) if bias > 0 else 0.0

    def mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Mean first-passage time under resetting at ``rate``, each interval rounded up to whole steps."""
        log_mean = np.asarray(self.log_mfpt_poisson(rate))
        with np.errstate(over="ignore"):
            return checks.unpack(np.exp(log_mean))

    def log_mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Logarithm of `mfpt_poisson`."""
        rates = checks.times("rate", rate, allow_zero=False)
        distance = self._geometry()[0]
        # ln(1/G) - ln(1/z - 1) with the rate, the part of both that grows without limit, taken out once.
        cost = -self._log_laplace(rates)
        rest = np.where(np.isfinite(rates), cost - np.where(np.isfinite(rates), rates, 0.0), np.inf)
        if distance == 1:
            ahead = self._geometry()[1]
            with np.errstate(divide="ignore"):
                rest = np.where(np.isfinite(rates), rest, -np.log(ahead))
        with np.errstate(divide="ignore"):
            return checks.unpack(rest + np.log(-np.expm1(-cost)) - np.log(-np.expm1(-rates)))

    def mfpt_sharp(self, period: ArrayLike) -> Any:
        """Mean first-passage time under resetting each ``period``, a whole number of steps."""
        checks.whole_times("period", period, lowest=1)
        return FirstPassageLaw.mfpt_sharp(self, period)

    def log_mfpt_sharp(self, period: ArrayLike) -> Any:
        """Logarithm of `mfpt_sharp`."""
        checks.whole_times("period", period, lowest=1)
        return FirstPassageLaw.log_mfpt_sharp(self, period)

    def survival_sharp(self, t: ArrayLike, period: float) -> Any:
        """Probability that T > ``t`` under resetting each ``period``, a whole number of steps."""
        checks.whole_times("period", period, lowest=1)
        return FirstPassageLaw.survival_sharp(self, t, period)

    def optimal_period(self) -> float:
        """Whole period of least mean first-passage time; infinite where resetting does not help.

        Raises
        ------
        ValueError
            If the target is more than about 1800 sites away and the bias is small.
        """
        distance, ahead, _, bias = self._geometry()
        if ahead in (0.0, 1.0):
            return np.inf
        # The time of diffusion and, for a biased walk that arrives at all, that of drift.
        scale = min(3.0 * distance**2, np.inf if bias == 0 else 20 * distance / abs(bias))
        if distance + scale > LONGEST:
            raise ValueError(
                f"`target` must be less than about 1800 sites from `start`, got {distance}; "
                "use Brownian(diffusion=0.5, drift=2 * right - 1) for so long a way"
            )
        # Between possible arrivals a longer period only costs time.
        periods = np.arange(distance, distance + scale + 40, 2)
        log_pmf = self._log_pmf(periods)
        log_cdf = np.minimum(np.logaddexp.accumulate(log_pmf), 0.0)
        lived = np.cumsum(periods * np.exp(log_pmf)) - periods * np.expm1(log_cdf)
        values = np.log(lived) - log_cdf
        at = int(np.argmin(values))
        gains = at < len(periods) - 1 and values[at] < np.log(self.mfpt()) - 1e-10
        return int(periods[at]) if gains else np.inf
